"""The smallest app on Socket Mode, with slack_sdk's own aiohttp client."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self

from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground.slack.standin import SlackStandin

Json = dict[str, Any]
UNACKED = "unacked"


class TinyApp:
    """`answer(request)` gives the ack's payload, None for a bare ack, or `UNACKED` for no ack."""

    def __init__(
        self, slack: SlackStandin, answer: Callable[[SocketModeRequest], Json | str | None]
    ) -> None:
        self.requests: list[SocketModeRequest] = []
        self._slack = slack
        self._answer = answer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._client: SocketModeClient | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._connect())
        self._slack.wait_connected()
        return self

    def __exit__(self, *exc: object) -> None:
        self._run(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _connect(self) -> None:
        web = AsyncWebClient(base_url=self._slack.api_url)
        client = SocketModeClient(self._slack.app_token, web_client=web, ping_interval=1)
        client.socket_mode_request_listeners.append(self._take)
        self._client = client
        await client.connect()  # type: ignore[no-untyped-call]

    async def _disconnect(self) -> None:
        assert self._client is not None
        await self._client.close()  # type: ignore[no-untyped-call]
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self.requests.append(request)
        answer = await asyncio.to_thread(self._answer, request)
        if answer == UNACKED:
            return
        payload = answer if isinstance(answer, dict) else None
        await client.send_socket_mode_response(
            SocketModeResponse(envelope_id=request.envelope_id, payload=payload)
        )
