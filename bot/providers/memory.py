"""Values that are remembered for a while, so that they are not asked for again."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from bot.domain.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_REMEMBERED = 5000


class Memory(Generic[K, V]):
    """The 5,000 newest values by key, each for `ttl_s` seconds. Thread-safe."""

    def __init__(self, clock: Clock, ttl_s: float) -> None:
        self._clock, self._ttl_s = clock, ttl_s
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            kept = self._values.get(key)
        return kept[1] if kept is not None and self._clock.monotonic() < kept[0] else None

    def put(self, key: K, value: V) -> V:
        with self._lock:
            self._values[key] = (self._clock.monotonic() + self._ttl_s, value)
            self._values.move_to_end(key)
            if len(self._values) > _REMEMBERED:
                self._values.popitem(last=False)
        return value

    def forget(self, key: K) -> None:
        with self._lock:
            self._values.pop(key, None)

    def items(self) -> list[tuple[K, V]]:
        now = self._clock.monotonic()
        with self._lock:
            return [(key, value) for key, (ends_at, value) in self._values.items() if now < ends_at]
