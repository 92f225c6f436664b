"""One request that changes something at a vendor: claimed, announced, recorded, sent, told.

Whatever fails before the request leaves means that nothing was sent. Whatever fails behind it
only means that its outcome is written down or told later: it is never called refused for that.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from bot.domain.audit import Command, CommandState
from bot.domain.chat import Announcer, Asker, Posted
from bot.domain.clock import Clock, Deadline
from bot.domain.endings import Ending, card_key
from bot.domain.errors import BotError, Kind, ProviderError, StoreError
from bot.domain.outbox import Form, NewMessage
from bot.domain.polls import SourceKey
from bot.domain.providers import Provider, Started
from bot.domain.replies import ActionCard, ActionState, Answer, Busy
from bot.domain.runs import Run, RunRef
from bot.domain.store import Store
from bot.services.controls import controls_of
from bot.services.fleet import GRACE_S, Instance
from bot.services.ledger import Ledger

log = logging.getLogger(__name__)

READ_DEADLINE_S = 6.0
CHANGE_DEADLINE_S = 14.0
SENT_WITHIN_S = 60.0
"""From the claim to the request, and not a moment later: a slow Slack takes 40 s of it for the
card (posted, waited for, posted again, looked for or told otherwise), a slow database 5 s."""
_WRITTEN_WITHIN_S = 15.0
LEASE_S = SENT_WITHIN_S + CHANGE_DEADLINE_S + GRACE_S + _WRITTEN_WITHIN_S
"""Longer than the longest way from a claim to its end."""
DOUBLE_CLICK_S = 30.0
"""For how long a press is taken for a second one of the same, where no new run tells more."""
REMEMBERED_S = 86400.0
"""For how long a press is told of the new run that an earlier one led to, while that goes on."""

Send = Callable[[Provider, Deadline], Started]
_STATES = {CommandState.DONE: ActionState.DONE, CommandState.UNKNOWN: ActionState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Order:
    """A mutation that was recorded and allowed: its audit row, who asked, and their channel."""

    command_id: int
    asker: Asker
    announcer: Announcer


class Sending:
    """Thread-safe. `sources_of` tells which sources that are polled show a run."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        clock: Clock,
        sources_of: Callable[[Run], Collection[SourceKey]],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._sources_of = sources_of

    def send_alone(
        self, order: Order, one: Instance, card: ActionCard, send: Send
    ) -> Answer | None:
        """Sends, unless somebody is doing the same to the same run right now; then it says so.

        A press is also told of what was done before it: two people look at the same button, and
        one person may press it twice. StoreError: nothing was sent.
        """
        sent_by = Deadline.after(self._clock, SENT_WITHIN_S)
        self._ledger.catch_up()
        busy = self._claim(order, one, card)
        if busy is None:
            self.send(order, one, card, send, sent_by)
            return None
        why = f"{busy.holder} has asked for it: {busy.state}"
        refused = Ending(order.command_id, CommandState.REFUSED, card.target, why)
        self._ledger.write(partial(self._store.end_command, refused))
        return Answer(busy)

    def send(
        self,
        order: Order,
        one: Instance,
        card: ActionCard,
        send: Send,
        sent_by: Deadline | None = None,
    ) -> None:
        """Puts the card into the channel, sends one request and tells what became of it."""
        posted = order.announcer.announce(card)
        try:
            self._store.accept_command(order.command_id, card.target, posted)
        except StoreError as error:
            log.warning("command.not_recorded", extra={"detail": error.detail})
            self._refused(order, posted, card, "The database is busy; nothing was sent.")
            return
        if sent_by is not None and not sent_by.remaining_s():
            self._refused(order, posted, card, "It took too long to say so here; nothing was sent.")
            return
        deadline = Deadline.after(self._clock, CHANGE_DEADLINE_S)
        try:
            started = one.change(lambda p: send(p, deadline), deadline)
        except BotError as error:
            if isinstance(error, ProviderError) and error.kind is Kind.AMBIGUOUS:
                self._unknown(order, posted, card, one, error.message)
            else:
                self._refused(order, posted, card, error.message)
        else:
            self._done(order, posted, card, one, started)

    # Who may

    def _claim(self, order: Order, one: Instance, card: ActionCard) -> Busy | None:
        key = f"{card.verb} {card.target}"
        passing: int | None = None
        while True:
            held = self._store.claim_action(key, order.command_id, LEASE_S, passing)
            if held is None:
                return None
            busy = self._busy(order, one, card, held)
            if busy is not None:
                return busy
            passing = held.command_id

    def _busy(self, order: Order, one: Instance, card: ActionCard, held: Command) -> Busy | None:
        """None if what holds the claim is past: a command that is typed wants it again, and a
        press may have it again once the run that the last one led to is over.
        """
        busy = Busy(held.what.user_id, card.verb, card.target)
        state = _STATES.get(held.state)
        if state is None:
            return busy
        if order.asker.origin != "button":
            return None
        if held.target == card.target:
            return replace(busy, state=state)
        run = self._read(one, RunRef.parse(held.target))
        return None if run is None or run.is_over else replace(busy, state=state, run=run)

    def _read(self, one: Instance, ref: RunRef) -> Run | None:
        deadline = Deadline.after(self._clock, READ_DEADLINE_S)
        try:
            return one.ask(lambda p: p.get(ref.run_id, deadline), deadline)
        except ProviderError as error:
            if error.kind is Kind.NOT_FOUND:
                return None
            raise

    # How it went

    def _done(
        self, order: Order, posted: Posted | None, card: ActionCard, one: Instance, started: Started
    ) -> None:
        run = started.run
        target = str(run.ref) if run else card.target
        ending = Ending(
            order.command_id,
            CommandState.DONE,
            target,
            started.note or "done",
            told_for_s=DOUBLE_CLICK_S if target == card.target else REMEMBERED_S,
            run=run,
            card=posted,
        )
        controls = controls_of(run, one.spec) if run else ()
        done = replace(card, state=ActionState.DONE, run=run, note=started.note, controls=controls)
        self._end(order, posted, done, ending)

    def _unknown(
        self, order: Order, posted: Posted | None, card: ActionCard, one: Instance, why: str
    ) -> None:
        """Where a run can move again under its old id, it is looked at whether it does."""
        ending = Ending(
            order.command_id,
            CommandState.UNKNOWN,
            card.target,
            why,
            told_for_s=DOUBLE_CLICK_S,
            run=card.run if one.spec.runs_reopen else None,
        )
        unknown = replace(card, state=ActionState.UNKNOWN, run=None, note=why)
        self._end(order, posted, unknown, ending)

    def _refused(self, order: Order, posted: Posted | None, card: ActionCard, why: str) -> None:
        ending = Ending(order.command_id, CommandState.REFUSED, card.target, why)
        refused = replace(card, state=ActionState.REFUSED, run=None, note=why)
        self._end(order, posted, refused, ending)

    def _end(self, order: Order, posted: Posted | None, card: ActionCard, ending: Ending) -> None:
        """Written before people see it and answer in its thread, told even if not written."""
        self._ledger.write(partial(self._record, ending))
        if not order.announcer.update(posted, card):
            message = told_later(order.command_id, order.asker.user_id, posted, card)
            tell = partial(self._store.tell_of_command, order.command_id, posted, message)
            self._ledger.write(tell)

    def _record(self, ending: Ending) -> None:
        if ending.run is not None:
            ending = replace(ending, sources=self._sources_of(ending.run))
        self._store.end_command(ending)


def told_later(
    command_id: int, user_id: str, posted: Posted | None, card: ActionCard
) -> NewMessage:
    """An edit of the card or, where there is none, a direct message."""
    key = f"ending {command_id}"
    if posted is None:  # buttons belong to the channel they were made for
        return NewMessage(user_id, key, Form.POST, replace(card, controls=()))
    return NewMessage(posted.channel, key, Form.EDIT, card, card_key(command_id))
