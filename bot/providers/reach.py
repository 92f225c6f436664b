"""How far back a poll reads a vendor's list, and how far the times in it can be gone by."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

FIRST_LOOK = timedelta(hours=1)
"""So far back a first poll reads: a watch may be made while the vendor cannot be seen, and what
fails until the first good poll is to be told.
"""


def is_far_enough(times: Sequence[datetime | None], now: datetime) -> bool:
    """Whether a page with entries of these times, None if not told, ends a first look. One that
    tells no time at all does; one without an entry that can be read does not.
    """
    told = [at for at in times if at is not None]
    return bool(times) and (not told or min(told) < now - FIRST_LOOK)


def believed(items: Iterable[T], made: Callable[[T], datetime | None], now: datetime) -> list[T]:
    """Those that are not dated later than `now`; all, if there are no others. A single run that
    is dated next year must not be what later ones are compared with.
    """
    every = list(items)
    return [one for one in every if (made(one) or now) <= now] or every
