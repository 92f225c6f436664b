"""One Socket Mode connection, and the signs of life on it."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

from aiohttp import WSMessage
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

PING_INTERVAL_S = 5

Receive = Callable[[AsyncBaseSocketModeClient, SocketModeRequest], Awaitable[None]]


class Connection:
    """To be used on one event loop. A pong is no sign of life: a dead connection's far end may
    still answer pings. Slack's `hello` and every message are.
    """

    def __init__(self, app_token: str, api_url: str, receive: Receive) -> None:
        base_url = api_url if api_url.endswith("/") else f"{api_url}/"
        self._loop = asyncio.get_running_loop()
        self._hello = asyncio.Event()
        self._heard_at = self._loop.time()
        self._client = SocketModeClient(
            app_token=app_token,
            logger=logging.getLogger("slack_sdk.socket_mode"),
            web_client=AsyncWebClient(base_url=base_url),
            ping_interval=PING_INTERVAL_S,
            on_message_listeners=[self._hear],
        )
        self._client.socket_mode_request_listeners.append(receive)

    async def open(self, within_s: float) -> bool:
        """Whether Slack has said hello in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._client.connect()  # type: ignore[no-untyped-call]
                await self._hello.wait()
        except TimeoutError:
            return False
        return True

    def silent_s(self) -> float:
        """For how long nothing but pongs has come."""
        return self._loop.time() - self._heard_at

    async def is_up(self) -> bool:
        """Whether Slack has said hello, the socket is open, and pings are answered."""
        return self._hello.is_set() and await self._client.is_connected()

    async def close(self) -> None:
        """A far end that is gone is waited for; the end of the bot may cut that short."""
        try:
            await self._client.close()  # type: ignore[no-untyped-call]
        finally:
            await self._client.aiohttp_client_session.close()

    async def _hear(self, message: WSMessage) -> None:
        self._heard_at = self._loop.time()
        if not self._hello.is_set() and _type_of(str(message.data)) == "hello":
            self._hello.set()


def _type_of(text: str) -> str:
    try:
        return str(json.loads(text).get("type", ""))
    except (ValueError, AttributeError):
        return ""
