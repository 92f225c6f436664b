"""Every recorded request to a real debci, sent again to the stand-in: the answers must agree."""

import gzip
import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.debci import DebciStandin
from bot.playground.vendors.debci_model import Outcome, Status, Version
from bot.playground.vendors.debci_rules import Rejected

RECORDED = Path(__file__).parents[1] / "recorded" / "debci"
VERSIONS: tuple[Version, ...] = ("3.6", "3.12")
START = 1_795_293_706.3
KEYS = {
    "11111111-1111-1111-1111-111111111111": "chatops",
    "22222222-2222-2222-2222-222222222222": "someone-else",
}
REJECTED = (
    Rejected("blocked-everywhere", comment="example: blocked everywhere"),
    Rejected("blocked-here", "testing", "amd64", comment="example: blocked in one place only"),
)
OUTCOMES: dict[str, Status] = {
    "hello": "pass",
    "hello-fail": "fail",
    "hello-tmpfail": "tmpfail",
    "hello-neutral": "neutral",
    "hello-skip": "pass",
    "hello-late": "pass",
    "hello-secret": "pass",
}
SKIPPED = "Tests passed, but at least one test skipped"


@dataclass(frozen=True)
class Exchange:
    method: str
    target: str
    request_headers: dict[str, str]
    request_body: bytes
    status: int
    headers: dict[str, str]
    body: bytes


