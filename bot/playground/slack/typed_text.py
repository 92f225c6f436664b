"""What Slack makes of the text that a person typed."""

import re

from bot.playground.slack.workspace import Workspace

_NAME = re.compile(r"(?<![\w@])@([\w.-]*\w)")
_CHANNEL = re.compile(r"(?<![\w#&])#([\w-]*[A-Za-z][\w-]*)")
_URL = re.compile(r"(?<![\w<])https?://[^\s<>|]+")


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_sent(text: str, workspace: Workspace, *, with_names: bool) -> str:
    """Escaped; `@name`, `#channel` and URLs in angle brackets.

    Slash commands (`should_escape: true`) carry the name as `<@U…|name>`, messages do not.
    """
    people = {p.name: p.id for p in workspace.people.values()}
    groups = {g.handle: g.id for g in workspace.groups.values()}
    channels = {c.name: c.id for c in workspace.channels.values() if not c.is_im}

    def person(match: re.Match[str]) -> str:
        name = match[1]
        if name in groups:
            return (
                f"<!subteam^{groups[name]}|@{name}>" if with_names else f"<!subteam^{groups[name]}>"
            )
        if name not in people:
            return match[0]
        return f"<@{people[name]}|{name}>" if with_names else f"<@{people[name]}>"

    def channel(match: re.Match[str]) -> str:
        name = match[1]
        return f"<#{channels[name]}|{name}>" if name in channels else match[0]

    parts = _URL.split(text)
    urls = [f"<{escape(url)}>" for url in _URL.findall(text)]
    words = [_CHANNEL.sub(channel, _NAME.sub(person, escape(part))) for part in parts]
    return "".join(a + b for a, b in zip(words, [*urls, ""], strict=True))
