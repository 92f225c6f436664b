"""Socket Mode: connections, envelopes, acks, and what Slack does to connections."""

import asyncio
import json
import random
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.playground.slack.api_call import Arguments
from bot.playground.slack.messages import Json
from bot.playground.slack.people import APP_ID
from bot.playground.slack.platform import Platform

MOST_CONNECTIONS = 10


@dataclass(frozen=True, slots=True)
class Ack:
    """How a delivery ended; `error` is empty when it was acknowledged in time.

    `operation_timeout`: no answer within 3 s. `dispatch_failed`: nobody there, or an error.
    """

    error: str = ""
    payload: Any = None
    took_s: float = 0.0
    via: str = "socket"
    status: int = 0
    no_retry: bool = False


@dataclass(slots=True)
class Connection:
    number: int
    socket: web.WebSocketResponse
    request: web.Request
    leaving: bool = False

    async def send(self, message: Json) -> None:
        await self.socket.send_str(json.dumps(message))


@dataclass(slots=True)
class Envelope:
    """One envelope as sent; `acked_s` is None until its ack came, however late."""

    id: str
    type: str
    payload: Json
    connection: int
    sent_at: float
    acked_s: float | None = None
    acks: int = 0
    answered: asyncio.Future[Any] = field(default_factory=asyncio.Future)


class SocketMode:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.connections: list[Connection] = []
        self.envelopes: list[Envelope] = []
        self._by_id: dict[str, Envelope] = {}
        self.opened = 0
        self.silent = False
        """Pings are answered, nothing is delivered."""
        self.enabled = True
        self._tickets: set[str] = set()
        self._random = random.Random(1)

    def open(self, platform: Platform, arguments: Arguments) -> Json:
        """apps.connections.open: a URL that works once."""
        del arguments
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        host = platform.url.partition("://")[2]
        return {"url": f"ws://{host}/link/?ticket={ticket}&app_id={APP_ID}"}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="this URL was used before, or never given out")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=10)
        await socket.prepare(request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await socket.send_str(json.dumps(_disconnect("too_many_websockets")))
            await socket.close()
            return socket
        await self._serve(Connection(self.opened + 1, socket, request))
        return socket

    async def deliver(self, kind: str, payload: Json, **more: Any) -> Ack:
        """Sends to one connection and waits for the ack. `more` are fields of the envelope."""
        if not self.connections:
            return Ack("dispatch_failed")
        envelope = self._envelope(kind, payload)
        started = time.monotonic()
        if not self.silent:
            await self._send(envelope, more)
        try:
            limit_s = self._platform.strict.ack_limit_s
            answer = await asyncio.wait_for(envelope.answered, limit_s)
        except TimeoutError:
            return Ack("operation_timeout", took_s=time.monotonic() - started)
        return Ack(payload=answer, took_s=time.monotonic() - started)

    async def disconnect(self, reason: str = "refresh_requested", close_after_s: float = 0) -> None:
        """Says so on every connection, then closes it after that time."""
        self.enabled = reason != "link_disabled"
        leaving = list(self.connections)
        for connection in leaving:
            connection.leaving = True
            await connection.send(_disconnect(reason))
        await asyncio.sleep(close_after_s)
        for connection in leaving:
            await connection.socket.close()

    async def close(self) -> None:
        for connection in list(self.connections):
            await connection.socket.close()

    def drop(self) -> None:
        """Cuts every TCP connection with neither message nor close frame."""
        for connection in self.connections:
            if connection.request.transport is not None:
                connection.request.transport.abort()

    async def repeat(self, envelope_id: str) -> None:
        """Sends the same envelope once more, with the same id."""
        envelope = self._by_id[envelope_id]
        await self._send(envelope, {})

    async def _serve(self, connection: Connection) -> None:
        self.opened += 1
        self.connections.append(connection)
        self._platform.workspace.changed()
        try:
            await connection.send(self._hello())
            async for message in connection.socket:
                if message.type == WSMsgType.TEXT:
                    self._take(connection, message.data)
        except ConnectionError:
            return
        finally:
            self.connections.remove(connection)
            self._platform.workspace.changed()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "applink-sample", "approximate_connection_time": 18_060},
        }

    def _envelope(self, kind: str, payload: Json) -> Envelope:
        chosen = self._choose()
        envelope = Envelope(secrets.token_hex(16), kind, payload, chosen.number, time.monotonic())
        self.envelopes.append(envelope)
        self._by_id[envelope.id] = envelope
        return envelope

    def _choose(self) -> Connection:
        staying = [c for c in self.connections if not c.leaving]
        return self._random.choice(staying or self.connections)

    async def _send(self, envelope: Envelope, more: Json) -> None:
        message = {
            "envelope_id": envelope.id,
            "type": envelope.type,
            "payload": envelope.payload,
            "accepts_response_payload": _accepts_answer(envelope),
            **more,
        }
        for connection in self.connections:
            if connection.number == envelope.connection:
                try:
                    await connection.send(message)
                except ConnectionError:
                    return

    def _take(self, connection: Connection, text: str) -> None:
        try:
            held = json.loads(text)
        except ValueError:
            return
        envelope = self._by_id.get(held.get("envelope_id", ""))
        if envelope is None:
            return
        elsewhere = envelope.connection != connection.number
        if elsewhere and self._platform.strict.ack_on_same_connection:
            return
        envelope.acks += 1
        if envelope.acked_s is None:
            envelope.acked_s = time.monotonic() - envelope.sent_at
        if not envelope.answered.done():
            envelope.answered.set_result(held.get("payload"))


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sample"}}


def _accepts_answer(envelope: Envelope) -> bool:
    answered = {"view_submission", "block_suggestion"}
    return envelope.type == "slash_commands" or envelope.payload.get("type") in answered
