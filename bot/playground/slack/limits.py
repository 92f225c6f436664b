"""Rate limits: buckets that fill up with the stand-in's clock."""

import math
from dataclasses import dataclass, field

from bot.playground.clock import Clock

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute and method, by tier."""


@dataclass(slots=True)
class Limits:
    clock: Clock
    _left: dict[str, float] = field(default_factory=dict)
    _at: dict[str, float] = field(default_factory=dict)

    def take(self, key: str, burst: int, per_s: float) -> int:
        """0 and one token less, or the whole seconds until there is one."""
        now = self.clock.time()
        filled = (now - self._at.get(key, now)) * per_s
        left = min(float(burst), self._left.get(key, float(burst)) + filled)
        self._at[key] = now
        self._left[key] = left
        if left < 1:
            return max(1, math.ceil((1 - left) / per_s))
        self._left[key] = left - 1
        return 0

    def take_call(self, method: str, tier: int) -> int:
        most = PER_MINUTE[tier]
        return self.take(f"method {method}", most, most / 60)

    def take_message(self, channel: str, burst: int) -> int:
        return self.take(f"channel {channel}", burst, 1.0)
