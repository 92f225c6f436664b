"""A TCP relay on loopback that can fall silent: sockets stay open, and nothing is passed on.

So looks a connection whose far end is gone without a FIN or a reset, behind a box that still
takes what is sent.
"""

import socket
import threading
from contextlib import suppress
from typing import Self

_CHUNK = 65536


class Relay:
    """Passes everything on to 127.0.0.1:`port`. Use as a context manager; thread-safe.

    `is_dead` is about connections made from now on, which are taken and stay silent.
    """

    def __init__(self, port: int) -> None:
        self.is_dead = False
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[_Pair] = []
        self._accepter = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def silence(self) -> None:
        """Every connection that is open now passes nothing on any more, either way, for ever."""
        for pair in list(self._pairs):
            pair.is_silent = True

    def __enter__(self) -> Self:
        self._accepter.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepter.join(5)
        for pair in self._pairs:
            pair.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self._pairs.append(_Pair(near, socket.create_connection(self._target), self.is_dead))


class _Pair:
    """Two sockets and a thread for each way. A silent pair closes neither for the other."""

    def __init__(self, near: socket.socket, far: socket.socket, is_silent: bool) -> None:  # noqa: FBT001
        self.is_silent = is_silent
        self._sockets = (near, far)
        self._threads = [
            threading.Thread(target=self._pump, args=way, daemon=True)
            for way in ((near, far), (far, near))
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        for one in self._sockets:
            _end(one)
        for thread in self._threads:
            thread.join(5)
        for one in self._sockets:
            one.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(_CHUNK):
                if not self.is_silent:
                    target.sendall(data)
        except OSError:
            pass  # the other way, or the end of the test, has closed it
        if not self.is_silent:
            _end(target)


def _end(one: socket.socket) -> None:
    with suppress(OSError):  # it was closed by its other side
        one.shutdown(socket.SHUT_RDWR)
