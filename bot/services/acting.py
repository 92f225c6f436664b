"""The commands that change something at a vendor: trigger, abort, retry.

Each reads first, refuses what makes no sense with nothing sent, puts one card into the
channel, sends exactly one request and writes what became of it on the card and in the audit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from bot.domain.access import Verb
from bot.domain.audit import CommandState
from bot.domain.chat import Announcer, Asker, Posted
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
    Busy,
    Confirmation,
    Preview,
    PreviewLine,
)
from bot.domain.runs import Run
from bot.domain.store import Store
from bot.services import parameters
from bot.services.choices import Choices, Chosen
from bot.services.controls import controls_of, refusal
from bot.services.fleet import Instance

READ_DEADLINE_S = 6.0
CHANGE_DEADLINE_S = 14.0
IN_FLIGHT_S = 30.0
"""For how long one person's mutation of a run keeps others from sending the same."""


@dataclass(frozen=True, slots=True)
class Order:
    """A mutation that was recorded and allowed: its audit row, who asked, and their channel."""

    command_id: int
    asker: Asker
    announcer: Announcer


class OnStarted(Protocol):
    """Told which run an order led to, so that its state is soon looked at."""

    def __call__(self, run: Run) -> None: ...


class Acting:
    """Thread-safe. `new_mark` gives a fresh unique text of letters and digits."""

    def __init__(
        self,
        store: Store,
        choices: Choices,
        clock: Clock,
        new_mark: Callable[[], str],
        on_started: OnStarted,
    ) -> None:
        self._store = store
        self._choices = choices
        self._clock = clock
        self._new_mark = new_mark
        self._on_started = on_started

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
        self._send(order, one, card, lambda p, d: _trigger(p, request, d))

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
        return self._alone(order, one, card, lambda p, d: Started(_abort(p, run, d), note))

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
        return self._alone(order, one, card, lambda p, d: _retry(p, request, d))

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
        self._settle(order, CommandState.REFUSED, str(run.ref), "asked to confirm first")
        text = f"{verb.value.capitalize()} {run.ref}?"
        return Answer(Confirmation(verb, run, text, reason))

    # Sending

    def _alone(self, order: Order, one: Instance, card: ActionCard, send: "Send") -> Answer | None:
        """Sends, unless somebody is doing the same to the same run right now.

        A button keeps its claim a while after the deed, for the second of two presses.
        """
        keys = [f"{card.verb} {card.target}"]
        if order.asker.origin == "button":
            keys.append(f"press {card.verb} {card.target}")
        for key in keys:
            holder = self._store.claim_action(key, order.asker.user_id, IN_FLIGHT_S)
            if holder is not None:
                return self._already(order, card, holder)
        is_sent = False
        try:
            is_sent = self._send(order, one, card, send)
        finally:
            for key in keys[:1] if is_sent else keys:
                self._store.release_action(key)
        return None

    def _already(self, order: Order, card: ActionCard, holder: str) -> Answer:
        self._settle(order, CommandState.REFUSED, card.target, f"{holder} is doing it")
        return Answer(Busy(holder, card.verb, card.target))

    def _send(self, order: Order, one: Instance, card: ActionCard, send: "Send") -> bool:
        """Sends one request; False when it certainly did nothing."""
        posted = order.announcer.announce(card)
        self._store.update_command(order.command_id, CommandState.ACCEPTED, target=card.target)
        deadline = Deadline.after(self._clock, CHANGE_DEADLINE_S)
        try:
            started = one.change(lambda p: send(p, deadline), deadline)
        except ProviderError as error:
            self._failed(order, posted, card, error)
            return error.kind is Kind.AMBIGUOUS
        self._done(order, posted, card, one, started)
        return True

    def _done(
        self, order: Order, posted: Posted | None, card: ActionCard, one: Instance, started: Started
    ) -> None:
        run = started.run
        target = str(run.ref) if run else card.target
        self._settle(order, CommandState.DONE, target, started.note or "done")
        controls = controls_of(run, one.spec) if run else ()
        done = replace(card, state=ActionState.DONE, run=run, note=started.note, controls=controls)
        if run is not None and posted is not None:  # before people see it and answer in its thread
            self._store.save_card(posted.channel, posted.ts, run.ref)
        order.announcer.update(posted, done)
        if run is not None:
            self._on_started(run)

    def _failed(
        self, order: Order, posted: Posted | None, card: ActionCard, error: ProviderError
    ) -> None:
        is_open = error.kind is Kind.AMBIGUOUS
        state = CommandState.UNKNOWN if is_open else CommandState.REFUSED
        self._settle(order, state, card.target, error.message)
        shown = ActionState.UNKNOWN if is_open else ActionState.REFUSED
        order.announcer.update(posted, replace(card, state=shown, run=None, note=error.message))

    def _settle(self, order: Order, state: CommandState, target: str, outcome: str) -> None:
        self._store.update_command(order.command_id, state, target=target, outcome=outcome)


Send = Callable[[Provider, Deadline], Started]


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
