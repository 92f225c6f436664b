"""Messages on their way to Slack, and what can become of one write."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.replies import AlertCard, AlertReply, ChannelNotice

Body = AlertCard | AlertReply | ChannelNotice


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


@dataclass(frozen=True, slots=True)
class OutboxClaim:
    """A message that this sender, and no other, may send now.

    `token` is the fencing token: settling with an outdated one is refused. `root_ts` is the
    Slack timestamp of the root message of a REPLY or EDIT. `attempts` counts earlier tries;
    `is_ambiguous` tells that one of them may have been accepted: look for it first.
    """

    message_id: str
    message: NewMessage
    token: int
    attempts: int
    is_ambiguous: bool
    root_ts: str | None


class Outcome(StrEnum):
    """What became of one Slack write (see Delivery)."""

    SENT = "sent"
    LATER = "later"
    AMBIGUOUS = "ambiguous"
    MESSAGE_REFUSED = "message refused"
    MESSAGE_GONE = "message gone"
    CHANNEL_REFUSED = "channel refused"
    APP_REFUSED = "app refused"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`ts` is set for SENT; `retry_after_s` may be for LATER; `error` is Slack's own word."""

    outcome: Outcome
    ts: str | None = None
    retry_after_s: float | None = None
    error: str = ""
