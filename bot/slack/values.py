"""The values of buttons: signed pointers, never command lines for a mutation to run as they are.

A value holds what is pressed (purpose, verb, run, or a corrected command) and when it expires.
The signature also covers the channel, which is not in the value, so that a value works in its
own channel only.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.access import Verb
from bot.domain.errors import UserError
from bot.domain.runs import RunRef

LIFETIME = timedelta(days=7)
MOST_CHARACTERS = 2000
LONGEST_REASON = 200
_SIGNATURE_BYTES = 16
_CONTEXT = b"slack button values, version 1"


class Purpose(StrEnum):
    """What a press means: act on a run; confirm an action; run or ask about a command."""

    CONTROL = "r"
    CONFIRM = "c"
    OFFER = "o"


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a button stands for. `reason` belongs to CONFIRM, `command` to OFFER."""

    purpose: Purpose
    verb: Verb
    ref: RunRef | None = None
    reason: str = ""
    command: str = ""


class PressRefusedError(UserError):
    """A value that is not ours, not for here, or too old. One sentence for all of these."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "This button does not work any more. Nothing was done; type the command instead.",
            help_command="/runs help",
            detail=detail,
        )


def derive_key(secret: str) -> bytes:
    """The signing key made from a secret of the deployment, which itself signs nothing here."""
    return hmac.new(secret.encode("utf-8", "surrogatepass"), _CONTEXT, hashlib.sha256).digest()


def sign(key: bytes, pointer: Pointer, channel: str, expires: datetime) -> str:
    """The text for a button's `value`. An offer may come out longer than MOST_CHARACTERS, and
    is then not to be used; all others fit.
    """
    payload = _encode(
        json.dumps(
            [
                pointer.purpose,
                pointer.verb,
                str(pointer.ref or ""),
                int(expires.timestamp()),
                pointer.reason[:LONGEST_REASON] or pointer.command,
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode("utf-8", "replace")
    )
    return f"{payload}.{_signature(key, payload, channel)}"


def read(
    key: bytes,
    value: str,
    channel: str,
    now: datetime,
    purpose: Purpose,
    verb: Verb | None = None,
) -> Pointer:
    """The pointer behind a value that was signed for this channel, purpose and verb.

    PressRefusedError for every defect; only its detail, for the log, tells which.
    """
    payload, _, signature = value.partition(".")
    expected = _signature(key, payload, channel)
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode()):
        raise PressRefusedError("signature or channel")
    pointer, expires = _decoded(payload)
    if now.timestamp() >= expires:
        raise PressRefusedError("expired")
    if pointer.purpose is not purpose or (verb is not None and pointer.verb is not verb):
        raise PressRefusedError("purpose or verb")
    return pointer


def _signature(key: bytes, payload: str, channel: str) -> str:
    covered = f"{channel}\0{payload}".encode("utf-8", "replace")
    return _encode(hmac.new(key, covered, hashlib.sha256).digest()[:_SIGNATURE_BYTES])


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(payload: str) -> tuple[Pointer, int]:
    """Reads what bears our signature; a failure means another version wrote it."""
    try:
        padded = payload + "=" * (-len(payload) % 4)
        purpose, verb, ref, expires, text = json.loads(urlsafe_b64decode(padded))
        is_offer = Purpose(purpose) is Purpose.OFFER
        pointer = Pointer(
            Purpose(purpose),
            Verb(verb),
            RunRef.parse(ref) if ref else None,
            "" if is_offer else text,
            text if is_offer else "",
        )
        return pointer, int(expires)
    except (ValueError, TypeError, UserError) as error:
        raise PressRefusedError("payload") from error
