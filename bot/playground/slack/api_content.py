"""What a message consists of, checked as Slack checks it."""

import json
from dataclasses import dataclass, field
from typing import Any

from bot.playground.slack.api_call import ApiError, Arguments
from bot.playground.slack.blocks import message_problems, too_much_text
from bot.playground.slack.messages import Json, Message
from bot.playground.slack.people import APP_ID, HOME_TEAM
from bot.playground.slack.platform import Platform

MOST_TEXT = 40_000
MOST_METADATA = 8_192


@dataclass(frozen=True, slots=True)
class Content:
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    attachments: list[Json] = field(default_factory=list)


def read_content(platform: Platform, arguments: Arguments) -> Content:
    """Raises what Slack would refuse; text longer than 40,000 characters is cut, as Slack does."""
    blocks = read_blocks(platform, arguments)
    attachments = arguments.structure("attachments", "invalid_attachments") or []
    if len(attachments) > 100:
        raise ApiError("too_many_attachments")
    text = arguments.text("text")
    if not text.strip() and not blocks and not attachments:
        raise ApiError("no_text")
    return Content(text[:MOST_TEXT], blocks, read_metadata(arguments), attachments)


def read_blocks(platform: Platform, arguments: Arguments) -> list[Json]:
    blocks = arguments.structure("blocks", "invalid_blocks_format")
    if blocks is None:
        return []
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    if platform.strict.blocks:
        refuse_problems("invalid_blocks", message_problems(blocks))
        if too_much_text(blocks):
            raise ApiError("msg_blocks_too_long")
    return blocks


def refuse_problems(error: str, problems: list[str]) -> None:
    if problems:
        messages = [f"[ERROR] {words}" for words in problems]
        raise ApiError(error, errors=problems, response_metadata={"messages": messages})


def read_metadata(arguments: Arguments) -> Json | None:
    held: Any = arguments.structure("metadata", "invalid_metadata_format")
    if held is None:
        return None
    fits = isinstance(held, dict) and isinstance(held.get("event_payload"), dict)
    if not fits or not held.get("event_type") or held.keys() - {"event_type", "event_payload"}:
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(held)) > MOST_METADATA:
        raise ApiError("metadata_too_large")
    return dict(held)


def message_json(platform: Platform, message: Message, *, with_metadata: bool = False) -> Json:
    """The message as the Web API and payloads show it."""
    shown: Json = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.text,
        "team": platform.workspace.people[message.user].team_id,
    }
    if message.bot_id:
        shown |= {"bot_id": message.bot_id, "app_id": APP_ID, "team": HOME_TEAM}
    if message.blocks:
        shown["blocks"] = message.blocks
    for name in ("thread_ts", "subtype", "edited"):
        if getattr(message, name):
            shown[name] = getattr(message, name)
    if with_metadata and message.metadata:
        shown["metadata"] = message.metadata
    return shown | _thread_json(platform, message)


def _thread_json(platform: Platform, message: Message) -> Json:
    replies = platform.workspace.replies(message)
    if not replies:
        return {}
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": sorted({reply.user for reply in replies}),
        "latest_reply": replies[-1].ts,
    }
