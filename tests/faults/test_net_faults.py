"""Vendors that answer badly (F10), ask for quiet (F11) or fail in passing."""

import gzip
import socket
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import Kind, ProviderError
from bot.net import HttpError
from tests.fakes.net import (
    Peer,
    RawServer,
    Script,
    StillClock,
    answers,
    in_turn,
    reply,
    then,
    within,
)
from tests.fakes.net_faults import (
    ENDLESS,
    GARBAGE,
    HEAD,
    call,
    client_of,
    failure,
)


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
@pytest.mark.parametrize(("method", "kind"), [("GET", Kind.BAD_REPLY), ("POST", Kind.AMBIGUOUS)])
def test_f10_malformed_replies(data: bytes, method: str, kind: Kind) -> None:
    with RawServer(answers(data)) as server:
        error = failure(server.url, method, max_body_bytes=100_000)
    assert error.kind is kind
    assert len(server.received) == 1


def test_f10_gzip_nobody_asked_for_is_unpacked() -> None:
    packed = gzip.compress(b"[1, ") + gzip.compress(b"2]")
    with RawServer(answers(reply(body=packed, head="Content-Encoding: gzip\r\n"))) as server:
        assert call(server.url).json() == [1, 2]


@pytest.mark.parametrize("status", [200, 500])
def test_f10_a_gzip_bomb_costs_no_memory(status: int) -> None:
    bomb = gzip.compress(bytes(64 * 2**20), 9) * 3
    data = reply(status, bomb, "Content-Encoding: gzip\r\n")
    with RawServer(answers(data)) as server:
        call_of = client_of(server.url, max_body_bytes=2**20)
        tracemalloc.start()
        with pytest.raises(ProviderError) as caught:
            call_of.request("GET", "runs", deadline=within(20))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert caught.value.kind is (Kind.BAD_REPLY if status == 200 else Kind.UNAVAILABLE)
    assert peak < 8 * 2**20


def test_f10_packed_bytes_are_capped_even_if_they_unpack_to_nothing() -> None:
    data = reply(body=gzip.compress(b"") * 100, head="Content-Encoding: gzip\r\n")
    with RawServer(answers(data)) as server:
        assert failure(server.url, max_body_bytes=1000).kind is Kind.BAD_REPLY


def test_f10_an_endless_body_is_cut_at_the_cap() -> None:
    def flood(peer: Peer) -> bool:
        peer.send(HEAD + b"\r\n")
        while True:
            peer.send(b" " * 65_536)

    with RawServer(flood) as server:
        assert failure(server.url, seconds=20, max_body_bytes=2**20).kind is Kind.BAD_REPLY


def test_f10_a_body_up_to_the_cap_is_read() -> None:
    with RawServer(answers(reply(body=b"[" + b" " * 998 + b"]"))) as server:
        assert call(server.url, max_body_bytes=1000).json() == []
        assert failure(server.url, max_body_bytes=999).kind is Kind.BAD_REPLY


def test_f10_an_error_page_that_cannot_be_read_still_tells_its_status() -> None:
    data = reply(404, b"not gzip", "Content-Encoding: gzip\r\n")
    with RawServer(answers(data)) as server:
        error = failure(server.url)
    assert error.kind is Kind.NOT_FOUND
    assert isinstance(error, HttpError)
    assert error.reply.body == b""


@given(st.binary(max_size=200), st.sampled_from([b"", b"HTTP/1.1 ", HEAD, HEAD + b"\r\n"]))
@settings(max_examples=150, deadline=None)
def test_f10_any_bytes_are_an_answer_or_one_error(data: bytes, start: bytes) -> None:
    with RawServer(answers(start + data)) as server:
        for method in ("GET", "POST"):
            try:
                call(server.url, method, wait=lambda _: None)
            except ProviderError as error:
                assert error.kind in Kind  # noqa: PT017
                assert error.message.endswith(".")  # noqa: PT017


