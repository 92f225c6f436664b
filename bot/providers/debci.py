"""debci: Debian's CI. One run (debci says job) is one source package tested in one suite on
one architecture.

Written for debci 3.6 (Debian 12) and 3.12 (Debian 13). There is no call for one run, none to
abort, and the answer to a request does not tell the new run: it is found in the listing of the
runs that the key's user has requested.
"""

from datetime import timedelta

from pydantic import Field

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import Pattern, Pipeline, PipelineRef
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
from bot.domain.runs import Log, Run
from bot.net import HeaderAuth, HttpClient
from bot.providers.debci_calls import DebciCalls
from bot.providers.debci_jobs import Jobs
from bot.providers.debci_log import DebciLogs
from bot.providers.debci_mark import Mark
from bot.providers.debci_rejects import RejectList
from bot.providers.debci_request import TriggerParameters, form_of, trigger_text
from bot.providers.debci_runs import RUN_ID, Job, Place, RunReader, run_id_in
from bot.providers.settings import BaseUrl, CommaList, ProviderSettings, Secret

SOURCE = "own"
"""The one source: a listing shows all that the key's user has requested."""


class DebciSettings(ProviderSettings):
    """`log_base_url` is what debci's administrator calls `artifacts_url_base`."""

    token: Secret = Field(description="the API key")
    base_url: BaseUrl = Field(
        default="https://ci.debian.net", description="the server; /api/v1 follows"
    )
    suites: CommaList = Field(default=(), description="suites that may be asked for")
    architectures: CommaList = Field(default=(), description="architectures that may be asked for")
    log_base_url: BaseUrl | None = Field(
        default=None, description="where logs are, if not in /data/autopkgtest of the server"
    )
    look_back_h: int = Field(
        default=168, ge=1, le=4320, description="hours back in which runs are looked for"
    )
    overlap_s: int = Field(
        default=600, ge=0, le=86400, description="seconds by which polls overlap"
    )
    give_up_h: int = Field(
        default=48, ge=1, le=4320, description="hours after which a pending run counts as lost"
    )


