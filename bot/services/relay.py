"""From the outbox to the channel: claim, send, settle; look before sending twice."""

import logging
from collections.abc import Callable

from bot.domain.chat import Notifier
from bot.domain.errors import StoreError
from bot.domain.outbox import Delivery, Form, NewMessage, OutboxClaim, Outcome
from bot.domain.replies import AlertCard, ChannelNotice
from bot.domain.store import Store

log = logging.getLogger(__name__)

LEASE_S = 60.0
CHANNEL_PAUSE_S = 1.1
"""Between two messages of a channel: Slack takes about one a second."""
LOOKS = 2
"""How often a message must not be found before it is sent again."""
LOOK_AGAIN_S = 3.0
LONGEST_WAIT_S = 300.0
APP_PAUSE_S = 15.0


class Relay:
    """Thread-safe: several threads send, each for another channel."""

    def __init__(
        self,
        store: Store,
        notifier: Notifier,
        *,
        jitter: Callable[[], float],
        on_outcome: Callable[[Outcome], None] = lambda _outcome: None,
    ) -> None:
        self._store = store
        self._notifier = notifier
        self._jitter = jitter
        self._on_outcome = on_outcome

    def send_next(self) -> bool:
        """Sends the message that has been due for longest; False if none is due."""
        claim = self._store.claim_message(LEASE_S)
        if claim is None:
            return False
        if claim.is_ambiguous and self._is_settled_by_looking(claim):
            return True
        delivery = self._notifier.send(claim)
        self._on_outcome(delivery.outcome)
        self._settle(claim, delivery)
        return True

    def _is_settled_by_looking(self, claim: OutboxClaim) -> bool:
        """Looks for a message that was perhaps sent; True when there is nothing to send now."""
        if claim.message.form is Form.EDIT:
            return False  # an edit may be sent twice without anybody seeing it
        try:
            ts = self._notifier.find(claim)
        except LookupError:
            return False
        if ts is not None:
            log.info("outbox.found", extra={"message_id": claim.message_id})
            self._store.settle_sent(claim, ts, CHANNEL_PAUSE_S)
            return True
        if claim.attempts < LOOKS:
            self._store.settle_later(claim, LOOK_AGAIN_S, is_ambiguous=True)
            return True
        return False

    def _settle(self, claim: OutboxClaim, delivery: Delivery) -> None:
        fields = {"message_id": claim.message_id, "channel": claim.message.channel}
        match delivery.outcome:
            case Outcome.SENT:
                self._store.settle_sent(claim, delivery.ts or "", CHANNEL_PAUSE_S)
                log.info("alert.posted", extra=fields)
                return
            case Outcome.LATER:
                self._store.settle_later(claim, self._wait_s(claim, delivery), is_ambiguous=False)
            case Outcome.AMBIGUOUS:
                self._store.settle_later(claim, LOOK_AGAIN_S, is_ambiguous=True)
            case Outcome.APP_REFUSED:
                self._store.settle_later(claim, APP_PAUSE_S, is_ambiguous=False)
                self._store.pause_all_lanes(APP_PAUSE_S)
            case Outcome.CHANNEL_REFUSED:
                self._channel_refused(claim, delivery)
            case Outcome.MESSAGE_GONE:
                self._gone(claim)
            case Outcome.MESSAGE_REFUSED:
                self._store.settle_dead(claim, delivery.error)
        log.warning(
            "outbox.not_sent", extra=fields | {"outcome": delivery.outcome, "error": delivery.error}
        )

    def _wait_s(self, claim: OutboxClaim, delivery: Delivery) -> float:
        if delivery.retry_after_s is not None:
            return delivery.retry_after_s + self._jitter()
        return min(2.0 ** min(claim.attempts, 8), LONGEST_WAIT_S) * self._jitter()

    def _channel_refused(self, claim: OutboxClaim, delivery: Delivery) -> None:
        """The watches wait with a reason, and their makers are told in a direct message."""
        channel = claim.message.channel
        self._store.settle_dead(claim, delivery.error)
        suspended = self._store.suspend_channel(channel, f"Slack says {delivery.error}")
        makers = {w.made_by for w in suspended if w.made_by not in {"settings", channel}}
        text = (
            f"I can no longer post in <#{channel}> (Slack says {delivery.error}), so its watches "
            "wait. Invite me again and set a watch there to go on."
        )
        self._store.enqueue(
            NewMessage(maker, f"suspended {channel} {claim.message_id} {maker}", Form.POST, notice)
            for maker, notice in ((m, ChannelNotice(text, "warning")) for m in sorted(makers))
        )

    def _gone(self, claim: OutboxClaim) -> None:
        """A card that was deleted is posted anew only if it tells of a failure."""
        message = claim.message
        self._store.settle_dead(claim, "the message was deleted")
        if isinstance(message.body, AlertCard) and not message.body.is_fixed:
            key = f"again {claim.message_id} {message.key}"
            self._store.enqueue([NewMessage(message.channel, key, Form.POST, message.body)])


def quietly(work: Callable[[], bool]) -> bool:
    """One turn of a loop that outlives a database that is busy or away for a while."""
    try:
        return work()
    except StoreError as error:
        log.warning("store.failed", extra={"detail": error.detail or error.message})
        return False
