"""The web server: Slack's requests in HTTP mode, and health in both."""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from bot.domain.errors import BotError

log = logging.getLogger(__name__)

WORKERS = 8
LARGEST_REQUEST = 8 * 1024 * 1024

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


class Web:
    """WSGI: `/healthz`, `/readyz`, `/metrics`, and `slack` under its path if there is one.

    `unready` gives codes of what keeps the bot from working, empty when it works.
    """

    def __init__(
        self,
        *,
        unready: Callable[[], tuple[str, ...]],
        metrics: Callable[[], bytes],
        slack: Wsgi | None,
        slack_path: str,
    ) -> None:
        self._unready = unready
        self._metrics = metrics
        self._slack = slack
        self._slack_path = slack_path

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        if path == self._slack_path and self._slack is not None:
            if method != "POST":
                return _answer(start_response, "405 Method Not Allowed", b"POST only")
            return self._slack(environ, start_response)
        if method not in {"GET", "HEAD"}:
            return _answer(start_response, "404 Not Found", b"not found")
        if path == "/healthz":
            return _answer(start_response, "200 OK", b'{"ok": true}', "application/json")
        if path == "/readyz":
            return self._ready(start_response)
        if path == "/metrics":
            return _answer(start_response, "200 OK", self._metrics(), "text/plain; version=0.0.4")
        return _answer(start_response, "404 Not Found", b"not found")

    def _ready(self, start_response: StartResponse) -> Iterable[bytes]:
        because = self._unready()
        status = "503 Service Unavailable" if because else "200 OK"
        body = json.dumps({"ready": not because, "because": list(because)}).encode()
        return _answer(start_response, status, body, "application/json")


class WebServer:
    """waitress in a thread of its own."""

    def __init__(self, app: Wsgi, host: str, port: int) -> None:
        try:
            self._server: Any = create_server(
                app,
                host=host,
                port=port,
                threads=WORKERS,
                ident=None,
                max_request_body_size=LARGEST_REQUEST,
                clear_untrusted_proxy_headers=True,
                channel_timeout=30,
            )
        except OSError as error:
            raise BotError(f"PORT: cannot listen on {host}:{port}: {error.strerror}") from error
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.effective_port)

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Takes no new requests; those under way get their answer, as far as 6 s allow."""
        if not self._thread.is_alive():
            self._server.close()
            self._server.task_dispatcher.shutdown()
            return
        self._on_loop(lambda: wasyncore.dispatcher.close(self._server))
        self._server.task_dispatcher.shutdown(timeout=5)
        self._await_flushed(1.0)
        self._on_loop(self._close_all)
        self._thread.join(timeout=2)

    def _on_loop(self, work: Callable[[], object]) -> None:
        """Waitress is touched on its own thread only: on another one, a socket that is closed
        while it is waited for keeps the loop going until its time-out (seen with 3.0).
        """
        with suppress(OSError):  # the last work may be done, and the trigger gone, before its pull
            self._server.trigger.pull_trigger(work)

    def _await_flushed(self, limit_s: float) -> None:
        pause = threading.Event()
        for _ in range(int(limit_s / 0.02)):
            if not any(c.total_outbufs_len for c in self._channels()):
                return
            pause.wait(0.02)

    def _close_all(self) -> None:
        for channel in self._channels():
            channel.handle_close()
        self._server.trigger.close()

    def _channels(self) -> list[Any]:
        return list(self._server.active_channels.values())

    def _serve(self) -> None:
        try:
            self._server.run()
        except OSError:
            log.exception("web.died")


def _answer(
    start_response: StartResponse, status: str, body: bytes, kind: str = "text/plain"
) -> Iterable[bytes]:
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
