"""The web server: Slack's requests in HTTP mode, and health in both."""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

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
            self._server = create_server(
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
        return int(self._server.effective_port)  # type: ignore[union-attr]

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Takes no new requests; those under way get their answer."""
        self._server.close()
        self._server.task_dispatcher.shutdown()
        self._thread.join(timeout=2)

    def _serve(self) -> None:
        try:
            self._server.run()
        except OSError:  # the socket was closed to stop it
            log.info("web.closed")


def _answer(
    start_response: StartResponse, status: str, body: bytes, kind: str = "text/plain"
) -> Iterable[bytes]:
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
