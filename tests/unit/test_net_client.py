"""The HTTP client over real sockets, while all is well."""

import threading
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError

import pytest

from bot.domain.errors import Kind, ProviderError
from bot.net import BearerAuth, HttpClient, HttpError
from bot.net.outgoing import UnsendableError, user_agent
from tests.fakes.net import RawServer, RealClock, StillClock, answers, reply, within


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answers(reply(), keep=True)) as running:
        yield running


def client_of(server: RawServer, **options: object) -> HttpClient:
    options = {"requests_per_minute": 100_000, **options}
    return HttpClient(
        service="Wercker",
        base_url=f"{server.url}/api/v3",
        clock=RealClock(),
        **options,  # type: ignore[arg-type]
    )


def test_a_read_says_what_it_wants(server: RawServer) -> None:
    client = client_of(server, auth=BearerAuth("abc"))
    answer = client.request(
        "GET", "runs", "a/b", deadline=within(5), query=[("stages", "a b")], trailing_slash=True
    )
    request = server.received[0]
    assert request.line == "GET /api/v3/runs/a%2Fb/?stages=a%20b HTTP/1.1"
    assert request.header("Authorization") == "Bearer abc"
    assert request.header("Accept-Encoding") == "identity"
    assert request.header("User-Agent") == user_agent()
    assert user_agent().startswith("ci-chat-bot/")
    assert (answer.status, answer.json(), answer.headers["CONTENT-length"]) == (200, {}, "2")


def test_a_bare_checkout_has_a_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("bot.net.outgoing.version", unknown)
    user_agent.cache_clear()
    assert user_agent() == "ci-chat-bot/0"
    user_agent.cache_clear()


def test_bodies_are_json_or_a_form(server: RawServer) -> None:
    client = client_of(server)
    client.request("POST", "a", deadline=within(5), json={"é": [1, None]})
    client.request("POST", "a", deadline=within(5), json=None)
    client.request("POST", "a", deadline=within(5), form={"a b": "c&d"})
    client.request("PUT", "a", deadline=within(5))
    bodies = [r.body for r in server.received]
    assert bodies == [b'{"\\u00e9": [1, null]}', b"null", b"a+b=c%26d", b""]
    types = [r.header("Content-Type") for r in server.received]
    assert types == ["application/json"] * 2 + ["application/x-www-form-urlencoded", None]


def test_json_with_nan_and_two_bodies_are_a_mistake_of_the_caller(server: RawServer) -> None:
    client = client_of(server)
    with pytest.raises(ValueError, match="JSON"):
        client.request("POST", "a", deadline=within(5), json=float("nan"))
    with pytest.raises(ValueError, match="either"):
        client.request("POST", "a", deadline=within(5), json=1, form={})
    assert server.received == []


def test_reads_share_a_connection_and_each_change_has_its_own(server: RawServer) -> None:
    client = client_of(server)
    for method in ("GET", "GET", "POST", "GET", "POST"):
        client.request(method, "a", deadline=within(5))
    assert [r.connection for r in server.received] == [1, 1, 2, 1, 3]
    assert server.received[2].header("Connection") == "close"


def test_a_post_may_be_declared_a_read(server: RawServer) -> None:
    client = client_of(server)
    server.script = answers(reply(502), reply(body=b"no json"), keep=True)
    answer = client.request("POST", "search", deadline=within(5), changes=False)
    assert len(server.received) == 2
    with pytest.raises(ProviderError) as caught:
        answer.json()
    assert caught.value.kind is Kind.BAD_REPLY


def test_cookies_are_not_kept(server: RawServer) -> None:
    server.script = answers(reply(head="Set-Cookie: a=b; Path=/\r\n"), keep=True)
    client = client_of(server)
    client.request("GET", "a", deadline=within(5))
    client.request("GET", "a", deadline=within(5))
    assert server.received[1].header("Cookie") is None


def test_accept_decides_what_is_an_answer(server: RawServer) -> None:
    server.script = answers(reply(404, b'{"error": "gone"}'), keep=True)
    client = client_of(server)
    assert client.request("GET", "a", deadline=within(5), accept=(200, 404)).status == 404
    with pytest.raises(HttpError) as caught:
        client.request("GET", "a", deadline=within(5))
    assert caught.value.kind is Kind.NOT_FOUND
    assert caught.value.reply.json() == {"error": "gone"}
    server.script = answers(reply(202), keep=True)
    with pytest.raises(HttpError) as caught:
        client.request("POST", "a", deadline=within(5), accept=(200,))
    assert caught.value.kind is Kind.AMBIGUOUS


def test_an_error_for_the_log_tells_path_and_status_but_no_query(server: RawServer) -> None:
    server.script = answers(reply(403, b"canary"))
    client = client_of(server)
    with pytest.raises(ProviderError) as caught:
        client.request("GET", "runs", "7", deadline=within(5), query=[("canary", "canary")])
    assert caught.value.detail.startswith("GET /api/v3/runs/7: 403 after ")
    assert "canary" not in caught.value.detail


@pytest.mark.parametrize("headers", [{"X": "canary\r\nEvil: 1"}, {"X": "canary…"}, {"": "canary"}])
def test_t10_headers_cannot_be_split(server: RawServer, headers: dict[str, str]) -> None:
    with pytest.raises(ProviderError) as caught:
        client_of(server).request("GET", "a", deadline=within(5), headers=headers)
    error = caught.value
    assert error.kind is Kind.INVALID
    assert isinstance(error.__cause__, UnsendableError)
    assert error.__cause__.__context__ is None
    assert "canary" not in repr(error) + repr(error.__cause__)
    assert server.received == []


def test_threads_share_a_client(server: RawServer) -> None:
    client = client_of(server)
    before = threading.active_count()
    statuses: list[int] = []

    def work() -> None:
        for _ in range(20):
            statuses.append(client.request("GET", "a", deadline=within(10)).status)  # noqa: PERF401

    workers = [threading.Thread(target=work) for _ in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    assert statuses == [200] * 200
    assert threading.active_count() <= before + 1 + server.connections


def still_client(server: RawServer, clock: StillClock) -> HttpClient:
    return HttpClient(
        service="Wercker",
        base_url=server.url,
        clock=clock,
        wait=clock.wait,
        requests_per_minute=6,
        timeout_s=60,
    )


def test_the_budget_is_waited_for(server: RawServer) -> None:
    clock = StillClock()
    client = still_client(server, clock)
    for _ in range(3):
        client.request("GET", "a", deadline=within(60))
    assert clock.waits == [10.0, 10.0]


def test_a_wait_beyond_the_deadline_is_refused_at_once(server: RawServer) -> None:
    clock = StillClock()
    client = still_client(server, clock)
    client.request("POST", "a", deadline=within(5))
    with pytest.raises(ProviderError) as caught:
        client.request("POST", "a", deadline=within(5))
    assert caught.value.kind is Kind.RATE_LIMITED
    assert caught.value.retry_after_s == 10.0
    assert "Nothing was sent" in caught.value.message
    assert clock.waits == []
    assert len(server.received) == 1


def test_a_second_try_needs_budget_too(server: RawServer) -> None:
    server.script = answers(reply(502))
    with pytest.raises(ProviderError) as caught:
        still_client(server, StillClock()).request("GET", "a", deadline=within(5))
    assert caught.value.kind is Kind.UNAVAILABLE
    assert len(server.received) == 1


def test_no_time_left_sends_nothing(server: RawServer) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(ProviderError) as caught:
            client_of(server).request(method, "a", deadline=within(0))
        assert caught.value.kind is Kind.UNAVAILABLE
    assert server.received == []
