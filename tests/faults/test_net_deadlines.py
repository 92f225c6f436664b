"""Vendors that hang or drip (F9): a call ends at its deadline."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.domain.errors import Kind, ProviderError
from bot.playground.faults import Fault, FaultPlan
from bot.playground.server import Server
from tests.fakes.net import Peer, RawServer, Script, answers, reply, then, within
from tests.fakes.net_faults import SLOW, call, client_of, done_within, failure


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW.keys())
@pytest.mark.parametrize(("method", "kind"), [("GET", Kind.UNAVAILABLE), ("POST", Kind.AMBIGUOUS)])
def test_f9_a_call_ends_at_its_deadline(script: Script, method: str, kind: Kind) -> None:
    with RawServer(script) as server, done_within(0.5, 2):
        error = failure(server.url, method, seconds=0.6)
    assert error.kind is kind
    assert len(server.received) == 1


def test_f9_the_instances_own_limit_counts_too() -> None:
    with RawServer(SLOW["dripping body"]) as server, done_within(0.4, 2):
        error = failure(server.url, seconds=60, timeout_s=0.5)
    assert "did not answer in time" in error.message


def test_f9_a_dripping_error_still_tells_its_status() -> None:
    script = then(
        lambda p: p.send(b"HTTP/1.1 401 No\r\nContent-Length: 9999\r\n\r\n"), lambda p: p.drip(b"x")
    )
    with RawServer(script) as server, done_within(0.4, 2):
        assert failure(server.url, seconds=0.5).kind is Kind.AUTH


def test_f9_a_stand_in_that_drips_or_hangs_holds_nobody() -> None:
    plan = FaultPlan()
    app = web.Application(middlewares=[plan.middleware()])

    async def runs(_request: web.Request) -> web.Response:
        return web.Response(body=b"[" + b" " * 500 + b"]")

    app.router.add_get("/runs", runs)
    with Server(app) as server:
        plan.add(Fault(drip_s=0.05, times=1))
        with done_within(0.4, 2):
            assert failure(server.url, seconds=0.5).kind is Kind.UNAVAILABLE
        plan.add(Fault(hang=True, times=1))
        with done_within(0.4, 2):
            assert failure(server.url, seconds=0.5).kind is Kind.UNAVAILABLE
        assert call(server.url).json() == []


def test_f9_a_hanging_call_holds_no_other() -> None:
    slow = threading.Event()

    def script(peer: Peer) -> bool:
        if not slow.is_set():
            slow.set()
            peer.hang()
        peer.send(reply())
        return False

    with RawServer(script) as server:
        client = client_of(server.url)
        errors: list[ProviderError] = []

        def hang() -> None:
            try:
                client.request("GET", "runs", deadline=within(3))
            except ProviderError as error:
                errors.append(error)

        thread = threading.Thread(target=hang)
        thread.start()
        assert slow.wait(5)
        with done_within(0, 1):
            assert client.request("GET", "runs", deadline=within(3)).status == 200
        thread.join(timeout=10)
        assert [e.kind for e in errors] == [Kind.UNAVAILABLE]


def our_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("net-")]


def test_f9_ends_leave_no_threads_and_no_descriptors() -> None:
    with RawServer(SLOW["dripping headers"]) as server:
        failure(server.url, seconds=0.1)
        threads = our_threads()
        before = len(list(Path("/proc/self/fd").iterdir())) - server.connections
        for _ in range(10):
            failure(server.url, seconds=0.1)
        after = len(list(Path("/proc/self/fd").iterdir())) - server.connections
        assert after <= before + 2
        assert our_threads() == threads


@pytest.fixture
def hanging_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    asked: list[str] = []
    free = threading.Event()

    def hang(host: str, *_: object, **__: object) -> object:
        asked.append(host)
        free.wait(30)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield asked
    free.set()
    for thread in threading.enumerate():
        if thread.name == "net-resolver":
            thread.join(timeout=10)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f9_name_resolution_that_hangs(hanging_resolver: list[str], method: str) -> None:
    with done_within(0.4, 2):
        error = failure("https://ci.example.org", method, seconds=0.5)
    assert error.kind is Kind.UNAVAILABLE
    failure("https://ci.example.org", method, seconds=0.1)
    assert hanging_resolver == ["ci.example.org"]  # one lookup, however many ask


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f9_a_connection_that_is_never_taken(method: str) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)  # noqa: FBT003
            filler.connect_ex(full.getsockname())
        with done_within(0.4, 2):
            error = failure(f"http://127.0.0.1:{full.getsockname()[1]}", method, seconds=0.5)
        for filler in fillers:
            filler.close()
    assert error.kind is Kind.UNAVAILABLE


@pytest.mark.parametrize("greeting", [b"", b"\x16\x03\x03\x40\x00"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f9_a_handshake_that_never_ends(method: str, greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(greeting)
                while sock.recv(65536):
                    pass

        thread = threading.Thread(target=greet)
        thread.start()
        with done_within(0.4, 2):
            error = failure(f"https://127.0.0.1:{listener.getsockname()[1]}", method, seconds=0.5)
        thread.join(timeout=10)
    assert error.kind is Kind.UNAVAILABLE


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate of 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(  # noqa: S603
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "key"), "-out", str(folder / "pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "pem", certificate / "key")
    return context


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_certificate_nobody_vouches_for_gets_no_request(
    server_tls: ssl.SSLContext, method: str
) -> None:
    with RawServer(answers(reply()), server_tls) as server:
        error = failure(server.url, method)
        assert server.received == []
    assert error.kind is Kind.UNAVAILABLE
    assert "certificate" in error.message


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f9_a_call_through_tls_ends_at_its_deadline(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, server_tls: ssl.SSLContext, method: str
) -> None:
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate / "pem"))
    with RawServer(answers(reply(body=b"[1]"), keep=True), server_tls) as server:
        client = client_of(server.url)
        for _ in range(2):
            assert client.request(method, "runs", deadline=within(5)).json() == [1]
        for name in ("silence", "dripping headers", "dripping body", "dripping body until close"):
            server.script = SLOW[name]
            with done_within(0.5, 2), pytest.raises(ProviderError) as caught:
                client.request(method, "runs", deadline=within(0.6))
            assert caught.value.kind in {Kind.UNAVAILABLE, Kind.AMBIGUOUS}
