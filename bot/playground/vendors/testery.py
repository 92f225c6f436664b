"""A stand-in of Testery: the scripting side, and what it holds.

The HTTP side is in `testery_http`. Pipelines are scripted by `project` or
`project/environment`.
"""

import random
from typing import Any

from aiohttp import web

from bot.playground.clock import Clock
from bot.playground.faults import FaultPlan
from bot.playground.vendors import testery_http
from bot.playground.vendors.base import application, hex_id
from bot.playground.vendors.course import Course, Outcome, Plan
from bot.playground.vendors.testery_runs import Environment, Project, TesteryQuirks, TesteryRun

DEFAULT_TESTS = (
    "tests/test_login.py::test_login_ok",
    "tests/test_login.py::test_login_bad_password",
    "tests/test_checkout.py::test_checkout",
    "tests/test_checkout.py::test_refund",
    "tests/test_search.py::test_search",
)
RESULTS_PER_RUN = 1000


class TesteryStandin:
    """One account of Testery under `/api`, and its web pages beside it."""

    __test__ = False  # no test class, whatever its name begins with

    def __init__(
        self,
        clock: Clock,
        token: str,
        faults: FaultPlan | None = None,
        *,
        account: str = "acme",
        display: str = "Acme Inc",
        quirks: TesteryQuirks | None = None,
        seed: int = 0,
    ) -> None:
        self.clock = clock
        self.token = token
        self.faults = faults if faults is not None else FaultPlan()
        self.account = {"id": 1, "name": account, "display": display}
        self.quirks = quirks if quirks is not None else TesteryQuirks()
        self.plan = Plan(Outcome("PASS"))
        self.projects: list[Project] = []
        self.environments: list[Environment] = []
        self.test_plans: list[dict[str, Any]] = []
        self.plan_runs: dict[int, dict[str, Any]] = {}
        self.runs: list[TesteryRun] = []
        self._random = random.Random(seed)
        self._next_id = 304_000
        self.app: web.Application = application(self.faults)
        testery_http.install(self)

    def add_project(
        self,
        key: str,
        name: str | None = None,
        tests: tuple[str, ...] = DEFAULT_TESTS,
        suites: tuple[str, ...] = ("Smoke",),
    ) -> Project:
        identity = 123 + len(self.projects)
        numbered = {identity * 10 + index: suite for index, suite in enumerate(suites)}
        project = Project(identity, key, name or key.title(), tests, numbered)
        self.projects.append(project)
        return project

    def add_environment(
        self,
        key: str,
        name: str | None = None,
        *,
        archived: bool = False,
        url: str | None = None,
        pipeline_stage_id: int | None = None,
        variables: list[dict[str, Any]] | None = None,
    ) -> Environment:
        identity = 7 + len(self.environments)
        environment = Environment(
            identity, key, name or key.upper(), archived, url, pipeline_stage_id, variables or []
        )
        self.environments.append(environment)
        return environment

    def add_test_plan(self, key: str, name: str | None = None) -> dict[str, Any]:
        plan = {"id": 9 + len(self.test_plans), "key": key, "name": name or key.title()}
        self.test_plans.append(plan)
        return plan

    def script(self, *outcomes: Outcome, pipeline: str | None = None) -> None:
        """Plan what the next runs come to, of one pipeline or of any."""
        self.plan.add(outcomes, pipeline)

    def add_run(
        self,
        project: str,
        environment: str,
        outcome: Outcome | None = None,
        *,
        at_s: float | None = None,
        **request: Any,
    ) -> TesteryRun:
        """Add a run as if it had been handed in at `at_s` (now); `request` as in a POST."""
        if outcome is None:
            outcome = self.plan.take(f"{project}/{environment}", project)
        created_s = self.clock.time() if at_s is None else at_s
        self._next_id += 1
        run = TesteryRun(
            id=self._next_id,
            key=hex_id(self._random, 40).upper(),
            project=next(p for p in self.projects if p.key == project),
            environment=next(e for e in self.environments if e.key == environment),
            course=Course(created_s, outcome.queue_s, outcome.run_s),
            outcome=outcome,
            request=request,
            result_base=self._next_id * RESULTS_PER_RUN,
            account_id=int(str(self.account["id"])),
        )
        self.runs.append(run)
        return run

    def finish(self, run: TesteryRun | int, status: str, *failed: str) -> None:
        """End a run now as `PASS`, `FAIL` or `CANCELED` (or any other word)."""
        run = self.run(run) if isinstance(run, int) else run
        if status == "CANCELED":
            self.cancel(run, "Canceled by a person")
            return
        run.canceled = None
        run.outcome = Outcome(
            status, run.outcome.run_s, run.outcome.queue_s, failed, note=run.outcome.note
        )
        run.course.complete(self.clock.time())

    def cancel(self, run: TesteryRun, reason: str | None = None) -> None:
        run.canceled = reason or "Canceled"
        run.course.stop(self.clock.time())

    def rerun(self, run: TesteryRun) -> TesteryRun:
        """Repeat a run under a new id, or under its own when `quirks.rerun` is `same`."""
        if self.quirks.rerun != "same":
            return self.add_run(run.project.key, run.environment.key, **run.request)
        run.outcome = self.plan.take(f"{run.project.key}/{run.environment.key}", run.project.key)
        run.course = Course(self.clock.time(), run.outcome.queue_s, run.outcome.run_s)
        run.canceled = None
        run.attempt += 1
        return run

    def run(self, identity: int) -> TesteryRun:
        """Find a run; KeyError when there is none."""
        for run in self.runs:
            if run.id == identity:
                return run
        raise KeyError(identity)

    def newest_first(self) -> list[TesteryRun]:
        return sorted(self.runs, key=lambda run: (run.course.created_s, run.id), reverse=True)
