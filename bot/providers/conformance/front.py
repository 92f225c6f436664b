"""What stands between a provider and its author's fake vendor: it writes down every request,
passes it on, or misbehaves as told. On 127.0.0.1, with threads of its own.
"""

import gzip
import http.client
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import urlsplit

_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})
_BODILESS = frozenset({204, 304})
_UPSTREAM_TIMEOUT_S = 10.0
_DRIP_PAUSE_S = 0.05
_RESET = b"\1\0\0\0\0\0\0\0"


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived. `number` counts from 0 since the front was last told how to
    behave; `target` is path and query as sent; names of `headers` are lower case.
    """

    number: int
    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def line(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def wire(self, *extra: str) -> bytes:
        """The answer as it is sent, with further header lines."""
        body = b"" if self.status in _BODILESS else self.body
        lines = [f"HTTP/1.1 {self.status} Word", *(f"{k}: {v}" for k, v in self.headers.items())]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", *extra, "", ""])
        return head.encode("latin-1") + body


class Exchange:
    """One request in the front's hands."""

    def __init__(self, request: Received, sock: socket.socket, front: "Front") -> None:
        self.request = request
        self._sock = sock
        self._front = front

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def pass_on(self) -> Reply:
        """What the author's fake answers."""
        return self._front.ask_upstream(self.request)

    def reset(self) -> None:
        """Ends the connection without a goodbye."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._sock.close()

    def rest(self, seconds: float | None = None) -> bool:
        """Does nothing for so long, or until the end; True when the end has come."""
        return self._front.over.wait(seconds)

    def stop_listening(self) -> None:
        self._front.stop_listening()


Act = Callable[[Exchange], bool]
"""Answers one request; False closes the connection afterwards."""
Wanted = Callable[[Received], bool]


def passed_on(exchange: Exchange) -> bool:
    exchange.send(exchange.pass_on().wire())
    return True


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Act:
    """Answers by itself: the fake hears nothing of it."""
    wire = Reply(status, {"Content-Type": "application/json", **(headers or {})}, body).wire()

    def act(exchange: Exchange) -> bool:
        exchange.send(wire)
        return True

    return act


def altered(change: Callable[[Any], Any]) -> Act:
    """Passes on, and changes the JSON of a good reply on its way back."""

    def act(exchange: Exchange) -> bool:
        reply = exchange.pass_on()
        with suppress(ValueError):
            value = json.loads(_plain(reply))
            kept = {k: v for k, v in reply.headers.items() if k.lower() != "content-encoding"}
            reply = Reply(reply.status, kept, json.dumps(change(value)).encode())
        exchange.send(reply.wire())
        return True

    return act


def reply_lost(exchange: Exchange) -> bool:
    """The fake does the work; nobody hears of it."""
    exchange.pass_on()
    exchange.reset()
    return False


def dropped(exchange: Exchange) -> bool:
    """The connection ends before anything is done."""
    exchange.reset()
    return False


def silent(exchange: Exchange) -> bool:
    exchange.rest()
    return False


def dripping(exchange: Exchange) -> bool:
    """A body that comes a byte at a time, for ever."""
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    exchange.send(b"Content-Length: 1000000\r\n\r\n")
    while not exchange.rest(_DRIP_PAUSE_S):
        exchange.send(b" ")
    return False


def last_answer(exchange: Exchange) -> bool:
    """Passes on, and then nobody is there any more."""
    wire = exchange.pass_on().wire("Connection: close")
    exchange.stop_listening()
    exchange.send(wire)
    return False


class Front:
    """A context manager. Thread-safe. Without `upstream` every request is answered `{}`."""

    def __init__(self, upstream: str = "") -> None:
        self._upstream = urlsplit(upstream).netloc
        self._lock = threading.Lock()
        self._plan: list[tuple[Wanted, Act]] = []
        self._first = 0
        self._all: list[Received] = []
        self._credentials: set[str] = set()
        self._sockets: set[socket.socket] = set()
        self._is_listening = True
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="front", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def received(self) -> tuple[Received, ...]:
        """The requests since the front was last told how to behave."""
        with self._lock:
            return tuple(self._all[self._first :])

    @property
    def credentials(self) -> frozenset[str]:
        """What was ever sent in the header of that purpose."""
        with self._lock:
            return frozenset(self._credentials)

    def behave(self, act: Act | None = None, wanted: Wanted = lambda _: True) -> None:
        """From now on answers the wanted requests so, and passes the others on. The count of
        requests begins anew.
        """
        with self._lock:
            self._plan = [] if act is None else [(wanted, act)]
            self._first = len(self._all)

    def stop_listening(self) -> None:
        """Refuses connections from now on."""
        with self._lock:
            was_listening, self._is_listening = self._is_listening, False
        if was_listening:
            self._server.shutdown()
            self._server.server_close()

    def ask_upstream(self, request: Received) -> Reply:
        if not self._upstream:
            return Reply(200, {"Content-Type": "application/json"}, b"{}")
        connection = http.client.HTTPConnection(self._upstream, timeout=_UPSTREAM_TIMEOUT_S)
        try:
            headers = {k: v for k, v in request.headers.items() if k not in _HOP_BY_HOP}
            connection.request(request.method, request.target, request.body or None, headers)
            reply = connection.getresponse()
            kept = {k: v for k, v in reply.getheaders() if k.lower() not in _HOP_BY_HOP}
            return Reply(reply.status, kept, reply.read())
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.over.set()
        self.stop_listening()
        self._thread.join(10)
        with self._lock:
            sockets = tuple(self._sockets)
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _taken(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Received:
        with self._lock:
            number = len(self._all) - self._first
            request = Received(number, method, target, headers, body)
            self._all.append(request)
            self._credentials |= {*headers.get("authorization", "").split()[-1:]}
            return request

    def _act_for(self, request: Received) -> Act:
        with self._lock:
            return next((act for wanted, act in self._plan if wanted(request)), passed_on)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                with front._lock:
                    front._sockets.add(self.connection)

            def finish(self) -> None:
                with front._lock:
                    front._sockets.discard(self.connection)
                with suppress(OSError, ValueError):
                    super().finish()

            def log_message(self, *_: Any) -> None:
                """Keeps quiet."""

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = front._taken(self.command, self.path, headers, body)
                act = front._act_for(request)
                try:
                    keeps = act(Exchange(request, self.connection, front))
                except OSError:  # the provider went away first
                    keeps = False
                self.close_connection = self.close_connection or not keeps

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

        return Handler


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """A connection that was reset on purpose is no error here."""


def _plain(reply: Reply) -> bytes:
    packing = {k.lower(): v for k, v in reply.headers.items()}.get("content-encoding", "")
    return gzip.decompress(reply.body) if packing == "gzip" else reply.body
