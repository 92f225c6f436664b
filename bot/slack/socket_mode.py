"""Socket Mode: Bolt's aiohttp client on an event loop in a thread of its own.

A connection can die without a sign: pings are answered and nothing comes any more. So one on
which nothing came for a while is replaced by a new one, opened before the old one is closed;
on a quiet workspace this happens every `QUIET_S` and costs one call.
"""

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import App
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import run_bolt_app
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.slack.connection import Connection

log = logging.getLogger(__name__)

DISPATCHERS = 8
QUIET_S = 60.0
"""After so long without a message a connection is not trusted any more."""
HELLO_S = 15.0
"""Within which a new connection must be greeted; else another one is tried."""
LOOK_S = 5.0


class SocketMode:
    """Receives envelopes and acknowledges them.

    Bolt's own handler dispatches on the event loop's thread, where a waiting database would
    stall pings and every other acknowledgement; here a small executor does it, side by side.
    """

    def __init__(self, app: App, app_token: str, api_url: str, *, quiet_s: float = QUIET_S) -> None:
        self._app = app
        self._app_token = app_token
        self._api_url = api_url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="socket-mode", daemon=True)
        self._executor = ThreadPoolExecutor(DISPATCHERS, thread_name_prefix="dispatch")
        self._quiet_s = quiet_s
        self._connection: Connection | None = None
        self._underway: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._thread.start()

    def is_connected(self) -> bool:
        """Whether a connection was greeted, answers pings, and is not silent for too long."""
        if self._connection is None or not self._loop.is_running():
            return False
        future = asyncio.run_coroutine_threadsafe(self._is_up(), self._loop)
        try:
            return future.result(timeout=1)
        except TimeoutError:
            return False

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Closes the connection; envelopes under way are still acknowledged before that."""
        if not self._thread.is_alive():
            self._loop.close()
            return
        future = asyncio.run_coroutine_threadsafe(self._close(), self._loop)
        try:
            future.result(timeout=5)
        except TimeoutError:
            log.warning("socket_mode.close_timed_out")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._keeper = self._loop.create_task(self._keep_connected())
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _keep_connected(self) -> None:
        while True:
            try:
                if await self._is_doubtful():
                    await self._renew()
            except Exception:
                log.exception("socket_mode.failed")
            await asyncio.sleep(min(LOOK_S, self._quiet_s / 4))

    async def _is_doubtful(self) -> bool:
        """The client mends a closed or stale connection by itself, within its ping times."""
        connection = self._connection
        return connection is None or connection.silent_s() > self._quiet_s

    async def _is_up(self) -> bool:
        connection = self._connection
        if connection is None or connection.silent_s() > self._quiet_s + HELLO_S:
            return False
        return await connection.is_up()

    async def _renew(self) -> None:
        """Opens a new connection and closes the old one after it. What did not work is tried
        again at the next look.
        """
        fresh = Connection(self._app_token, self._api_url, self._receive)
        try:
            is_open = await fresh.open(HELLO_S)
        except BaseException:
            await fresh.close()
            raise
        if not is_open:
            log.warning("socket_mode.no_hello")
            await fresh.close()
            return
        old, self._connection = self._connection, fresh
        if old is not None:
            log.info("socket_mode.renewed", extra={"silent_s": round(old.silent_s())})
            await self._settle()
            await old.close()

    async def _settle(self) -> None:
        """Envelopes under way are acknowledged on the connection that brought them."""
        if self._underway:
            await asyncio.wait(list(self._underway), timeout=2)

    async def _receive(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Returns at once: the client takes one message at a time."""
        task = asyncio.create_task(self._dispatch(client, request))
        self._underway.add(task)
        task.add_done_callback(self._underway.discard)

    async def _dispatch(
        self, client: AsyncBaseSocketModeClient, request: SocketModeRequest
    ) -> None:
        started = time.monotonic()
        response = await self._loop.run_in_executor(
            self._executor, run_bolt_app, self._app, request
        )
        await send_async_response(client, request, response, started)

    async def _close(self) -> None:
        await self._settle()
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
