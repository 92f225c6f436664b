"""One request and its answer, or how it broke. Raises nothing, so that no error drags the
request with its secrets along.
"""

import socket
import ssl
from collections.abc import Collection, Iterator
from http.client import HTTPException, RemoteDisconnected

from requests import PreparedRequest, RequestException, Response
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError, SSLError

from bot.net.body import UnreadableBodyError, read_body
from bot.net.errors import Break, Broken
from bot.net.reply import Reply
from bot.net.transport import GuardedAdapter
from bot.net.watchdog import Guard

_SHORTEST_S = 0.001
_FAILURES = (RequestException, HTTPError, HTTPException, OSError, ValueError, UnreadableBodyError)


def exchange(
    adapter: GuardedAdapter,
    request: PreparedRequest,
    guard: Guard,
    *,
    accept: Collection[int],
    max_body_bytes: int,
) -> Reply | Broken:
    """To be called inside the guard's block. The body of a status that is not accepted is
    left empty if it cannot be read: the status says enough.
    """
    try:
        response = adapter.send(
            request, stream=True, timeout=max(guard.deadline.remaining_s(), _SHORTEST_S)
        )
    except _FAILURES as error:
        return _broken(error, guard)
    try:
        body = read_body(response.raw, max_body_bytes)
    except _FAILURES as error:
        return _broken(error, guard) if response.status_code in accept else _reply(response, b"")
    finally:
        response.close()
    if guard.expired and response.status_code in accept:
        return Broken(Break.TIMEOUT, sent=True)  # a shut socket looks like the end of a body
    return _reply(response, body)


def _reply(response: Response, body: bytes) -> Reply:
    return Reply(response.status_code, CaseInsensitiveDict(response.headers), body)


def _broken(error: BaseException, guard: Guard) -> Broken:
    chain = tuple(_chain(error))
    cause = type(chain[-1]).__name__
    return Broken(_how(chain, guard), sent=guard.connected, cause=cause)


def _how(chain: tuple[BaseException, ...], guard: Guard) -> Break:
    if guard.expired or guard.deadline.remaining_s() <= 0 or _has(chain, TimeoutError):
        return Break.TIMEOUT
    if _has(chain, socket.gaierror):
        return Break.UNRESOLVED
    if not guard.connected:
        secure = _has(chain, ssl.SSLError) or _has(chain, SSLError)
        return Break.INSECURE if secure else Break.UNREACHABLE
    if _has(chain, RemoteDisconnected) or _has(chain, OSError, but=RequestException):
        return Break.LOST
    return Break.UNREADABLE


def _has(
    chain: tuple[BaseException, ...],
    kind: type[BaseException],
    but: tuple[type[BaseException], ...] | type[BaseException] = (),
) -> bool:
    return any(isinstance(error, kind) and not isinstance(error, but) for error in chain)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made from, down to the first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = [value for value in current.args if isinstance(value, BaseException)]
        current = current.__cause__ or current.__context__ or (inner[0] if inner else None)
