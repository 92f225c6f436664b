"""The state of the sample workspace: who is there and what was said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.playground.clock import Clock
from bot.playground.slack.messages import Json, Message
from bot.playground.slack.people import (
    BOT_ID,
    BOT_USER,
    HOME_TEAM,
    OTHER_TEAM,
    Channel,
    Person,
    UserGroup,
    sample_channels,
    sample_groups,
    sample_people,
)


@dataclass(slots=True)
class Workspace:
    """Changed on the server's loop only. `watchers` are called after each change."""

    clock: Clock
    people: dict[str, Person] = field(default_factory=lambda: {p.id: p for p in sample_people()})
    channels: dict[str, Channel] = field(
        default_factory=lambda: {c.id: c for c in sample_channels()}
    )
    groups: dict[str, UserGroup] = field(default_factory=lambda: {g.id: g for g in sample_groups()})
    messages: list[Message] = field(default_factory=list)
    watchers: list[Callable[[], None]] = field(default_factory=list)
    _last_us: int = 0
    _ids: int = 0

    def __post_init__(self) -> None:
        for person in list(self.people.values()):
            if person.id != BOT_USER:
                self.open_dm(person.id)

    def changed(self) -> None:
        for watcher in list(self.watchers):
            watcher()

    def next_ts(self) -> str:
        """Strictly increasing over the whole workspace, also while the clock stands still."""
        self._last_us = max(self._last_us + 100, int(self.clock.time() * 1_000_000))
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}{self._ids:09d}"

    def domain(self, team_id: str) -> str:
        return {HOME_TEAM: "sample", OTHER_TEAM: "partner"}.get(team_id, "elsewhere")

    def open_dm(self, user: str) -> Channel:
        held = next((c for c in self.channels.values() if c.user == user), None)
        if held is None:
            held = Channel(f"D{user[1:]}", "directmessage", {user, BOT_USER}, user=user)
            self.channels[held.id] = held
        return held

    def post(self, channel: str, user: str, text: str, **more: Any) -> Message:
        """Adds a message; `more` are further fields of `Message`."""
        if user == BOT_USER:
            more.setdefault("bot_id", BOT_ID)
        more["blocks"] = self.with_ids(more.get("blocks") or [])
        message = Message(channel, self.next_ts(), user, text, **more)
        self.messages.append(message)
        self.changed()
        return message

    def remove(self, message: Message) -> None:
        self.messages.remove(message)
        self.changed()

    def find(self, channel: str, ts: str) -> Message | None:
        return next((m for m in self.messages if m.channel == channel and m.ts == ts), None)

    def in_channel(self, channel: str) -> list[Message]:
        """What the Web API sees: everything but ephemeral messages."""
        return [m for m in self.messages if m.channel == channel and m.ephemeral_for is None]

    def replies(self, parent: Message) -> list[Message]:
        seen = self.in_channel(parent.channel)
        return [m for m in seen if m.is_reply and m.thread_ts == parent.ts]

    def seen_by(self, viewer: str | None, channel: str) -> list[Message]:
        """What `viewer` has on the screen; None sees what everybody sees."""
        return [
            m
            for m in self.messages
            if m.channel == channel and m.ephemeral_for in {None, viewer or None}
        ]

    def with_ids(self, blocks: list[Json]) -> list[Json]:
        """The blocks as Slack keeps them: each with a block_id, each element with an action_id."""
        return [self._with_ids(block) for block in blocks]

    def _with_ids(self, block: Json) -> Json:
        kept = {**block}
        kept.setdefault("block_id", self.next_id("b"))
        for key in ("accessory", "element"):
            if isinstance(kept.get(key), dict):
                kept[key] = self._named(kept[key])
        if kept.get("type") == "actions":
            kept["elements"] = [self._named(item) for item in kept.get("elements", [])]
        return kept

    def _named(self, element: Json) -> Json:
        if element.get("type") in {"image", None}:
            return element
        return {"action_id": self.next_id("a"), **element}
