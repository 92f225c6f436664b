"""Allure TestOps: a run is a launch, its steps are job runs in a CI system.

Written by the service's OpenAPI 25.4.1 and 525u01. A launch is only open or closed: its verdict
is derived (`allure_status`). Results are never uploaded from here, and reruns that the service
puts before a person are never asked for. Everything here is shared by threads.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, cast

from pydantic import AfterValidator, Field

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import Pipeline
from bot.domain.providers import (
    BuildContext,
    Capability,
    Health,
    Observation,
    OpenRun,
    ProviderSpec,
    RetryRequest,
    Started,
    TriggerRequest,
)
from bot.domain.runs import Run, Step, TestResult
from bot.net import HttpClient
from bot.providers.allure_addresses import checked, is_id, run_id_in, sources_for
from bot.providers.allure_api import VENDOR, AllureApi
from bot.providers.allure_closing import NOTE as CLOSING_NOTE
from bot.providers.allure_closing import Closing
from bot.providers.allure_jobs import Jobs
from bot.providers.allure_launches import Launches
from bot.providers.allure_listing import Listing
from bot.providers.allure_polls import Polls
from bot.providers.allure_replies import ID, LaunchReply
from bot.providers.allure_reruns import Reruns
from bot.providers.allure_results import Results
from bot.providers.allure_rights import Rights
from bot.providers.allure_session import Session
from bot.providers.allure_starts import AllureTrigger, body_of, check_parameters
from bot.providers.allure_status import Parts
from bot.providers.allure_words import steps_of
from bot.providers.answers import parsed
from bot.providers.settings import CommaList, ProviderSettings, Secret


def _checked_prefix(text: str) -> str:
    prefix = f"/{text.strip().strip('/')}"
    if prefix not in {"/api", "/api/rs"}:
        raise ValueError("must be /api, or /api/rs for an older server")
    return prefix


def _checked_projects(projects: tuple[str, ...]) -> tuple[str, ...]:
    if not all(is_id(project) for project in projects):
        raise ValueError("must be a list of project ids, which are numbers")
    return projects


class AllureSettings(ProviderSettings):
    """`base_url` is the root of the customer's own host, without the API's prefix."""

    token: Secret = Field(description="the personal API token")
    api_prefix: Annotated[str, AfterValidator(_checked_prefix)] = Field(
        default="/api", description="/api/rs for an older server"
    )
    projects: Annotated[CommaList, AfterValidator(_checked_projects)] = Field(
        default=(), description="project ids, for listings without a watch"
    )


class AllureProvider:
    """One token on one server. `wait` pauses a thread while a launch is reopened."""

    def __init__(
        self, context: BuildContext, wait: Callable[[float], object] | None = None
    ) -> None:
        settings = cast("AllureSettings", context.settings)
        instance, clock = context.instance, context.clock
        http = HttpClient(
            service="Allure TestOps",
            base_url=settings.base_url,
            clock=clock,
            timeout_s=settings.timeout_s,
            requests_per_minute=settings.requests_per_minute,
        )
        session = Session(http, settings.token.get_secret_value(), clock)
        api = AllureApi(http, session, settings.api_prefix)
        self._instance, self._base_url = instance, settings.base_url
        self._projects, self._api = settings.projects, api
        self._launches = launches = Launches(instance, settings.base_url, api, clock)
        self._jobs = Jobs(instance, api, launches, clock, settings.projects)
        self._listing = Listing(instance, launches, settings.projects)
        self._results = Results(settings.base_url, api, launches)
        self._polls = Polls(launches, self._results, clock)
        self._closing = Closing(api, launches)
        self._reruns = Reruns(api, launches, wait or threading.Event().wait)
        self._rights = Rights(api, launches, self._jobs, settings.projects)

    def __repr__(self) -> str:
        return f"AllureProvider({self._instance!r}, {self._base_url!r})"

    def check(self, deadline: Deadline) -> Health:
        """Reads the token's owner, then tries what may be read. Rights to change anything show
        only when they are used.
        """
        health = self._rights.check(deadline)
        return replace(health, notes=(*health.notes, CLOSING_NOTE))

    def sources(self, pattern: str) -> tuple[str, ...]:
        """Project ids: one listing shows all launches of a project, of whatever job."""
        return sources_for(pattern, self._projects)

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        return self._polls.observe(checked(source, "project"), cursor, open_runs, deadline)

    def recent(self, pattern: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
        return self._listing.recent(pattern, limit, deadline)

    def get(self, run_id: str, deadline: Deadline) -> Run:
        return self._launches.get(run_id, deadline)

    def pipelines(self, deadline: Deadline) -> tuple[Pipeline, ...]:
        return self._jobs.pipelines(deadline)

    def find_pipeline(self, key: str, deadline: Deadline) -> Pipeline:
        return self._jobs.find(key, deadline)

    def run_id_in(self, url: str) -> str | None:
        return run_id_in(url, self._base_url)

    def steps(self, run_id: str, deadline: Deadline) -> tuple[Step, ...]:
        return steps_of(self._launches.job_runs(run_id, deadline))

    def tests(self, run_id: str, deadline: Deadline) -> tuple[TestResult, ...]:
        """Only the failing ones."""
        return self._results.failing(run_id, deadline)

    def abort(self, run: Run, deadline: Deadline) -> Run:
        """Closes the launch; its CI build goes on."""
        return self._closing.close(run, deadline)

    def retry(self, request: RetryRequest, deadline: Deadline) -> Started:
        return self._reruns.retry(request, deadline)

    def trigger(self, request: TriggerRequest, deadline: Deadline) -> Started:
        """Looks the job up, then sends one request; a test plan is not looked up, as no call
        for that is known.
        """
        typed = cast("AllureTrigger", request.parameters)
        project, slash, name = request.pipeline.partition("/")
        checked(project, "project")
        if typed.test_plan_id is None:
            return self._start_job(project, name if slash else None, request, deadline)
        if slash:
            raise ProviderError(
                Kind.INVALID,
                f"A test plan is not run by a job: name its project alone ({project}), or leave "
                "out testPlanId. Nothing was sent.",
            )
        plan = str(typed.test_plan_id)
        pipeline = self._jobs.project_pipeline(project)
        return self._start(
            ("testplan", plan, "run"), f"test plan {plan}", pipeline, request, deadline
        )

    def _start_job(
        self, project: str, name: str | None, request: TriggerRequest, deadline: Deadline
    ) -> Started:
        listed = self._jobs.job(project, name, deadline)
        job = self._jobs.fresh(listed, deadline)
        check_parameters(cast("AllureTrigger", request.parameters), job)
        pipeline = self._jobs.pipeline_of(project, listed, deadline)
        path = ("job", str(job.id), "run")
        return self._start(path, pipeline.title, pipeline, request, deadline)

    def _start(
        self,
        path: tuple[str, ...],
        what: str,
        pipeline: Pipeline,
        request: TriggerRequest,
        deadline: Deadline,
    ) -> Started:
        """One request. An answer that is no launch leaves open whether there is one."""
        typed = cast("AllureTrigger", request.parameters)
        body, note = body_of(typed, f"{what} requested from chat", request.variables)
        secrets = [variable.value for variable in request.variables]
        reply = self._api.change(path, deadline, body, secrets)
        launch = _launch_in(self._api.json_of(reply))
        self._launches.touch(launch)
        return Started(self._queued(launch, pipeline), note)

    def _queued(self, launch: LaunchReply, pipeline: Pipeline) -> Run:
        """The new launch, of which nothing has begun. A test plan may be of another project
        than was typed: then the launch says where it belongs.
        """
        project = pipeline.ref.key.partition("/")[0]
        run = self._launches.run(launch, Parts(), project)
        if run.pipeline.key != project:
            return run
        aliases = (*pipeline.aliases, *([project] if pipeline.ref.key != project else []))
        return replace(run, pipeline=pipeline.ref, aliases=aliases)


def _launch_in(value: Any) -> LaunchReply:
    try:
        return parsed(LaunchReply, value, VENDOR)
    except ProviderError as error:
        detail = error.message
    message = "Allure TestOps took the request, but its answer shows no launch: look there."
    raise ProviderError(Kind.AMBIGUOUS, message, detail=detail)


SPEC = ProviderSpec(
    type_name="allure",
    title="Allure TestOps",
    settings=AllureSettings,
    trigger=AllureTrigger,
    build=AllureProvider,
    id_pattern=ID.pattern,
    capabilities=frozenset(Capability) - {Capability.LOG},
    pipeline_form="a project's id, or project/job name (or job id)",
    retry_scopes=frozenset({"all", "failed"}),
    abort_note="The launch was closed; a build that its CI has begun goes on there.",
    retry_note="Allure TestOps repeats in the same launch: it is reopened if it is closed, and "
    "the newest run of each job is run again.",
    takes_variables=True,
    runs_reopen=True,
    refusals={
        Capability.LOG: "Allure TestOps keeps results, not logs: the steps of a run name the CI "
        "build that has one."
    },
)
