"""The one way in: what was done becomes a request, is recorded, handed on, and acknowledged.

Nothing here waits for a network or for a lock that the poller holds; a busy database or a
full pool is said at once, and then nothing was done.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.domain.access import Verb
from bot.domain.clock import Clock
from bot.domain.errors import StoreError, UserError
from bot.domain.intents import (
    AbortRun,
    Help,
    Intent,
    MuteWatch,
    RetryRun,
    RunById,
    ShowDigest,
    Topic,
)
from bot.domain.replies import Answer, Notice, Problem, Reply
from bot.domain.store import Store
from bot.services.commands import Commands, Request, problem, verb_of
from bot.services.pool import Pool
from bot.slack.answering import Answering
from bot.slack.grammar import Reading, read, read_offer, read_sentence
from bot.slack.incoming import Incoming
from bot.slack.rendering import Rendered
from bot.slack.values import CommandPress, DigestPress, MutePress, PressRefusedError, Signer

log = logging.getLogger(__name__)

MUTED_FOR = timedelta(hours=2)
"""By the button of a card."""
BUSY = "I am busy, so nothing was done. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Ack:
    """The acknowledgement: nothing to see, or an answer for the asker alone."""

    rendered: Rendered | None = None

    def body(self) -> dict[str, Any] | None:
        if self.rendered is None:
            return None
        return {
            "response_type": "ephemeral",
            "text": self.rendered.text,
            "blocks": self.rendered.blocks,
        }


class Door:
    """Thread-safe."""

    def __init__(
        self,
        commands: Commands,
        store: Store,
        pool: Pool,
        answering: Answering,
        signer: Signer,
        clock: Clock,
        on_ack: Callable[[str], None] = lambda _what: None,
    ) -> None:
        self._commands = commands
        self._store = store
        self._pool = pool
        self._answering = answering
        self._signer = signer
        self._clock = clock
        self._on_ack = on_ack

    def slash(self, incoming: Incoming, command: Topic, text: str) -> Ack:
        """A slash command; `command` without slash and prefix."""
        return self._enter(incoming, lambda: read(command, text))

    def sentence(self, incoming: Incoming, text: str) -> None:
        """A mention or direct message: the same words, answered by a message."""
        ack = self._enter(incoming, lambda: read_sentence(text), can_answer=False)
        if ack.rendered is not None:
            log.error("answer.lost", extra={"channel": incoming.asker.channel})

    def press(self, incoming: Incoming, value: str) -> None:
        """A pressed button. A value that is not ours, not for here or too old: one same text."""
        self._enter(incoming, lambda: self._pressed(incoming, value), can_answer=False)

    def _pressed(self, incoming: Incoming, value: str) -> Reading:
        try:
            press = self._signer.read(value, incoming.asker.channel, self._clock.now())
        except PressRefusedError as error:
            self._commands.record_forgery(incoming.asker, error.detail)
            raise
        if isinstance(press, CommandPress):
            return _offered(read_offer(press.command))
        if isinstance(press, MutePress):
            return _mute(press)
        if isinstance(press, DigestPress):
            return Reading("Show all", ShowDigest(press.digest_id))
        choice = RunById(press.ref.instance, press.ref.run_id)
        intent: Intent
        if press.verb is Verb.ABORT:
            intent = AbortRun(choice, press.reason)
        else:
            intent = RetryRun(choice, reason=press.reason)
        return Reading(f"/{press.verb} {press.ref} {press.reason}".rstrip(), intent)

    def _enter(
        self, incoming: Incoming, reading: Callable[[], Reading], *, can_answer: bool = True
    ) -> Ack:
        """Never raises: whatever went wrong is said to the person."""
        echo = ""
        try:
            self._commands.refuse_stranger(incoming.asker)
            understood = reading()
            echo = understood.echo
            reply = self._accept(incoming, understood)
        except UserError as error:
            reply = problem(echo, error)
        except StoreError as error:
            log.warning("ack.busy", extra={"detail": error.detail})
            reply = Notice(BUSY, "warning")
        if reply is None:
            return Ack()
        if can_answer:
            return Ack(self._answering.to(incoming).rendered(reply))
        self._answer_later(incoming, reply)
        return Ack()

    def _accept(self, incoming: Incoming, reading: Reading) -> Reply | None:
        """Hands a request to the pool; an answer only if it is known without any work."""
        if reading.problem is not None:
            return problem(reading.echo, reading.problem)
        if reading.intent is None:
            return Problem(reading.echo, "I did not understand that.", help="/runs help")
        if isinstance(reading.intent, Help):
            return self._commands.help(reading.intent.topic)
        request = Request(incoming.asker, reading.echo, reading.intent)
        if not self._is_first_time(incoming, request):
            log.info("delivery.repeated", extra={"channel": incoming.asker.channel})
            return None
        command_id = self._commands.receive(request)
        if self._pool.submit(lambda: self._work(incoming, request, command_id)) is None:
            self._on_ack("busy")
            if command_id is not None:
                self._store.settle_refused(command_id, "the pool was full")
            return Notice(BUSY, "warning")
        return None

    def _is_first_time(self, incoming: Incoming, request: Request) -> bool:
        try:
            return self._store.is_first_time(incoming.delivery)
        except StoreError:
            if verb_of(request.intent).is_mutation:
                raise
            return True  # a read may be answered twice

    def _work(self, incoming: Incoming, request: Request, command_id: int | None) -> None:
        conversation = self._answering.to(incoming)
        answer = self._commands.run(request, command_id, conversation)
        if answer is not None:
            conversation.answer(answer)

    def _answer_later(self, incoming: Incoming, reply: Reply) -> None:
        if self._pool.submit(lambda: self._answering.to(incoming).answer(Answer(reply))) is None:
            log.warning("answer.lost", extra={"channel": incoming.asker.channel})


def _mute(press: MutePress) -> Reading:
    pipeline, hours = str(press.pipeline), MUTED_FOR.total_seconds() / 3600
    branch = f" branch={press.branch}" if press.branch else ""
    echo = f"/watch mute {pipeline}{branch} {hours:.0f}h"
    return Reading(echo, MuteWatch(pipeline, MUTED_FOR, branch=press.branch or ""))


def _offered(reading: Reading) -> Reading:
    """A suggestion that was pressed: a read runs at once, a mutation has to be typed."""
    if reading.intent is not None and verb_of(reading.intent).is_mutation:
        error = UserError("to do that, send the command yourself:", help_command=reading.echo)
        return Reading(reading.echo, problem=error)
    return reading
