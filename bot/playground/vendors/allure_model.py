"""Jobs, job runs, launches and results of the Allure TestOps stand-in."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bot.playground.vendors.course import Check, Course, Outcome, checks, done

ACTIVE_STAGES = {"scheduled", "in_progress"}
RED = {"failed", "broken"}


@dataclass
class AllureQuirks:
    """What the vendor page leaves open or gives in several forms; any may be changed any time.

    `list_items`: what the launch list shows, `sparse` or `rich`. `preview`: `preview=true` makes
    it rich. `prefix`: `/api`, `/api/rs` or `both`. `token_reply`: `full`, `minimal`, `text`
    (expires_in as text), `refresh`, `html`, `no_token`. `jwt_life_s`: how long a token is good.
    `api_token_header`: `Authorization: Api-Token ...` works too. `xsrf_cookie`: the exchange sets
    one. `list_lag_s`: lists are that old. `reopen_delay_s`, `processing_s` (until progress is
    ready), `autoclose_s` (after the last job run). `in_progress_results`, `zero_counts`,
    `upper_case`: forms of the statistic. `unknown_launch`: 403 or 404. `hidden_parts`: of
    `statistic`, `job`, `progress` those that answer 403. `rerun_keeps_old`: the repeated job run
    stays listed. `release_id`: the field of 525u01. `text_times`: ISO text instead of numbers.
    `strict`: refuse unknown body fields.
    """

    list_items: str = "sparse"
    preview: bool = True
    prefix: str = "/api"
    token_reply: str = "full"
    jwt_life_s: float = 3599.0
    api_token_header: bool = True
    xsrf_cookie: bool = False
    list_lag_s: float = 0.0
    reopen_delay_s: float = 3.0
    processing_s: float = 2.0
    autoclose_s: float = 6.0
    in_progress_results: bool = False
    zero_counts: bool = False
    upper_case: bool = False
    unknown_launch: int = 403
    hidden_parts: set[str] = field(default_factory=set)
    rerun_keeps_old: bool = True
    release_id: bool = False
    text_times: bool = False
    max_size: int = 100
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    project_id: int
    name: str
    type: str
    url: str
    parameters: dict[int, str]
    tests: tuple[str, ...]
    runnable: bool = True
    external_id: str | None = None


@dataclass(slots=True)
class JobRun:
    id: int
    job: Job
    launch_id: int
    course: Course
    outcome: Outcome
    created_by: str
    selection: set[str] | None = None
    pinned: tuple[str, str | None] | None = None
    listed: bool = True

    def stage(self, now: float) -> str:
        if self.pinned:
            return self.pinned[0]
        if self.course.ended(now) is not None:
            return "run_failure" if self.outcome.status == "run_failure" else "finished"
        if self.course.started(now) is None or self.outcome.status == "run_failure":
            return "scheduled"
        return "in_progress"

    def status(self, now: float) -> str | None:
        if self.pinned:
            return self.pinned[1]
        return self.outcome.status if self.stage(now) == "finished" else None

    def is_over(self, now: float) -> bool:
        return self.stage(now) not in ACTIVE_STAGES

    def checks(self) -> list[Check]:
        if self.pinned or self.outcome.status == "run_failure":
            return []
        found = checks(self.outcome, self.job.tests)
        return [c for c in found if self.selection is None or c.name in self.selection]


@dataclass(frozen=True, slots=True)
class Result:
    id: int
    check: Check
    job_run: JobRun
    stop_s: float
    index: int

    @property
    def start_s(self) -> float:
        return self.stop_s - self.check.duration_ms / 1000


@dataclass
class Launch:
    id: int
    name: str
    project_id: int
    created_s: float
    created_by: str
    tags: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    environment: list[tuple[str, str]] = field(default_factory=list)
    external: bool = True
    autoclose_s: float | None = None
    job_runs: list[JobRun] = field(default_factory=list)
    closings: list[tuple[float, bool]] = field(default_factory=list)
    muted: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    pinned_statistic: dict[str, int] | None = None
    pinned_ready: bool | None = None

    def jobs_end_s(self) -> float | None:
        ends = [run.course.end_s for run in self.job_runs if run.pinned is None]
        return max(ends) if ends and len(ends) == len(self.job_runs) else None

    def turns(self) -> list[tuple[float, bool]]:
        """List when the launch was closed (true) or opened, and when it will be."""
        end_s = self.jobs_end_s()
        if end_s is None or self.autoclose_s is None:
            return sorted(self.closings)
        return sorted([*self.closings, (end_s + self.autoclose_s, True)])

    def was_closed(self, at_s: float) -> bool:
        """Tell whether it was closed when a result came at that moment."""
        past = [closed for moment, closed in self.turns() if moment < at_s - 0.001]
        return past[-1] if past else False

    def closed(self, at_s: float) -> bool:
        past = [closed for moment, closed in self.turns() if moment <= at_s]
        return past[-1] if past else False

    def is_moving(self, now: float) -> bool:
        return any(not run.is_over(now) for run in self.job_runs)

    def ready(self, now: float, processing_s: float) -> bool:
        if self.pinned_ready is not None:
            return self.pinned_ready
        end_s = self.jobs_end_s()
        return end_s is None or end_s + processing_s <= now

    def results(self, now: float) -> list[Result]:
        """List the newest result of each test; what ended while closed was never taken in."""
        newest: dict[tuple[int, str], Result] = {}
        for run in self.job_runs:
            for result in _results(run, now):
                if not self.was_closed(result.stop_s):
                    newest[run.job.id, result.check.name] = result
        return list(newest.values())

    def statistic(self, now: float, quirks: AllureQuirks) -> dict[str, int]:
        if self.pinned_statistic is not None:
            return self.pinned_statistic
        counts = Counter(result.check.status for result in self.results(now))
        words = ["passed", "failed", "broken", "skipped", "unknown"]
        shown = {word: counts[word] for word in words if counts[word] or quirks.zero_counts}
        going = [r for r in self.job_runs if r.stage(now) == "in_progress" and not r.pinned]
        left = sum(len(run.checks()) - len(_results(run, now)) for run in going)
        if quirks.in_progress_results and left:
            shown["in_progress"] = left
        return shown

    def modified_s(self, now: float) -> float:
        moments = [self.created_s, *(moment for moment, _ in self.turns())]
        for run in self.job_runs:
            moments += [run.course.created_s, run.course.start_s, run.course.end_s]
            moments += [result.stop_s for result in _results(run, now)]
        return max(moment for moment in moments if moment <= now)


RESULTS_PER_RUN = 1000


def _results(run: JobRun, now: float) -> list[Result]:
    all_checks = run.checks()
    finished = done(all_checks, run.course.share(now))
    step_s = run.course.run_s / len(all_checks) if all_checks else 0.0
    return [
        Result(
            run.id * RESULTS_PER_RUN + index,
            check,
            run,
            run.course.start_s + step_s * (index + 1),
            index,
        )
        for index, check in enumerate(finished)
    ]
