"""A Wercker of one's own: what it holds, and the script of what happens in it.

The HTTP side is in `wercker_routes`. Use it with a `Server`:

    wercker = WerckerStandin(ManualClock(), token="sample-token")
    shop = wercker.add_application("acme", "shop", ["build", "deploy"])
    wercker.script("acme/shop/build", failed(at_step="test"), passed())
    with Server(wercker.app) as server: ...
"""

import random
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from aiohttp import web

from bot.playground.clock import Clock
from bot.playground.faults import FaultPlan
from bot.playground.vendors.base import hex_id
from bot.playground.vendors.wercker_model import (
    STEPS,
    Application,
    Outcome,
    Pipeline,
    Result,
    Run,
    State,
    User,
    hanging,
    never_started,
    passed,
    position,
)
from bot.playground.vendors.wercker_routes import Routes
from bot.playground.vendors.wercker_workflows import Item, Workflow

ROBIN = User("Robin Sample", "robin-sample")


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """`type` pipeline is a chained one; `then` names pipelines that a passed push starts."""

    name: str
    pipeline_name: str | None = None
    type: Literal["git", "pipeline"] = "git"
    steps: tuple[str, ...] = STEPS
    then: tuple[str, ...] = ()


@dataclass(slots=True)
class WerckerQuirks:
    """What real servers did, or may do where the documentation is silent."""

    default_limit: int = 10  # the documentation says 20; both recorded calls gave 10
    trigger_times: Literal["go", "iso"] = "go"
    abort_of_finished: Literal["refused", "unchanged"] = "refused"
    abort_ignored: bool = False  # stuck runs: 200, and the run goes on
    ends_before_abort: Result | None = None  # a run that ends while its abort is on the way
    source_needed: bool = False  # a chained pipeline cannot be started without a source run
    null_progress: bool = False  # as in replies of 2018
    masked_variables: bool = False  # values come back as stars
    charset: bool = True  # some replies name one, some do not


