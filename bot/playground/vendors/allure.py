"""A stand-in of Allure TestOps: the scripting side, and what it holds.

The HTTP side is in `allure_http`. A run is a launch. Pipelines are scripted by job name; an
outcome's status is the one of the CI build (`passed`, `failed`, `cancelled`, `unknown`) or
`run_failure` when CI could not start it.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bot.playground.clock import Clock
from bot.playground.faults import FaultPlan
from bot.playground.vendors import allure_http
from bot.playground.vendors.allure_model import AllureQuirks, Job, JobRun, Launch
from bot.playground.vendors.base import application
from bot.playground.vendors.course import Course, Outcome, Plan

DEFAULT_TESTS = (
    "tests.checkout.CheckoutTest::Checkout with saved card",
    "tests.checkout.RefundTest::Refund to voucher",
    "tests.login.LoginTest::Login",
    "tests.login.LoginTest::Login with a wrong password",
    "tests.search.SearchTest::Search by name",
)


class AllureStandin:
    """An installation of Allure TestOps at the root of its host."""

    def __init__(
        self,
        clock: Clock,
        api_token: str,
        faults: FaultPlan | None = None,
        *,
        quirks: AllureQuirks | None = None,
        user: str = "dana",
    ) -> None:
        self.clock = clock
        self.api_token = api_token
        self.faults = faults if faults is not None else FaultPlan()
        self.quirks = quirks if quirks is not None else AllureQuirks()
        self.user = user
        self.plan = Plan(Outcome("passed"))
        self.projects: dict[int, str] = {}
        self.jobs: list[Job] = []
        self.test_plans: dict[int, tuple[int, list[Job]]] = {}
        self.launches: list[Launch] = []
        self.tokens: dict[str, float] = {}
        self.exchanges = 0
        self.uploads: list[str] = []
        self._tag_ids: dict[str, int] = {}
        self._next_run_id = 5200
        self.app: web.Application = application(self.faults)
        allure_http.install(self)

    @property
    def runs(self) -> list[Launch]:
        return self.launches

    def revoke_tokens(self) -> None:
        """Make every access token given so far worthless."""
        self.tokens.clear()

    def add_project(self, name: str, identity: int | None = None) -> int:
        number = 37 + len(self.projects) if identity is None else identity
        self.projects[number] = name
        return number

    def add_job(
        self,
        project_id: int,
        name: str,
        kind: str = "gitlab",
        *,
        url: str | None = None,
        parameters: Sequence[str] = (),
        tests: tuple[str, ...] = DEFAULT_TESTS,
        runnable: bool = True,
        external_id: str | None = None,
    ) -> Job:
        identity = 14 + len(self.jobs)
        job = Job(
            id=identity,
            project_id=project_id,
            name=name,
            type=kind,
            url=url or f"https://gitlab.example.com/acme/{name}/-/pipelines",
            parameters={identity * 10 + i: value for i, value in enumerate(parameters)},
            tests=tests,
            runnable=runnable,
            external_id=external_id,
        )
        self.jobs.append(job)
        return job

    def add_test_plan(self, project_id: int, *jobs: Job) -> int:
        number = 60 + len(self.test_plans)
        self.test_plans[number] = (project_id, list(jobs))
        return number

    def script(self, *outcomes: Outcome, pipeline: str | None = None) -> None:
        """Plan what the next job runs come to, of one job (by name) or of any."""
        self.plan.add(outcomes, pipeline)

    def add_launch(
        self,
        project_id: int,
        name: str,
        *,
        at_s: float | None = None,
        closed: bool = False,
        statistic: dict[str, int] | None = None,
        ready: bool | None = None,
        tags: Sequence[str] = (),
        **more: Any,
    ) -> Launch:
        """Add a launch without job runs; a `statistic` is shown as it is given."""
        created_s = self.clock.time() if at_s is None else at_s
        launch = Launch(
            id=9980 + len(self.launches),
            name=name,
            project_id=project_id,
            created_s=created_s,
            created_by=self.user,
            tags=[self.tag(tag) for tag in tags],
            closings=[(created_s, True)] if closed else [],
            pinned_statistic=statistic,
            pinned_ready=ready,
            **more,
        )
        self.launches.append(launch)
        return launch

    def tag(self, name: str) -> dict[str, Any]:
        return {"id": self._tag_ids.setdefault(name, 1 + len(self._tag_ids)), "name": name}

    def add_run(
        self,
        job: str | Job,
        outcome: Outcome | None = None,
        *,
        name: str | None = None,
        at_s: float | None = None,
        tags: Sequence[str] = (),
        **more: Any,
    ) -> Launch:
        """Add a launch with one job run that moves as the outcome says and then closes itself."""
        job = self.job(job) if isinstance(job, str) else job
        more.setdefault("autoclose_s", self.quirks.autoclose_s)
        launch = self.add_launch(job.project_id, name or job.name, at_s=at_s, tags=tags, **more)
        self.start(launch, job, outcome)
        return launch

    def start(
        self,
        launch: Launch,
        job: Job,
        outcome: Outcome | None = None,
        selection: set[str] | None = None,
    ) -> JobRun:
        """Start a job run in a launch; a launch that was over moves again."""
        outcome = outcome or self.plan.take(job.name)
        begin_s = max(self.clock.time(), launch.created_s) if launch.job_runs else launch.created_s
        run = self._job_run(launch, job, Course(begin_s, outcome.queue_s, outcome.run_s), outcome)
        run.selection = selection
        return run

    def add_job_run(self, launch: Launch, job: Job, stage: str, status: str | None) -> JobRun:
        """Add a job run that stays as it is, for any combination of stage and status."""
        course = Course(launch.created_s + len(launch.job_runs), 0.0, 0.0)
        run = self._job_run(launch, job, course, Outcome(status or stage))
        run.pinned = (stage, status)
        return run

    def _job_run(self, launch: Launch, job: Job, course: Course, outcome: Outcome) -> JobRun:
        self._next_run_id += 1
        run = JobRun(self._next_run_id, job, launch.id, course, outcome, self.user)
        launch.job_runs.append(run)
        return run

    def rerun(self, run: JobRun, selection: set[str] | None) -> JobRun:
        """Repeat a job run in its launch, all tests or the selected ones."""
        run.listed = self.quirks.rerun_keeps_old
        return self.start(self.launch(run.launch_id), run.job, selection=selection)

    def finish(self, launch: Launch, status: str, *failed: str, note: str | None = None) -> None:
        """End every moving job run now as `passed`, `failed`, `cancelled` or `run_failure`."""
        now = self.clock.time()
        for run in launch.job_runs:
            if run.is_over(now):
                continue
            old = run.outcome
            run.outcome = Outcome(status, old.run_s, old.queue_s, failed, note=note or old.note)
            if status == "cancelled":
                run.course.stop(now)
            else:
                run.course.complete(now)

    def close(self, launch: Launch) -> None:
        launch.closings.append((self.clock.time(), True))

    def reopen(self, launch: Launch) -> None:
        """Open a launch after `quirks.reopen_delay_s`."""
        launch.closings.append((self.clock.time() + self.quirks.reopen_delay_s, False))

    def launch(self, identity: int) -> Launch:
        """Find a launch; KeyError when there is none."""
        for launch in self.launches:
            if launch.id == identity:
                return launch
        raise KeyError(identity)

    def job(self, name: str) -> Job:
        """Find a job by name; KeyError when there is none."""
        for job in self.jobs:
            if job.name == name:
                return job
        raise KeyError(name)

    def job_runs(self) -> list[JobRun]:
        return [run for launch in self.launches for run in launch.job_runs]
