"""Ways to misbehave on the wire, and calls of a client that meets them."""

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.domain.errors import ProviderError
from bot.net import HttpClient, Reply
from tests.fakes.net import (
    Peer,
    RealClock,
    reply,
    then,
    within,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENDLESS = HEAD + b"Content-Length: 100000\r\n\r\n"


def client_of(url: str, **options: object) -> HttpClient:
    options = {"clock": RealClock(), "requests_per_minute": 1_000_000, **options}
    return HttpClient(service="Wercker", base_url=url, **options)  # type: ignore[arg-type]


def call(url: str, method: str = "GET", seconds: float = 5, **options: object) -> Reply:
    return client_of(url, **options).request(method, "runs", deadline=within(seconds))


def failure(url: str, method: str = "GET", seconds: float = 5, **options: object) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        call(url, method, seconds, **options)
    return caught.value


@contextmanager
def done_within(least_s: float, most_s: float) -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert least_s <= time.monotonic() - begin < most_s


SLOW = {
    "silence": then(Peer.hang),
    "half a status line": then(lambda p: p.send(b"HTTP/1.1 20"), Peer.hang),
    "dripping status line": then(lambda p: p.drip(b"HTTP/1.1 200 " + b"O" * 60_000)),
    "dripping headers": then(lambda p: p.send(HEAD), lambda p: p.drip(b"X: y\r\n")),
    "endless continues": then(lambda p: p.drip(b"HTTP/1.1 100 Continue\r\n\r\n", 0.001)),
    "no body": then(lambda p: p.send(ENDLESS), Peer.hang),
    "dripping body": then(lambda p: p.send(ENDLESS), lambda p: p.drip(b" ")),
    "dripping body until close": then(lambda p: p.send(HEAD + b"\r\n"), lambda p: p.drip(b" ")),
    "dripping chunks": then(
        lambda p: p.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        lambda p: p.drip(b"1\r\nx\r\n"),
    ),
    "dripping chunk size": then(
        lambda p: p.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"), lambda p: p.drip(b"0")
    ),
}


GARBAGE = {
    "not http": b"hello\r\n\r\n",
    "other protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "status out of range": b"HTTP/1.1 42 OK\r\n\r\n",
    "endless status line": b"HTTP/1.1 200 " + b"x" * 200_000,
    "endless header": HEAD + b"X: " + b"x" * 200_000,
    "too many headers": HEAD + b"X: y\r\n" * 500 + b"\r\n",
    "shorter than announced": HEAD + b"Content-Length: 10\r\n\r\n{}",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}",
    "chunk garbage": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "chunk cut": HEAD + b"Transfer-Encoding: chunked\r\n\r\n20\r\n{}",
    "chunk end missing": HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "too large by length": HEAD + b"Content-Length: 200000\r\n\r\n" + b" " * 200_000,
    "too large until close": HEAD + b"\r\n" + b" " * 200_000,
    "gzip that is none": reply(body=b"{}", head="Content-Encoding: gzip\r\n"),
    "gzip cut": reply(body=gzip.compress(b"[1]")[:-9], head="Content-Encoding: gzip\r\n"),
    "gzip bomb": reply(body=gzip.compress(b" " * 200_000), head="Content-Encoding: gzip\r\n"),
    "other packing": reply(body=b"{}", head="Content-Encoding: br\r\n"),
    "switching protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    "unknown status": b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
}
