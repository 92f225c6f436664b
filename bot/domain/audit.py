"""Commands that change something, as recorded before and after."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.access import Verb


class CommandState(StrEnum):
    """RECEIVED and ACCEPTED are not over; after a restart they are INTERRUPTED."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    DENIED = "denied"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class NewCommand:
    """`text` is the command as read, secrets masked; `origin` is slash, mention or button."""

    verb: Verb
    user_id: str
    team_id: str
    channel: str
    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """An audit row. `target` is the run or pipeline, once known; `outcome` a sentence."""

    command_id: int
    what: NewCommand
    state: CommandState
    received: datetime
    target: str = ""
    outcome: str = ""
    rule: str = ""
