"""Clocks for the bot that do what real ones do now and then."""

import time
from datetime import UTC, datetime, timedelta


class JumpyClock:
    """The system's clocks, put off by seconds that may be changed at any time.

    `wrong_s` is by how much the time of day is wrong; `slept_s` is for how long the machine was
    suspended, which both the time of day and the monotonic clock count.
    """

    def __init__(self) -> None:
        self.wrong_s = 0.0
        self.slept_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.wrong_s + self.slept_s)

    def monotonic(self) -> float:
        return time.monotonic() + self.slept_s
