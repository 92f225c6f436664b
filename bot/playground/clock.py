"""The time that stand-ins live by."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where a stand-in reads the time; seconds since 1970, UTC."""

    def time(self) -> float: ...


class WallClock:
    def time(self) -> float:
        return time.time()


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, start: float = 1_750_000_000.0) -> None:
        self._now = start

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
