"""What the sender makes of a claim: one call, or none where nothing would look different."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.outbox import Form, NewMessage, OutboxClaim, Outcome
from bot.domain.replies import AlertCard, Control
from bot.slack.identity import Identity
from bot.slack.page import RenderContext
from bot.slack.sender import SlackNotifier
from tests.fakes.store_samples import a_run

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Client:
    """Takes every message and keeps what it was told."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def chat_update(self, **content: Any) -> dict[str, str]:
        self.calls.append(content)
        return {"ts": content["ts"]}


class Hours:
    """Every rendering takes place an hour after the last, and signs anew."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, channel: str) -> RenderContext:
        self.count += 1
        signature = f"signed {self.count}"
        now = NOON + timedelta(hours=self.count)
        return RenderContext(now, channel, lambda _press: signature)


def claim_of(failures: int, rendering: str = "") -> OutboxClaim:
    run = a_run()
    card = AlertCard(run.pipeline, "main", run, "news", failures, controls=(Control.RETRY,))
    message = NewMessage("C1", "edit", Form.EDIT, card, "card")
    claim = OutboxClaim("o1-2", message, 1, 0, is_ambiguous=False, root_ts="1.0", root_id="o1-1")
    return replace(claim, rendering=rendering)


def test_an_edit_that_changes_nothing_sends_nothing() -> None:
    client = Client()
    notifier = SlackNotifier(client, Identity(client), Hours())  # type: ignore[arg-type]
    first = notifier.send(claim_of(1))
    assert (first.outcome, len(client.calls)) == (Outcome.SENT, 1)
    again = notifier.send(claim_of(1, first.rendering))
    assert (again.outcome, again.ts, len(client.calls)) == (Outcome.UNCHANGED, "1.0", 1)
    other = notifier.send(claim_of(2, first.rendering))
    assert (other.outcome, len(client.calls)) == (Outcome.SENT, 2)
    assert other.rendering != first.rendering


def test_an_edited_message_keeps_the_id_by_which_it_is_found() -> None:
    client = Client()
    notifier = SlackNotifier(client, Identity(client), Hours())  # type: ignore[arg-type]
    notifier.send(claim_of(1))
    assert client.calls[0]["metadata"]["event_payload"] == {"id": "o1-1"}
