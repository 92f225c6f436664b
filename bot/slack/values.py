"""The values of buttons: signed pointers, never a command line that a press simply runs.

A value holds what the button stands for and when that expires. The signature also covers the
channel, which is not in the value, so that a value works in its own channel only.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.access import Verb
from bot.domain.errors import UserError
from bot.domain.pipelines import PipelineRef
from bot.domain.runs import RunRef

LIFETIME = timedelta(days=7)
MOST_CHARACTERS = 2000
LONGEST_REASON = 200
_SIGNATURE_BYTES = 16
_DIGEST_PARTS = 2
_MUTE_PARTS = 4
_CONTEXT = b"slack button values, version 1"


@dataclass(frozen=True, slots=True)
class RunPress:
    """Act on one run: a control of a card, or the yes of a confirmation (with its reason)."""

    verb: Verb
    ref: RunRef
    reason: str = ""
    command: None = None


@dataclass(frozen=True, slots=True)
class CommandPress:
    """A corrected command that was offered, as the bot wrote it (no Slack escaping)."""

    command: str


@dataclass(frozen=True, slots=True)
class MutePress:
    """Be quiet about one pipeline and branch for a while."""

    pipeline: PipelineRef
    branch: str | None


@dataclass(frozen=True, slots=True)
class DigestPress:
    """Show everything that is in a digest."""

    digest_id: int


Press = RunPress | CommandPress | MutePress | DigestPress


class PressRefusedError(UserError):
    """A value that is not ours, not for here, or too old. One sentence for all of these; only
    the detail, for the log, tells which.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(
            "this button does not work any more. Nothing was done; type the command instead.",
            help_command="/runs help",
            detail=detail,
        )


class Signer:
    """Signs with a key derived from a secret of the deployment. Thread-safe, no I/O."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(_bytes(secret), _CONTEXT, hashlib.sha256).digest()

    def sign(self, press: Press, channel: str, expires: datetime) -> str:
        """The text for a button. That of a long command may exceed MOST_CHARACTERS and is then
        not to be used; that of a run is at most some 1,400 characters, 300 without a reason.
        """
        payload = _encode(_dumped(press, int(expires.timestamp())))
        return f"{payload}.{self._signature(payload, channel)}"

    def read(self, value: str, channel: str, now: datetime) -> Press:
        """What was signed for this channel. PressRefusedError for every defect."""
        payload, _, signature = value.partition(".")
        expected = self._signature(payload, channel)
        if not hmac.compare_digest(_bytes(signature), expected.encode()):
            raise PressRefusedError("signature or channel")
        press, expires = _loaded(payload)
        if now.timestamp() >= expires:
            raise PressRefusedError("expired")
        return press

    def _signature(self, payload: str, channel: str) -> str:
        covered = _bytes(f"{channel}\0{payload}")
        return _encode(hmac.new(self._key, covered, hashlib.sha256).digest()[:_SIGNATURE_BYTES])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _dumped(press: Press, expires: int) -> bytes:
    parts = [expires, *_parts(press)]
    return _bytes(json.dumps(parts, ensure_ascii=False, separators=(",", ":")))


def _parts(press: Press) -> list[str | None]:
    match press:
        case RunPress():
            return [press.verb, str(press.ref), press.reason[:LONGEST_REASON]]
        case MutePress():
            return [press.pipeline.instance, press.pipeline.key, press.branch, "mute"]
        case DigestPress():
            return [str(press.digest_id), "digest"]
        case CommandPress():
            return [press.command]


def _loaded(payload: str) -> tuple[Press, int]:
    """Reads what bears our signature; a failure means that another version wrote it."""
    try:
        expires, *parts = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if len(parts) == 1:
            return CommandPress(str(parts[0])), int(expires)
        if len(parts) == _DIGEST_PARTS:
            return DigestPress(int(parts[0])), int(expires)
        if len(parts) == _MUTE_PARTS:
            instance, key, branch, _word = parts
            return MutePress(PipelineRef(instance, key), branch), int(expires)
        verb, ref, reason = parts
        return RunPress(Verb(verb), RunRef.parse(ref), str(reason)), int(expires)
    except (ValueError, TypeError, UserError) as error:
        raise PressRefusedError("payload") from error
