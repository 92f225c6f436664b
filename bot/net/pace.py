"""How often a vendor may be asked, and when it asked for quiet."""

import threading

from bot.domain.clock import Clock
from bot.net.retry_after import LONGEST_S

_BIGGEST_BURST = 10


class Pace:
    """A budget of requests a minute with a small burst, and a pause. Thread-safe."""

    def __init__(self, clock: Clock, requests_per_minute: int) -> None:
        rate = max(1, requests_per_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._interval_s = 60.0 / rate
        self._slack_s = self._interval_s * (max(1, min(rate // 6, _BIGGEST_BURST)) - 1)
        self._next_at = clock.monotonic()
        self._quiet_until = clock.monotonic()

    def reserve(self, within_s: float) -> float | None:
        """Takes the next turn and says how long to wait for it. None, and nothing taken, if
        that is more than `within_s`.
        """
        with self._lock:
            now = self._clock.monotonic()
            wait_s = self._wait_s(now)
            if wait_s > within_s:
                return None
            self._next_at = max(self._next_at, now) + self._interval_s
            return wait_s

    def wait_s(self) -> float:
        """How long a turn would have to wait."""
        with self._lock:
            return self._wait_s(self._clock.monotonic())

    def pause(self, seconds: float) -> None:
        """No turn before `seconds` have passed; a longer pause that is on already stays."""
        with self._lock:
            until = self._clock.monotonic() + min(seconds, LONGEST_S)
            self._quiet_until = max(self._quiet_until, until)

    def paused_s(self) -> float:
        """What is left of the pause."""
        with self._lock:
            return max(0.0, self._quiet_until - self._clock.monotonic())

    def _wait_s(self, now: float) -> float:
        return max(0.0, self._next_at - self._slack_s - now)
