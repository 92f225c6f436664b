"""How an answer gets to the person who asked, and a card into the channel."""

import logging
import threading
from collections.abc import Callable, Collection
from typing import Any, TypeVar
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.domain.chat import Asker, Posted
from bot.domain.outbox import Outcome
from bot.domain.replies import ActionCard, Answer, Reply
from bot.slack.history import match
from bot.slack.incoming import Incoming
from bot.slack.outcomes import outcome_of
from bot.slack.rendering import RenderContext, Rendered, render
from bot.slack.sender import metadata

log = logging.getLogger(__name__)

T = TypeVar("T")

EVENT_TYPE = "ci_command"
"""The `event_type` of the metadata on the card of a command."""
TIMEOUT_S = 5
LOOKED_AT = 50
LONGEST_WAIT_S = 5.0
"""The longest `Retry-After` that is waited for; Slack allows one message a second."""


class Answering:
    """Makes a `Conversation` for each thing a person did. `on_refused` is told when Slack does
    not accept the bot itself.
    """

    def __init__(
        self,
        client: WebClient,
        context_of: Callable[[str], RenderContext],
        new_mark: Callable[[], str],
        on_refused: Callable[[str], None] = lambda _error: None,
    ) -> None:
        self._client = client
        self._context_of = context_of
        self._new_mark = new_mark
        self._on_refused = on_refused

    def to(self, incoming: Incoming) -> "Conversation":
        return Conversation(
            self._client, self._context_of, self._new_mark, self._on_refused, incoming
        )