def test_every_status_over_a_socket() -> None:
    with RawServer(answers(reply())) as server:
        for status in range(101, 600):
            server.script = answers(reply(status, b""))
            for method in ("GET", "POST"):
                if 200 <= status < 300:
                    assert call(server.url, method).status == status
                    continue
                error = failure(server.url, method, wait=lambda _: None)
                assert isinstance(error, HttpError)
                assert error.reply.status == status


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("1000000000", 900.0),
        ("-1", 0.0),
        ("soon", None),
        ("Thu, 01 Jan 2026 12:01:00 GMT", 60.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
@pytest.mark.parametrize(
    ("status", "method", "kind"),
    [
        (429, "GET", Kind.RATE_LIMITED),
        (429, "POST", Kind.RATE_LIMITED),
        (503, "GET", Kind.UNAVAILABLE),
        (503, "POST", Kind.AMBIGUOUS),
    ],
)
def test_f11_retry_after_is_honoured_and_limited(
    value: str, seconds: float | None, status: int, method: str, kind: Kind
) -> None:
    clock = StillClock()
    with RawServer(answers(reply(status, head=f"Retry-After: {value}\r\n"))) as server:
        error = failure(server.url, method, clock=clock, wait=lambda _: None)
    assert (error.kind, error.retry_after_s) == (kind, seconds)


@pytest.mark.parametrize("status", [429, 503])
def test_f11_nothing_is_sent_while_the_vendor_wants_quiet(status: int) -> None:
    clock = StillClock()
    script = answers(reply(status, head="Retry-After: 60\r\n"), reply())
    with RawServer(script) as server:
        client = client_of(server.url, clock=clock, wait=clock.wait)
        for passed_s, left_s in ((0, 60), (0, 60), (45, 15)):
            clock.wait(passed_s)
            with pytest.raises(ProviderError) as caught:
                client.request("GET", "runs", deadline=within(5))
            assert caught.value.retry_after_s == left_s
        assert caught.value.kind is Kind.RATE_LIMITED
        assert "Nothing was sent" in caught.value.message
        assert len(server.received) == 1
        clock.wait(15.1)
        assert client.request("GET", "runs", deadline=within(5)).status == 200


PASSING = {
    "closed": then(lambda _: None),
    "reset": then(Peer.reset),
    "502": answers(reply(502)),
    "503": answers(reply(503)),
    "503 at once": answers(reply(503, head="Retry-After: 0\r\n")),
    "504": answers(reply(504)),
    "reset in the body": then(lambda p: p.send(ENDLESS), Peer.reset),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_read_survives_one_passing_fault_and_not_two(fault: Script) -> None:
    with RawServer(in_turn(fault, answers(reply()), fault, fault, answers(reply()))) as server:
        client = client_of(server.url)
        assert client.request("GET", "runs", deadline=within(5)).status == 200
        with pytest.raises(ProviderError) as caught:
            client.request("GET", "runs", deadline=within(5))
        assert caught.value.kind is Kind.UNAVAILABLE
        assert len(server.received) == 4


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_change_is_sent_once_and_left_open(fault: Script, method: str) -> None:
    with RawServer(fault) as server:
        error = failure(server.url, method)
        assert error.kind is Kind.AMBIGUOUS
        assert len(server.received) == 1


@pytest.mark.parametrize("data", [reply(500), reply(401), reply(404), reply(200, b"x" * 99)])
def test_a_read_is_not_repeated_for_a_lasting_fault(data: bytes) -> None:
    with RawServer(answers(data)) as server:
        failure(server.url, max_body_bytes=50)
        assert len(server.received) == 1


def test_a_read_is_not_repeated_without_time() -> None:
    with RawServer(answers(reply(502))) as server:
        error = failure(server.url, seconds=0.15)
        assert len(server.received) == 1
    assert isinstance(error, HttpError)  # and not a second one that ran out of time


def test_a_read_on_a_stale_connection_is_repeated_on_a_new_one() -> None:
    script = in_turn(answers(reply(), keep=True), then(Peer.reset), answers(reply()))
    with RawServer(script) as server:
        client = client_of(server.url)
        for _ in range(2):
            assert client.request("GET", "runs", deadline=within(5)).status == 200
        assert [r.connection for r in server.received] == [1, 1, 2]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_connection_means_nothing_was_done(method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}", method)
    assert error.kind is Kind.UNAVAILABLE
    assert "nothing was done" in error.message


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_host_means_nothing_was_done(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure("https://ci.example.org", method)
    assert error.kind is Kind.UNAVAILABLE
    assert "host name" in error.message
