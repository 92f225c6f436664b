"""Sends outbox messages to Slack, and finds those that were perhaps sent."""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from slack_sdk import WebClient

from bot.domain.outbox import Body, Delivery, Form, Look, OutboxClaim, Outcome
from bot.slack.history import History
from bot.slack.identity import Identity
from bot.slack.outcomes import outcome_of
from bot.slack.rendering import RenderContext, Rendered, render

log = logging.getLogger(__name__)

EVENT_TYPE = "ci_run_alert"
"""The `event_type` of the metadata on every alert; its payload is an opaque id and no more."""
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class SlackNotifier:
    """Thread-safe. `context_of` gives what rendering needs for a channel."""

    def __init__(
        self, client: WebClient, identity: Identity, context_of: Callable[[str], RenderContext]
    ) -> None:
        self._client = client
        self._identity = identity
        self._context_of = context_of
        self._history = History(client)

    def send(self, claim: OutboxClaim) -> Delivery:
        message = claim.message
        context = self._context_of(message.channel)
        rendering = fingerprint(message.body, context)
        if message.form is Form.EDIT and rendering == claim.rendering:
            return Delivery(Outcome.UNCHANGED, ts=claim.root_ts, rendering=rendering)
        rendered = render(message.body, context)
        delivery = self._try(claim, rendered)
        if delivery.outcome is Outcome.MESSAGE_REFUSED:
            log.warning(
                "alert.plain", extra={"message_id": claim.message_id, "error": delivery.error}
            )
            delivery = self._try(claim, Rendered(rendered.text, []))
        if delivery.outcome is Outcome.APP_REFUSED:
            self._identity.refused(delivery.error)
        return replace(delivery, rendering=rendering)

    def find(self, claim: OutboxClaim) -> Look:
        return self._history.find(claim)

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
            "metadata": metadata(claim.root_id or claim.message_id),
        }
        if message.form is Form.EDIT:
            self._client.chat_update(ts=claim.root_ts or "", **content)
            return claim.root_ts or ""
        reply = self._client.chat_postMessage(
            thread_ts=claim.root_ts if message.form is not Form.POST else None,
            reply_broadcast=True if message.form is Form.BROADCAST else None,
            unfurl_links=False,
            unfurl_media=False,
            **content,
        )
        ts = reply["ts"]
        if not isinstance(ts, str) or not ts:
            raise ValueError("a reply without ts")
        return ts


def fingerprint(body: Body, context: RenderContext) -> str:
    """The same for what looks the same: signatures and the present time do not count."""
    still = replace(context, now=_NO_TIME, sign=repr)
    rendered = render(body, still)
    text = json.dumps([rendered.text, rendered.blocks], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def metadata(message_id: str, event_type: str = EVENT_TYPE) -> dict[str, Any]:
    return {"event_type": event_type, "event_payload": {"id": message_id}}
