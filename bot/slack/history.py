"""Looks for a message that was perhaps posted, by the id in its metadata."""

from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.domain.outbox import Form, Look, OutboxClaim, Outcome, Sight
from bot.slack.outcomes import outcome_of

PAGE = 200
MOST_PAGES = 15
MARGIN_S = 7200.0
"""Looked at from so long before the first try: the clocks may differ, and one may have jumped."""
_UNREADABLE = frozenset(
    {
        "missing_scope",
        "not_in_channel",
        "channel_not_found",
        "no_permission",
        "not_allowed_token_type",
        "access_denied",
        "method_not_supported_for_channel_type",
    }
)
_NO_THREAD = frozenset({"thread_not_found", "message_not_found"})


class History:
    """Thread-safe."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def find(self, claim: OutboxClaim) -> Look:
        """Reads the channel, or the thread, back to before the message was first tried."""
        cursor = ""
        for _ in range(MOST_PAGES):
            try:
                reply = self._page(claim, cursor)
                ts = match(reply["messages"], claim.message_id)
                cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
            except SlackApiError as error:
                return _failed(error)
            except Exception as error:  # noqa: BLE001  # whatever came instead, it is no answer
                return Look(Sight.NO_ANSWER, error=type(error).__name__)
            if ts is not None:
                return Look(Sight.FOUND, ts)
            if not cursor:
                return Look(Sight.ABSENT)
        return Look(Sight.UNREADABLE, error="too many messages")

    def _page(self, claim: OutboxClaim, cursor: str) -> Any:
        query: dict[str, Any] = {
            "channel": claim.message.channel,
            "include_all_metadata": True,
            "limit": PAGE,
            "oldest": f"{max(0.0, claim.first_try - MARGIN_S):.6f}",
        }
        if cursor:
            query["cursor"] = cursor
        if claim.message.form in {Form.REPLY, Form.BROADCAST} and claim.root_ts:
            return self._client.conversations_replies(ts=claim.root_ts, **query)
        return self._client.conversations_history(**query)


def _failed(error: SlackApiError) -> Look:
    delivery = outcome_of(error)
    if delivery.error in _UNREADABLE:
        return Look(Sight.UNREADABLE, error=delivery.error)
    if delivery.error in _NO_THREAD:
        return Look(Sight.ABSENT, error=delivery.error)
    wait_s = delivery.retry_after_s if delivery.outcome is Outcome.LATER else None
    return Look(Sight.NO_ANSWER, retry_after_s=wait_s, error=delivery.error)


def match(messages: Any, message_id: str) -> str | None:
    """The timestamp of the message whose metadata has this id. ValueError for what is no list."""
    if not isinstance(messages, list):
        raise ValueError("unreadable reply")  # noqa: TRY004  # of Slack's, no fault of ours
    for message in messages:
        found: Any = message
        for name in ("metadata", "event_payload"):
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, dict) and found.get("id") == message_id:
            return str(message["ts"])
    return None