class Debci:
    """One key on one server. Thread-safe."""

    def __init__(self, context: BuildContext) -> None:
        settings = DebciSettings.model_validate(context.settings)
        http = HttpClient(
            service="debci",
            base_url=f"{settings.base_url}/api",
            clock=context.clock,
            auth=HeaderAuth("Auth-Key", settings.token.get_secret_value()),
            timeout_s=settings.timeout_s,
            requests_per_minute=settings.requests_per_minute,
        )
        self._instance = context.instance
        self._clock = context.clock
        self._settings = settings
        self._overlap = timedelta(seconds=settings.overlap_s)
        self._calls = DebciCalls(http)
        self._jobs = Jobs(
            self._calls, context.clock, timedelta(hours=settings.look_back_h), self._overlap
        )
        self._rejects = RejectList(self._calls, context.clock)
        self._log_base_url = settings.log_base_url or f"{settings.base_url}/data/autopkgtest"
        self._logs = DebciLogs(self._log_base_url, context.clock, settings.timeout_s)
        self._reader = RunReader(
            context.instance, settings.base_url, timedelta(hours=settings.give_up_h)
        )

    def __repr__(self) -> str:
        return f"Debci({self._instance!r}, {self._settings.base_url!r})"

    def check(self, deadline: Deadline) -> Health:
        return Health(account=self._calls.user(deadline))

    def sources(self, pattern: str) -> tuple[str, ...]:
        """The same for every pattern: there is one listing."""
        del pattern
        return (SOURCE,)

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        """One request. A pending run is listed again by each, until it is given up.

        3.12 does not tell any more when a run that is over was requested: that is kept from
        `open_runs`.
        """
        del source
        now = self._clock.now()
        mark = Mark.read(cursor, self._jobs.earliest)
        listing = self._jobs.since(mark.since(open_runs, self._overlap), deadline)
        created = {run.run_id: run.created for run in open_runs}
        return Observation(
            tuple(self._reader.run(job, now, created.get(str(job.run_id))) for job in listing.jobs),
            mark.raised(listing.until, open_runs, now, self._reader.give_up).model_dump_json(),
            listing.bad_items,
        )

    def recent(self, pattern: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
        wanted = Pattern(self._instance, pattern)
        runs = map(self._run, self._jobs.lately(deadline).jobs)
        return tuple(run for run in runs if wanted.matches(run.pipeline))[: max(0, limit)]

    def get(self, run_id: str, deadline: Deadline) -> Run:
        return self._run(self._jobs.job(run_id, deadline))

    def pipelines(self, deadline: Deadline) -> tuple[Pipeline, ...]:
        """What the key's user has requested lately: debci lists no packages."""
        jobs = (self._jobs.remembered() or self._jobs.lately(deadline)).jobs
        places = {str(job.place): job.place for job in jobs}
        return tuple(self._pipeline(places[key]) for key in sorted(places))

    def find_pipeline(self, key: str, deadline: Deadline) -> Pipeline:
        """Any well-formed key in the configured suites and architectures, without I/O."""
        place, problem = self._read_place(key)
        if place is not None:
            return self._pipeline(place)
        raise ProviderError(Kind.NOT_FOUND, problem, known=self._known_keys(key, deadline))

    def run_id_in(self, url: str) -> str | None:
        return run_id_in(url, self._settings.base_url, self._log_base_url)

    def trigger(self, request: TriggerRequest, deadline: Deadline) -> Started:
        """One request for one run, which is then found by its trigger text."""
        place, problem = self._read_place(request.pipeline)
        if place is None:
            raise ProviderError(Kind.INVALID, problem)
        if request.variables:
            raise ProviderError(
                Kind.INVALID, "debci takes no variables; /trigger help lists what it takes."
            )
        parameters = TriggerParameters.model_validate(request.parameters)
        self._rejects.refuse(place, deadline)
        text = trigger_text(parameters, request)
        job, note = self._jobs.request(
            ("test", place.suite, place.arch),
            form_of(place, parameters, text),
            lambda job: job.place == place and job.trigger == text,
            deadline,
        )
        if job is None and not note:  # 3.12 drops a package of the reject list without a word
            self._rejects.refuse(place, deadline, afresh=True)
        return self._started(job, note)

    def retry(self, request: RetryRequest, deadline: Deadline) -> Started:
        """Repeats a run of our own listing. debci would repeat anyone's, check no key and hand
        the new run to whom the old one belongs, where the bot would never see it.
        """
        _refuse_changes(request)
        before = self._jobs.lately(deadline)
        old = self._jobs.job_in(before, request.run.ref.run_id, deadline)
        job, note = self._jobs.request(
            ("retry", str(old.run_id)),
            None,
            lambda job: job.run_id > before.highest and job.is_like(old),
            deadline,
        )
        return self._started(job, note)

    def log(self, run_id: str, step: str | None, deadline: Deadline) -> Log:
        """The end of the one log of a run; NOT_FOUND if there is none, yet or any more."""
        if step is not None:
            raise ProviderError(
                Kind.UNSUPPORTED, "debci keeps one log a run, without steps: leave the step out."
            )
        return self._logs.read(self._jobs.job(run_id, deadline), deadline)

    def _run(self, job: Job) -> Run:
        return self._reader.run(job, self._clock.now())

    def _started(self, job: Job | None, note: str) -> Started:
        if job is None:
            return Started(None, note or "debci accepted it, but lists no new run yet.")
        if job.was_refused:
            note = f"Run {job.run_id} was not run: the package is in this debci's reject list."
        return Started(self._run(job), note)

    def _pipeline(self, place: Place) -> Pipeline:
        title = f"{place.package} in {place.suite} on {place.arch}"
        url = f"{self._settings.base_url}{place.page}"
        return Pipeline(PipelineRef(self._instance, str(place)), title, url=url)

    def _read_place(self, key: str) -> tuple[Place | None, str]:
        """The place, or None and what is wrong with the key."""
        place = Place.parse(key)
        if place is None:
            return None, (
                "debci needs suite/architecture/package, such as unstable/amd64/hello; a package "
                "name has two or more of a-z, 0-9, +, - and dots, and starts with a-z or 0-9."
            )
        for what, name, allowed in (
            ("suite", place.suite, self._settings.suites),
            ("architecture", place.arch, self._settings.architectures),
        ):
            if allowed and name not in allowed:
                return None, f"{name} is not a configured {what}: there are {', '.join(allowed)}."
        return place, ""

    def _known_keys(self, key: str, deadline: Deadline) -> tuple[str, ...]:
        """The package in all that is configured, then what was requested lately, if known."""
        package = key.rpartition("/")[2]
        places = (
            Place.parse(f"{suite}/{arch}/{package}")
            for suite in self._settings.suites
            for arch in self._settings.architectures
        )
        keys = [str(place) for place in places if place]
        try:
            keys += [pipeline.ref.key for pipeline in self.pipelines(deadline)]
        except ProviderError as error:
            if error.kind is Kind.AUTH:
                raise
        return tuple(dict.fromkeys(keys))


def _refuse_changes(request: RetryRequest) -> None:
    if request.scope != "all":
        raise ProviderError(Kind.INVALID, "debci repeats whole runs only: retry it all.")
    if request.parameters or request.variables:
        raise ProviderError(
            Kind.INVALID,
            "debci repeats a run as it was and takes no other values: "
            f"use /trigger {request.run.pipeline} with them instead.",
        )


SPEC = ProviderSpec(
    type_name="debci",
    title="debci",
    settings=DebciSettings,
    trigger=TriggerParameters,
    build=Debci,
    id_pattern=RUN_ID,
    capabilities=frozenset(
        {Capability.GET, Capability.LIST, Capability.TRIGGER, Capability.RETRY, Capability.LOG}
    ),
    pipeline_form="suite/arch/package",
    retry_note="The repeat is a new run with the same trigger text, at the usual priority.",
    refusals={
        Capability.ABORT: "debci has no abort: a run ends by itself.",
        Capability.STEPS: "debci tells no steps of a run: see its log.",
        Capability.TESTS: "debci tells no single tests of a run: see its log.",
    },
)
