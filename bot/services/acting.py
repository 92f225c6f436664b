"""The commands that change something at a vendor: trigger, abort, retry.

Each reads first, refuses what makes no sense with nothing sent, and leaves the rest to Sending.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from bot.domain.access import Verb
from bot.domain.audit import CommandState
from bot.domain.chat import Asker
from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError, UserError
from bot.domain.intents import AbortRun, RetryRun, TriggerRun
from bot.domain.providers import (
    Aborts,
    Capability,
    Provider,
    Retries,
    RetryRequest,
    Started,
    TriggerRequest,
    Triggers,
)
from bot.domain.replies import (
    ActionCard,
    ActionState,
    Answer,
    Confirmation,
    Preview,
    PreviewLine,
)
from bot.domain.runs import Run
from bot.domain.store import Store
from bot.services import parameters
from bot.services.choices import Choices, Chosen
from bot.services.controls import refusal
from bot.services.fleet import Instance
from bot.services.sending import READ_DEADLINE_S, Order, Sending


class Acting:
    """Thread-safe. `new_mark` gives a fresh unique text of letters and digits."""

    def __init__(
        self,
        store: Store,
        choices: Choices,
        clock: Clock,
        new_mark: Callable[[], str],
        sending: Sending,
    ) -> None:
        self._store = store
        self._choices = choices
        self._clock = clock
        self._new_mark = new_mark
        self._sending = sending

    def preview_trigger(self, intent: TriggerRun) -> Answer:
        """The dry run: everything is read and checked, nothing is sent."""
        deadline = Deadline.after(self._clock, READ_DEADLINE_S)
        one, request, typed = self._trigger_request(intent, "-", "-", deadline)
        target = f"{one.name}:{request.pipeline}"
        lines = parameters.preview(target, typed, intent.variables)
        return Answer(Preview(Verb.TRIGGER, target, (*lines, *_defaults(one, typed))))

    def trigger(self, intent: TriggerRun, order: Order) -> None:
        deadline = Deadline.after(self._clock, READ_DEADLINE_S)
        one, request, _typed = self._trigger_request(
            intent, self._new_mark(), order.asker.user_id, deadline
        )
        target = f"{one.name}:{request.pipeline}"
        card = ActionCard(
            Verb.TRIGGER, order.asker.user_id, target, ActionState.SENDING, reason=intent.reason
        )
        self._sending.send(order, one, card, lambda p, d: _trigger(p, request, d))

    def abort(self, intent: AbortRun, order: Order) -> Answer | None:
        self._refuse_at_once(intent.run, order.asker, Capability.ABORT)
        chosen = self._read(intent, order.asker)
        one, run = chosen.instance, chosen.run
        _require(one, Capability.ABORT)
        if run.is_over:
            raise UserError(f"{run.ref} is already over: {_ended(run)}. Nothing was sent.")
        if chosen.is_indirect:
            return self._ask_back(Verb.ABORT, run, intent.reason, order)
        card = ActionCard(
            Verb.ABORT,
            order.asker.user_id,
            str(run.ref),
            ActionState.SENDING,
            run=run,
            reason=intent.reason,
        )
        note = one.spec.abort_note
        return self._sending.send_alone(
            order, one, card, lambda p, d: Started(_abort(p, run, d), note)
        )

    def preview_retry(self, intent: RetryRun, asker: Asker) -> Answer:
        chosen = self._retryable(intent, asker)
        run = chosen.run
        lines = [
            PreviewLine("run", str(run.ref), "typed"),
            PreviewLine("pipeline", str(run.pipeline), "old run"),
        ]
        lines += _kept(run, [name for name, _value in intent.parameters])
        lines += parameters.preview(str(run.ref), dict(intent.parameters), intent.variables)[1:]
        note = chosen.instance.spec.retry_note
        return Answer(Preview(Verb.RETRY, str(run.ref), tuple(lines), note))

    def retry(self, intent: RetryRun, order: Order) -> Answer | None:
        chosen = self._retryable(intent, order.asker)
        one, run = chosen.instance, chosen.run
        if chosen.is_indirect:
            return self._ask_back(Verb.RETRY, run, intent.reason, order)
        request = RetryRequest(
            run,
            intent.scope,
            dict(intent.parameters),
            intent.variables,
            self._new_mark(),
            order.asker.user_id,
        )
        card = ActionCard(
            Verb.RETRY,
            order.asker.user_id,
            str(run.ref),
            ActionState.SENDING,
            run=run,
            reason=intent.reason,
        )
        return self._sending.send_alone(order, one, card, lambda p, d: _retry(p, request, d))

    # What comes before sending

    def _trigger_request(
        self, intent: TriggerRun, mark: str, requester: str, deadline: Deadline
    ) -> tuple[Instance, TriggerRequest, Mapping[str, str]]:
        chosen = self._choices.pipeline(intent.pipeline, deadline)
        one = chosen.instance
        _require(one, Capability.TRIGGER)
        typed = parameters.named(one, intent.bare, intent.parameters)
        model = parameters.build(one, typed, intent.variables)
        request = TriggerRequest(chosen.pipeline.ref.key, model, intent.variables, mark, requester)
        return one, request, typed

    def _retryable(self, intent: RetryRun, asker: Asker) -> Chosen:
        self._refuse_at_once(intent.run, asker, Capability.RETRY)
        chosen = self._read(intent, asker)
        one, run = chosen.instance, chosen.run
        _require(one, Capability.RETRY)
        if intent.scope not in one.spec.retry_scopes:
            raise UserError(
                f"{one.spec.title} cannot repeat a part of a run, only all of it.",
                maybe=(f"/retry {run.ref}",),
                help_command="/retry help",
            )
        parameters.check_names(one, dict(intent.parameters))
        if not run.is_over:
            raise UserError(
                f"{run.ref} is not over yet: {run.status}. Nothing was sent.",
                help_command="/retry help",
            )
        return chosen

    def _refuse_at_once(self, choice: object, asker: Asker, capability: Capability) -> None:
        """A vendor that cannot do it at all is not even asked about the run."""
        one = self._choices.instance_of(choice, asker)  # type: ignore[arg-type]
        if one is not None:
            _require(one, capability)

    def _read(self, intent: AbortRun | RetryRun, asker: Asker) -> Chosen:
        deadline = Deadline.after(self._clock, READ_DEADLINE_S)
        return self._choices.run(intent.run, asker, deadline)

    def _ask_back(self, verb: Verb, run: Run, reason: str, order: Order) -> Answer:
        """A run that was named by its place in a list is confirmed by its name first."""
        self._store.update_command(
            order.command_id,
            CommandState.REFUSED,
            target=str(run.ref),
            outcome="asked to confirm first",
        )
        text = f"{verb.value.capitalize()} {run.ref}?"
        return Answer(Confirmation(verb, run, text, reason))


def _require(one: Instance, capability: Capability) -> None:
    if not one.can(capability):
        raise refusal(one, capability)


def _kept(run: Run, typed: Sequence[str]) -> list[PreviewLine]:
    """What stays as it was in the old run; another branch brings its own commit."""
    old = {"branch": run.branch, "commit": run.commit}
    new = {name for name in old if any(one.lower().startswith(name) for one in typed)}
    gone = new | ({"commit"} if "branch" in new else set())
    return [
        PreviewLine(name, text, "old run")
        for name, text in old.items()
        if text and name not in gone
    ]


def _defaults(one: Instance, typed: Mapping[str, str]) -> tuple[PreviewLine, ...]:
    """The parameters that were not typed and have a value all the same."""
    return tuple(
        PreviewLine(name, str(field.default), "provider default")
        for name, field in parameters.field_names(one.spec.trigger).items()
        if name not in typed and not field.is_required() and field.default not in (None, "", ())
    )


def _ended(run: Run) -> str:
    took = run.duration
    words = str(run.status)
    return f"{words} after {_seconds(took)}" if took is not None else words


def _seconds(span: timedelta) -> str:
    return f"{int(span.total_seconds())} s"


def _trigger(provider: Provider, request: TriggerRequest, deadline: Deadline) -> Started:
    if not isinstance(provider, Triggers):
        raise ProviderError(Kind.UNSUPPORTED, "This provider cannot start a run.")
    return provider.trigger(request, deadline)


def _abort(provider: Provider, run: Run, deadline: Deadline) -> Run:
    if not isinstance(provider, Aborts):
        raise ProviderError(Kind.UNSUPPORTED, "This provider cannot abort a run.")
    return provider.abort(run, deadline)


def _retry(provider: Provider, request: RetryRequest, deadline: Deadline) -> Started:
    if not isinstance(provider, Retries):
        raise ProviderError(Kind.UNSUPPORTED, "This provider cannot repeat a run.")
    return provider.retry(request, deadline)
