"""Time and deadlines, as values that are handed in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the bot reads the time. Injected: nothing outside `runtime` asks the system."""

    def now(self) -> datetime:
        """The time of day, aware UTC. It may jump."""

    def monotonic(self) -> float:
        """Seconds that only grow; for waits and deadlines."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment at which a call must have ended, whatever the other side does."""

    clock: Clock
    ends_at: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> "Deadline":
        return cls(clock, clock.monotonic() + seconds)

    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.ends_at - self.clock.monotonic())

    def at_most(self, seconds: float) -> "Deadline":
        """The same deadline, or one `seconds` from now if that is earlier."""
        return Deadline(self.clock, min(self.ends_at, self.clock.monotonic() + seconds))
