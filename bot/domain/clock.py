"""Time and deadlines, as values that are handed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

_BELIEVED_AFTER = timedelta(days=1)


class Clock(Protocol):
    """Where the bot reads the time. Injected: nothing outside `runtime` asks the system."""

    def now(self) -> datetime:
        """The time of day, aware UTC. It may jump."""

    def monotonic(self) -> float:
        """Seconds that only grow; for waits and deadlines."""


class SteadyTime:
    """The time of day without what it has leapt ahead within the last day, and never later than
    it: for telling how long something has taken that began at another clock's time. A clock that
    is put right by a leap is believed a day later. Thread-safe.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor = (clock.now(), clock.monotonic())

    def now(self) -> datetime:
        anchored, anchored_s = self._anchor
        now, now_s = self._clock.now(), self._clock.monotonic()
        since = timedelta(seconds=now_s - anchored_s)
        if since > _BELIEVED_AFTER:
            self._anchor = (now, now_s)
        return min(now, anchored + since)


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