class Conversation:
    """One person's exchange: answers to them, and the card of their mutation.

    A way that is closed (a used-up `response_url`, a channel without the bot) gives way to the
    next one, each tried once.
    """

    def __init__(
        self,
        client: WebClient,
        context_of: Callable[[str], RenderContext],
        new_mark: Callable[[], str],
        on_refused: Callable[[str], None],
        incoming: Incoming,
    ) -> None:
        self._client = client
        self._context_of = context_of
        self._new_mark = new_mark
        self._on_refused = on_refused
        self._asker: Asker = incoming.asker
        self._url = incoming.response_url
        self._is_in_doubt = False

    def answer(self, answer: Answer) -> None:
        """Says it to the asker alone, or to the channel when it is shared."""
        rendered = self.rendered(answer.reply)
        if answer.is_shared and self._post(rendered) is not None:
            return
        ways = (self._by_response_url, self._ephemerally, self._directly)
        if not any(way(rendered, is_shared=answer.is_shared) for way in ways):
            log.warning("answer.lost", extra={"channel": self._asker.channel})

    def announce(self, card: ActionCard) -> Posted | None:
        """Posts the card once; where the bot may not post, the asker's own way is used."""
        rendered = self.rendered(card)
        posted = self._post(rendered)
        if posted is None and not self._is_in_doubt:
            self._by_response_url(rendered, is_shared=True)
        return posted

    def update(self, posted: Posted | None, card: ActionCard) -> bool:
        rendered = self.rendered(card)
        if posted is None:
            is_shared = not self._is_in_doubt
            return self._by_response_url(rendered, is_shared=is_shared) or self._directly(
                rendered, is_shared=False
            )
        try:
            _patiently(
                lambda: self._client.chat_update(
                    channel=posted.channel, ts=posted.ts, text=rendered.text, blocks=rendered.blocks
                ),
                {Outcome.LATER, Outcome.AMBIGUOUS},
            )
        except Exception as error:  # noqa: BLE001  # the deed is done and audited; say it anyhow
            self._failed("card.not_updated", error)
            self._ephemerally(rendered, is_shared=False)
            return False
        return True

    def rendered(self, reply: Reply) -> Rendered:
        return render(reply, self._context_of(self._asker.channel))

    def _post(self, rendered: Rendered) -> Posted | None:
        """Posts once. After a lost answer the message is looked for, and never sent again."""
        mark = self._new_mark()
        try:
            reply = _patiently(
                lambda: self._client.chat_postMessage(
                    channel=self._asker.channel,
                    text=rendered.text,
                    blocks=rendered.blocks,
                    thread_ts=self._asker.thread_ts,
                    metadata=metadata(mark, EVENT_TYPE),
                    unfurl_links=False,
                    unfurl_media=False,
                )
            )
        except Exception as error:  # noqa: BLE001  # the caller has another way
            self._failed("card.not_posted", error)
            self._is_in_doubt = outcome_of(error).outcome is Outcome.AMBIGUOUS
            return self._seen(mark) if self._is_in_doubt else None
        return Posted(str(reply["channel"]), str(reply["ts"]))

    def _seen(self, mark: str) -> Posted | None:
        """The message that was posted although its answer was lost, if it can be seen."""
        channel, thread_ts = self._asker.channel, self._asker.thread_ts
        try:
            if thread_ts:
                reply = self._client.conversations_replies(
                    channel=channel, ts=thread_ts, include_all_metadata=True, limit=LOOKED_AT
                )
            else:
                reply = self._client.conversations_history(
                    channel=channel, include_all_metadata=True, limit=LOOKED_AT
                )
        except Exception as error:  # noqa: BLE001  # then the asker alone is told
            self._failed("card.not_found", error)
            return None
        ts = match(reply.get("messages") or [], mark)
        return Posted(channel, ts) if ts is not None else None

    def _by_response_url(self, rendered: Rendered, *, is_shared: bool) -> bool:
        if self._url is None or not is_trusted(self._url, self._client.base_url):
            return False
        body: dict[str, Any] = {
            "response_type": "in_channel" if is_shared else "ephemeral",
            "replace_original": False,
            "text": rendered.text,
            "blocks": rendered.blocks,
        }
        if self._asker.thread_ts:
            body["thread_ts"] = self._asker.thread_ts
        try:
            reply = WebhookClient(self._url, timeout=TIMEOUT_S, retry_handlers=[]).send_dict(body)
        except Exception as error:  # noqa: BLE001  # the caller has another way
            log.warning("response_url.failed", extra={"error": _name(error)})
            return False
        return int(reply.status_code) == 200  # noqa: PLR2004

    def _ephemerally(self, rendered: Rendered, *, is_shared: bool) -> bool:  # noqa: ARG002
        if self._asker.channel.startswith("D"):
            return False
        return self._say(
            self._client.chat_postEphemeral,
            rendered,
            channel=self._asker.channel,
            user=self._asker.user_id,
            thread_ts=self._asker.thread_ts,
        )

    def _directly(self, rendered: Rendered, *, is_shared: bool) -> bool:  # noqa: ARG002
        channel = self._asker.channel
        target = channel if channel.startswith("D") else self._asker.user_id
        thread_ts = self._asker.thread_ts if channel.startswith("D") else None
        return self._say(
            self._client.chat_postMessage,
            rendered,
            channel=target,
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
        )

    def _say(self, method: Callable[..., object], rendered: Rendered, **where: Any) -> bool:
        try:
            _patiently(lambda: method(text=rendered.text, blocks=rendered.blocks, **where))
        except Exception as error:  # noqa: BLE001  # the caller has another way
            self._failed("answer.not_sent", error)
            return False
        return True

    def _failed(self, event: str, error: Exception) -> None:
        log.warning(event, extra={"error": _name(error)})
        if outcome_of(error).outcome is Outcome.APP_REFUSED:
            self._on_refused(_name(error))


def _patiently(call: Callable[[], T], again: Collection[Outcome] = (Outcome.LATER,)) -> T:
    """Calls once more where that cannot say anything twice: when Slack asked to wait a little."""
    try:
        return call()
    except Exception as error:
        delivery = outcome_of(error)
        wait_s = delivery.retry_after_s or 0.0
        if delivery.outcome not in again or wait_s > LONGEST_WAIT_S:
            raise
    threading.Event().wait(wait_s)
    return call()


def is_trusted(response_url: str, api_url: str) -> bool:
    """Whether a `response_url` leads to Slack, or to the same loopback as a local stand-in."""
    target, api = urlsplit(response_url), urlsplit(api_url)
    host = target.hostname or ""
    if api.hostname in {"127.0.0.1", "localhost", "::1"}:
        return host in {"127.0.0.1", "localhost", "::1"}
    return target.scheme == "https" and host.endswith((".slack.com", ".slack-gov.com"))


def _name(error: Exception) -> str:
    """Slack's own word, or the kind of failure; never the address."""
    if isinstance(error, SlackApiError):
        return str(error.response.get("error") or "unreadable reply")
    return type(error).__name__
