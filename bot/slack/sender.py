"""Sends outbox messages to Slack, and finds those that were perhaps sent."""

from collections.abc import Callable
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.domain.outbox import Delivery, Form, OutboxClaim, Outcome
from bot.slack.identity import Identity
from bot.slack.outcomes import outcome_of
from bot.slack.rendering import RenderContext, Rendered, render

EVENT_TYPE = "ci_run_alert"
"""The `event_type` of the metadata on every alert; its payload is an opaque id and no more."""
LOOKED_AT = 100


class SlackNotifier:
    """Thread-safe. `context_of` gives what rendering needs for a channel."""

    def __init__(
        self, client: WebClient, identity: Identity, context_of: Callable[[str], RenderContext]
    ) -> None:
        self._client = client
        self._identity = identity
        self._context_of = context_of

    def send(self, claim: OutboxClaim) -> Delivery:
        message = claim.message
        rendered = render(message.body, self._context_of(message.channel))
        delivery = self._try(claim, rendered)
        if delivery.outcome is Outcome.MESSAGE_REFUSED:
            plain = Rendered(rendered.text, [])
            delivery = self._try(claim, plain)
        if delivery.outcome is Outcome.APP_REFUSED:
            self._identity.refused(delivery.error)
        return delivery

    def find(self, claim: OutboxClaim) -> str | None:
        """Looks through the newest messages of the channel, or of the thread."""
        channel = claim.message.channel
        query: dict[str, Any] = {
            "channel": channel,
            "include_all_metadata": True,
            "limit": LOOKED_AT,
        }
        try:
            if claim.message.form in {Form.REPLY, Form.BROADCAST} and claim.root_ts:
                reply = self._client.conversations_replies(ts=claim.root_ts, **query)
            else:
                reply = self._client.conversations_history(**query)
        except SlackApiError as error:
            if error.response["error"] in {"missing_scope", "not_in_channel"}:
                raise LookupError(error.response["error"]) from error
            return None
        except Exception:  # noqa: BLE001  # no answer: the caller looks again later
            return None
        return _match(reply.get("messages") or [], claim.message_id)

    def _try(self, claim: OutboxClaim, rendered: Rendered) -> Delivery:
        try:
            ts = self._call(claim, rendered)
        except Exception as error:  # noqa: BLE001  # every way to fail has its outcome
            return outcome_of(error)
        return Delivery(Outcome.SENT, ts=ts)

    def _call(self, claim: OutboxClaim, rendered: Rendered) -> str:
        message = claim.message
        content: dict[str, Any] = {
            "channel": message.channel,
            "text": rendered.text,
            "blocks": rendered.blocks,
            "metadata": metadata(claim.message_id),
        }
        if message.form is Form.EDIT:
            return str(self._client.chat_update(ts=claim.root_ts or "", **content)["ts"])
        reply = self._client.chat_postMessage(
            thread_ts=claim.root_ts if message.form is not Form.POST else None,
            reply_broadcast=True if message.form is Form.BROADCAST else None,
            unfurl_links=False,
            unfurl_media=False,
            **content,
        )
        return str(reply["ts"])


def metadata(message_id: str, event_type: str = EVENT_TYPE) -> dict[str, Any]:
    return {"event_type": event_type, "event_payload": {"id": message_id}}


def _match(messages: list[dict[str, Any]], message_id: str) -> str | None:
    for message in messages:
        payload = (message.get("metadata") or {}).get("event_payload") or {}
        if payload.get("id") == message_id:
            return str(message["ts"])
    return None
