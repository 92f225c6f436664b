"""Getting a payload to the app: signed HTTP, or Socket Mode; events again when not taken."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.playground.slack.messages import Json
from bot.playground.slack.platform import Platform
from bot.playground.slack.socket_mode import Ack, SocketMode

FORM = "application/x-www-form-urlencoded"


def signed_headers(secret: str, body: bytes, timestamp: int | None = None) -> dict[str, str]:
    """The two headers with which Slack signs `body`; also for forged or stale requests."""
    at = int(time.time()) if timestamp is None else timestamp
    signed = b"v0:%d:%s" % (at, body)
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": f"v0={digest}"}


def http_body(kind: str, payload: Json) -> tuple[bytes, str]:
    """The body and content type of one delivery over HTTP."""
    if kind == "slash_commands":
        return urlencode(payload).encode(), FORM
    if kind == "interactive":
        return urlencode({"payload": json.dumps(payload)}).encode(), FORM
    return json.dumps(payload).encode(), "application/json"


class Delivery:
    """`request_url` is where HTTP deliveries go; empty means Socket Mode only."""

    def __init__(self, platform: Platform, socket: SocketMode) -> None:
        self._platform = platform
        self._socket = socket
        self.request_url = ""
        self._session: aiohttp.ClientSession | None = None
        self._retries: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in list(self._retries):
            task.cancel()
        if self._session is not None:
            await self._session.close()

    async def send(self, kind: str, payload: Json, via: str = "") -> Ack:
        """`via` is `socket` or `http`; without it Socket Mode is used where it is open."""
        if (via or self._usual()) == "socket":
            return await self._socket.deliver(kind, payload)
        return await self.post(*http_body(kind, payload))

    async def send_event(self, payload: Json, via: str = "") -> Ack:
        """Comes back after the first try; further tries go on by themselves."""
        ack = await self._try_event(payload, via, 0, "")
        if ack.error and not ack.no_retry:
            task = asyncio.create_task(self._retry(payload, via, ack))
            self._retries.add(task)
            task.add_done_callback(self._retries.discard)
        return ack

    async def verify_url(self) -> bool:
        """The handshake with which Slack checks a request URL."""
        challenge = secrets.token_hex(20)
        body = {"type": "url_verification", "challenge": challenge, "token": "sample"}
        ack = await self.post(json.dumps(body).encode(), "application/json")
        said = ack.payload.get("challenge") if isinstance(ack.payload, dict) else ack.payload
        return not ack.error and said == challenge

    async def post(
        self, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> Ack:
        """One signed POST; `headers` are added, and replace the signature's."""
        started = time.monotonic()
        signed = signed_headers(self._platform.signing_secret, body)
        sent = {"Content-Type": content_type, **signed, **(headers or {})}
        timeout = aiohttp.ClientTimeout(total=self._platform.strict.ack_limit_s)
        try:
            async with self._client().post(
                self.request_url, data=body, headers=sent, timeout=timeout, allow_redirects=False
            ) as reply:
                return _ack(reply, await reply.text(), time.monotonic() - started)
        except TimeoutError:
            return Ack("operation_timeout", took_s=time.monotonic() - started, via="http")
        except aiohttp.ClientError:
            return Ack("dispatch_failed", took_s=time.monotonic() - started, via="http")

    def _usual(self) -> str:
        return "socket" if self._socket.connections or not self.request_url else "http"

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers={"User-Agent": "Slackbot 1.0 (sample)"})
        return self._session

    async def _try_event(self, payload: Json, via: str, number: int, reason: str) -> Ack:
        if (via or self._usual()) == "socket":
            more = {"retry_attempt": number, "retry_reason": reason}
            return await self._socket.deliver("events_api", payload, **more)
        again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason}
        return await self.post(*http_body("events_api", payload), again if number else None)

    async def _retry(self, payload: Json, via: str, ack: Ack) -> None:
        for number, wait_s in enumerate(self._platform.strict.retry_waits_s, start=1):
            await asyncio.sleep(wait_s)
            ack = await self._try_event(payload, via, number, _reason(ack))
            if not ack.error or ack.no_retry:
                return


def _ack(reply: aiohttp.ClientResponse, text: str, took_s: float) -> Ack:
    if reply.status == 200:
        return Ack(payload=_parsed(text), took_s=took_s, via="http", status=200)
    stop = reply.headers.get("X-Slack-No-Retry") == "1"
    return Ack("dispatch_failed", None, took_s, "http", reply.status, stop)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text.lstrip().startswith("{") else text or None
    except ValueError:
        return text


def _reason(ack: Ack) -> str:
    if ack.via == "socket" or ack.error == "operation_timeout":
        return "timeout" if ack.via == "socket" else "http_timeout"
    return "http_error" if ack.status else "connection_failed"
