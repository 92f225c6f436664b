"""What was decided about a run in a channel, kept so that people can ask why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.mutes import Mute
from bot.domain.runs import RunRef
from bot.domain.transitions import Reason


class Treatment(StrEnum):
    """What became of one reading of a run in one channel, as the end of a sentence."""

    CARD = "a card was posted"
    REPLY = "a reply in the card's thread, and the card was edited"
    EDIT = "the card was edited"
    ALONE = "posted as a message of its own"
    MUTED = "nothing was posted: it is muted"
    OLD = "nothing was posted: it ended before the watch began"
    NOT_ASKED = "nothing was posted: the watch does not ask for it"
    NOTHING_RED = "nothing was posted: nothing was red"
    OUT_OF_ORDER = "nothing was posted: a newer run had failed"
    KNOWN = "nothing was posted: it was told before"


@dataclass(frozen=True, slots=True)
class Decision:
    """`message_key` is the outbox key of what was said; None if nothing was. `mute` is what
    kept it quiet.
    """

    channel: str
    ref: RunRef
    attempt: int
    watch_id: int
    reason: Reason
    treatment: Treatment
    decided: datetime
    message_key: str | None = None
    mute: Mute | None = None
