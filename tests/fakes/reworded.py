"""Stand-ins that say what they cannot be made to say: words of the future, above all."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.playground.clock import ManualClock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Reworded:
    """Changes fields of runs, by id, in every JSON reply of an application that has not
    started yet. `id_field` is where replies hold the id.
    """

    def __init__(self, app: web.Application, id_field: str = "id") -> None:
        self._id_field = id_field
        self._fields: dict[str, dict[str, Any]] = {}
        app.middlewares.insert(0, self._middleware())

    def say(self, run_id: object, **fields: Any) -> None:
        """From now on; without fields the stand-in speaks for itself again."""
        self._fields[str(run_id)] = fields

    def _middleware(self) -> Middleware:
        @web.middleware
        async def reword(request: web.Request, handler: Handler) -> web.StreamResponse:
            reply = await handler(request)
            if isinstance(reply, web.Response) and reply.content_type == "application/json":
                value = json.loads(reply.body or b"null")  # type: ignore[arg-type]
                reply.body = json.dumps(self._reworded(value)).encode()
            return reply

        return reword

    def _reworded(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._reworded(one) for one in value]
        if not isinstance(value, dict):
            return value
        own = self._fields.get(str(value.get(self._id_field)), {})
        return {name: self._reworded(inner) for name, inner in value.items()} | own


class ClockOf:
    """A stand-in's clock, as a provider sees it. What real time passes counts for deadlines."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.time(), UTC)

    def monotonic(self) -> float:
        return monotonic() + self._clock.time()
