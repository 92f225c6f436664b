"""Calls to env0's API: what is asked, how errors are worded, how lists are read."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.net import HttpClient, HttpError, Reply
from bot.providers.answers import each_readable, odd_form, parsed
from bot.providers.env0_replies import safe_words

M = TypeVar("M", bound=BaseModel)
Query = Sequence[tuple[str, str]]

_VENDOR = "env0"
_HEADERS = {"Accept": "application/json"}
_PAYMENT_REQUIRED = 402
_SHORTEST_SECRET = 8
_MASK = b"***"
_MEANINGS = {
    Kind.AUTH: "env0 did not accept the API key; whoever runs the bot should check its id and "
    "secret.",
    Kind.FORBIDDEN: "env0 does not allow that to the bot's API key; whoever runs the bot can ask "
    "for more rights.",
    Kind.NOT_FOUND: "env0 does not know that id. If it was just started, try again in a moment.",
    Kind.INVALID: "env0 refused what it was asked.",
}
_PLAIN_REFUSALS = frozenset({Kind.AUTH, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.RATE_LIMITED})
"""For these the vendor's own words add nothing, and a 403 may even echo the credential."""


class UnknownPathError(ProviderError):
    """The gateway's kind of 403: this address is no call of env0's API; nothing was done."""


@dataclass(frozen=True, slots=True)
class Items(Generic[M]):
    """The readable items of one list; `bad_items` counts the others."""

    items: tuple[M, ...]
    bad_items: int = 0


class Env0Api:
    """Raises ProviderError and nothing else. Thread-safe."""

    def __init__(self, http: HttpClient, key_id: str, key_secret: str) -> None:
        self._http = http
        pair = b64encode(f"{key_id}:{key_secret}".encode())
        forms = (pair, pair.replace(b"/", b"\\/"), key_secret.encode(), key_id.encode())
        self._secrets = tuple(text for text in forms if len(text) >= _SHORTEST_SECRET)

    def __repr__(self) -> str:
        return "Env0Api(***)"

    def one(
        self, model: type[M], segments: Sequence[str], deadline: Deadline, query: Query = ()
    ) -> M:
        """The object at a path; BAD_REPLY if it is not one."""
        value = self._call("GET", segments, deadline, query=query).json()
        return parsed(model, value, _VENDOR)

    def items(
        self, model: type[M], segments: Sequence[str], deadline: Deadline, query: Query = ()
    ) -> Items[M]:
        """The list at a path, each item read on its own; BAD_REPLY if it is not a list."""
        value = self._call("GET", segments, deadline, query=query).json()
        if not isinstance(value, list):
            raise odd_form(_VENDOR)
        found = tuple(each_readable(model, value))
        return Items(found, len(value) - len(found))

    def change(
        self,
        method: str,
        segments: Sequence[str],
        deadline: Deadline,
        body: dict[str, Any] | None = None,
    ) -> Any:
        """Sends one change, once. The parsed answer; None where it is empty or no JSON."""
        return self._call(method, segments, deadline, body=body).json_or_none()

    def _call(
        self,
        method: str,
        segments: Sequence[str],
        deadline: Deadline,
        *,
        query: Query = (),
        body: dict[str, Any] | None = None,
    ) -> Reply:
        more: dict[str, Any] = {} if body is None else {"json": body}
        try:
            reply = self._http.request(
                method, *segments, deadline=deadline, query=query, headers=_HEADERS, **more
            )
        except HttpError as error:
            problem = _worded(error, self._scrubbed(error.reply))
        else:
            return self._scrubbed(reply)
        raise problem  # out here, since the caught error holds the raw reply

    def _scrubbed(self, reply: Reply) -> Reply:
        """The reply without our own credential, wherever the vendor may have echoed it."""
        body = reply.body
        for secret in self._secrets:
            body = body.replace(secret, _MASK)
        return replace(reply, body=body)


def _worded(error: HttpError, reply: Reply) -> ProviderError:
    """In env0's terms. The body of a 403 is never shown: the gateway's echoes our key."""
    if error.kind is Kind.FORBIDDEN and _is_of_gateway(reply):
        return UnknownPathError(
            Kind.BAD_REPLY,
            "env0's gateway knows no such call; nothing was done. Whoever runs the bot should "
            "check BASE_URL.",
            detail=f"{error.detail}, the gateway's kind",
        )
    kind, message = error.kind, _MEANINGS.get(error.kind, error.message)
    if reply.status == _PAYMENT_REQUIRED:
        kind, message = Kind.FORBIDDEN, "That is not in this organization's env0 plan."
    said = "" if kind in _PLAIN_REFUSALS else _vendor_words(reply)
    return ProviderError(
        kind,
        f"{message} It says: {said}" if said else message,
        detail=error.detail,
        retry_after_s=error.retry_after_s,
    )


def _is_of_gateway(reply: Reply) -> bool:
    """An unknown path or an empty id (recorded), which is no matter of rights."""
    text = reply.text()
    return "Authorization header" in text or "'Credential'" in text


def _vendor_words(reply: Reply) -> str:
    """`message` of a JSON body, else the text: requests that do not validate are answered with
    plain text (recorded). A web page says nothing.
    """
    value = reply.json_or_none()
    if isinstance(value, dict):
        said = value.get("message")
        return safe_words(said) if isinstance(said, str) else ""
    text = reply.text()
    return "" if text.lstrip()[:1] in {"<", "[", "{"} else safe_words(text)
