"""F23: a sender that wakes after its claim expired sends nothing and settles nothing."""

from pathlib import Path

from bot.domain.outbox import Delivery, Look, OutboxClaim, Outcome, Sight
from bot.services.relay import LEASE_S, Relay
from tests.fakes.store_engines import SqliteEngine
from tests.fakes.store_samples import post


class Chat:
    """A chat platform that keeps what it got; `pause` is what happens to a sender there."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.pause = lambda: None
        self.pause_at = "send"

    def send(self, claim: OutboxClaim) -> Delivery:
        if self.pause_at == "send":
            self._pause()
        self.sent.append(claim.message.key)
        return Delivery(Outcome.SENT, ts=f"{len(self.sent)}.0")

    def find(self, claim: OutboxClaim) -> Look:
        if self.pause_at == "find":
            self._pause()
        if claim.message.key in self.sent:
            return Look(Sight.FOUND, f"{self.sent.index(claim.message.key) + 1}.0")
        return Look(Sight.ABSENT)

    def _pause(self) -> None:
        pause, self.pause = self.pause, lambda: None
        pause()


def test_f23_a_late_settle_is_refused_and_the_message_is_found(tmp_path: Path) -> None:
    engine, chat = SqliteEngine(tmp_path), Chat()
    store = engine.start()
    relay = Relay(store, chat, engine.clock, jitter=lambda: 1.0)
    other = Relay(store, chat, engine.clock, jitter=lambda: 1.0)
    store.enqueue([post("a")])

    def other_takes_over() -> None:
        chat.sent.append("a")  # the paused one had just handed it to Slack
        engine.pass_time(LEASE_S + 1)
        assert other.send_next()
        assert store.message_ts("a") == ("C1", "1.0")
        chat.sent.pop()

    chat.pause = other_takes_over
    assert relay.send_next()
    assert chat.sent == ["a"]
    assert store.message_ts("a") == ("C1", "1.0"), "the late settle was refused"
    assert store.outbox_depth() == 0
    engine.end()


def test_f23_a_sender_that_was_paused_before_sending_sends_nothing(tmp_path: Path) -> None:
    engine, chat = SqliteEngine(tmp_path), Chat()
    store = engine.start()
    relay = Relay(store, chat, engine.clock, jitter=lambda: 1.0)
    store.enqueue([post("a")])
    claim = store.claim_message(60)
    assert claim is not None
    store.settle_later(claim, 0, is_ambiguous=True, looks=1)
    chat.pause_at = "find"
    chat.pause = lambda: engine.pass_time(LEASE_S + 1)
    assert relay.send_next(), "looked for, not found, and then too late to send"
    assert chat.sent == []
    for _ in range(4):
        relay.send_next()
        engine.pass_time(5)
    assert chat.sent == ["a"]
    engine.end()
