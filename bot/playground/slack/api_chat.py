"""chat.*: posting, editing and deleting messages."""

from bot.playground.slack.api_call import ApiError, Arguments
from bot.playground.slack.api_content import (
    message_json,
    read_blocks,
    read_content,
    read_metadata,
)
from bot.playground.slack.channel_access import visible_channel, writable_channel
from bot.playground.slack.messages import Json, Message
from bot.playground.slack.people import BOT_USER, Channel
from bot.playground.slack.platform import Platform

MOST_UPDATE_TEXT = 4_000


def post_message(platform: Platform, arguments: Arguments) -> Json:
    channel = writable_channel(platform, arguments.need("channel", "channel_not_found"))
    content = read_content(platform, arguments)
    thread = _thread(platform, channel, arguments)
    _take_turn(platform, channel)
    message = platform.workspace.post(
        channel.id,
        BOT_USER,
        content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        metadata=content.metadata,
        thread_ts=thread,
        broadcast=arguments.flag("reply_broadcast"),
    )
    shown = message_json(platform, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def post_ephemeral(platform: Platform, arguments: Arguments) -> Json:
    channel = writable_channel(platform, arguments.need("channel", "channel_not_found"))
    user = arguments.need("user", "user_not_found")
    if user not in platform.workspace.people:
        raise ApiError("user_not_found")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    content = read_content(platform, arguments)
    thread = _thread(platform, channel, arguments)
    _take_turn(platform, channel)
    message = platform.workspace.post(
        channel.id,
        BOT_USER,
        content.text,
        blocks=content.blocks,
        thread_ts=thread,
        ephemeral_for=user,
    )
    return {"message_ts": message.ts}


def update(platform: Platform, arguments: Arguments) -> Json:
    """With text alone the blocks go; with blocks there is no "(edited)" mark."""
    message = _own_message(platform, arguments, "cant_update_message")
    has_blocks = arguments.given.get("blocks") is not None
    text = arguments.text("text")
    blocks = read_blocks(platform, arguments)
    if not text.strip() and not blocks:
        raise ApiError("no_text")
    if len(text) > MOST_UPDATE_TEXT:
        raise ApiError("msg_too_long")
    message.metadata = read_metadata(arguments) or message.metadata
    message.text = text or message.text
    message.blocks = platform.workspace.with_ids(blocks)
    message.edited = None if has_blocks else {"user": BOT_USER, "ts": platform.workspace.next_ts()}
    platform.workspace.changed()
    shown = message_json(platform, message)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def delete(platform: Platform, arguments: Arguments) -> Json:
    message = _own_message(platform, arguments, "cant_delete_message")
    platform.workspace.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(platform: Platform, arguments: Arguments) -> Json:
    channel = visible_channel(platform, arguments.need("channel", "channel_not_found"))
    ts = arguments.need("message_ts", "message_not_found")
    message = platform.workspace.find(channel.id, ts)
    if message is None or message.ephemeral_for:
        raise ApiError("message_not_found")
    thread = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.is_reply else ""
    link = f"{platform.url}/archives/{channel.id}/p{ts.replace('.', '')}{thread}"
    return {"channel": channel.id, "permalink": link}


def _own_message(platform: Platform, arguments: Arguments, refusal: str) -> Message:
    """By channel id only; an ephemeral message cannot be touched."""
    channel = visible_channel(platform, arguments.need("channel", "channel_not_found"))
    message = platform.workspace.find(channel.id, arguments.need("ts", "message_not_found"))
    if channel.is_archived:
        raise ApiError("is_archived")
    if message is None or message.ephemeral_for:
        raise ApiError("message_not_found")
    if message.user != BOT_USER:
        raise ApiError(refusal)
    return message


def _thread(platform: Platform, channel: Channel, arguments: Arguments) -> str | None:
    """A reply's own ts leads to its parent, as Slack does it."""
    ts = arguments.text("thread_ts")
    if not ts:
        return None
    parent = platform.workspace.find(channel.id, ts)
    if parent is None or parent.ephemeral_for:
        raise ApiError("cannot_reply_to_message")
    return parent.thread_ts or parent.ts


def _take_turn(platform: Platform, channel: Channel) -> None:
    """The last check: what is refused for its contents does not use up the limit."""
    if platform.strict.rate_limit:
        wait_s = platform.limits.take_message(channel.id, platform.strict.message_burst)
        if wait_s:
            raise ApiError("ratelimited", 429, wait_s)
