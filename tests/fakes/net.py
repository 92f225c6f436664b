"""A vendor that answers with bytes as written down, and clocks."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Self

from bot.domain.clock import Deadline

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class RealClock:
    """Runs at the machine's pace; its time of day begins at START."""

    def now(self) -> datetime:
        return START + timedelta(seconds=time.monotonic())

    def monotonic(self) -> float:
        return time.monotonic()


class StillClock:
    """Moves when told to, or when `wait` is called."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return 1000.0 + self.passed_s

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed_s += seconds


def within(seconds: float) -> Deadline:
    return Deadline.after(RealClock(), seconds)


def reply(status: int = 200, body: bytes = b"{}", head: str = "") -> bytes:
    """A whole HTTP/1.1 answer; `head` holds further header lines, each with CR LF."""
    start = f"HTTP/1.1 {status} Word\r\nContent-Length: {len(body)}\r\n{head}\r\n"
    return start.encode("latin-1") + body


@dataclass(frozen=True, slots=True)
class Received:
    connection: int
    head: str
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split("\r\n", 1)[0]

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None


class Peer:
    """The vendor's end of one connection."""

    def __init__(self, sock: socket.socket, stopped: threading.Event) -> None:
        self._sock = sock
        self._stopped = stopped

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def drip(self, data: bytes, pause_s: float = 0.05) -> None:
        """A byte at a time, over and over."""
        while True:
            for index in range(len(data)):
                self.send(data[index : index + 1])
                if self._stopped.wait(pause_s):
                    return

    def hang(self) -> None:
        self._stopped.wait()

    def reset(self) -> None:
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._sock.close()


Script = Callable[[Peer], bool]
"""Answers one request; False closes the connection afterwards."""


class RawServer:
    """Reads requests and lets `script` answer. A context manager on 127.0.0.1."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self._tls = tls
        self.received: list[Received] = []
        self.connections = 0
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._spawn(self._accept)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._sockets.append(sock)
                number = self.connections
                self._spawn(partial(self._serve, sock, number))

    def _serve(self, sock: socket.socket, number: int) -> None:
        with sock, suppress(OSError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            self._talk(sock, number)

    def _talk(self, sock: socket.socket, number: int) -> None:
        peer = Peer(sock, self._stopped)
        with sock:
            while (request := _read_request(sock, number)) is not None:
                self.received.append(request)
                if not self.script(peer):
                    return


def _read_request(sock: socket.socket, number: int) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = sock.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    request = Received(number, head.decode("latin-1"), body)
    missing = int(request.header("Content-Length") or 0) - len(body)
    while missing > 0 and (chunk := sock.recv(65536)):
        body += chunk
        missing -= len(chunk)
    return Received(number, request.head, body)


def then(*steps: Callable[[Peer], object]) -> Script:
    """Does one thing after the other, then closes."""

    def script(peer: Peer) -> bool:
        for step in steps:
            step(peer)
        return False

    return script


def in_turn(*scripts: Script) -> Script:
    """Each request gets a script of its own."""
    left = list(scripts)

    def script(peer: Peer) -> bool:
        return left.pop(0)(peer)

    return script


def answers(*data: bytes, keep: bool = False) -> Script:
    """Answers each request with the next of `data`, and the last one for ever."""
    left = list(data)

    def script(peer: Peer) -> bool:
        peer.send(left.pop(0) if len(left) > 1 else left[0])
        return keep

    return script
