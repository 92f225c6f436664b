"""The past of pipelines as a decision sees it: what is stored, and what it has just taken."""

from collections.abc import Callable
from datetime import UTC, datetime

from bot.domain.pipelines import PipelineRef
from bot.domain.replies import HistoryMark
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status

STRIP_LENGTH = 20
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def age(run: Run) -> tuple[datetime, RunRef]:
    """Orders runs by when they were made."""
    return (run.when or _LONG_AGO, run.ref)


class Past:
    """Private runs are in nobody's past."""

    def __init__(self, history: Callable[[Run], tuple[Run, ...]]) -> None:
        self._history = history
        self._known: dict[tuple[PipelineRef, str | None], dict[RunRef, Run]] = {}

    def add(self, run: Run) -> None:
        self._runs(run)[run.ref] = run

    def before(self, run: Run) -> list[Run]:
        """The other runs of its pipeline and branch that are over and not newer."""
        return [r for r in self._runs(run).values() if r.ref != run.ref and age(r) <= age(run)]

    def last_green(self, run: Run) -> Run | None:
        """The newest passed run before this one."""
        greens = [r for r in self.before(run) if r.status is Status.PASSED]
        return max(greens, key=age, default=None)

    def first_bad(self, run: Run) -> Run:
        """The first failing run since it was last green, as far back as is known."""
        green = self.last_green(run)
        reds = [r for r in self.before(run) if r.status.is_failure]
        return min((r for r in reds if green is None or age(r) > age(green)), key=age, default=run)

    def is_green_after(self, run: Run) -> bool:
        newer = [r for r in self._runs(run).values() if age(r) > age(run)]
        newest = max(newer, key=age, default=None)
        return newest is not None and newest.status is Status.PASSED

    def strip(self, run: Run) -> tuple[HistoryMark, ...]:
        """The last runs that are over, oldest first."""
        newest = sorted(self._runs(run).values(), key=age)[-STRIP_LENGTH:]
        return tuple(HistoryMark(r.status, r.ref) for r in newest)

    def _runs(self, run: Run) -> dict[RunRef, Run]:
        key = (run.pipeline, run.branch)
        if key not in self._known:
            stored = [r for r in self._history(run) if not r.is_private]
            self._known[key] = {r.ref: r for r in stored}
        return self._known[key]
