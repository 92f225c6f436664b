"""Connections that stand under the watchdog, as an adapter of requests.

Requests' sessions are not used: they follow redirects and read netrc files, proxy variables
and cookies, which an adapter by itself does not.
"""

import logging
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bot.net.resolver import Resolver
from bot.net.watchdog import Guard, current_guard

# Its debug lines and warnings show whole URLs and unreadable header lines.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

_RESOLVER = Resolver()
_SHORTEST_S = 0.001


class _Guarded(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _dial(self._dns_host, self.port, current_guard())

    def connect(self) -> None:
        super().connect()
        current_guard().connected = True

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # kept open since an earlier call
            current_guard().hold(self.sock)
            current_guard().connected = True
        super().request(*args, **kwargs)


class _GuardedTls(_Guarded, HTTPSConnection):
    """The same through TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTls


class GuardedAdapter(HTTPAdapter):
    """To be used inside `guarded` only. Thread-safe; keeps connections open for reuse."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _dial(host: str, port: int, guard: Guard) -> socket.socket:
    """Tries the addresses of `host` in turn, each with its share of the time that is left."""
    addresses = _RESOLVER.resolve(host, port, guard.deadline)
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            share_s = guard.deadline.remaining_s() / (len(addresses) - index)
            sock.settimeout(max(share_s, _SHORTEST_S))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(max(guard.deadline.remaining_s(), _SHORTEST_S))
            guard.hold(sock)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure
