"""`response_url`: five answers within 30 minutes, also where the bot is not a member."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.playground.slack.api_call import ApiError, Arguments
from bot.playground.slack.api_content import Content, read_content
from bot.playground.slack.messages import Json, Message
from bot.playground.slack.people import BOT_USER, HOME_TEAM
from bot.playground.slack.platform import Platform

LIVES_S = 30 * 60
MOST_USES = 5


@dataclass(slots=True)
class ResponseUrl:
    """`original` is the message that was interacted with, if any."""

    channel: str
    user: str
    made_at: float
    original: Message | None = None
    uses: int = 0


@dataclass(slots=True)
class ResponseUrls:
    platform: Platform
    _given: dict[str, ResponseUrl] = field(default_factory=dict)

    def issue(self, channel: str, user: str, original: Message | None = None) -> str:
        key = secrets.token_urlsafe(18)
        self._given[key] = ResponseUrl(channel, user, self.platform.clock.time(), original)
        kind = "actions" if original else "commands"
        return f"{self.platform.url}/{kind}/{HOME_TEAM}/{key}"

    async def handle(self, request: web.Request) -> web.Response:
        try:
            given = self._usable(request.match_info["key"])
            self.answer(given, Arguments(_body(await request.text())))
            given.uses += 1
        except ApiError as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        return web.Response(text="ok")

    def answer(self, given: ResponseUrl, arguments: Arguments) -> Message | None:
        """Posts, replaces or deletes; what was posted is returned."""
        if arguments.flag("delete_original"):
            self._delete(given)
            return None
        content = self._content(arguments)
        if arguments.flag("replace_original") and given.original is not None:
            return self._replace(given.original, content)
        seen_by_all = arguments.text("response_type") == "in_channel"
        return self.platform.workspace.post(
            given.channel,
            BOT_USER,
            content.text,
            blocks=content.blocks,
            thread_ts=arguments.text("thread_ts") or None,
            ephemeral_for=None if seen_by_all else given.user,
        )

    def _usable(self, key: str) -> ResponseUrl:
        given = self._given.get(key)
        if given is None:
            raise ApiError("invalid_url", 404)
        if self.platform.strict.response_urls:
            if self.platform.clock.time() - given.made_at > LIVES_S:
                raise ApiError("expired_url", 404)
            if given.uses >= MOST_USES:
                raise ApiError("used_url", 404)
        return given

    def _content(self, arguments: Arguments) -> Content:
        try:
            return read_content(self.platform, arguments)
        except ApiError as refusal:
            refusal.status = 400
            raise

    def _delete(self, given: ResponseUrl) -> None:
        if given.original is not None and given.original in self.platform.workspace.messages:
            self.platform.workspace.remove(given.original)

    def _replace(self, original: Message, content: Content) -> Message:
        original.text = content.text
        original.blocks = self.platform.workspace.with_ids(content.blocks)
        self.platform.workspace.changed()
        return original


def _body(text: str) -> Json:
    try:
        held: Any = json.loads(text or "{}")
    except ValueError:
        raise ApiError("invalid_payload", 400) from None
    if not isinstance(held, dict):
        raise ApiError("invalid_payload", 400)
    return held
