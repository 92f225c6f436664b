"""Refusals that repeat our credential: gateways were seen to answer with the whole request."""

from base64 import b64decode
from binascii import Error
from collections.abc import Collection
from dataclasses import replace

from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from bot.net.reply import Reply

MASK = "***"
_SHORTEST = 4
_OURS = frozenset(
    {"user-agent", "accept", "accept-encoding", "content-type", "content-length", "connection"}
)


def credentials(request: PreparedRequest) -> tuple[str, ...]:
    """What may be secret in the headers of a request, longest first: every value that the
    client itself does not set, without its scheme, and for Basic in plain words too.
    """
    found: set[str] = set()
    for name, value in request.headers.items():
        if name.lower() in _OURS:
            continue
        text = str(value)
        scheme, _, rest = text.partition(" ")
        found |= {text, rest or text}
        if scheme.lower() == "basic":
            found |= _plain(rest)
    return tuple(sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True))


def masked(reply: Reply, secrets: Collection[str]) -> Reply:
    """The reply without any of the secrets in its body and headers."""
    body, headers = reply.body, dict(reply.headers)
    for secret in secrets:
        body = body.replace(secret.encode(), MASK.encode())
        headers = {name: value.replace(secret, MASK) for name, value in headers.items()}
    return replace(reply, body=body, headers=CaseInsensitiveDict(headers))


def _plain(packed: str) -> set[str]:
    try:
        pair = b64decode(packed, validate=True).decode()
    except (Error, UnicodeDecodeError):
        return set()
    return {pair, pair.partition(":")[2]}
