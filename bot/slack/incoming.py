"""What arrives from Slack, as values: slash commands, mentions, direct messages, presses."""

import re
from dataclasses import dataclass
from typing import Any

from bot.domain.chat import Asker

_MENTION = re.compile(r"<@[UW][A-Za-z0-9_-]+(?:\|[^>]*)?>")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing a person did. `delivery` is the same for a redelivery of it. `response_url` is
    a bearer secret: only posted to, never logged.
    """

    asker: Asker
    delivery: str
    response_url: str | None


def slash(body: dict[str, Any]) -> Incoming:
    asker = Asker(body["user_id"], body.get("team_id") or "", body["channel_id"], "slash")
    return Incoming(asker, f"trigger:{body['trigger_id']}", body.get("response_url"))


def press(body: dict[str, Any]) -> Incoming:
    """A pressed button. The person's workspace is the raw `user.team_id` (Bolt's own idea of it
    said "ours" for a stranger).
    """
    user = body["user"]
    container = body.get("container") or {}
    message = body.get("message") or {}
    asker = Asker(
        user["id"],
        user.get("team_id") or (body.get("team") or {}).get("id") or "",
        (body.get("channel") or {}).get("id") or container.get("channel_id") or "",
        "button",
        message.get("thread_ts") or container.get("thread_ts"),
    )
    return Incoming(asker, f"trigger:{body['trigger_id']}", body.get("response_url"))


def event(body: dict[str, Any]) -> Incoming | None:
    """A mention or a direct message by a person; None for everything else (bots, edits)."""
    what = body["event"]
    if what.get("bot_id") or what.get("subtype") or not what.get("user"):
        return None
    is_direct = what.get("channel_type") == "im"
    if what.get("type") == "message" and not is_direct:
        return None
    team = what.get("user_team") or what.get("source_team") or what.get("team")
    asker = Asker(
        what["user"],
        team or body.get("team_id") or "",
        what["channel"],
        "message" if is_direct else "mention",
        what.get("thread_ts"),
    )
    return Incoming(asker, f"event:{body.get('event_id') or what.get('ts')}", None)


def without_mention(text: str, bot_user_id: str) -> str:
    """The text behind the first mention of the bot, or all of it if there is none."""
    for match in _MENTION.finditer(text):
        if match.group().startswith((f"<@{bot_user_id}>", f"<@{bot_user_id}|")):
            return text[match.end() :].strip() or text[: match.start()].strip()
    return text
