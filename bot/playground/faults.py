"""Faults that a stand-in shows on demand, and the record of what it received.

A `FaultPlan` is an aiohttp middleware. Each `Fault` is matched by method and path and used
up after `times` requests. Every request is kept as a `Received`, with the body as bytes.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """One planned misbehaviour.

    `drop_before` closes the connection with nothing done; `drop_after` does the work and loses
    the reply; `garbled` does it and answers with other bytes. `status`/`body`/`headers` replace
    the reply without doing the work. `delay_s` waits first. `drip_s` sends the body byte by byte
    with that pause. `hang` never answers. `is_cache` answers an address for ever as it answered
    it first; with `times` set to 0 and back it serves that old page again. `then` is what
    happens in the service behind an answer, such as runs that are made between two pages.
    """

    path: str = ".*"
    method: str = ".*"
    times: int = 1_000_000_000
    status: int | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drip_s: float = 0.0
    drop_before: bool = False
    drop_after: bool = False
    hang: bool = False
    garbled: bytes | None = None
    is_cache: bool = False
    then: Callable[[], object] | None = None
    cached: dict[str, web.Response] = field(default_factory=dict)

    def matches(self, request: web.Request) -> bool:
        return (
            self.times > 0
            and re.fullmatch(self.method, request.method) is not None
            and re.fullmatch(self.path, request.path) is not None
        )


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived; `path` is without the query, `body` is raw."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class FaultPlan:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.received: list[Received] = []

    def add(self, fault: Fault) -> Fault:
        self.faults.append(fault)
        return fault

    def clear(self) -> None:
        self.faults.clear()

    def requests(self, method: str = ".*", path: str = ".*") -> list[Received]:
        """Return what was received so far and fully matches both patterns."""
        return [
            r
            for r in list(self.received)
            if re.fullmatch(method, r.method) and re.fullmatch(path, r.path)
        ]

    def middleware(self) -> Middleware:
        @web.middleware
        async def apply(request: web.Request, handler: Handler) -> web.StreamResponse:
            await self._record(request)
            fault = next((f for f in self.faults if f.matches(request)), None)
            if fault is None:
                return await handler(request)
            fault.times -= 1
            return await _misbehave(fault, request, handler)

        return apply

    async def _record(self, request: web.Request) -> None:
        self.received.append(
            Received(
                request.method,
                request.path,
                dict(request.query),
                dict(request.headers),
                await request.read(),
            )
        )


async def _misbehave(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    if fault.delay_s:
        await asyncio.sleep(fault.delay_s)
    if fault.hang:
        await asyncio.sleep(3600)
    if fault.drop_before:
        return _drop(request)
    if fault.status is not None:
        reply: web.StreamResponse = web.Response(
            status=fault.status, body=fault.body, headers=fault.headers
        )
    elif fault.is_cache:
        reply = await _cached(fault, request, handler)
    else:
        reply = await handler(request)
    if fault.then is not None:
        fault.then()
    if fault.drop_after:
        return _drop(request)
    if fault.garbled is not None:
        return web.Response(body=fault.garbled, content_type="application/json")
    if fault.drip_s and isinstance(reply, web.Response):
        return await _drip(request, reply, fault.drip_s)
    return reply


async def _cached(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.path_qs not in fault.cached:
        reply = await handler(request)
        if not isinstance(reply, web.Response):
            return reply
        fault.cached[request.path_qs] = reply
    kept = fault.cached[request.path_qs]
    return web.Response(status=kept.status, body=kept.body, headers=kept.headers.copy())


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _drip(request: web.Request, reply: web.Response, pause_s: float) -> web.StreamResponse:
    body = reply.body if isinstance(reply.body, bytes) else b""
    slow = web.StreamResponse(status=reply.status, headers={"Content-Type": reply.content_type})
    slow.content_length = len(body)
    await slow.prepare(request)
    for index in range(len(body)):
        await slow.write(body[index : index + 1])
        await asyncio.sleep(pause_s)
    return slow
