"""Socket Mode: Bolt's aiohttp client on an event loop in a thread of its own."""

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from slack_bolt import App
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import run_bolt_app
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

PING_INTERVAL_S = 5
DISPATCHERS = 8


class SocketMode:
    """Receives envelopes and acknowledges them.

    Bolt's own handler dispatches on the event loop's thread, where a waiting database would
    stall pings and every other acknowledgement; here a small executor does it, side by side.
    """

    def __init__(self, app: App, app_token: str, api_url: str) -> None:
        self._app = app
        self._app_token = app_token
        self._api_url = api_url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="socket-mode", daemon=True)
        self._executor = ThreadPoolExecutor(DISPATCHERS, thread_name_prefix="dispatch")
        self._client: SocketModeClient | None = None
        self._underway: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._thread.start()

    def is_connected(self) -> bool:
        """Whether a connection is open and its pings are answered."""
        client = self._client
        if client is None or not self._loop.is_running():
            return False
        future = asyncio.run_coroutine_threadsafe(client.is_connected(), self._loop)
        try:
            return future.result(timeout=1)
        except TimeoutError:
            return False

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Closes the connection; envelopes under way are still acknowledged before that."""
        if not self._thread.is_alive():
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
        self._loop.create_task(self._connect())
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _connect(self) -> None:
        base_url = self._api_url if self._api_url.endswith("/") else f"{self._api_url}/"
        self._client = SocketModeClient(
            app_token=self._app_token,
            logger=logging.getLogger("slack_sdk.socket_mode"),
            web_client=AsyncWebClient(base_url=base_url),
            ping_interval=PING_INTERVAL_S,
        )
        self._client.socket_mode_request_listeners.append(self._receive)
        await self._client.connect()  # type: ignore[no-untyped-call]

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
        if self._underway:
            await asyncio.wait(list(self._underway), timeout=2)
        if self._client is not None:
            await self._client.close()  # type: ignore[no-untyped-call]
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
