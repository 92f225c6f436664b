"""What became of one Slack write, told from what Slack or the network did."""

import re

from slack_sdk.errors import SlackApiError

from bot.domain.outbox import Delivery, Outcome

_APP = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
        "org_login_required",
        "ekm_access_denied",
        "team_access_not_granted",
        "team_added_to_org",
        "enterprise_is_restricted",
        "two_factor_setup_required",
        "accesslimited",
        "access_denied",
        "not_allowed_token_type",
        "method_deprecated",
        "deprecated_endpoint",
    }
)
_CHANNEL = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "restricted_action",
        "restricted_action_read_only_channel",
        "user_not_found",
        "cannot_dm_bot",
        "messages_tab_disabled",
    }
)
_GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "cannot_reply_to_message",
    }
)
_OPEN = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
_BUSY = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_ERROR_WORD = re.compile(r"[a-z0-9_]{2,80}")
_SERVER_FAULT = 500
_TOO_MANY = 429


def outcome_of(error: Exception) -> Delivery:
    """Classifies the exception of a Web API call that posts or edits. Anything that might have
    been accepted is AMBIGUOUS; only what certainly was not may be sent again blindly.
    """
    if isinstance(error, SlackApiError):
        return _refused(error)
    if _is_before_sending(error):
        return Delivery(Outcome.LATER, error=type(error).__name__)
    return Delivery(Outcome.AMBIGUOUS, error=type(error).__name__)


def _refused(error: SlackApiError) -> Delivery:
    response = error.response
    status = int(getattr(response, "status_code", 200) or 200)
    if status == _TOO_MANY:
        return Delivery(Outcome.LATER, retry_after_s=_retry_after(response), error="ratelimited")
    word = _word(response)
    if status >= _SERVER_FAULT or word in _OPEN or not word:
        return Delivery(Outcome.AMBIGUOUS, error=word or f"HTTP {status}")
    if word in _BUSY:
        return Delivery(Outcome.LATER, retry_after_s=_retry_after(response), error=word)
    for outcome, words in (
        (Outcome.APP_REFUSED, _APP),
        (Outcome.CHANNEL_REFUSED, _CHANNEL),
        (Outcome.MESSAGE_GONE, _GONE),
    ):
        if word in words:
            return Delivery(outcome, error=word)
    return Delivery(Outcome.MESSAGE_REFUSED, error=word)


def _word(response: object) -> str:
    """Slack's own error word; empty for a reply that has none, such as a page or a list. For
    these the SDK puts a sentence of its own into `error`.
    """
    get = getattr(response, "get", None)
    try:
        word = str(get("error") or "") if get is not None else ""
    except (ValueError, TypeError, AttributeError):
        return ""
    return word if _ERROR_WORD.fullmatch(word) else ""


def _retry_after(response: object) -> float:
    headers = getattr(response, "headers", {}) or {}
    text = next((v for k, v in headers.items() if k.lower() == "retry-after"), "1")
    try:
        seconds = float(text if isinstance(text, str) else text[0])
    except (ValueError, IndexError):
        return 1.0
    return min(max(seconds, 0.0), 900.0) if seconds == seconds else 1.0  # noqa: PLR0124  # NaN


def _is_before_sending(error: BaseException) -> bool:
    """A refused connection or a name that was not found: nothing was sent."""
    reason = getattr(error, "reason", None)
    inner = reason if isinstance(reason, BaseException) else error
    return isinstance(inner, ConnectionRefusedError) or type(inner).__name__ == "gaierror"
