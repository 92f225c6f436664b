"""From the outbox to the channel: claim, look where it may be there already, send, settle."""

import logging
from collections import deque
from collections.abc import Callable, Iterable

from bot.domain.chat import Notifier
from bot.domain.clock import Clock
from bot.domain.errors import StoreError
from bot.domain.outbox import (
    Delivery,
    Form,
    Look,
    NewMessage,
    OutboxClaim,
    Outcome,
    Sight,
    Unseen,
)
from bot.domain.replies import ChannelNotice
from bot.domain.store import Store
from bot.domain.watches import Watch

log = logging.getLogger(__name__)

LEASE_S = 60.0
FRESH_S = LEASE_S / 2
"""A claim older than this is given back unsent: who holds it was paused, and may be too late."""
CHANNEL_PAUSE_S = 1.1
"""Between two messages of a channel: Slack takes about one a second."""
EDIT_GAP_S = 1.2
"""Between two edits in the whole workspace: Slack takes about 50 a minute."""
LOOKS = 2
"""How often a message must not be found before it is sent again."""
LOOK_AGAIN_S = 3.0
LONGEST_WAIT_S = 60.0
APP_PAUSE_S = 15.0
REFUSAL_SHOWS_S = 900.0
"""How long readiness tells of a message that Slack refused for good."""