class WerckerStandin:
    """Promise: nothing moves but by the clock, by a request or by a call from the test."""

    def __init__(
        self, clock: Clock, token: str, faults: FaultPlan | None = None, seed: int = 1
    ) -> None:
        self.clock = clock
        self.token = token
        self.faults = faults or FaultPlan()
        self.quirks = WerckerQuirks()
        self.me = ROBIN
        self.applications: list[Application] = []
        self.default_outcome = passed()
        self._runs: list[Run] = []
        self._workflows: list[Workflow] = []
        self._scripts: dict[str, deque[Outcome]] = {}
        self._random = random.Random(seed)
        self._lock = threading.RLock()  # a test and the server's loop both come here
        self.app: web.Application = Routes(self).app

    def add_application(
        self,
        owner: str,
        name: str,
        pipelines: Sequence[str | PipelineSpec] = ("build",),
        privacy: Literal["public", "private"] = "private",
    ) -> Application:
        """Make an application; a name alone is a pipeline that a push starts."""
        owner_id = hex_id(random.Random(owner))
        made = Application(
            self._id(),
            User(owner.title(), owner, user_id=owner_id),
            name,
            self.clock.time() - 30 * 86400 + 0.25,
            privacy,
        )
        for spec in pipelines:
            self._add_pipeline(made, PipelineSpec(spec) if isinstance(spec, str) else spec)
        self.applications.append(made)
        return made

    def pipeline(self, key: str) -> Pipeline:
        """Find by id or by `owner/application/pipeline`. Raises LookupError."""
        for application in self.applications:
            for item in application.pipelines:
                path = f"{application.owner.username}/{application.name}/{item.name}"
                if key in {item.id, path}:
                    return item
        raise LookupError(key)

    @property
    def runs(self) -> list[Run]:
        """All runs so far, oldest first, the chained ones that are due included."""
        self._start_chained()
        return sorted(self._runs, key=lambda run: run.created)

    @property
    def workflows(self) -> list[Workflow]:
        self._start_chained()
        return sorted(self._workflows, key=lambda flow: flow.created)

    def run(self, run_id: str) -> Run:
        """Find a run. Raises LookupError."""
        found = [run for run in self.runs if run.id == run_id]
        if not found:
            raise LookupError(run_id)
        return found[0]

    def state(self, run_id: str) -> tuple[State, Result]:
        here = position(self.run(run_id), self.clock.time())
        return here.status, here.result

    def script(self, pipeline: str, *outcomes: Outcome) -> None:
        """Plan how the next runs of this pipeline (key or id) end, one outcome each."""
        self._scripts.setdefault(self.pipeline(pipeline).id, deque()).extend(outcomes)

    def push(self, pipeline: str, branch: str = "main", **options: Any) -> Run:
        """Start a run now as a push does, with the pipelines chained behind it."""
        return self.create(self.pipeline(pipeline), branch, chained=True, **options)

    def add_run(
        self,
        pipeline: str,
        branch: str = "main",
        status: State = "finished",
        result: Result = "passed",
        age_s: float = 60.0,
        **options: Any,
    ) -> Run:
        """Put in a run that was created `age_s` ago and stands as told; see `create`."""
        at_step = "test" if result == "failed" else None
        outcome = Outcome(result, at_step, min(age_s / 2, 30.0), min(age_s / 4, 1.0))
        if status == "notstarted":
            outcome = never_started()
        elif status != "finished":
            outcome = hanging(min(age_s / 4, 1.0))
        created = self.clock.time() - age_s
        planned = {"outcome": outcome, "created": created, **options}
        return self.create(self.pipeline(pipeline), branch, **planned)

    def finish(self, run_id: str, result: Result) -> None:
        """End a run now, whatever was planned for it."""
        run, now = self.run(run_id), self.clock.time()
        if position(run, now).started is None:
            run.outcome = replace(run.outcome, queue_s=now - run.created)
        run.stopped = (now, result)

    def create(
        self,
        pipeline: Pipeline,
        branch: str | None = None,
        *,
        commit_hash: str | None = None,
        message: str | None = None,
        env: Sequence[dict[str, str]] = (),
        commits: Sequence[dict[str, str]] = (),
        tag: str | None = None,
        source: Run | None = None,
        user: User | None = None,
        outcome: Outcome | None = None,
        created: float | None = None,
        chained: bool = False,
    ) -> Run:
        """Make a run and its workflow; what is missing is taken from the source or the branch."""
        with self._lock:
            now = self.clock.time() if created is None else created
            made = self._make(pipeline, now, branch, source, outcome)
            made.commit_hash = commit_hash or made.commit_hash
            made.message = message or made.message
            made.user = user or made.user
            made.env, made.commits, made.tag = list(env), list(commits), tag
            self._add_workflow(made, pipeline.then if chained else ())
            return made

    def _make(
        self,
        pipeline: Pipeline,
        now: float,
        branch: str | None,
        source: Run | None,
        outcome: Outcome | None,
    ) -> Run:
        branch = branch or (source.branch if source else pipeline.application.default_branch)
        commit, message = self._head(pipeline.application, branch)
        if source is not None:
            names = f'"{source.pipeline.name}" to Pipeline "{pipeline.name}"'
            commit, message = source.commit_hash, f"Auto trigger from Pipeline {names}"
        outcome = outcome or self._next(pipeline)
        if outcome.at_step and outcome.at_step not in pipeline.steps:
            raise LookupError(f"no step {outcome.at_step} in {pipeline.steps}")
        ids = tuple(self._id(now) for _ in pipeline.steps)
        author = source.user if source else self.me
        made = Run(self._id(now), pipeline, branch, commit, message, now, author, outcome, ids)
        made.source = source
        self._runs.append(made)
        return made

    def _add_pipeline(self, application: Application, spec: PipelineSpec) -> None:
        made = Pipeline(
            self._id(), spec.name, spec.pipeline_name or spec.name, spec.type,
            application.created + 0.48, application, spec.steps, spec.then,
        )  # fmt: skip
        application.pipelines.append(made)

    def _add_workflow(self, first: Run, then: tuple[str, ...]) -> None:
        application = first.pipeline.application
        flow = Workflow(self._id(first.created), application, first.created, first)
        flow.items.append(Item(self._id(first.created), first.pipeline, None, first))
        for name in then:
            pipeline = next(item for item in application.pipelines if item.name == name)
            flow.items.append(Item(self._id(first.created), pipeline, flow.items[-1]))
        self._workflows.append(flow)

    def _start_chained(self) -> None:
        with self._lock:
            for flow in self._workflows:
                while due := flow.due(self.clock.time()):
                    for item, parent, start in due:
                        item.run = self._make(item.pipeline, start, None, parent, None)

    def _head(self, application: Application, branch: str) -> tuple[str, str]:
        if branch not in application.heads:
            commit = hex_id(self._random, 40)
            application.heads[branch] = (commit, f"Work on {branch}")
        return application.heads[branch]

    def _next(self, pipeline: Pipeline) -> Outcome:
        planned = self._scripts.get(pipeline.id)
        return planned.popleft() if planned else self.default_outcome

    def _id(self, created: float | None = None) -> str:
        """Make an id as MongoDB does: it begins with the time."""
        seconds = self.clock.time() if created is None else created
        return f"{int(seconds):08x}{hex_id(self._random, 16)}"
