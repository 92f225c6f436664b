"""Which channels the app may see, read and write to."""

from bot.playground.slack.api_call import ApiError, Arguments
from bot.playground.slack.people import BOT_USER, Channel
from bot.playground.slack.platform import Platform

SCOPE_FAMILY = {"channel": "channels", "group": "groups", "im": "im"}


def need_scope(platform: Platform, scope: str, *, app_level: bool = False) -> None:
    granted = platform.app_scopes if app_level else platform.scopes
    if platform.strict.scopes and scope not in granted:
        raise ApiError("missing_scope", needed=scope, provided=",".join(sorted(granted)))


def visible_channel(platform: Platform, channel_id: str) -> Channel:
    """A private channel without the bot does not exist for it."""
    channel = platform.workspace.channels.get(channel_id)
    if channel is None or (channel.is_private and BOT_USER not in channel.members):
        raise ApiError("channel_not_found")
    return channel


def readable_channel(platform: Platform, arguments: Arguments, family: str) -> Channel:
    """`family` is `read` or `history`, the second half of the scope's name."""
    channel = visible_channel(platform, arguments.need("channel", "channel_not_found"))
    need_scope(platform, f"{SCOPE_FAMILY[channel.kind]}:{family}")
    if family == "history" and BOT_USER not in channel.members and platform.strict.membership:
        raise ApiError("not_in_channel")
    return channel


def writable_channel(platform: Platform, named: str) -> Channel:
    """By id, by a person's id (which opens the direct message), or by `#name`."""
    workspace = platform.workspace
    if named in workspace.people:
        channel = workspace.open_dm(named)
    else:
        by_name = {c.name: c.id for c in workspace.channels.values() if not c.is_im}
        channel = visible_channel(platform, by_name.get(named.removeprefix("#"), named))
    if channel.is_archived:
        raise ApiError("is_archived")
    if BOT_USER not in channel.members and platform.strict.membership:
        _need_public(platform, channel)
    return channel


def _need_public(platform: Platform, channel: Channel) -> None:
    may_post = "chat:write.public" in platform.scopes or not platform.strict.scopes
    if channel.is_private or not may_post:
        raise ApiError("not_in_channel")
