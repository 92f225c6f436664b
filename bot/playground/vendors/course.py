"""How a run of a stand-in goes: planned outcomes, and where a run stands at a moment.

Nothing here ticks. A `Course` is asked with the time and answers from its plan, so a run moves
on whatever clock the stand-in was given.
"""

import math
import zlib
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run will come to.

    `status` is the vendor's own word. `failed`, `broken` and `skipped` name tests; a name that
    the pipeline does not know is added to it. `note` is the reason that the vendor shows.
    `tests=False`: the run ends before any test. `run_s` may be `math.inf`.
    """

    status: str
    run_s: float = 20.0
    queue_s: float = 4.0
    failed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    note: str | None = None
    tests: bool = True


@dataclass(slots=True)
class Course:
    """The times of one run, seconds since 1970."""

    created_s: float
    queue_s: float
    run_s: float
    stopped_s: float | None = None

    @property
    def start_s(self) -> float:
        return self.created_s + self.queue_s

    @property
    def end_s(self) -> float:
        planned = self.start_s + self.run_s
        return planned if self.stopped_s is None else min(planned, self.stopped_s)

    def started(self, now: float) -> float | None:
        begun = self.start_s <= now and (self.stopped_s is None or self.start_s < self.stopped_s)
        return self.start_s if begun else None

    def ended(self, now: float) -> float | None:
        return self.end_s if self.end_s <= now else None

    def share(self, now: float) -> float:
        """Tell how much of the run is done, 0 to 1; a stopped run stays below 1."""
        if self.run_s <= 0:
            return 1.0 if self.started(now) or self.ended(now) else 0.0
        until = min(now, self.end_s)
        return min(1.0, max(0.0, (until - self.start_s) / self.run_s))

    def stop(self, now: float) -> None:
        """Cut the run short: what is not done by now stays undone."""
        self.stopped_s = now

    def complete(self, now: float) -> None:
        """Let the run reach its end now, with everything done."""
        self.stopped_s = None
        self.queue_s = max(0.0, min(self.queue_s, now - self.created_s))
        self.run_s = max(0.0, now - self.start_s)
        if self.end_s > now:  # the sum was rounded up
            self.run_s = math.nextafter(self.run_s, 0.0)


@dataclass(frozen=True, slots=True)
class Check:
    """One test of a run; `status` is passed, failed, broken or skipped."""

    name: str
    file: str
    status: str
    duration_ms: int
    message: str | None


def checks(outcome: Outcome, tests: Sequence[str]) -> list[Check]:
    """Make the tests of a run from the pipeline's own (`file::name`) and the outcome."""
    if not outcome.tests:
        return []
    red = dict.fromkeys(outcome.failed, "failed") | dict.fromkeys(outcome.broken, "broken")
    wanted = red | dict.fromkeys(outcome.skipped, "skipped")
    known = {split(test)[1] for test in tests} | set(tests)
    more = [name for name in wanted if name not in known]
    return [_check(test, wanted) for test in (*tests, *more)]


def split(test: str) -> tuple[str, str]:
    """Split `file::name`; a test without a file is of the file `tests`."""
    file, mark, name = test.rpartition("::")
    return (file if mark else "tests", name)


def _check(test: str, wanted: dict[str, str]) -> Check:
    file, name = split(test)
    status = wanted.get(test) or wanted.get(name) or "passed"
    messages = {
        "failed": f"AssertionError: {name}: expected 200, got 503",
        "broken": f"ConnectionError: {name}: no answer from the system under test",
    }
    duration_ms = 0 if status == "skipped" else 200 + zlib.crc32(test.encode()) % 2800
    return Check(name, file, status, duration_ms, messages.get(status))


def done(all_checks: Sequence[Check], share: float) -> Sequence[Check]:
    return all_checks[: int(len(all_checks) * share + 1e-9)]


@dataclass
class Plan:
    """The outcomes that the next runs take, first in first out; `usual` when none is left."""

    usual: Outcome
    _next: dict[str | None, deque[Outcome]] = field(
        default_factory=lambda: defaultdict(deque), init=False
    )

    def add(self, outcomes: Iterable[Outcome], pipeline: str | None = None) -> None:
        self._next[pipeline].extend(outcomes)

    def take(self, *pipelines: str) -> Outcome:
        for pipeline in (*pipelines, None):
            if self._next[pipeline]:
                return self._next[pipeline].popleft()
        return self.usual
