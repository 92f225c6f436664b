"""How a command ended that asked a vendor to change something."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.domain.audit import CommandState
from bot.domain.chat import Posted
from bot.domain.polls import SourceKey
from bot.domain.runs import Run

FOLLOWED_S = 600.0
"""For how long a run that we changed is read by itself: vendors may show it late as it is."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Stored in one go, and as often as need be.

    `told_for_s` is for how long somebody else who asks for the same is told of it instead. `run`
    is what the command led to, or may have led to: it may be on no page that its sources read,
    so each of these (`sources`) reads it for FOLLOWED_S, and at least once. `card` is the message
    that is about it.
    """

    command_id: int
    state: CommandState
    target: str
    outcome: str
    told_for_s: float = 0.0
    run: Run | None = None
    sources: Collection[SourceKey] = ()
    card: Posted | None = None


def card_key(command_id: int) -> str:
    """The key under which a command's card is known as a message that can be edited."""
    return f"command {command_id}"
