"""Messages on their way to Slack, and what can become of one write."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.digests import Digest
from bot.domain.replies import ActionCard, AlertCard, AlertReply, ChannelNotice
from bot.domain.runs import RunRef

Body = AlertCard | AlertReply | ChannelNotice | Digest | ActionCard


class Form(StrEnum):
    """POST makes a message; REPLY one in the thread of `root_key`'s message (BROADCAST shows it
    in the channel too); EDIT changes `root_key`'s message, and a newer edit replaces a waiting one.
    """

    POST = "post"
    REPLY = "reply"
    BROADCAST = "broadcast"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be sent once. `key` is unique for ever: a second one with it is dropped
    (for an EDIT: replaces the body and is due again).
    """

    channel: str
    key: str
    form: Form
    body: Body
    root_key: str | None = None

    @property
    def about(self) -> RunRef | None:
        """The run that people mean when they answer in the message's thread without naming one."""
        match self.body:
            case AlertCard(latest=latest, underway=underway):
                return (underway or latest).ref
            case AlertReply(run=run):
                return run.ref
            case ActionCard(run=run):
                return None if run is None else run.ref
            case _:
                return None


@dataclass(frozen=True, slots=True)
class OutboxClaim:
    """A message that this sender, and no other, may send now.

    `token` is the fencing token: settling with an outdated one is refused. `root_ts` is the
    Slack timestamp of the root message of a REPLY or EDIT. `attempts` counts earlier claims;
    `is_ambiguous` tells that one of them may have been accepted: look for it first. `looks`
    counts how often it was looked for since and not found. `first_try` is the time of day of
    the first claim, in seconds of the epoch. For an EDIT `rendering` is the fingerprint of
    what its message shows, empty when that is not known, and `root_id` that message's own id.
    """

    message_id: str
    message: NewMessage
    token: int
    attempts: int
    is_ambiguous: bool
    root_ts: str | None
    looks: int = 0
    first_try: float = 0.0
    rendering: str = ""
    root_id: str = ""


class Outcome(StrEnum):
    """What became of one Slack write (see Delivery), or why none was needed."""

    SENT = "sent"
    UNCHANGED = "unchanged"
    LATER = "later"
    AMBIGUOUS = "ambiguous"
    MESSAGE_REFUSED = "message refused"
    MESSAGE_GONE = "message gone"
    CHANNEL_REFUSED = "channel refused"
    APP_REFUSED = "app refused"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`ts` is set for SENT and UNCHANGED; `retry_after_s` may be for LATER; `error` is Slack's
    own word. `rendering` is the fingerprint of what was sent.
    """

    outcome: Outcome
    ts: str | None = None
    retry_after_s: float | None = None
    error: str = ""
    rendering: str = ""


class Sight(StrEnum):
    """What a look into the channel's history told: UNREADABLE means that it may not be read or
    is too long to be read; NO_ANSWER says nothing about the message at all.
    """

    FOUND = "found"
    ABSENT = "absent"
    UNREADABLE = "unreadable"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Look:
    """`ts` is set for FOUND; `retry_after_s` may be for NO_ANSWER."""

    sight: Sight
    ts: str | None = None
    retry_after_s: float | None = None
    error: str = ""


class Standing(StrEnum):
    """How a message stands: FOLDED into a digest, which may be on its way still; CARDED: folded,
    and given a message of its own since; DEAD: it was refused, or is gone.
    """

    WAITING = "waiting"
    SENT = "sent"
    FOLDED = "folded"
    CARDED = "carded"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message. `was_shown` holds once it stood in the channel. `reason` is why
    it is dead: Slack's own word, or a sentence.
    """

    standing: Standing
    was_shown: bool = False
    reason: str = ""


class Unseen(StrEnum):
    """What is done with a message that was perhaps sent when the channel's history cannot be
    read: send it again (it may stand there twice) or hold it back (it may be missing).
    """

    RESEND = "resend"
    HOLD = "hold"


def failures_told(body: Body, form: Form) -> int:
    """How many failing runs a message tells of: those of a whole episode for a card."""
    match body:
        case AlertCard(failures=failures):
            return failures
        case Digest(total=total):
            return total
        case AlertReply(run=run) if form is not Form.EDIT:
            return int(run.status.is_failure)
        case _:
            return 0
