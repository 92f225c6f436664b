"""Ends calls at their deadline by shutting their socket.

A socket's own timeout is for one read: a server that sends a byte now and then holds a call
for as long as it likes. One thread for the whole process watches all calls.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from bot.domain.clock import Deadline


class Guard:
    """One call under watch. `connected` says that bytes may have been sent, `expired` that
    the deadline ended the call.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.connected = False
        self.expired = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def hold(self, sock: socket.socket) -> None:
        """Watches `sock` through a descriptor of its own: TLS takes the socket object over,
        and a closed descriptor's number may already be another connection.
        """
        own = socket.fromfd(sock.fileno(), sock.family, sock.type)
        with self._lock:
            self._close()
            self._socket = own
            if self.expired:
                self._shut()

    def expire(self) -> None:
        with self._lock:
            self.expired = True
            self._shut()

    def release(self) -> None:
        with self._lock:
            self._close()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # the other side was quicker
                self._socket.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Watchdog:
    """Expires guards. Its thread starts with the first one and stays."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._guards: set[Guard] = set()
        self._thread: threading.Thread | None = None

    def add(self, guard: Guard) -> None:
        with self._changed:
            self._guards.add(guard)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._watch, name="net-watchdog", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def remove(self, guard: Guard) -> None:
        with self._changed:
            self._guards.discard(guard)

    def _watch(self) -> None:
        with self._changed:
            while True:
                self._changed.wait(self._expire_due())

    def _expire_due(self) -> float | None:
        """Seconds until the next guard is due; None while there is none."""
        soonest: float | None = None
        for guard in tuple(self._guards):
            left_s = guard.deadline.remaining_s()
            if left_s <= 0:
                self._guards.discard(guard)
                guard.expire()
            else:
                soonest = left_s if soonest is None else min(soonest, left_s)
        return soonest


_WATCHDOG = Watchdog()
_CURRENT: ContextVar[Guard] = ContextVar("net_guard")


@contextmanager
def guarded(deadline: Deadline) -> Iterator[Guard]:
    """Watches the connections that this thread uses inside the block."""
    guard = Guard(deadline)
    token = _CURRENT.set(guard)
    _WATCHDOG.add(guard)
    try:
        yield guard
    finally:
        _WATCHDOG.remove(guard)
        guard.release()
        _CURRENT.reset(token)


def current_guard() -> Guard:
    """The guard of this thread's call; LookupError outside of `guarded`."""
    return _CURRENT.get()
