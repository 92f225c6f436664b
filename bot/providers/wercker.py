"""Wercker: runs of pipelines, by API version 3, which its vendor called alpha.

The hosted service was shut down on 31 October 2022; BASE_URL is for a compatible server. Reads
are safe to repeat; a start or an abort is sent once. Everything here is shared by threads.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, cast

from pydantic import field_validator

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
from bot.domain.runs import Log, Run, Step
from bot.domain.statuses import Status
from bot.net import BearerAuth, HttpClient
from bot.providers.answers import parsed
from bot.providers.settings import BaseUrl, CommaList, ProviderSettings, Secret
from bot.providers.visibility import visible
from bot.providers.wercker_addresses import is_application, run_id_in, sources_for
from bot.providers.wercker_api import PAGE_LENGTH, V3, VENDOR, WerckerApi
from bot.providers.wercker_names import Found, Names
from bot.providers.wercker_polls import Listing, Polls
from bot.providers.wercker_replies import ID, Profile, RunReply
from bot.providers.wercker_runs import Runs, checked
from bot.providers.wercker_starts import Start, WerckerTrigger, repeat, start
from bot.providers.wercker_words import Application, step_of

_LISTED_PAGES = 5
_LISTED_APPLICATIONS = 20
_REFUSED = frozenset({Kind.INVALID, Kind.CONFLICT, Kind.NOT_FOUND})
_MAY_BE_OVER = _REFUSED | {Kind.AMBIGUOUS, Kind.BAD_REPLY}


class WerckerSettings(ProviderSettings):
    """`applications` are `owner/name`, for listings without a watch."""

    token: Secret
    base_url: BaseUrl = "https://app.wercker.com"
    applications: CommaList = ()

    @field_validator("applications")
    @classmethod
    def _are_applications(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(is_application(text) for text in value):
            raise ValueError("must be a list of owner/name")
        return value


class WerckerProvider:
    """Answers in the domain's words; what a reply holds beyond them stays inside."""

    def __init__(self, context: BuildContext) -> None:
        settings = cast("WerckerSettings", context.settings)
        http = HttpClient(
            service="Wercker",
            base_url=settings.base_url,
            clock=context.clock,
            auth=BearerAuth(settings.token.get_secret_value()),
            timeout_s=settings.timeout_s,
            requests_per_minute=settings.requests_per_minute,
        )
        self._instance = context.instance
        self._base_url, self._applications = settings.base_url, settings.applications
        self._api = WerckerApi(http, settings.base_url)
        self._names = Names(self._api, context.clock, settings.applications)
        self._runs = Runs(
            context.instance, settings.base_url, self._api, self._names, context.clock
        )
        self._polls = Polls(self._api, self._names, self._runs, context.clock)

    def check(self, deadline: Deadline) -> Health:
        """Reads the profile of the token's owner; a server without it is asked for the first
        configured application, which proves the address, and the token if it is private.
        """
        notes = () if self._applications else ("APPLICATIONS is not set: listings need a watch.",)
        try:
            profile = self._api.one(Profile, ("api", "v2", "profile"), deadline)
        except ProviderError as error:
            if error.kind is not Kind.NOT_FOUND or not self._applications:
                raise
            application = self._names.application(self._applications[0], deadline)
            return Health("", (*notes, f"No profile; read {application.key} instead."))
        return Health(profile.own_username or profile.username or profile.name or "", notes)

    def sources(self, pattern: str) -> tuple[str, ...]:
        return sources_for(pattern, self._applications)

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        return self._polls.observe(source, cursor, open_runs, deadline)

    def recent(self, pattern: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
        """One pipeline is listed by its id, everything else by application: 100 runs of each at
        most, and 20 applications of an owner. Those that this token is not shown are left out,
        as long as others are there.
        """
        if Pattern(self._instance, pattern).is_glob or pattern.count("/") == 1:
            sources = self.sources(pattern)
            parts = [partial(self._of_source, s, pattern, limit, deadline) for s in sources]
            found = visible(parts)
        else:
            pipeline = self._names.find(pattern, deadline)
            listing = Listing("pipelineId", pipeline.pipeline.id, pipeline.application)
            found = self._newest(listing, pattern, limit, deadline)
        found.sort(key=lambda run: run.when.timestamp() if run.when else 0.0, reverse=True)
        return tuple(found[:limit])

    def get(self, run_id: str, deadline: Deadline) -> Run:
        return self._runs.get(run_id, deadline)

    def pipelines(self, deadline: Deadline) -> tuple[Pipeline, ...]:
        return tuple(self._pipeline(found) for found in self._names.configured(deadline))

    def find_pipeline(self, key: str, deadline: Deadline) -> Pipeline:
        return self._pipeline(self._names.find(key, deadline))

    def run_id_in(self, url: str) -> str | None:
        return run_id_in(url, self._base_url)

    def trigger(self, request: TriggerRequest, deadline: Deadline) -> Started:
        """Looks the pipeline up, then sends one request."""
        found = self._names.find(request.pipeline, deadline)
        fields = cast("WerckerTrigger", request.parameters).fields()
        what = start(found.pipeline.id, fields, request.variables)
        return self._start(what, found.application, deadline)

    def abort(self, run: Run, deadline: Deadline) -> Run:
        """Sends nothing if `run` is over. If the vendor refuses, or its answer is lost, and the
        run turns out to be over, tells how it ended; CONFLICT if it is refused and still going.
        The run returned need not be aborted: some were seen to stay active.
        """
        run_id = checked(run.ref.run_id)
        if _is_over(run):
            return run
        try:
            reply = self._changed("PUT", (*V3, "runs", run_id, "abort"), deadline, {})
        except ProviderError as error:
            if error.kind not in _MAY_BE_OVER:
                raise
            problem = error
        else:
            return self._runs.moved(run, reply)
        return self._ended(run_id, problem, deadline)

    def retry(self, request: RetryRequest, deadline: Deadline) -> Started:
        """Reads the detailed run, since summaries lack variables and source, then sends one
        request. CONFLICT, with nothing sent, unless the old run is over.
        """
        if request.scope != "all":
            raise ProviderError(
                Kind.UNSUPPORTED, "Wercker cannot repeat a part of a run: retry all of it."
            )
        old = self._runs.detail(request.run.ref.run_id, deadline)
        if not old.is_over:
            raise ProviderError(Kind.CONFLICT, "The run is not over yet; nothing was sent.")
        what = repeat(old, request.parameters, request.variables)
        return self._start(what, self._runs.home(old, deadline), deadline)

    def steps(self, run_id: str, deadline: Deadline) -> tuple[Step, ...]:
        return tuple(step_of(step) for step in self._runs.steps(run_id, deadline))

    def log(self, run_id: str, step: str | None, deadline: Deadline) -> Log:
        return self._runs.log(run_id, step, deadline)

    def _of_source(self, source: str, pattern: str, limit: int, deadline: Deadline) -> list[Run]:
        listings = self._polls.listings(source, deadline)[:_LISTED_APPLICATIONS]
        return visible(partial(self._newest, item, pattern, limit, deadline) for item in listings)

    def _newest(self, listing: Listing, pattern: str, limit: int, deadline: Deadline) -> list[Run]:
        wanted = Pattern(self._instance, pattern)
        found: dict[str, Run] = {}
        skip = 0
        for _ in range(_LISTED_PAGES):
            page = self._polls.page(listing, skip, deadline)
            for reply in page.items:
                run = self._runs.seen(self._polls.placed(listing, reply, deadline))
                if not wanted.is_glob or wanted.matches(run.pipeline, run.aliases):
                    found[reply.id] = run
            skip += page.length
            if page.length < PAGE_LENGTH or len(found) >= limit:
                break
        return list(found.values())

    def _pipeline(self, found: Found) -> Pipeline:
        aliases = (found.pipeline.id,) if found.application else ()
        return Pipeline(PipelineRef(self._instance, found.key), found.pipeline.label, aliases)

    def _start(self, what: Start, application: Application | None, deadline: Deadline) -> Started:
        """One request and no other after it."""
        reply = self._changed("POST", (*V3, "runs"), deadline, what.body, what.secrets)
        return Started(self._runs.within(application, reply), what.note)

    def _changed(
        self,
        method: str,
        segments: Sequence[str],
        deadline: Deadline,
        body: dict[str, Any],
        secrets: Iterable[str] = (),
    ) -> RunReply:
        """The run after a change, which is sent once. A reply that is no run leaves open whether
        it was done: AMBIGUOUS.
        """
        value = self._api.change(method, segments, deadline, body, secrets)
        try:
            return parsed(RunReply, value, VENDOR)
        except ProviderError as error:
            detail = error.message
        message = "Wercker took the request, but its answer shows no run: look there."
        raise ProviderError(Kind.AMBIGUOUS, message, detail=detail)

    def _ended(self, run_id: str, problem: ProviderError, deadline: Deadline) -> Run:
        """How the run ended, if it did; otherwise why it could not be aborted."""
        try:
            run = self.get(run_id, deadline)
        except ProviderError:
            raise problem from None
        if _is_over(run):
            return run
        kind = Kind.CONFLICT if problem.kind in _REFUSED else problem.kind
        raise ProviderError(kind, problem.message, detail=problem.detail)


def _is_over(run: Run) -> bool:
    if run.status is Status.UNKNOWN:
        return run.raw_status.startswith("finished/") or run.finished is not None
    return run.status.is_terminal


SPEC = ProviderSpec(
    type_name="wercker",
    title="Wercker",
    settings=WerckerSettings,
    trigger=WerckerTrigger,
    build=WerckerProvider,
    id_pattern=ID.pattern,
    capabilities=frozenset(Capability) - {Capability.TESTS},
    pipeline_form="owner/application/pipeline, or a pipeline's id of 24 hexadecimal digits",
    retry_is_native=False,
    retry_scopes=frozenset({"all"}),
    retry_note="Wercker has no retry: a new run is started with the old one's branch, commit, "
    "message and variables, or from the same source if it was chained.",
    takes_variables=True,
    bare_parameter="branch",
    refusals={
        Capability.TESTS: "Wercker knows steps, not tests: see the steps of the run and its log."
    },
)
