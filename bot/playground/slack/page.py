"""The web page: its files, the JSON behind it, and news by Server-Sent Events."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from bot.playground.slack import page_state
from bot.playground.slack.interactions import Interactions
from bot.playground.slack.messages import Json, Message
from bot.playground.slack.modals import Modals
from bot.playground.slack.outcome import Outcome
from bot.playground.slack.people import BOT_USER
from bot.playground.slack.platform import Platform
from bot.playground.slack.socket_mode import SocketMode

FILES = Path(__file__).parent.parent / "page"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
KEEP_ALIVE_S = 15.0
Action = Callable[[Json], Awaitable[Outcome]]


@dataclass(slots=True)
class Page:
    platform: Platform
    people: Interactions
    modals: Modals
    socket: SocketMode
    _listeners: set[asyncio.Event] = field(default_factory=set)
    _closing: bool = False

    def add_routes(self, app: web.Application) -> None:
        self.platform.workspace.watchers.append(self._wake)
        app.on_shutdown.append(self._close)
        app.router.add_get("/", self._file)
        app.router.add_get("/page/{name}", self._file)
        app.router.add_get("/playground/state", self._state)
        app.router.add_get("/playground/messages", self._messages)
        app.router.add_get("/playground/stream", self._stream)
        actions: dict[str, Action] = {
            "type": self._type,
            "press": self._press,
            "view-action": self._view_action,
            "submit": self._submit,
            "close": self._close_view,
        }
        for name, action in actions.items():
            app.router.add_post(f"/playground/{name}", _posted(action))
        app.router.add_post("/playground/suggest", self._suggest)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = FILES / request.match_info.get("name", "index.html")
        if path.parent != FILES or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=HEADERS)

    async def _state(self, request: web.Request) -> web.Response:
        viewer = request.query.get("viewer", "")
        if viewer not in self.platform.workspace.people or viewer == BOT_USER:
            raise web.HTTPNotFound
        shown = page_state.overview(self.platform, viewer)
        shown["app"]["reached"] = self._reached()
        return web.json_response(shown, headers=HEADERS)

    def _reached(self) -> str:
        """How the app is reached now; empty when it is not."""
        if self.socket.connections:
            return "Socket Mode"
        return "HTTP" if self.people.delivery.request_url else ""

    async def _messages(self, request: web.Request) -> web.Response:
        viewer, channel = request.query.get("viewer", ""), request.query.get("channel", "")
        shown = page_state.conversation(self.platform, viewer, channel)
        return web.json_response(shown, headers=HEADERS)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """One `changed` a change, or several changes in one; what changed is asked for apart."""
        reply = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await reply.prepare(request)
        news = asyncio.Event()
        self._listeners.add(news)
        try:
            while not self._closing:
                await reply.write(b"event: changed\ndata: {}\n\n")
                await self._until(news)
        except ConnectionError:
            pass
        finally:
            self._listeners.discard(news)
        return reply

    async def _until(self, news: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(news.wait(), KEEP_ALIVE_S)
        except TimeoutError:
            return
        await asyncio.sleep(0.02)
        news.clear()

    async def _type(self, given: Json) -> Outcome:
        """A slash command, words to the bot, or talk among people."""
        user, text, thread = given["viewer"], given["text"].strip(), given.get("thread_ts")
        channel = self.platform.workspace.channels[given["channel"]]
        bot = self.platform.workspace.people[BOT_USER].name
        if text.startswith("/"):
            if thread:
                return Outcome(delivered=False, error="slash_commands_not_in_threads")
            return await self.people.slash(user, channel.id, text)
        if channel.is_im:
            return await self.people.direct_message(user, text, thread)
        if f"@{bot}" in text:
            return await self.people.mention(user, channel.id, text, thread)
        return Outcome(typed=self.people.say(user, channel.id, text, thread))

    async def _press(self, given: Json) -> Outcome:
        message = self._message(given)
        return await self.people.press(
            given["viewer"],
            message,
            given["action_id"],
            chosen=given.get("chosen"),
            within=given["block_id"],
        )

    async def _view_action(self, given: Json) -> Outcome:
        user = given["viewer"]
        view = self.platform.views.find(given["view_id"])
        if view is None:
            raise LookupError("the view is gone")
        self.modals.fill(user, given.get("values") or {})
        chosen, within = given.get("chosen"), given["block_id"]
        return await self.people.press(user, view, given["action_id"], chosen=chosen, within=within)

    async def _submit(self, given: Json) -> Outcome:
        return await self.modals.submit(given["viewer"], given.get("values") or {})

    async def _close_view(self, given: Json) -> Outcome:
        return await self.modals.close(given["viewer"])

    async def _suggest(self, request: web.Request) -> web.Response:
        given = await _json(request)
        view = self.platform.views.find(given["view_id"])
        found = (
            await self.modals.suggest(given["viewer"], view, given["action_id"], given["typed"])
            if view
            else []
        )
        return web.json_response({"options": found}, headers=HEADERS)

    def _message(self, given: Json) -> Message:
        seen = self.platform.workspace.seen_by(given["viewer"], given["channel"])
        found = [m for m in seen if m.ts == given["ts"]]
        if not found:
            raise LookupError("the message is gone")
        return found[0]

    def _wake(self) -> None:
        for listener in self._listeners:
            listener.set()

    async def _close(self, app: web.Application) -> None:
        del app
        self._closing = True
        self._wake()


def _posted(action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        given = await _json(request)
        try:
            outcome = await action(given)
        except (LookupError, ValueError) as impossible:
            return web.json_response({"error": str(impossible)}, status=409, headers=HEADERS)
        shown = {"error": outcome.error, "errors": outcome.errors}
        return web.json_response(shown, headers=HEADERS)

    return handle


async def _json(request: web.Request) -> Json:
    """Only from the page itself: another site's script can send neither JSON nor this origin."""
    origin = request.headers.get("Origin", "")
    if request.content_type != "application/json" or origin not in {"", str(request.url.origin())}:
        raise web.HTTPForbidden
    held: Json = await request.json()
    return held
