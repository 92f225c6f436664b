"""What the Wercker stand-in knows: applications, pipelines, runs and how a run moves.

A run is a plan made when it is created. Where it stands is computed from the plan and the
time, so nothing has to tick: advance the clock and read again.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

Result = Literal["aborted", "unknown", "passed", "failed"]
State = Literal["notstarted", "started", "running", "finished"]

INTERNAL_STEPS = ("get code", "setup environment")
STEPS = (*INTERNAL_STEPS, "wercker-init", "install packages", "test", "lint", "store")
FAILURE_LINES = (
    "test_cart_total (tests.test_cart.CartTest) ... FAIL",
    "AssertionError: Decimal('41.90') != Decimal('42.00')",
    "Ran 128 tests in 6.204s",
    "FAILED (failures=1)",
    "Step failed with exit code 1",
)


@dataclass(frozen=True, slots=True)
class User:
    """`meta_type` is left out of the reply when None; a `github` user has no user id."""

    name: str
    username: str
    type: Literal["wercker", "github"] = "wercker"
    user_id: str | None = "5f0000000000000000000001"
    meta_type: str | None = "user"
    employee: bool | None = None


def github_user(username: str) -> User:
    return User(username, username, "github", user_id=None, meta_type=None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run will go; `math.inf` seconds mean for ever. `lines` end the last step's log."""

    result: Result
    at_step: str | None = None
    duration_s: float = 12.0
    queue_s: float = 1.0
    lines: tuple[str, ...] = ()


def passed(duration_s: float = 12.0, queue_s: float = 1.0) -> Outcome:
    return Outcome("passed", None, duration_s, queue_s, ("Step passed",))


def failed(
    at_step: str = "test",
    duration_s: float = 12.0,
    queue_s: float = 1.0,
    lines: tuple[str, ...] = FAILURE_LINES,
) -> Outcome:
    return Outcome("failed", at_step, duration_s, queue_s, lines)


def hanging(queue_s: float = 1.0) -> Outcome:
    """Start after `queue_s` and never end."""
    return Outcome("unknown", None, math.inf, queue_s)


def never_started() -> Outcome:
    return Outcome("unknown", None, math.inf, math.inf)


@dataclass(slots=True, eq=False)
class Application:
    id: str
    owner: User
    name: str
    created: float
    privacy: Literal["public", "private"] = "private"
    default_branch: str = "main"
    pipelines: list["Pipeline"] = field(default_factory=list)
    heads: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Pipeline:
    """`then` names the pipelines of the application that a passed run of a push starts."""

    id: str
    name: str
    pipeline_name: str
    type: Literal["git", "pipeline"]
    created: float
    application: Application
    steps: tuple[str, ...] = STEPS
    then: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Run:
    id: str
    pipeline: Pipeline
    branch: str
    commit_hash: str
    message: str
    created: float
    user: User
    outcome: Outcome
    step_ids: tuple[str, ...]
    env: list[dict[str, str]] = field(default_factory=list)
    commits: list[dict[str, str]] = field(default_factory=list)
    tag: str | None = None
    source: "Run | None" = None
    stopped: tuple[float, Result] | None = None

    @property
    def pace_s(self) -> float:
        """Seconds that each step takes."""
        steps = self.pipeline.steps
        count = steps.index(self.outcome.at_step) + 1 if self.outcome.at_step else len(steps)
        return self.outcome.duration_s / count if math.isfinite(self.outcome.duration_s) else 5.0


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands: times are None until they happen; `at` is the index of its step."""

    status: State
    result: Result
    started: float | None
    finished: float | None
    at: int
    progress: int


def position(run: Run, now: float) -> Position:
    planned_start = run.created + run.outcome.queue_s
    stop_at, stop_result = run.stopped or (planned_start + run.outcome.duration_s, None)
    over = now >= stop_at
    began = planned_start <= (stop_at if over else now)
    if not began:
        result = stop_result if over and stop_result else "unknown"
        return Position(
            "finished" if over else "notstarted", result, None, stop_at if over else None, 0, 0
        )
    at = _step_at(run, (stop_at if over else now) - planned_start)
    if not over:
        return Position("running", "unknown", planned_start, None, at, _percent(at, run))
    result = stop_result or run.outcome.result
    if result == "failed" and stop_result is None and run.outcome.at_step:
        at = run.pipeline.steps.index(run.outcome.at_step)
    done = {"passed": len(run.pipeline.steps), "failed": at + 1}.get(result, at)
    return Position("finished", result, planned_start, stop_at, at, _percent(done, run))


def _step_at(run: Run, elapsed_s: float) -> int:
    steps = len(run.pipeline.steps)
    return min(int(elapsed_s / run.pace_s), steps - 1) if run.pace_s > 0 else steps - 1


def _percent(done: int, run: Run) -> int:
    return 100 * done // len(run.pipeline.steps)


@dataclass(frozen=True, slots=True)
class StepPosition:
    index: int
    status: State
    result: Result
    created: float
    started: float | None
    finished: float | None


def steps(run: Run, now: float) -> list[StepPosition]:
    """List the steps that exist: the project's own ones appear when the environment is set up."""
    here = position(run, now)
    known = len(INTERNAL_STEPS)
    if here.started is not None and (here.at >= known or here.result == "passed"):
        known = len(run.pipeline.steps)
    return [_step(run, here, index) for index in range(known)]


def _step(run: Run, here: Position, index: int) -> StepPosition:
    start = (here.started or run.created) + index * run.pace_s
    main = (here.started or run.created) + len(INTERNAL_STEPS) * run.pace_s
    limit = math.inf if here.finished is None else here.finished
    created = run.created if index < len(INTERNAL_STEPS) else min(main, limit)
    if here.result == "passed" or (here.started is not None and index < here.at):
        end = min(start + run.pace_s, limit)
        return StepPosition(index, "finished", "passed", created, min(start, limit), end)
    if here.started is None or index > here.at:
        return StepPosition(index, "notstarted", "unknown", created, None, None)
    return StepPosition(index, here.status, here.result, created, min(start, limit), here.finished)


def log_text(run: Run, step: StepPosition, now: float) -> str:
    """Give a step's output so far; a running step has said a share of its lines."""
    if step.started is None:
        return ""
    name = run.pipeline.steps[step.index]
    lines = [f"Running step {name!r} for commit {run.commit_hash[:7]} on {run.branch}"]
    lines += [f"[{name}] working on part {part} of 8" for part in range(1, 9)]
    if step.status != "finished":
        share = (now - step.started) / run.pace_s if run.pace_s else 1.0
        return "".join(f"{line}\n" for line in lines[: 1 + int(share * 8)])
    ending = {"failed": FAILURE_LINES, "aborted": ("Aborted",)}.get(step.result, ("Step passed",))
    if step.result == run.outcome.result and step.index == position(run, now).at:
        ending = run.outcome.lines or ending
    return "".join(f"{line}\n" for line in [*lines, *ending])
