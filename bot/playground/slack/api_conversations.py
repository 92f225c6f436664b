"""conversations.*: channels and what was said in them."""

import base64
import binascii
from typing import TypeVar

from bot.playground.slack.api_call import ApiError, Arguments
from bot.playground.slack.api_content import message_json
from bot.playground.slack.channel_access import SCOPE_FAMILY, need_scope, readable_channel
from bot.playground.slack.messages import Json, Message
from bot.playground.slack.people import BOT_USER, Channel
from bot.playground.slack.platform import Platform

T = TypeVar("T")
TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im"}


def info(platform: Platform, arguments: Arguments) -> Json:
    return {"channel": channel_json(readable_channel(platform, arguments, "read"))}


def list_all(platform: Platform, arguments: Arguments) -> Json:
    asked = arguments.text("types", "public_channel").split(",")
    kinds = {TYPES[name.strip()] for name in asked if name.strip() in TYPES}
    for kind in sorted(kinds):
        need_scope(platform, f"{SCOPE_FAMILY[kind]}:read")
    found = [
        channel_json(channel)
        for channel in platform.workspace.channels.values()
        if channel.kind in kinds
        and (channel.kind == "channel" or BOT_USER in channel.members)
        and not (channel.is_archived and arguments.flag("exclude_archived"))
    ]
    page, cursor = _page(found, arguments, 1000)
    return {"channels": page, "response_metadata": {"next_cursor": cursor}}


def members(platform: Platform, arguments: Arguments) -> Json:
    channel = readable_channel(platform, arguments, "read")
    page, cursor = _page(sorted(channel.members), arguments, 1000)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def open_dm(platform: Platform, arguments: Arguments) -> Json:
    user = arguments.need("users", "users_list_not_supplied")
    if user not in platform.workspace.people:
        raise ApiError("user_not_found")
    channel = platform.workspace.open_dm(user)
    return {"channel": channel_json(channel) if arguments.flag("return_im") else {"id": channel.id}}


def history(platform: Platform, arguments: Arguments) -> Json:
    """Newest first; replies are left out unless they were broadcast."""
    channel = readable_channel(platform, arguments, "history")
    held = platform.workspace.in_channel(channel.id)
    shown = [m for m in reversed(held) if not m.is_reply or m.broadcast]
    return _messages(platform, arguments, shown)


def replies(platform: Platform, arguments: Arguments) -> Json:
    """The parent, then its replies, oldest first."""
    channel = readable_channel(platform, arguments, "history")
    found = platform.workspace.find(channel.id, arguments.need("ts", "thread_not_found"))
    if found is None or found.ephemeral_for:
        raise ApiError("thread_not_found")
    parent = platform.workspace.find(channel.id, found.thread_ts or found.ts) or found
    held = platform.workspace.replies(parent)
    return _messages(platform, arguments, [parent, *held], always=parent)


def channel_json(channel: Channel) -> Json:
    shown: Json = {
        "id": channel.id,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.is_im,
        "is_private": channel.kind != "channel",
        "is_archived": channel.is_archived,
        "is_member": BOT_USER in channel.members,
        "is_ext_shared": channel.is_ext_shared,
        "is_shared": channel.is_ext_shared,
    }
    if channel.is_im:
        return {**shown, "user": channel.user}
    return {**shown, "name": channel.name, "topic": {"value": channel.topic}}


def _messages(
    platform: Platform, arguments: Arguments, held: list[Message], always: Message | None = None
) -> Json:
    within = [m for m in held if m is always or _in_range(m.ts, arguments)]
    page, cursor = _page(within, arguments, 999)
    with_metadata = arguments.flag("include_all_metadata")
    shown = [message_json(platform, m, with_metadata=with_metadata) for m in page]
    more: Json = {"response_metadata": {"next_cursor": cursor}} if cursor else {}
    return {"messages": shown, "has_more": bool(cursor), **more}


def _in_range(ts: str, arguments: Arguments) -> bool:
    oldest, latest = arguments.text("oldest", "0"), arguments.text("latest")
    if arguments.flag("inclusive") and ts in {oldest, latest}:
        return True
    try:
        return float(oldest) < float(ts) and (not latest or float(ts) < float(latest))
    except ValueError:
        raise ApiError("invalid_ts_oldest") from None


def _page(held: list[T], arguments: Arguments, most: int) -> tuple[list[T], str]:
    start = _position(arguments.text("cursor"))
    end = start + arguments.number("limit", 100, most)
    cursor = base64.b64encode(f"next:{end}".encode()).decode() if end < len(held) else ""
    return held[start:end], cursor


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (binascii.Error, ValueError):
        raise ApiError("invalid_cursor") from None
