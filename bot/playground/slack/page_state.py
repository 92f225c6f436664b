"""What the page shows, as JSON, for one person at a time."""

from bot.playground.slack.messages import Json, Message
from bot.playground.slack.people import APP_ID, BOT_USER, Channel
from bot.playground.slack.platform import Platform

MOST_MESSAGES = 400


def overview(platform: Platform, viewer: str) -> Json:
    """Everything but the messages; people and groups for the names in mentions."""
    workspace = platform.workspace
    view = platform.views.top(viewer)
    return {
        "viewer": viewer,
        "app": {"id": APP_ID, "user": BOT_USER},
        "people": {
            p.id: _person(p.name, p.real_name, p.team_id) for p in workspace.people.values()
        },
        "groups": {g.id: g.handle for g in workspace.groups.values()},
        "channels": [
            _channel(platform, channel, viewer)
            for channel in workspace.channels.values()
            if viewer in channel.members
        ],
        "names": {c.id: c.name for c in workspace.channels.values() if not c.is_private},
        "commands": platform.commands,
        "view": view and {**view, "errors": platform.views.errors.get(view["id"], {})},
    }


def conversation(platform: Platform, viewer: str, channel_id: str) -> list[Json]:
    """The newest messages, oldest first; nothing of a channel that the viewer is not in."""
    workspace = platform.workspace
    channel = workspace.channels.get(channel_id)
    if channel is None or viewer not in channel.members:
        return []
    seen = workspace.seen_by(viewer, channel_id)
    return [_message(message) for message in seen[-MOST_MESSAGES:]]


def _person(name: str, real_name: str, team_id: str) -> Json:
    return {"name": name, "real_name": real_name, "team": team_id}


def _channel(platform: Platform, channel: Channel, viewer: str) -> Json:
    seen = platform.workspace.seen_by(viewer, channel.id)
    by_others = [m.ts for m in seen if m.user != viewer]
    return {
        "id": channel.id,
        "name": platform.workspace.people[BOT_USER].name if channel.is_im else channel.name,
        "kind": channel.kind,
        "topic": channel.topic,
        "archived": channel.is_archived,
        "shared": channel.is_ext_shared,
        "has_app": BOT_USER in channel.members,
        "latest": by_others[-1] if by_others else "0",
    }


def _message(message: Message) -> Json:
    return {
        "ts": message.ts,
        "channel": message.channel,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "thread_ts": message.thread_ts,
        "is_reply": message.is_reply,
        "broadcast": message.broadcast,
        "edited": message.edited is not None,
        "ephemeral": message.ephemeral_for is not None,
        "subtype": message.subtype,
        "by_app": message.bot_id is not None,
    }
