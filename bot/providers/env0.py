"""env0: tests of modules. A pipeline is a module; a run is one test of it.

A run is a deployment in an environment of a special project, and has an id of its own besides
the deployment's. Marks: what is *assumed* of the vendor is said where it stands. Reads are safe
to repeat; a start, a cancel or an abort is sent once. Everything here is shared by threads.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, cast

from pydantic import AfterValidator, Field, StringConstraints

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import Pipeline, PipelineRef
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
from bot.domain.runs import Log, Run, Step, TestResult
from bot.net import BasicAuth, HttpClient
from bot.providers.env0_addresses import WEB_PATH, Links, checked_web_path, sources_for
from bot.providers.env0_api import Env0Api
from bot.providers.env0_modules import Module, Modules, the_one
from bot.providers.env0_polls import Polls
from bot.providers.env0_replies import RUN_ID, RunReply
from bot.providers.env0_runs import Listed, Runs
from bot.providers.env0_starts import Env0Trigger, Starts, body_of, repeated
from bot.providers.env0_steps import Steps
from bot.providers.env0_stops import Stops
from bot.providers.env0_words import results_of
from bot.providers.settings import BaseUrl, ProviderSettings, Secret

_MOST_BYTES = 20 * 1024 * 1024
"""All runs of a module come in one answer, each with its variables, among them whole plans."""
_LISTED_MODULES = 40


class Env0Settings(ProviderSettings):
    """`organization_id` may be left out where the key has only one. `direct_trigger` switches to
    a call that is in no documentation.
    """

    api_key_id: Secret = Field(description="id of the API key")
    api_key_secret: Secret = Field(description="secret of the API key")
    organization_id: (
        Annotated[str, StringConstraints(strip_whitespace=True, pattern=f"^{RUN_ID}$")] | None
    ) = Field(default=None, description="the organization; the key's only one if left out")
    base_url: BaseUrl = Field(default="https://api.env0.com", description="the API")
    web_url: BaseUrl = Field(default="https://app.env0.com", description="the pages for people")
    web_path: Annotated[str, AfterValidator(checked_web_path)] = Field(
        default=WEB_PATH, description="the page of a deployment below WEB_URL"
    )
    direct_trigger: bool = Field(
        default=False, description="start tests by POST /module/{id}/tests, if this env0 has it"
    )


class Env0Provider:
    """Answers in the domain's words; what a reply holds beyond them stays outside."""

    def __init__(
        self, context: BuildContext, wait: Callable[[float], object] | None = None
    ) -> None:
        settings = cast("Env0Settings", context.settings)
        self._instance, self._settings = context.instance, settings
        self._api = _api(settings, context)
        self._links = Links(settings.base_url, settings.web_url, settings.web_path)
        self._modules = Modules(self._api, context.clock, settings.organization_id)
        self._runs = Runs(context.instance, self._api, self._modules, self._links, context.clock)
        self._steps = Steps(self._api, self._runs)
        self._stops = Stops(self._api, self._runs)
        self._polls = Polls(self._modules, self._runs, self._steps, context.clock)
        pause = wait or threading.Event().wait
        self._starts = Starts(self._api, self._modules, self._runs, pause)

    def __repr__(self) -> str:
        return f"Env0Provider({self._instance!r}, {self._settings.base_url!r})"

    def check(self, deadline: Deadline) -> Health:
        """Reads the key's organizations, which proves the key; then tries what else the bot
        reads, and tells in notes what it may not.
        """
        organizations = self._modules.organizations(deadline)
        organization = the_one(organizations, self._settings.organization_id)
        notes = (
            f"organization {organization.id}",
            self._modules_note(deadline),
            self._project_note(deadline),
            "whether the key may start and stop tests shows only when it tries",
        )
        return Health(organization.name or organization.id, tuple(note for note in notes if note))

    def sources(self, pattern: str) -> tuple[str, ...]:
        """The key or the glob itself: a glob is matched against the modules at each poll."""
        return sources_for(pattern)

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        """A quiet poll of one module is one request; see `env0_polls` for globs."""
        return self._polls.observe(source, cursor, open_runs, deadline)

    def recent(self, pattern: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
        """One request for each module, 40 at most. Modules that cannot be read are left out, as
        long as others can.
        """
        if not sources_for(pattern):
            return ()
        modules = self._modules.matching(pattern, deadline)[:_LISTED_MODULES]
        results = self._runs.listed_all(modules, deadline)
        lists = [one for one in results if isinstance(one, Listed)]
        for one in results:
            if isinstance(one, ProviderError) and not lists:
                raise one
        found = [(run, one.module) for one in lists for run in one.runs]
        found.sort(key=lambda pair: -(pair[0].made_at.timestamp() if pair[0].made_at else 0.0))
        newest = found[: max(0, limit)]
        return tuple(self._runs.run_of(run, module, deadline) for run, module in newest)

    def get(self, run_id: str, deadline: Deadline) -> Run:
        """By the run's id; also by its deployment's, which is what pages show."""
        return self._runs.run(self._runs.find(run_id, deadline), deadline)

    def pipelines(self, deadline: Deadline) -> tuple[Pipeline, ...]:
        return tuple(self._pipeline(module) for module in self._modules.all(deadline))

    def find_pipeline(self, key: str, deadline: Deadline) -> Pipeline:
        return self._pipeline(self._modules.find(key, deadline))

    def run_id_in(self, url: str) -> str | None:
        """Pages name the deployment: its run if that was seen lately, else the deployment's own
        id, which `get` takes too.
        """
        found = self._links.id_in(url)
        return self._runs.known_run_id(found) if found else None

    def trigger(self, request: TriggerRequest, deadline: Deadline) -> Started:
        """Reads the module, and its list for the environment; sends one change; then looks for
        the run for about ten seconds.
        """
        _refuse_variables(request.variables)
        module = self._modules.find(request.pipeline, deadline)
        trigger = cast("Env0Trigger", request.parameters)
        body = body_of(trigger, request.requester, request.mark)
        self._starts.refuse_disabled(module.module_id, deadline)
        if self._settings.direct_trigger:
            return self._starts.directly(body, module, deadline)
        environment_id = self._starts.environment_of(module, deadline)
        return self._starts.in_environment(environment_id, body, module, deadline)

    def abort(self, run: Run, deadline: Deadline) -> Run:
        """Reads the run, then cancels what waits and aborts what runs; see `env0_stops`."""
        return self._stops.stop(run.ref.run_id, deadline)

    def retry(self, request: RetryRequest, deadline: Deadline) -> Started:
        """A new run of the same revision in the old run's own environment. CONFLICT, with
        nothing sent, unless the old run is over and tells its revision.
        """
        _refuse_variables(request.variables)
        if request.scope != "all":
            raise ProviderError(
                Kind.UNSUPPORTED, "env0 cannot repeat a part of a test: retry all of it."
            )
        old = self._runs.find(request.run.ref.run_id, deadline)
        if not self._runs.run(old, deadline).is_over:
            raise ProviderError(
                Kind.CONFLICT, f"That run is not over yet ({old.status}); nothing was sent."
            )
        module = self._runs.home(old, deadline)
        trigger = repeated(old, request.parameters)
        if module.module_id:
            self._starts.refuse_disabled(module.module_id, deadline)
        body = body_of(trigger, request.requester, request.mark)
        started = self._starts.in_environment(old.environment_id, body, module, deadline)
        return replace(started, note=_joined(started.note, _lost(old)))

    def steps(self, run_id: str, deadline: Deadline) -> tuple[Step, ...]:
        return self._steps.of(self._runs.find(run_id, deadline), deadline)

    def tests(self, run_id: str, deadline: Deadline) -> tuple[TestResult, ...]:
        """Test files: the vendor documents no results of single tests."""
        return results_of(self._runs.find(run_id, deadline).test_files_results)

    def log(self, run_id: str, step: str | None, deadline: Deadline) -> Log:
        return self._steps.log(self._runs.find(run_id, deadline), step, deadline)

    def _pipeline(self, module: Module) -> Pipeline:
        return Pipeline(PipelineRef(self._instance, module.key), module.title, module.aliases)

    def _modules_note(self, deadline: Deadline) -> str:
        try:
            modules = self._modules.read(deadline)
        except ProviderError as error:
            return f"cannot list modules: {error.message}"
        enabled = sum(module.is_enabled is not False for module in modules)
        return f"{len(modules)} modules, tests are on in {enabled}"

    def _project_note(self, deadline: Deadline) -> str:
        try:
            self._modules.project(deadline)
        except ProviderError:
            return "cannot read the project of module tests: some links are left out"
        return ""


def _api(settings: Env0Settings, context: BuildContext) -> Env0Api:
    key_id = settings.api_key_id.get_secret_value()
    key_secret = settings.api_key_secret.get_secret_value()
    http = HttpClient(
        service="env0",
        base_url=settings.base_url,
        clock=context.clock,
        auth=BasicAuth(key_id, key_secret),
        timeout_s=settings.timeout_s,
        requests_per_minute=settings.requests_per_minute,
        max_body_bytes=_MOST_BYTES,
    )
    return Env0Api(http, key_id, key_secret)


def _refuse_variables(variables: tuple[object, ...]) -> None:
    if variables:
        raise ProviderError(
            Kind.INVALID, "env0 takes no variables for a module test: leave env.NAME out."
        )


def _lost(old: RunReply) -> str:
    """The pull request is assumed not to be carried over to the new run."""
    number = old.pr_number
    return f"The new run is not tied to pull request #{number} any more." if number else ""


def _joined(*texts: str) -> str:
    return " ".join(text for text in texts if text)


SPEC = ProviderSpec(
    type_name="env0",
    title="env0",
    settings=Env0Settings,
    trigger=Env0Trigger,
    build=Env0Provider,
    id_pattern=RUN_ID,
    capabilities=frozenset(Capability),
    pipeline_form="module name, name/provider where two have it, or module id",
    retry_is_native=False,
    retry_note="env0 has no retry of module tests: a new test of the same revision is started in "
    "the same environment. It is not tied to the old run's pull request.",
    bare_parameter="blueprintRevision",
)