class Relay:
    """Thread-safe: several threads send, each for another channel.

    When the machine was suspended, or the process paused, a lease may be over while its sender
    is still at it. Who claims the message then leaves it alone; and if the sender comes too late
    to settle, it is remembered that Slack took the message, for whoever claims it next.
    """

    def __init__(
        self,
        store: Store,
        notifier: Notifier,
        clock: Clock,
        *,
        jitter: Callable[[], float],
        unseen: Unseen = Unseen.RESEND,
        on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
        on_look: Callable[[Sight], None] = lambda _sight: None,
    ) -> None:
        self._store = store
        self._notifier = notifier
        self._clock = clock
        self._jitter = jitter
        self._unseen = unseen
        self._on_outcome = on_outcome
        self._on_look = on_look
        self._is_refused = False
        self._message_refused_at: float | None = None
        self._under_way: set[str] = set()
        self._arrived: dict[str, Delivery] = {}
        self._not_stored: deque[tuple[OutboxClaim, Delivery]] = deque()

    def send_next(self) -> bool:
        """Sends the message that has been due for longest; False if none is due."""
        while self._not_stored:
            self._settle(*self._not_stored.popleft())
        claim = self._store.claim_message(LEASE_S, EDIT_GAP_S)
        if claim is None:
            return False
        if claim.message_id in self._under_way:
            self._look_again(claim, LOOK_AGAIN_S, 0)
            return True
        self._under_way.add(claim.message_id)
        try:
            self._send(claim)
        finally:
            self._under_way.discard(claim.message_id)
        return True

    def _send(self, claim: OutboxClaim) -> None:
        if claim.message_id in self._arrived:
            self._settle(claim, self._arrived.pop(claim.message_id))
            return
        claimed_at = self._clock.monotonic()
        if claim.is_ambiguous and self._is_settled_by_looking(claim):
            return
        if self._clock.monotonic() - claimed_at > FRESH_S:
            self._store.settle_later(claim, 0.0, is_ambiguous=claim.is_ambiguous, looks=claim.looks)
            return
        delivery = self._notifier.send(claim)
        self._on_outcome(delivery.outcome)
        self._note(delivery.outcome)
        self._settle(claim, delivery)

    def unready(self) -> tuple[str, ...]:
        """Codes of what Slack refuses, for readiness."""
        codes = []
        if self._is_refused:
            codes.append("slack_refuses_posts")
        at = self._message_refused_at
        if at is not None and self._clock.monotonic() - at < REFUSAL_SHOWS_S:
            codes.append("slack_refused_message")
        return tuple(codes)

    def _note(self, outcome: Outcome) -> None:
        if outcome is Outcome.APP_REFUSED:
            self._is_refused = True
        elif outcome is Outcome.SENT:
            self._is_refused = False
        elif outcome is Outcome.MESSAGE_REFUSED:
            self._message_refused_at = self._clock.monotonic()

    def _is_settled_by_looking(self, claim: OutboxClaim) -> bool:
        """Looks for a message that was perhaps sent; True when there is nothing to send now."""
        if claim.message.form is Form.EDIT:
            return False  # an edit may be sent twice without anybody seeing it
        look = self._notifier.find(claim)
        self._on_look(look.sight)
        match look.sight:
            case Sight.FOUND:
                log.info("outbox.found", extra={"message_id": claim.message_id})
                self._store.settle_sent(claim, look.ts or "", CHANNEL_PAUSE_S)
                return True
            case Sight.ABSENT:
                return self._is_settled_by_absence(claim)
            case Sight.UNREADABLE:
                return self._is_settled_by_holding(claim, look)
            case Sight.NO_ANSWER:
                self._look_again(claim, self._look_wait_s(claim, look), claim.looks)
                return True

    def _is_settled_by_absence(self, claim: OutboxClaim) -> bool:
        looks = claim.looks + 1
        if looks < LOOKS:
            self._look_again(claim, LOOK_AGAIN_S, looks)
            return True
        log.info("outbox.not_found", extra={"message_id": claim.message_id})
        return False

    def _is_settled_by_holding(self, claim: OutboxClaim, look: Look) -> bool:
        if self._unseen is Unseen.RESEND:
            return False
        log.warning("outbox.held", extra={"message_id": claim.message_id, "error": look.error})
        self._store.settle_dead(claim, "perhaps posted, and held back: BOT_UNSEEN is hold")
        return True

    def _look_again(self, claim: OutboxClaim, in_s: float, looks: int) -> None:
        self._store.settle_later(claim, in_s, is_ambiguous=True, looks=looks)

    def _look_wait_s(self, claim: OutboxClaim, look: Look) -> float:
        if look.retry_after_s is not None:
            return look.retry_after_s + self._jitter()
        return max(LOOK_AGAIN_S, self._backoff_s(claim))

    def _settle(self, claim: OutboxClaim, delivery: Delivery) -> None:
        """What cannot be stored is kept, to be stored before anything else is sent."""
        try:
            self._store_outcome(claim, delivery)
        except StoreError:
            self._not_stored.append((claim, delivery))
            raise

    def _store_outcome(self, claim: OutboxClaim, delivery: Delivery) -> None:
        fields = {"message_id": claim.message_id, "channel": claim.message.channel}
        if delivery.outcome in {Outcome.SENT, Outcome.UNCHANGED}:
            pause_s = CHANNEL_PAUSE_S if delivery.outcome is Outcome.SENT else 0.0
            is_ours = self._store.settle_sent(
                claim, delivery.ts or "", pause_s, rendering=delivery.rendering
            )
            if not is_ours and claim.message.form is not Form.EDIT:
                self._arrived[claim.message_id] = delivery
            log.info("alert.posted", extra=fields | {"outcome": delivery.outcome})
            return
        self._not_sent(claim, delivery)
        log.warning(
            "outbox.not_sent", extra=fields | {"outcome": delivery.outcome, "error": delivery.error}
        )

    def _not_sent(self, claim: OutboxClaim, delivery: Delivery) -> None:
        match delivery.outcome:
            case Outcome.LATER:
                self._later(claim, delivery)
            case Outcome.AMBIGUOUS:
                self._store.settle_later(claim, LOOK_AGAIN_S, is_ambiguous=True)
            case Outcome.APP_REFUSED:
                self._store.settle_later(claim, APP_PAUSE_S, is_ambiguous=False)
                self._store.pause_all_lanes(APP_PAUSE_S)
            case Outcome.CHANNEL_REFUSED:
                because = f"Slack says {delivery.error}"
                self._store.settle_channel_refused(
                    claim, because, lambda watches: _tell_makers(claim, because, watches)
                )
            case Outcome.MESSAGE_GONE:
                self._store.settle_gone(claim, delivery.error)
            case _:
                self._store.settle_dead(claim, delivery.error)

    def _later(self, claim: OutboxClaim, delivery: Delivery) -> None:
        """A post that comes too early pauses its channel, an edit those of all channels."""
        wait_s = self._wait_s(claim, delivery)
        if claim.message.form is Form.EDIT and delivery.retry_after_s is not None:
            self._store.pause_edits(wait_s)
            wait_s = 0.0
        self._store.settle_later(claim, wait_s, is_ambiguous=False)

    def _wait_s(self, claim: OutboxClaim, delivery: Delivery) -> float:
        if delivery.retry_after_s is not None:
            return delivery.retry_after_s + self._jitter()
        return self._backoff_s(claim)

    def _backoff_s(self, claim: OutboxClaim) -> float:
        return min(2.0 ** min(claim.attempts, 8), LONGEST_WAIT_S) * self._jitter()


def _tell_makers(claim: OutboxClaim, because: str, suspended: Iterable[Watch]) -> list[NewMessage]:
    """The makers of watches that had to be suspended are told in a direct message, once."""
    channel = claim.message.channel
    makers = {watch.made_by for watch in suspended} - {"settings", channel}
    text = (
        f"I can no longer post there ({because}), so the watches of that channel wait. "
        "Once I may post there again, `/watch resume` there lets them go on."
    )
    return [
        NewMessage(
            maker,
            f"suspended {channel} {claim.message_id} {maker}",
            Form.POST,
            ChannelNotice(text, "warning", about=channel),
        )
        for maker in sorted(makers)
    ]
