"""Runs of Wercker as read one by one: where they belong, and which step failed."""

from dataclasses import replace

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import Log, Run
from bot.domain.statuses import Status
from bot.providers.memory import Memory
from bot.providers.wercker_addresses import is_id
from bot.providers.wercker_api import V3, WerckerApi
from bot.providers.wercker_names import IDENTITY_S, Names
from bot.providers.wercker_replies import RunDetail, RunReply, StepReply, in_order
from bot.providers.wercker_words import INTERNAL_STEPS, Application, application_of, run_of

_LOG_CHARACTERS = 200_000


class Runs:
    """Shared by threads. What a finished run failed at is remembered: it does not change."""

    def __init__(
        self, instance: str, web_url: str, api: WerckerApi, names: Names, clock: Clock
    ) -> None:
        self._instance, self._web_url = instance, web_url
        self._api, self._names = api, names
        self._failed_steps: Memory[str, str] = Memory(clock, IDENTITY_S)

    def get(self, run_id: str, deadline: Deadline) -> Run:
        """One request for a run of a known pipeline; a failed one costs its steps as well."""
        reply = self._api.one(RunReply, (*V3, "runs", checked(run_id)), deadline)
        return self.seen(self.place(reply, deadline), self.failed_step(reply, deadline))

    def detail(self, run_id: str, deadline: Deadline) -> RunDetail:
        """With variables and source; it must not leave the provider."""
        return self._api.one(RunDetail, (*V3, "runs", checked(run_id)), deadline)

    def place(self, reply: RunReply, deadline: Deadline) -> Run:
        return self.within(self.home(reply, deadline), reply)

    def home(self, reply: RunReply, deadline: Deadline) -> Application | None:
        """The application that the reply names, or else the one of its pipeline."""
        for named in (reply.application, reply.pipeline.application):
            if application := application_of(named):
                return application
        return self._names.home(reply.pipeline, deadline)

    def moved(self, run: Run, reply: RunReply) -> Run:
        """`run` as `reply` shows it now, with no further request."""
        now = self.within(None, reply)
        return replace(now, pipeline=run.pipeline, aliases=run.aliases, url=run.url)

    def within(self, application: Application | None, reply: RunReply) -> Run:
        return run_of(self._instance, self._web_url, reply, application)

    def seen(self, run: Run, failed_step: str | None = None) -> Run:
        """The run with the first step that failed, if known. Failing in an internal step, before
        the project's own ones, is the machinery's fault (assumed from reports on image pulls
        and broken machines): ERRORED instead of FAILED.
        """
        name = failed_step or self._failed_steps.get(run.ref.run_id)
        if run.status is not Status.FAILED or not name:
            return run
        status = Status.ERRORED if name in INTERNAL_STEPS else Status.FAILED
        return replace(run, status=status, failed_step=name)

    def failed_step(self, reply: RunReply, deadline: Deadline) -> str | None:
        """The first failed step of a failed run; one request unless remembered. It refines what
        is known already, so a reply that cannot be had is not an error.
        """
        if (reply.status, reply.result) != ("finished", "failed"):
            return None
        known = self._failed_steps.get(reply.id)
        if known is not None:
            return known
        try:
            failed = _first_failed(self.steps(reply.id, deadline))
        except ProviderError:
            return None
        return self._failed_steps.put(reply.id, failed.label) if failed else None

    def steps(self, run_id: str, deadline: Deadline) -> list[StepReply]:
        """In order of execution; steps that cannot be read are left out."""
        page = self._api.page(StepReply, (*V3, "runs", checked(run_id), "steps"), deadline)
        return in_order(list(page.items))

    def log(self, run_id: str, wanted: str | None, deadline: Deadline) -> Log:
        """The end of a step's log, 200,000 characters at most. The address is made here: a
        `logUrl` could lead the token to another host.
        """
        step = _chosen(self.steps(run_id, deadline), wanted)
        text = self._api.text((*V3, "runsteps", step.id, "log"), deadline)
        return Log(step.label, text[-_LOG_CHARACTERS:], is_cut=len(text) > _LOG_CHARACTERS)


def checked(run_id: str) -> str:
    """The id, if it can be one: nothing else goes into a path. NOT_FOUND otherwise."""
    if not is_id(run_id):
        raise ProviderError(Kind.NOT_FOUND, "A Wercker run id has 24 hexadecimal digits.")
    return run_id


def _first_failed(steps: list[StepReply]) -> StepReply | None:
    return next((step for step in steps if step.is_failed), None)


def _chosen(steps: list[StepReply], wanted: str | None) -> StepReply:
    """By id, name or number; without a wish the first failed step, else the last one begun."""
    if wanted is None:
        begun = [step for step in steps if step.has_begun] or steps
        found = _first_failed(steps) or (begun[-1] if begun else None)
    else:
        found = next((step for step in steps if _is_meant(step, wanted)), None)
    if found is not None:
        return found
    names = tuple(step.label for step in steps)
    message = "The run has no such step." if steps else "The run has no steps yet."
    raise ProviderError(Kind.NOT_FOUND, message, known=names)


def _is_meant(step: StepReply, wanted: str) -> bool:
    names = {name.casefold() for name in (step.display_name, step.step, step.label) if name}
    return wanted.casefold() in names or wanted in {step.id, str(step.order)}
