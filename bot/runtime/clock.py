"""The system's clock and randomness: the only place where they are read."""

import random
import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """Implements `bot.domain.clock.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def jitter() -> float:
    """A factor between 0.9 and 1.1."""
    return random.uniform(0.9, 1.1)  # noqa: S311  # spreads load, guards nothing


def new_mark() -> str:
    """Twelve letters and digits that have not been used before."""
    return secrets.token_hex(6)