def _split(part: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = part.partition(b"\n\n")
    first, *lines = head.decode().splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    return first, headers, body


def _load(version: str, name: str) -> Exchange:
    raw = (RECORDED / version / f"{name}.http").read_bytes()
    _, asked, answered = re.split(rb"### (?:request|response)\n", raw)
    line, request_headers, request_body = _split(asked)
    method, target, _ = line.split(" ")
    status_line, headers, reply = _split(answered)
    length = int(headers.get("Content-Length", "0"))
    return Exchange(
        method,
        target,
        {k: v for k, v in request_headers.items() if k not in {"Host", "Content-Length"}},
        request_body[: int(request_headers.get("Content-Length", "0"))],
        int(status_line.split(" ")[1]),
        headers,
        reply[:length] if "Content-Encoding" not in headers else reply,
    )


def _names(version: str) -> list[str]:
    return sorted(path.stem for path in (RECORDED / version).glob("*.http"))


def _send(server: Server, exchange: Exchange, target: str | None = None) -> Exchange:
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    headers = exchange.request_headers
    link.request(exchange.method, target or exchange.target, exchange.request_body, headers)
    reply = link.getresponse()
    body = reply.read()
    link.close()
    got = dict(reply.getheaders())
    return Exchange(exchange.method, exchange.target, headers, b"", reply.status, got, body)


class Scene:
    """A stand-in with the story of the recording: the same requests in the same order."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.clock = ManualClock(START)
        self.debci = DebciStandin(self.clock, KEYS, version, reject_list=REJECTED)
        self.debci.workers = {"amd64", "arm64"}
        for package, status in OUTCOMES.items():
            message = SKIPPED if package == "hello-skip" else None
            duration_s = 4.0 if package in {"hello-skip", "hello-secret"} else 2.0
            outcome = Outcome(status, duration_s, message=message)
            self.debci.script(package, *[outcome] * 9)
        states: tuple[Status, ...] = ("fail", "pass", "fail")
        self.debci.script("hello-flaky", *[Outcome(state, 2.0) for state in states])

    def play(self, server: Server, *names: str) -> None:
        for name in names:
            exchange = _load(self.version, name)
            assert _send(server, exchange).status == exchange.status, name
            self.clock.advance(0.02)


REQUESTED = (
    "trigger-single-created",
    "trigger-single-priority",
    "trigger-array-created",
    "trigger-array-upload",
    "trigger-array-options",
    "trigger-array-rejected",
    "trigger-array-never-run",
)


@pytest.fixture(params=VERSIONS)
def scene(request: pytest.FixtureRequest) -> Scene:
    return Scene(request.param)


@pytest.fixture
def server(scene: Scene) -> Iterator[Server]:
    with Server(scene.debci.app) as running:
        yield running


NEEDS_A_STORY = {
    "list-after-retry",
    "list-finished",
    "list-mixed",
    "list-pending",
    "list-until-goes-back",
    "public-feed",
    "public-log",
    "public-packages",
    "public-status",
    "public-status-history",
    "retry-flaky",
    "retry-flaky-again",
    "trigger-broker-down",
}
CASES = [(v, name) for v in VERSIONS for name in _names(v) if name not in NEEDS_A_STORY]


@pytest.mark.parametrize(("version", "name"), CASES)
def test_a_recorded_request_gets_the_recorded_answer(version: Version, name: str) -> None:
    scene = Scene(version)
    exchange = _load(version, name)
    with Server(scene.debci.app) as server:
        if name.startswith(("retry", "publish")):
            scene.play(server, *REQUESTED)
        got = _send(server, exchange)
    assert got.status == exchange.status
    assert got.headers.get("Content-Type") == exchange.headers.get("Content-Type")
    assert got.headers.get("Auth-User") == exchange.headers.get("Auth-User")
    for name_of in ("X-XSS-Protection", "X-Frame-Options", "X-Content-Type-Options"):
        if not exchange.target.startswith("/data/"):
            assert got.headers.get(name_of) == exchange.headers.get(name_of), name_of
    assert "Date" not in got.headers
    if b"an HTML page of" not in exchange.body:
        assert got.body == exchange.body
    if "Location" in exchange.headers:
        path = re.sub(r"https?://[^/]+", "", got.headers["Location"])
        assert path == exchange.headers["Location"].removeprefix("https://debci.example.org")


def _modulo_times(run: dict[str, Any]) -> dict[str, Any]:
    """Keep what does not depend on the moment; of the rest the form only."""
    measured = {"log_size", "artifacts_size", "duration_seconds", "duration_human"}
    shape: dict[str, Any] = {}
    for key, value in run.items():
        if key in {"version", "last_pass_version"} and value is not None:
            shape[key] = "a version"
        elif key in measured and isinstance(value, int):
            shape[key] = "a number"
        elif key in measured and value not in {None, "(n/a)"}:
            shape[key] = re.sub(r"\d+", "N", value)
        elif isinstance(value, str):
            shape[key] = re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "a time", value)
        else:
            shape[key] = value
    return shape


def _compare_listing(got: bytes, expected: bytes) -> None:
    mine, theirs = json.loads(got), json.loads(expected)
    assert list(mine) == list(theirs) == ["until", "results"]
    by_id = {run["run_id"]: run for run in mine["results"]}
    assert sorted(by_id) == sorted(run["run_id"] for run in theirs["results"])
    for run in theirs["results"]:
        assert _modulo_times(by_id[run["run_id"]]) == _modulo_times(run)
        assert list(by_id[run["run_id"]]) == list(run), "the fields in the recorded order"


def test_the_recorded_listings_come_out_of_the_recorded_story(scene: Scene, server: Server) -> None:
    def listed(name: str) -> None:
        exchange = _load(scene.version, name)
        got = _send(server, exchange)
        assert got.headers["Content-Type"] == exchange.headers["Content-Type"]
        assert got.headers.get("Auth-User") == exchange.headers.get("Auth-User")
        _compare_listing(got.body, exchange.body)

    scene.play(server, *REQUESTED[:2])
    listed("list-pending")
    scene.play(server, *REQUESTED[2:])
    scene.clock.advance(2)
    listed("list-mixed")
    scene.clock.advance(3)
    listed("list-finished")
    scene.play(server, "trigger-late-1")
    scene.clock.advance(4)
    retries = ("ok", "no-key", "wrong-key", "other-user", "trailing-letters")
    scene.play(server, *[f"retry-{name}" for name in retries])
    scene.clock.advance(4)
    listed("list-after-retry")


def test_the_order_of_a_listing(scene: Scene, server: Server) -> None:
    scene.play(server, *REQUESTED)
    scene.clock.advance(5)
    results = json.loads(_send(server, _load(scene.version, "list-empty")).body)["results"]
    ids = [run["run_id"] for run in results]
    times = [run["updated_at"] for run in results]
    assert (ids == sorted(ids)) is (scene.version == "3.12"), "3.12 sorts by run_id"
    assert (times == sorted(times)) is (scene.version == "3.6"), "3.6 sorts by last update"


def test_until_goes_back_when_only_an_older_run_finished(scene: Scene, server: Server) -> None:
    scene.play(server, "trigger-late-1")
    created = scene.debci.runs[0].created
    scene.clock.advance(5)
    scene.debci.finish(1, "pass")
    since = int(scene.clock.time())
    exchange = _load(scene.version, "list-until-goes-back")
    got = json.loads(_send(server, exchange, f"/api/v1/test?since={since}").body)
    expected = json.loads(exchange.body)
    assert [run["package"] for run in got["results"]] == ["hello-late"]
    assert got["until"] == int(created) < since
    wanted, mine = _modulo_times(expected["results"][0]), _modulo_times(got["results"][0])
    for key in ("run_id", "package_id"):
        wanted.pop(key, None)
        mine.pop(key, None)
    assert mine == wanted


def test_a_flaky_package_over_retries(scene: Scene, server: Server) -> None:
    scene.play(server, "trigger-flaky")
    for run_id in (1, 1):
        scene.clock.advance(3)
        exchange = _load(scene.version, "retry-flaky")
        assert _send(server, exchange, f"/api/v1/retry/{run_id}").status == exchange.status
    scene.clock.advance(3)
    got = json.loads(_send(server, _load(scene.version, "list-empty")).body)["results"]
    expected = json.loads((RECORDED / scene.version / "runs-flaky.json").read_text())
    for mine, theirs in zip(got, expected, strict=True):
        blank = {key: 0 for key in ("run_id", "package_id") if key in theirs}
        assert _modulo_times(mine) | blank == _modulo_times(theirs) | blank


def test_a_request_while_the_queue_is_down(scene: Scene, server: Server) -> None:
    scene.debci.broker_down = True
    exchange = _load(scene.version, "trigger-broker-down")
    got = _send(server, exchange)
    assert (got.status, got.body) == (exchange.status, exchange.body)
    assert got.headers["Auth-User"] == exchange.headers["Auth-User"]
    scene.debci.broker_down = False
    scene.clock.advance(10**7)
    listed = json.loads(_send(server, _load(scene.version, "list-empty")).body)["results"]
    expected = json.loads((RECORDED / scene.version / "runs-broker-down.json").read_text())[0]
    blank = {key: 0 for key in ("run_id", "package_id") if key in expected}
    assert [_modulo_times(run) | blank for run in listed] == [_modulo_times(expected) | blank]


def test_the_public_files(scene: Scene, server: Server) -> None:
    scene.play(server, *REQUESTED)
    scene.clock.advance(4)
    for name in ("public-packages", "public-status", "public-status-history"):
        exchange = _load(scene.version, name)
        got = _send(server, exchange)
        assert got.status == exchange.status
        assert got.headers["Content-Type"] == exchange.headers["Content-Type"]
        mine, theirs = json.loads(got.body), json.loads(exchange.body)
        assert type(mine) is type(theirs)
        first = (mine[0], theirs[0]) if isinstance(mine, list) else (mine, theirs)
        assert list(first[0]) == list(first[1])
    packages = json.loads(_send(server, _load(scene.version, "public-packages")).body)
    names = {run["package"] for run in packages}
    assert "hello-neutral" not in names, "pinned runs are left out"
    assert "hello-secret" not in names, "private runs are left out"


def test_the_log_is_gzip_encoded(scene: Scene, server: Server) -> None:
    scene.play(server, *REQUESTED)
    exchange = _load(scene.version, "public-log")
    assert _send(server, exchange).status == 404, "no log while pending"
    scene.clock.advance(4)
    got = _send(server, exchange)
    assert got.status == exchange.status
    for name in ("Content-Type", "Content-Encoding"):
        assert got.headers[name] == exchange.headers[name]
    assert b"FAIL" in gzip.decompress(got.body)


def test_the_feed_tells_changes_of_state(scene: Scene, server: Server) -> None:
    scene.play(server, "trigger-flaky")
    for _ in range(2):
        scene.clock.advance(3)
        _send(server, _load(scene.version, "retry-flaky"), "/api/v1/retry/1")
    scene.clock.advance(3)
    exchange = _load(scene.version, "public-feed")
    got = _send(server, exchange)
    assert got.headers["Content-Type"] == exchange.headers["Content-Type"]

    def titles(feed: bytes) -> list[str]:
        found = re.findall(r"<title>(.*?)</title>", feed.decode())
        return [re.sub(r" \d\S+ ", " VERSION ", title) for title in found]

    assert titles(got.body) == titles(exchange.body)
