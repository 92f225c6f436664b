"""Testery: test runs of a project against an environment, on the hosted service.

Facts are from the published API example, the vendor's own clients and its documentation. Reads
are safe to repeat; a start, a cancel or a rerun is sent once. Everything here is shared by
threads.
"""

from typing import cast

from pydantic import Field

from bot.domain.clock import Deadline
from bot.domain.errors import ProviderError
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
from bot.domain.runs import Run, TestResult
from bot.net import BearerAuth, HttpClient
from bot.providers.settings import BaseUrl, ProviderSettings, Secret
from bot.providers.testery_api import TesteryApi
from bot.providers.testery_changes import Changes
from bot.providers.testery_links import run_id_in
from bot.providers.testery_names import Names, Place
from bot.providers.testery_polls import Polls
from bot.providers.testery_replies import RUN_ID, AccountReply, PersonReply
from bot.providers.testery_runs import Runs
from bot.providers.testery_starts import TesteryTrigger

SOURCE = "account"
"""The one source: a listing shows all runs of the token's account."""


class TesterySettings(ProviderSettings):
    token: Secret = Field(description="an account's API token, or a person's (pat_…)")
    base_url: BaseUrl = Field(default="https://api.testery.io/api", description="the API")
    web_url: BaseUrl = Field(default="https://testery.app", description="the pages for people")


class TesteryProvider:
    """One account. Answers in the domain's words; what a reply holds beyond stays inside."""

    def __init__(self, context: BuildContext) -> None:
        settings = cast("TesterySettings", context.settings)
        token = settings.token.get_secret_value()
        http = HttpClient(
            service="Testery",
            base_url=settings.base_url,
            clock=context.clock,
            auth=BearerAuth(token),
            timeout_s=settings.timeout_s,
            requests_per_minute=settings.requests_per_minute,
        )
        self._instance = context.instance
        self._base_url, self._web_url = settings.base_url, settings.web_url
        self._api = TesteryApi(http, token)
        self._names = Names(self._api, context.clock, settings.web_url)
        self._runs = Runs(context.instance, self._api, self._names)
        self._polls = Polls(self._api, self._runs, context.clock)
        self._changes = Changes(self._api, self._names, self._runs)

    def __repr__(self) -> str:
        return f"TesteryProvider({self._instance!r}, {self._base_url!r})"

    def check(self, deadline: Deadline) -> Health:
        """Reads the account, which proves the token, and whose token it is, as far as told."""
        account = self._api.one(AccountReply, ("account",), deadline)
        self._names.put_account(account)
        notes = [self._owner(deadline)]
        if not account.name:
            notes.append("Testery tells no account name: runs get no links.")
        shown = [text for text in (account.display, account.name) if text]
        label = f"{shown[0]} ({shown[1]})" if len(set(shown)) > 1 else "".join(shown[:1])
        return Health(label or f"account {account.id}", tuple(notes))

    def sources(self, pattern: str) -> tuple[str, ...]:
        """The same for every pattern: there is one listing."""
        del pattern
        return (SOURCE,)

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        del source
        return self._polls.observe(cursor, open_runs, deadline)

    def recent(self, pattern: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
        """Found among the account's newest 500 runs: the vendor filters nothing."""
        wanted = Pattern(self._instance, pattern)
        found = self._polls.recent(
            lambda run: wanted.matches(run.pipeline, run.aliases), limit, deadline
        )
        return tuple(found)

    def get(self, run_id: str, deadline: Deadline) -> Run:
        return self._runs.get(run_id, deadline)

    def pipelines(self, deadline: Deadline) -> tuple[Pipeline, ...]:
        """Every project alone and in each environment that is not archived; the projects alone
        if that would be more than 500.
        """
        return tuple(map(self._pipeline, self._names.places(deadline)))

    def find_pipeline(self, key: str, deadline: Deadline) -> Pipeline:
        return self._pipeline(self._names.find(key, deadline))

    def run_id_in(self, url: str) -> str | None:
        return run_id_in(url, self._web_url, self._base_url, self._names.account)

    def tests(self, run_id: str, deadline: Deadline) -> tuple[TestResult, ...]:
        return self._runs.tests(run_id, deadline)

    def trigger(self, request: TriggerRequest, deadline: Deadline) -> Started:
        return self._changes.trigger(request, deadline)

    def abort(self, run: Run, deadline: Deadline) -> Run:
        return self._changes.abort(run, deadline)

    def retry(self, request: RetryRequest, deadline: Deadline) -> Started:
        return self._changes.retry(request, deadline)

    def _pipeline(self, place: Place) -> Pipeline:
        home = place.home
        ids = tuple(alias for alias in home.aliases if alias != home.project)
        own = ids[-1:] if place.environment else ids[:1]
        return Pipeline(PipelineRef(self._instance, home.key), place.title, own)

    def _owner(self, deadline: Deadline) -> str:
        """In words; the account has proved the token already, so this may fail. To an account's
        token the vendor answers with null.
        """
        try:
            value = self._api.value(("users", "me"), deadline)
        except ProviderError:
            return "Testery does not tell whose token it is."
        if value is None:
            return "The token is the account's, not a person's."
        person = PersonReply.model_validate(value if isinstance(value, dict) else {}).label
        return f"The token is {person}'s." if person else "The token is a person's."


SPEC = ProviderSpec(
    type_name="testery",
    title="Testery",
    settings=TesterySettings,
    trigger=TesteryTrigger,
    build=TesteryProvider,
    id_pattern=RUN_ID.pattern,
    capabilities=frozenset(Capability) - {Capability.STEPS, Capability.LOG},
    pipeline_form="project/environment, or a project alone",
    retry_is_native=True,
    retry_scopes=frozenset({"all"}),
    retry_note="Testery repeats the whole run, under its old id or a new one. With other values, "
    "or where its rerun is missing, a new run is started with the old one's parameters, but "
    "without its variables, which Testery does not tell.",
    takes_variables=True,
    bare_parameter="branch",
    runs_reopen=True,
    refusals={
        Capability.STEPS: "Testery knows tests, not steps: see the tests of the run.",
        Capability.LOG: "Testery gives no log of a run: its tests link to their consoles.",
    },
)
