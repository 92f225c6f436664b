"""One run: its details, steps, tests and log."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from bot.domain.chat import Asker
from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError, UserError
from bot.domain.intents import ShowRun
from bot.domain.providers import Capability, HasLog, HasSteps, HasTests, Provider
from bot.domain.replies import Answer, LogTail, RunDetail, StepList, TestList
from bot.domain.runs import Log, Step, TestResult
from bot.services.choices import Choices, Chosen
from bot.services.controls import controls_of, refusal
from bot.services.fleet import Instance

T = TypeVar("T")

DEADLINE_S = 10.0
EXTRAS_DEADLINE_S = 4.0
"""Steps and tests may be missing from a run's page, if they take longer than that."""


NO_VARIABLES = "The variables of a run may hold secrets, so they are neither kept nor shown."


class Reading:
    """Thread-safe."""

    def __init__(self, choices: Choices, clock: Clock) -> None:
        self._choices = choices
        self._clock = clock

    def show_run(self, intent: ShowRun, asker: Asker) -> Answer:
        deadline = Deadline.after(self._clock, DEADLINE_S)
        chosen = self._choices.run(intent.run, asker, deadline)
        if chosen.run.is_private and intent.is_shared:
            raise UserError("that run is private, so it is not shared with the channel.")
        match intent.part:
            case "steps":
                return self._steps(chosen, intent, deadline)
            case "tests":
                return self._tests(chosen, intent, deadline)
            case "log":
                return self._log(chosen, intent, deadline)
            case "params":
                return self._detail(chosen, intent, deadline, NO_VARIABLES)
            case _:
                return self._detail(chosen, intent, deadline)

    def _detail(self, chosen: Chosen, intent: ShowRun, deadline: Deadline, *notes: str) -> Answer:
        reply = self._detail_of(chosen, deadline)
        reply = replace(reply, notes=(*notes, *reply.notes))
        return Answer(reply, intent.is_shared, (chosen.run.ref,))

    def _detail_of(self, chosen: Chosen, deadline: Deadline) -> RunDetail:
        one, run_id = chosen.instance, chosen.run.ref.run_id
        soon = deadline.at_most(EXTRAS_DEADLINE_S)
        notes: list[str] = []
        steps = tests = None
        if one.can(Capability.STEPS):
            steps = _noted(lambda: one.ask(lambda p: _steps(p, run_id, soon), soon), notes)
        if one.can(Capability.TESTS):
            tests = _noted(lambda: one.ask(lambda p: _tests(p, run_id, soon), soon), notes)
        failed = tuple(t for t in tests or () if t.status.is_failure)
        return RunDetail(
            chosen.run, steps or (), failed, controls_of(chosen.run, one.spec), tuple(notes)
        )

    def _steps(self, chosen: Chosen, intent: ShowRun, deadline: Deadline) -> Answer:
        one, run = chosen.instance, chosen.run
        _require(one, Capability.STEPS)
        steps = one.ask(lambda p: _steps(p, run.ref.run_id, deadline), deadline)
        return Answer(StepList(run, steps), intent.is_shared, (run.ref,))

    def _tests(self, chosen: Chosen, intent: ShowRun, deadline: Deadline) -> Answer:
        one, run = chosen.instance, chosen.run
        _require(one, Capability.TESTS)
        tests = one.ask(lambda p: _tests(p, run.ref.run_id, deadline), deadline)
        return Answer(TestList(run, tests), intent.is_shared, (run.ref,))

    def _log(self, chosen: Chosen, intent: ShowRun, deadline: Deadline) -> Answer:
        one, run = chosen.instance, chosen.run
        _require(one, Capability.LOG)
        log = one.ask(lambda p: _log(p, run.ref.run_id, intent.step, deadline), deadline)
        return Answer(LogTail(run.ref, log, intent.lines), intent.is_shared, (run.ref,))


def _require(one: Instance, capability: Capability) -> None:
    if not one.can(capability):
        raise refusal(one, capability)


def _steps(provider: Provider, run_id: str, deadline: Deadline) -> tuple[Step, ...]:
    if not isinstance(provider, HasSteps):
        raise _lacking(Capability.STEPS)
    return provider.steps(run_id, deadline)


def _tests(provider: Provider, run_id: str, deadline: Deadline) -> tuple[TestResult, ...]:
    if not isinstance(provider, HasTests):
        raise _lacking(Capability.TESTS)
    return provider.tests(run_id, deadline)


def _log(provider: Provider, run_id: str, step: str | None, deadline: Deadline) -> Log:
    if not isinstance(provider, HasLog):
        raise _lacking(Capability.LOG)
    return provider.log(run_id, step, deadline)


def _lacking(capability: Capability) -> ProviderError:
    return ProviderError(Kind.UNSUPPORTED, f"This provider has no {capability}.")


def _noted(read: Callable[[], T], notes: list[str]) -> T | None:
    """The result, or None with a note on why it is missing."""
    try:
        return read()
    except ProviderError as error:
        notes.append(error.message)
        return None
