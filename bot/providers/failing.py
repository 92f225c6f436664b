"""What failed in runs, for vendors that tell it by a call of its own.

It is asked for when a run is first seen to have failed, a few runs in one poll, and never again
once it is told. What is left over has its turn at the next polls.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import Run
from bot.net import clean_text
from bot.providers.visibility import INVISIBLE

MOST_NAMES = 50
MOST_CHARACTERS = 200
RUNS_A_POLL = 5
MOST_TRIES = 3
MOST_KEPT = 1000
_SHARE = 0.5
"""How much of a poll's remaining time may go into this: the alerts themselves come first."""
_FOR_GOOD = INVISIBLE | {Kind.INVALID}
_FOR_ALL = frozenset({Kind.RATE_LIMITED, Kind.AUTH})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Ask = Callable[[str, Deadline], tuple[str, ...]]
"""By run id, the names of what failed; ProviderError if they cannot be had."""


class Inquiry(NamedTuple):
    """How often it was asked in vain what failed in a run; MOST_TRIES if it need not be asked
    again. `ended_s` is the end of that attempt in seconds of the epoch, 0 if not told.
    """

    ended_s: int
    tries: int = 0

    @property
    def is_open(self) -> bool:
        return self.tries < MOST_TRIES


Inquiries = Mapping[str, Inquiry]
"""By run id; for cursors."""


def failing(names: Iterable[str | None]) -> tuple[str, ...]:
    """As they are kept of a run: sorted, so that the same failures look the same each time."""
    lines = {" ".join(clean_text(name).split())[:MOST_CHARACTERS] for name in names if name}
    return tuple(sorted(line for line in lines if line)[:MOST_NAMES])


def with_failing(run: Run, names: tuple[str, ...]) -> Run:
    return replace(run, failing=names, failed_step=names[0]) if names else run


def unanswered(past: Inquiries | None) -> set[str]:
    """The runs about which it is still to be asked."""
    return {run_id for run_id, one in (past or {}).items() if one.is_open}


def ask_for_failing(
    runs: Mapping[str, Run], past: Inquiries | None, ask: Ask, deadline: Deadline
) -> tuple[dict[str, Run], dict[str, Inquiry]]:
    """The runs of a poll by id, with what failed in them as far as told, and what the next poll
    is to be given as `past`. None stands for the first poll: what failed before it is not asked.

    Never raises: a run is told without the names of what failed in it, rather than not at all.
    """
    kept = {k: one for k, one in (past or {}).items() if k not in runs or runs[k].is_over}
    for run in runs.values():
        known = kept.get(run.ref.run_id)
        if _is_nameless(run) and (known is None or known.ended_s != _ended_s(run)):
            kept[run.ref.run_id] = Inquiry(_ended_s(run), MOST_TRIES if past is None else 0)
    waiting = [run for k, run in runs.items() if _is_nameless(run) and kept[k].is_open]
    waiting.sort(key=lambda run: (kept[run.ref.run_id].tries, _age(run)))
    soon = deadline.at_most(deadline.remaining_s() * _SHARE)
    named = dict(runs)
    for run in waiting[:RUNS_A_POLL]:
        run_id, is_enough = run.ref.run_id, False
        try:
            named[run_id] = with_failing(run, ask(run_id, soon))
            tries = MOST_TRIES
        except ProviderError as error:
            tries = MOST_TRIES if error.kind in _FOR_GOOD else kept[run_id].tries + 1
            is_enough = error.kind in _FOR_ALL or not soon.remaining_s()
        kept[run_id] = kept[run_id]._replace(tries=tries)
        if is_enough:
            break
    newest = sorted(kept.items(), key=lambda item: item[1].ended_s)[-MOST_KEPT:]
    return named, dict(newest)


def _is_nameless(run: Run) -> bool:
    return run.is_over and run.status.is_failure and not run.failures


def _ended_s(run: Run) -> int:
    return int(run.finished.timestamp()) if run.finished else 0


def _age(run: Run) -> datetime:
    return run.finished or run.when or _LONG_AGO
