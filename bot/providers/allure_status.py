"""The verdict on a launch, which the vendor does not give: a launch is open or closed. Pure.

Rules R1-R12 are those of section 4 of the vendor facts: ours, built on the vendor's words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from bot.domain.statuses import Status
from bot.providers.allure_replies import EnvironmentValue, JobRunReply

SCHEDULED, IN_PROGRESS, FINISHED, RUN_FAILURE = (
    "scheduled",
    "in_progress",
    "finished",
    "run_failure",
)
FINAL_STAGES = frozenset({FINISHED, RUN_FAILURE})
RED = ("failed", "broken")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Parts:
    """What is known of a launch beyond itself. None: the token may not read that part;
    `ready` None: not asked, or not said.
    """

    jobs: tuple[JobRunReply, ...] | None = ()
    counts: Mapping[str, int] | None = field(default_factory=dict)
    ready: bool | None = None
    environment: tuple[EnvironmentValue, ...] = ()

    @property
    def results(self) -> int:
        return sum((self.counts or {}).values())

    def count(self, *words: str) -> int:
        return sum((self.counts or {}).get(word, 0) for word in words)

    @property
    def newest(self) -> tuple[JobRunReply, ...]:
        return newest_of_each_job(self.jobs or ())


@dataclass(frozen=True, slots=True)
class Verdict:
    """`is_over` is True for R12 too, whose status is UNKNOWN. `rule` is R1 … R12, or empty."""

    status: Status
    rule: str
    is_over: bool


def stage_of(run: JobRunReply) -> str:
    """A job run that has a CI result but no stage has ended."""
    return run.stage or (FINISHED if run.status else "")


def newest_of_each_job(runs: Sequence[JobRunReply]) -> tuple[JobRunReply, ...]:
    """The newest run of each job, in the order of the jobs: a rerun may leave the old one
    (assumed). A run that names no job stands for itself.
    """
    newest: dict[object, JobRunReply] = {}
    for index, run in enumerate(runs):
        key = job_key(run) or ("run", index)
        if key not in newest or _age(run) >= _age(newest[key]):
            newest[key] = run
    return tuple(newest.values())


def job_key(run: JobRunReply) -> object:
    return (run.job.id or run.job.name) if run.job else None


def attempt_of(runs: Sequence[JobRunReply]) -> int:
    """How often the launch was run: 1, and 1 more for each run of a job that was created after
    all earlier ones of that job had ended. Runs of one job side by side are one attempt.
    """
    of_jobs: dict[object, list[JobRunReply]] = {}
    for run in sorted(runs, key=_age):
        of_jobs.setdefault(job_key(run), []).append(run)
    of_jobs.pop(None, None)
    return max((_attempts(one) for one in of_jobs.values()), default=1)


def decide(parts: Parts, *, is_closed: bool) -> Verdict:
    """The first rule that fits. A closed launch skips R1-R5: a close by timeout can leave stale
    stages. Without statistic and job runs nothing can be said, and it may still change.
    """
    if parts.jobs is None and parts.counts is None:
        return Verdict(Status.UNKNOWN, "", is_over=False)
    moving = None if is_closed else _moving(parts)
    if moving is not None:
        return Verdict(moving[0], moving[1], is_over=False)
    status, rule = _ended(parts)
    return Verdict(status, rule, is_over=True)


def needs_progress(parts: Parts, *, is_closed: bool) -> bool:
    """Whether `ready` would matter: only R3 asks for it, and a launch none of whose builds
    could be started has no results to be processed.
    """
    if is_closed or not parts.jobs or _moving(Parts(parts.jobs, parts.counts)) is not None:
        return False
    return parts.results > 0 or any(stage_of(run) != RUN_FAILURE for run in parts.newest)


def _moving(parts: Parts) -> tuple[Status, str] | None:
    stages = [stage_of(run) for run in parts.jobs or ()]
    if any(stage not in {SCHEDULED, *FINAL_STAGES} for stage in stages):
        return Status.RUNNING, "R1"
    if SCHEDULED in stages:
        is_first = set(stages) == {SCHEDULED} and not parts.results
        return (Status.QUEUED if is_first else Status.RUNNING), "R2"
    if parts.count(IN_PROGRESS) or parts.ready is False:
        return Status.RUNNING, "R3"
    if not stages:
        return (Status.RUNNING, "R5") if parts.results else (Status.QUEUED, "R4")
    return None


def _ended(parts: Parts) -> tuple[Status, str]:
    newest = parts.newest
    if parts.count(*RED):
        return Status.FAILED, "R6"
    if any(stage_of(run) == RUN_FAILURE for run in newest):
        return Status.ERRORED, "R7"
    if any(run.status == "cancelled" for run in newest):
        return Status.ABORTED, "R8"
    if any(run.status == "failed" for run in newest):
        return Status.ERRORED, "R9"
    if parts.count("passed"):
        return Status.PASSED, "R10"
    if parts.count("skipped") and not parts.count("unknown"):
        return Status.SKIPPED, "R11"
    return Status.UNKNOWN, "R12"


def _age(run: JobRunReply) -> tuple[datetime, int]:
    return (run.created_date or _LONG_AGO, run.id or 0)


def _attempts(runs: Sequence[JobRunReply]) -> int:
    attempts, quiet_since = 1, runs[0].created_date
    for earlier, run in pairwise(runs):
        ended = earlier.last_modified_date if stage_of(earlier) in FINAL_STAGES else None
        if quiet_since is None or ended is None or run.created_date is None:
            break
        quiet_since = max(quiet_since, ended)
        attempts += quiet_since <= run.created_date
    return attempts
