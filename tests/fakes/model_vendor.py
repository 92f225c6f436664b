"""A CI service of the model: runs that begin, end and are repeated, shown in short pages.

Everything happens when the model says so. A reading is taken page by page, and between two
pages new runs may appear, as at a real vendor; a page may come from a cache that is `stale_by`
changes behind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import BaseModel

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import PipelineRef
from bot.domain.providers import Observation, OpenRun, ProviderSpec
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status

PAGE = 3


@dataclass(frozen=True, slots=True)
class Version:
    """A run as it stood once; `number` grows with every change of that run."""

    run: Run
    number: int


class Vendor:
    """`runs_reopen` as in ProviderSpec; `tells_attempts` if the vendor numbers repetitions."""

    def __init__(
        self, name: str, now: Callable[[], datetime], *, runs_reopen: bool, tells_attempts: bool
    ) -> None:
        self.name = name
        self.tells_attempts = tells_attempts
        self.spec = ProviderSpec(
            type_name=name,
            title=name.title(),
            settings=BaseModel,
            trigger=BaseModel,
            build=lambda _context: self,
            id_pattern=r".*",
            capabilities=frozenset(),
            pipeline_form="name",
            runs_reopen=runs_reopen,
        )
        self.is_down = False
        self.stale_by = 0
        self.before_second_page: Callable[[], object] = lambda: None
        self.read: list[Version] = []
        self._now = now
        self._runs: dict[str, Version] = {}
        self._past: list[dict[str, Version]] = []

    # What happens there

    def start(self, pipeline: str, branch: str) -> str:
        run_id = f"r{len(self._runs) + 1:04d}"
        now = self._now()
        run = Run(
            RunRef(self.name, run_id),
            PipelineRef(self.name, pipeline),
            Status.RUNNING,
            branch=branch,
            created=now,
            started=now,
        )
        self._past.append(dict(self._runs))
        self._runs[run_id] = Version(run, 1)
        return run_id

    def end(self, run_id: str, status: Status) -> None:
        step = "test" if status.is_failure else None
        self._change(run_id, status=status, finished=self._now(), failed_step=step)

    def repeat(self, run_id: str) -> None:
        """Runs it again under its id."""
        run = self._runs[run_id].run
        attempt = run.attempt + 1 if self.tells_attempts else 1
        self._change(
            run_id, status=Status.RUNNING, finished=None, failed_step=None, attempt=attempt
        )

    def open_runs(self) -> list[str]:
        return [one.run.ref.run_id for one in self._runs.values() if not one.run.is_over]

    def ended_runs(self) -> list[str]:
        return [one.run.ref.run_id for one in self._runs.values() if one.run.is_over]

    def all_runs(self) -> list[Run]:
        return [one.run for one in self._runs.values()]

    def version(self, run: Run) -> int:
        """Of a run as it was read."""
        return next(one.number for one in self.read if one.run == run)

    def _change(self, run_id: str, **values: object) -> None:
        self._past.append(dict(self._runs))
        known = self._runs[run_id]
        self._runs[run_id] = Version(replace(known.run, **values), known.number + 1)  # type: ignore[arg-type]

    # What the bot asks

    def sources(self, pattern: str) -> tuple[str, ...]:
        return ("all",)

    def run_id_in(self, url: str) -> str | None:
        return None

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        """Reads pages back to the newest run of the last reading, and open runs one by one."""
        if self.is_down:
            raise ProviderError(Kind.UNAVAILABLE, f"{self.name} is down.")
        held = self._listed_then()
        found: dict[str, Version] = {}
        skip = 0
        while True:
            page = self._listed(held or self._runs)[skip : skip + PAGE]
            found.update((one.run.ref.run_id, one) for one in page)
            is_at_mark = any(one.run.ref.run_id <= cursor for one in page)
            if len(page) < PAGE or is_at_mark or not cursor:
                break
            skip += PAGE
            self.before_second_page()
            self.before_second_page = lambda: None
        for one in open_runs:
            found.setdefault(one.run_id, self._runs[one.run_id])
        self.read = list(found.values())
        newest = max([*found, cursor])
        return Observation(tuple(one.run for one in found.values()), newest)

    def _listed_then(self) -> dict[str, Version] | None:
        """What a cache holds that is `stale_by` changes behind; None if pages are fresh."""
        past = self._past[-self.stale_by :] if self.stale_by else []
        return past[0] if past else None

    def _listed(self, held: dict[str, Version]) -> Sequence[Version]:
        return sorted(held.values(), key=lambda one: one.run.ref.run_id, reverse=True)
