"""Starting a Slack stand-in for one test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slack_sdk import WebClient

from bot.playground.clock import Clock
from bot.playground.slack.standin import SlackStandin
from bot.playground.slack.strictness import Strictness


@contextmanager
def standing_in(clock: Clock | None = None, **strict: Any) -> Iterator[SlackStandin]:
    with SlackStandin(clock, Strictness(**strict)).serve() as slack:
        yield slack


def client(slack: SlackStandin, token: str | None = None) -> WebClient:
    """slack_sdk's client without retries, as the bot uses it."""
    held = slack.bot_token if token is None else token
    return WebClient(held, base_url=slack.api_url, timeout=5, retry_handlers=[])
