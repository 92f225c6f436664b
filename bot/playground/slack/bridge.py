"""From the tests' threads into the server's loop, and news back."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aiohttp import web

T = TypeVar("T")


class Bridge:
    """Knows the loop while `app` is being served. Never to be used on that loop itself."""

    def __init__(self, app: web.Application) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = threading.Condition()
        app.on_startup.append(self._started)
        app.on_cleanup.append(self._ended)

    def announce(self) -> None:
        """Something changed; whoever waits looks again."""
        with self._news:
            self._news.notify_all()

    def run(self, work: Coroutine[Any, Any, T], limit_s: float = 60) -> T:
        if self._loop is None:
            work.close()
            raise RuntimeError("the stand-in is not being served")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit_s)

    def do(self, work: Callable[[], T]) -> T:
        """On the server's loop, or at once while there is none."""

        async def done() -> T:
            return work()

        return work() if self._loop is None else self.run(done())

    def wait_for(self, seen: Callable[[], T], limit_s: float, what: str) -> T:
        deadline = time.monotonic() + limit_s
        while True:
            value = seen()
            if value:
                return value
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise AssertionError(f"not seen within {limit_s} s: {what or seen}")
            with self._news:
                self._news.wait(min(left_s, 0.05))

    async def _started(self, app: web.Application) -> None:
        del app
        self._loop = asyncio.get_running_loop()

    async def _ended(self, app: web.Application) -> None:
        del app
        self._loop = None
