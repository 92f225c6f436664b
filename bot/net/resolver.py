"""Host names to addresses, without waiting for longer than a call may take.

The system's resolver cannot be interrupted, so it is asked in a thread that may be left
behind. Callers after the same name share one thread: a hanging resolver costs one a host.
"""

import ipaddress
import socket
import threading
from concurrent.futures import Future
from typing import Any

from bot.domain.clock import Deadline

AddressInfo = tuple[int, int, int, str, Any]  # as socket.getaddrinfo returns it


class Resolver:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, int], Future[list[AddressInfo]]] = {}

    def resolve(self, host: str, port: int, deadline: Deadline) -> list[AddressInfo]:
        """OSError (socket.gaierror) if there is no such name, TimeoutError at the deadline."""
        if _is_address(host):
            return _look_up(host, port)
        return self._shared(host, port).result(timeout=deadline.remaining_s())

    def _shared(self, host: str, port: int) -> "Future[list[AddressInfo]]":
        with self._lock:
            future = self._pending.get((host, port))
            if future is None:
                future = Future()
                threading.Thread(
                    target=self._run, args=(host, port, future), name="net-resolver", daemon=True
                ).start()
                self._pending[host, port] = future
            return future

    def _run(self, host: str, port: int, future: "Future[list[AddressInfo]]") -> None:
        found: list[AddressInfo] | OSError = socket.gaierror(socket.EAI_NONAME, "not resolved")
        try:
            found = _look_up(host, port)
        except OSError as error:
            found = error
        except UnicodeError:
            found = socket.gaierror(socket.EAI_NONAME, "not a host name")
        finally:
            with self._lock:
                self._pending.pop((host, port), None)
            if isinstance(found, OSError):
                future.set_exception(found)
            else:
                future.set_result(found)


def _look_up(host: str, port: int) -> list[AddressInfo]:
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
