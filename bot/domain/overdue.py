"""When a run takes longer than its own past explains."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.runs import Run

ENOUGH = 20
"""Ended runs of the pipeline, before any run of it can be overdue."""
_SHARE = 0.95
_BY_HALF = 1.5


def usual_longest(durations: Sequence[timedelta]) -> timedelta | None:
    """The 95th percentile (nearest rank); None while there are too few to say."""
    if len(durations) < ENOUGH:
        return None
    return sorted(durations)[math.ceil(_SHARE * len(durations)) - 1]


def overdue_by(run: Run, durations: Sequence[timedelta], now: datetime) -> timedelta | None:
    """How long the run has taken so far, if that is more than one and a half times the usual
    longest; else None.
    """
    longest = usual_longest(durations)
    if longest is None or run.started is None or run.is_over:
        return None
    so_far = now - run.started
    return so_far if so_far > longest * _BY_HALF else None
