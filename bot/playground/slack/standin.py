"""The stand-in as tests and the demo hold it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import partial
from typing import Any, TypeVar

from aiohttp import web

from bot.playground.clock import Clock, WallClock
from bot.playground.faults import FaultPlan
from bot.playground.server import Server
from bot.playground.slack.bridge import Bridge
from bot.playground.slack.delivery import Delivery
from bot.playground.slack.interactions import Interactions
from bot.playground.slack.messages import Json, Message
from bot.playground.slack.modals import Modals
from bot.playground.slack.outcome import Outcome
from bot.playground.slack.page import Page
from bot.playground.slack.payloads import Payloads
from bot.playground.slack.people import Channel, Person, UserGroup
from bot.playground.slack.platform import ApiCall, Platform
from bot.playground.slack.response_urls import ResponseUrls
from bot.playground.slack.socket_mode import Ack, Envelope, SocketMode
from bot.playground.slack.strictness import Strictness
from bot.playground.slack.web_api import WebApi

T = TypeVar("T")


class SlackStandin:
    """A workspace with people in it, and the app's way in: `api_url`, tokens, signing secret.

    The methods may be called from any thread but the server's. What people do comes back as an
    `Outcome` once the app has acknowledged it, or Slack's time for that has passed.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        strict: Strictness | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        self.clock = clock or WallClock()
        self.strict = strict or Strictness()
        self.faults = faults or FaultPlan()
        self._platform = Platform.sample(self.clock, self.strict)
        self._socket = SocketMode(self._platform)
        self._delivery = Delivery(self._platform, self._socket)
        self._urls = ResponseUrls(self._platform)
        payloads = Payloads(self._platform)
        self._people = Interactions(self._platform, payloads, self._delivery, self._urls)
        self._modals = Modals(self._platform, payloads, self._delivery, self._urls)
        self.app = self._application()
        self._bridge = Bridge(self.app)
        self._platform.workspace.watchers.append(self._bridge.announce)

    @contextmanager
    def serve(self, port: int = 0) -> Iterator["SlackStandin"]:
        """Runs it in a `Server` of its own."""
        with Server(self.app, port) as server:
            self.url = server.url
            yield self

    @property
    def url(self) -> str:
        """Where it is reached; learnt from the first request when nobody sets it."""
        return self._platform.url

    @url.setter
    def url(self, url: str) -> None:
        self._platform.url = url.rstrip("/")

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        return self._platform.bot_token

    @property
    def app_token(self) -> str:
        return self._platform.app_token

    @property
    def signing_secret(self) -> str:
        return self._platform.signing_secret

    @property
    def scopes(self) -> set[str]:
        """What the bot token may do; change it in place."""
        return self._platform.scopes

    @property
    def commands(self) -> dict[str, str]:
        """The app's slash commands and usage hints; while empty, any command is the app's."""
        return self._platform.commands

    @property
    def request_url(self) -> str:
        """Where HTTP deliveries go, such as `http://127.0.0.1:3000/slack/events`."""
        return self._delivery.request_url

    @request_url.setter
    def request_url(self, url: str) -> None:
        self._delivery.request_url = url

    # What people do.

    def slash(
        self, user: str, channel: str, typed: str, *, via: str = "", forged: Json | None = None
    ) -> Outcome:
        """Types `/command text`. `via` is `socket` or `http`; `forged` replaces payload fields."""
        return self._bridge.run(self._people.slash(user, channel, typed, via, forged))

    def mention(
        self, user: str, channel: str, text: str, thread_ts: str | None = None, *, via: str = ""
    ) -> Outcome:
        """Writes `@bot text`, in a thread if told so."""
        return self._bridge.run(self._people.mention(user, channel, text, thread_ts, via))

    def direct_message(
        self, user: str, text: str, thread_ts: str | None = None, *, via: str = ""
    ) -> Outcome:
        return self._bridge.run(self._people.direct_message(user, text, thread_ts, via))

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Talks to the others; no app hears it."""
        return self._bridge.do(lambda: self._people.say(user, channel, text, thread_ts).copy())

    def press(
        self,
        user: str,
        where: Message | Json,
        wanted: str,
        *,
        chosen: Any = None,
        within: str = "",
        confirm: bool = True,
        via: str = "",
    ) -> Outcome:
        """Presses or chooses what is labelled `wanted` (or has that action id).

        `where` is a message as it was seen, so that a stale one can be pressed too, or a view.
        `within` picks the block, by its id or by words in it.
        """
        pressed = self._people.press(
            user, where, wanted, chosen=chosen, within=within, confirm=confirm, via=via
        )
        return self._bridge.run(pressed)

    def fill_view(self, user: str, values: Json) -> None:
        """Fills in the topmost modal without submitting it."""
        self._bridge.do(lambda: self._modals.fill(user, values))

    def submit_view(self, user: str, values: Json | None = None, *, via: str = "") -> Outcome:
        """Submits the topmost modal; `values` by label, block id or action id."""
        return self._bridge.run(self._modals.submit(user, values or {}, via))

    def close_view(self, user: str, *, everything: bool = False, via: str = "") -> Outcome:
        return self._bridge.run(self._modals.close(user, everything=everything, via=via))

    def suggest(self, user: str, view: Json, wanted: str, typed: str) -> list[Json]:
        return self._bridge.run(self._modals.suggest(user, view, wanted, typed))

    # What there is to see.

    def messages(
        self, channel: str, viewer: str | None = None, thread_ts: str | None = None
    ) -> list[Message]:
        """Oldest first, replies included; with the ephemeral ones that `viewer` sees.

        With `thread_ts` only that thread: its first message and the replies.
        """
        seen = self._bridge.do(
            lambda: [m.copy() for m in self._platform.workspace.seen_by(viewer, channel)]
        )
        return [m for m in seen if thread_ts is None or thread_ts in {m.ts, m.thread_ts}]

    def dm(self, user: str) -> str:
        """The id of a person's direct message with the bot."""
        return self._bridge.do(lambda: self._platform.workspace.open_dm(user).id)

    def view(self, user: str) -> Json | None:
        """The topmost modal on a person's screen."""
        return self._bridge.do(lambda: deepcopy(self._platform.views.top(user)))

    def home(self, user: str) -> Json | None:
        return self._bridge.do(lambda: deepcopy(self._platform.views.homes.get(user)))

    def calls(self, method: str = "") -> list[ApiCall]:
        """The Web API calls so far, with their arguments decoded."""
        return [c for c in list(self._platform.calls) if not method or c.method == method]

    @property
    def envelopes(self) -> list[Envelope]:
        return list(self._socket.envelopes)

    @property
    def connections(self) -> int:
        """Socket Mode connections open now that were not told to go."""
        return sum(not connection.leaving for connection in list(self._socket.connections))

    def wait_for(self, seen: Callable[[], T], limit_s: float = 10, what: str = "") -> T:
        """The first true value of `seen()`; raises `AssertionError` after `limit_s`."""
        return self._bridge.wait_for(seen, limit_s, what)

    def wait_connected(self, count: int = 1, limit_s: float = 10) -> None:
        self.wait_for(lambda: self.connections >= count, limit_s, f"{count} connections")

    # What an administrator does.

    def add(self, *things: Person | Channel | UserGroup) -> None:
        """Adds to the workspace, or replaces what has the same id."""
        for thing in things:
            self._bridge.do(partial(self._add, thing))

    def channel(self, channel: str) -> Channel:
        """To be changed in place: `members`, `is_archived`, …."""
        return self._platform.workspace.channels[channel]

    def person(self, user: str) -> Person:
        return self._platform.workspace.people[user]

    def delete_message(self, message: Message) -> None:
        """Somebody removes a message behind the bot's back."""
        self._bridge.do(lambda: self._delete(message))

    def revoke(self, token: str) -> None:
        self._platform.revoked.add(token)

    # What the network and Slack's own upkeep do.

    def disconnect(self, reason: str = "refresh_requested", close_after_s: float = 0) -> None:
        """`warning`, `refresh_requested` or `link_disabled` on every Socket Mode connection."""
        self._bridge.run(self._socket.disconnect(reason, close_after_s))

    def drop_connections(self) -> None:
        self._bridge.do(self._socket.drop)

    def silence(self, *, on: bool = True) -> None:
        """Connections stay up and answer pings, but bring nothing."""
        self._bridge.do(lambda: setattr(self._socket, "silent", on))

    def repeat(self, outcome: Outcome, *, via: str = "") -> Ack:
        """Delivers the same payload once more, as proxies, retries and attackers do."""
        return self._bridge.run(self._delivery.send(_kind(outcome.payload), outcome.payload, via))

    def repeat_envelope(self, envelope_id: str) -> None:
        self._bridge.run(self._socket.repeat(envelope_id))

    def post_raw(
        self, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> Ack:
        """POSTs to the request URL, signed unless `headers` say otherwise."""
        return self._bridge.run(self._delivery.post(body, content_type, headers))

    def verify_request_url(self) -> bool:
        return self._bridge.run(self._delivery.verify_url())

    def _application(self) -> web.Application:
        app = web.Application(
            middlewares=[self.faults.middleware(), self._learn_url], client_max_size=4 * 2**20
        )
        api = WebApi(self._platform, self._socket.open)
        app.router.add_route("*", "/api/{method}", api.handle)
        app.router.add_get("/link/", self._socket.handle)
        app.router.add_post("/{kind:commands|actions}/{team}/{key}", self._urls.handle)
        Page(self._platform, self._people, self._modals, self._socket).add_routes(app)
        app.on_shutdown.append(self._leaving)
        app.on_cleanup.append(self._ended)
        return app

    @web.middleware
    async def _learn_url(
        self, request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        if not self._platform.url:
            self._platform.url = str(request.url.origin())
        reply: web.StreamResponse = await handler(request)
        return reply

    async def _leaving(self, app: web.Application) -> None:
        del app
        await self._socket.close()

    async def _ended(self, app: web.Application) -> None:
        del app
        await self._delivery.close()

    def _add(self, thing: Person | Channel | UserGroup) -> None:
        workspace = self._platform.workspace
        if isinstance(thing, Person):
            workspace.people[thing.id] = thing
            workspace.open_dm(thing.id)
        elif isinstance(thing, Channel):
            workspace.channels[thing.id] = thing
        else:
            workspace.groups[thing.id] = thing

    def _delete(self, message: Message) -> None:
        held = self._platform.workspace.find(message.channel, message.ts)
        if held is not None:
            self._platform.workspace.remove(held)


def _kind(payload: Json) -> str:
    if "command" in payload:
        return "slash_commands"
    return "events_api" if payload.get("type") == "event_callback" else "interactive"
