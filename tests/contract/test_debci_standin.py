"""The debci stand-in's quirks one by one, for both versions; the recordings are replayed beside."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.playground.clock import ManualClock
from bot.playground.faults import Fault
from bot.playground.server import Server
from bot.playground.vendors.debci import DebciStandin
from bot.playground.vendors.debci_model import MESSAGES, NEVER, Outcome, Status, Version, human
from bot.playground.vendors.debci_rules import Rejected

KEY, OTHER = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
SECOND = "44444444-4444-4444-4444-444444444444"
REJECTED = (
    Rejected("blocked-*", "testing", "amd64", comment="sample"),
    Rejected("versioned", version="1.2-3"),
)
ARRAY = "/api/v1/test/testing/amd64"
OLD_ONLY = {
    "created_at", "message", "previous_status", "last_pass_date", "last_pass_version",
    "pin_packages", "duration_human", "log_size", "artifacts_size", "package_id",
    "requestor_id", "worker_id",
}  # fmt: skip


class Client:
    def __init__(self, server: Server) -> None:
        self._base = server.url

    def send(self, method: str, path: str, key: str | None = KEY, **options: Any) -> Any:
        headers = {"Auth-Key": key} if key is not None else {}
        options = {"headers": headers, "allow_redirects": False, **options}
        return requests.request(method, f"{self._base}{path}", timeout=5, **options)

    def ask(self, *items: Any, path: str = ARRAY, **fields: str) -> tuple[int, str]:
        reply = self.send("POST", path, data={"tests": json.dumps(items), **fields})
        return reply.status_code, reply.text

    def listing(self, since: Any = None, key: str = KEY) -> dict[str, Any]:
        params = {} if since is None else {"since": since}
        reply = self.send("GET", "/api/v1/test", key, params=params)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def ids(self, since: Any = None, key: str = KEY) -> list[int]:
        return sorted(run["run_id"] for run in self.listing(since, key)["results"])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_750_000_000.25)


@pytest.fixture(params=["3.6", "3.12"])
def version(request: pytest.FixtureRequest) -> Version:
    found: Version = request.param
    return found


@pytest.fixture
def debci(clock: ManualClock, version: Version) -> DebciStandin:
    keys = {KEY: "chatops", SECOND: "chatops", OTHER: "someone-else"}
    return DebciStandin(clock, keys, version, reject_list=REJECTED)


@pytest.fixture
def client(debci: DebciStandin) -> Iterator[Client]:
    with Server(debci.app) as server:
        yield Client(server)


# Keys.


@pytest.mark.parametrize("key", [None, "", "unknown"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth"),
        ("GET", "/test"),
        ("GET", "/reject_list"),
        ("POST", "/test/publish"),
        ("POST", "/test/nowhere/nothing"),
        ("POST", "/test/nowhere/nothing/Bad"),
    ],
)
def test_without_a_key_nothing_else_is_looked_at(
    client: Client, method: str, path: str, key: str | None
) -> None:
    reply = client.send(method, f"/api/v1{path}", key)
    assert (reply.status_code, reply.text) == (403, "Invalid key\n")
    assert "WWW-Authenticate" not in reply.headers
    assert "Auth-User" not in reply.headers


def test_a_key_stands_for_a_user(client: Client) -> None:
    assert client.ask({"package": "hello"})[0] == 201
    assert client.ids(key=SECOND) == [1], "another key of the same user"
    assert client.ids(key=OTHER) == []
    assert client.send("GET", "/api/v1/auth", SECOND).headers["Auth-User"] == "chatops"


def test_refusals_carry_the_user_too(client: Client) -> None:
    reply = client.send("POST", "/api/v1/test/testing/mips")
    assert (reply.status_code, reply.headers["Auth-User"]) == (400, "chatops")
    assert reply.headers["Content-Type"] == "text/html;charset=utf-8"


# Requests.


@pytest.mark.parametrize("way", ["form", "upload", "query"])
def test_the_array_comes_in_a_form_an_upload_or_the_query(client: Client, way: str) -> None:
    tests = json.dumps([{"package": "libc++", "trigger": "slack/<U1> & \u00e4\n2"}])
    ways: dict[str, dict[str, Any]] = {
        "form": {"data": {"tests": tests}},
        "upload": {"files": {"tests": ("tests.json", tests)}},
        "query": {"params": {"tests": tests}},
    }
    reply = client.send("POST", ARRAY, **ways[way])
    assert (reply.status_code, reply.text) == (201, "")
    run = client.listing()["results"][0]
    assert (run["package"], run["trigger"]) == ("libc++", "slack/<U1> & \u00e4\n2")


def test_a_json_body_is_not_read(client: Client) -> None:
    reply = client.send("POST", ARRAY, json={"tests": [{"package": "hello"}]})
    assert (reply.status_code, reply.text) == (400, "Error: No tests")


@pytest.mark.parametrize("name", ["libstdc++", "libstdc%2B%2B"])
def test_a_plus_in_a_path_comes_as_it_is_or_encoded(client: Client, name: str) -> None:
    assert client.send("POST", f"{ARRAY}/{name}").status_code == 201
    assert client.listing()["results"][0]["package"] == "libstdc++"


def test_one_run_knows_no_trigger(client: Client) -> None:
    assert client.send("POST", f"{ARRAY}/hello", data={"trigger": "x"}).status_code == 201
    assert client.listing()["results"][0]["trigger"] is None


def test_fields_of_one_run(client: Client, debci: DebciStandin) -> None:
    data = {"priority": "9", "is_private": "true", "extra_apt_sources": '["example-extra"]'}
    assert client.send("POST", f"{ARRAY}/hello", data=data).status_code == 201
    run = debci.runs[0]
    assert (run.priority, run.is_private, run.apt_sources) == (9, True, ["example-extra"])


@pytest.mark.parametrize(
    ("path", "data", "text"),
    [
        ("warty/mips/Bad", {"priority": "0"}, "Invalid architecture: mips\n"),
        ("warty/amd64/Bad", {"priority": "0"}, "Invalid suite: warty\n"),
        ("testing/amd64/Bad", {"priority": "0"}, "Invalid priority: 0\n"),
        ("testing/amd64/Bad", {"priority": "high"}, "Invalid priority: 0\n"),
        ("testing/amd64/Bad", {"is_private": "x"}, "Invalid package name: Bad\n"),
        ("testing/amd64/a", {}, "Invalid package name: a\n"),
    ],
)
def test_the_order_of_the_checks(
    client: Client, path: str, data: dict[str, str], text: str
) -> None:
    reply = client.send("POST", f"/api/v1/test/{path}", data=data)
    assert (reply.status_code, reply.text) == (400, text)


def test_the_reject_list_wins_over_a_bad_name(client: Client, version: Version) -> None:
    texts = {
        "3.6": "RejectListed package: blocked-Bad_\n",
        "3.12": "Package: blocked-Bad_ is in the reject list\n",
    }
    reply = client.send("POST", f"{ARRAY}/blocked-Bad_")
    assert (reply.status_code, reply.text) == (400, texts[version])
    elsewhere = client.send("POST", "/api/v1/test/stable/amd64/blocked-a")
    assert elsewhere.status_code == 201, "rejected on testing/amd64 only"
    assert client.send("POST", f"{ARRAY}/versioned").status_code == 201


def test_a_rejected_package_in_an_array(
    client: Client, version: Version, debci: DebciStandin
) -> None:
    status, text = client.ask({"package": "blocked-here"}, {"package": "hello"})
    assert (status, text) == (201, "")
    found = {run["package"]: run for run in client.listing()["results"]}
    assert found["hello"]["status"] is None
    if version == "3.12":
        assert set(found) == {"hello"}, "nothing appears"
        return
    run = found["blocked-here"]
    assert (run["status"], run["version"], run["message"]) == ("fail", None, None)
    assert run["duration_seconds"] is None
    assert client.send("GET", _data(debci, 1)).status_code == 404, "and it has no log"


def test_a_refused_array_makes_no_run(client: Client) -> None:
    status, text = client.ask({"package": "good"}, {"package": "Bad"}, {"package": "B_"})
    assert (status, text) == (
        400,
        "Invalid request: Invalid package name: Bad\nInvalid package name: B_",
    )
    assert client.ids() == []


def test_malformed_pins_leave_the_earlier_runs_behind(client: Client, clock: ManualClock) -> None:
    reply = client.ask({"package": "hello"}, {"package": "other", "pin-packages": "testing"})
    assert reply == (500, "<h1>Internal Server Error</h1>")
    clock.advance(10**6)
    found = client.listing()["results"]
    assert [(run["package"], run["status"]) for run in found] == [("hello", None)]


def test_a_post_is_not_idempotent(client: Client) -> None:
    for _ in range(2):
        client.ask({"package": "hello", "trigger": "same"})
    assert client.ids() == [1, 2]


def test_the_queue_is_down(client: Client, debci: DebciStandin, clock: ManualClock) -> None:
    debci.broker_down = True
    assert client.ask({"package": "hello"}) == (500, "<h1>Internal Server Error</h1>")
    assert client.send("POST", "/api/v1/retry/1").status_code == 500
    assert client.ids() == [1, 2], "both exist all the same, and reading works"
    debci.broker_down = False
    clock.advance(10**6)
    assert [run["status"] for run in client.listing()["results"]] == [None, None]


def test_an_architecture_without_a_worker(
    client: Client, debci: DebciStandin, clock: ManualClock
) -> None:
    debci.workers.discard("i386")
    assert client.ask({"package": "hello"}, path="/api/v1/test/testing/i386")[0] == 201
    clock.advance(10**6)
    assert client.listing()["results"][0]["status"] is None


# Results.


@pytest.mark.parametrize("status", ["pass", "fail", "neutral", "tmpfail"])
def test_a_run_ends_as_scripted(
    client: Client, debci: DebciStandin, clock: ManualClock, status: Status
) -> None:
    debci.script("hello", Outcome(status, 20))
    client.ask({"package": "hello"})
    clock.advance(19)
    pending = client.listing()["results"][0]
    for key in ("status", "date", "version", "duration_seconds"):
        assert pending[key] is None
    clock.advance(1)
    run = client.listing()["results"][0]
    assert (run["status"], run["duration_seconds"]) == (status, 20)
    assert run["date"] == "2025-06-15T15:07:00.000Z", "whole seconds"
    assert run["updated_at"] == "2025-06-15T15:07:00.250Z"
    if debci.version == "3.6":
        assert (run["message"], run["duration_human"]) == (MESSAGES[status], "20s")


def test_the_fields_of_each_version(client: Client, version: Version) -> None:
    client.ask({"package": "hello", "pin-packages": [["src:bar", "unstable"]]})
    run = client.listing()["results"][0]
    assert OLD_ONLY & set(run) == (OLD_ONLY if version == "3.6" else set())
    if version == "3.6":
        assert run["pin_packages"] == [["src:bar", "unstable"]]


def test_a_pending_run_was_last_updated_when_it_was_made(client: Client, version: Version) -> None:
    client.ask({"package": "hello"})
    run = client.listing()["results"][0]
    made = {"3.6": "2025-06-15T15:06:40.250Z", "3.12": "2025-06-15T15:06:40.262Z"}
    assert run["updated_at"] == made[version], "in 3.12 milliseconds later"


def test_finish_ends_a_run_that_would_never_end(
    client: Client, debci: DebciStandin, clock: ManualClock
) -> None:
    run = debci.add_run("hello", outcome=NEVER, user="chatops")
    clock.advance(10**6)
    assert debci.status(run.run_id) is None
    debci.finish(run.run_id, "tmpfail")
    assert client.listing()["results"][0]["status"] == "tmpfail"


def test_private_and_pinned_runs_are_no_ones_past(
    client: Client, debci: DebciStandin, version: Version
) -> None:
    for age_s, outcome, options in (
        (500, Outcome("pass"), {}),
        (400, Outcome("fail"), {"is_private": True}),
        (300, Outcome("tmpfail"), {"pins": (("src:bar", "unstable"),)}),
        (200, Outcome("fail"), {}),
    ):
        debci.add_run("hello", outcome=outcome, age_s=age_s, **options)
    run = client.listing()["results"][-1]
    if version == "3.6":
        assert (run["previous_status"], run["last_pass_version"]) == ("pass", "1.0-1")
    else:
        assert "previous_status" not in run


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "(n/a)"), (0, "0s"), (2, "2s"), (250, "4m 10s"), (3780, "1h 3m")],
)
def test_durations_for_people(seconds: int | None, text: str) -> None:
    assert human(seconds) == text


# since and until.


def test_since_is_inclusive_and_cut_to_its_digits(client: Client, clock: ManualClock) -> None:
    clock.advance(0.75)  # a whole second
    created = int(clock.time())
    client.ask({"package": "hello"})
    assert client.ids(created) == [1]
    assert client.ids(f"{created}.9abc") == [1]
    assert client.ids(created + 1) == []
    assert client.listing(created)["until"] == created
    assert client.listing(created + 1)["until"] == 0, "nothing newer: not the since that was sent"


@pytest.mark.parametrize("since", ["", "yesterday", "x1"])
def test_since_that_is_no_number_is_a_server_error(client: Client, since: str) -> None:
    reply = client.send("GET", f"/api/v1/test?since={since}")
    assert (reply.status_code, reply.text) == (500, "<h1>Internal Server Error</h1>")


def test_a_late_result_is_listed_by_3_6_and_lost_by_3_12(
    client: Client, debci: DebciStandin, clock: ManualClock, version: Version
) -> None:
    client.ask({"package": "slow"})
    clock.advance(100)
    debci.finish(1, "fail", worker_date=clock.time(), late_by_s=30)
    clock.advance(10)
    client.ask({"package": "newer"})
    mark = client.listing(clock.time() - 200)["until"]
    assert mark == int(clock.time())
    clock.advance(25)
    assert debci.status(1) == "fail", "now it has arrived"
    assert client.ids(mark) == ([1, 2] if version == "3.6" else [2])
    assert client.ids(mark - 20) == [1, 2], "with an overlap both list it"


def test_a_result_that_has_not_arrived_does_not_show(
    client: Client, debci: DebciStandin, clock: ManualClock
) -> None:
    client.ask({"package": "slow"})
    clock.advance(100)
    debci.finish(1, "fail", late_by_s=30)
    clock.advance(29)
    run = client.listing()["results"][0]
    assert (run["status"], run["date"]) == (None, None)
    clock.advance(1)
    run = client.listing()["results"][0]
    assert run["status"] == "fail"
    assert run["date"] == "2025-06-15T15:08:20.000Z", "the end at the worker"
    assert run["updated_at"] == "2025-06-15T15:08:50.250Z", "the arrival"


# Retry, publish, batch, and what is not there.


@pytest.mark.parametrize("key", [KEY, OTHER, "unknown", None])
def test_a_retry_needs_no_key_and_belongs_to_the_first_requestor(
    client: Client, key: str | None
) -> None:
    item = {
        "package": "hello",
        "trigger": "t",
        "is_private": True,
        "extra-apt-sources": ["example-extra"],
        "pin-packages": [["src:bar", "unstable"]],
    }
    client.ask(item, priority="9")
    reply = client.send("POST", "/api/v1/retry/1", key)
    assert (reply.status_code, reply.text) == (200, "")
    assert "Auth-User" not in reply.headers
    assert client.ids() == [1, 2]
    assert client.ids(key=OTHER) == []
    first, second = sorted(client.listing()["results"], key=lambda run: run["run_id"])
    assert {**second, "run_id": 1} == first, "copied, and pending like the first"


def test_a_retry_has_the_usual_priority(client: Client, debci: DebciStandin) -> None:
    client.ask({"package": "hello"}, priority="9")
    client.send("POST", "/api/v1/retry/1")
    assert [run.priority for run in debci.runs] == [9, 5]


def test_a_sloppy_id_retries_a_wrong_run(client: Client) -> None:
    client.ask({"package": "first"}, {"package": "second"})
    assert client.send("POST", "/api/v1/retry/2x").status_code == 200
    packages = {run["run_id"]: run["package"] for run in client.listing()["results"]}
    assert packages[3] == "second"


def test_a_retry_of_what_is_rejected_by_now(client: Client, debci: DebciStandin) -> None:
    client.ask({"package": "hello"})
    debci.reject_list.append(Rejected("hello"))
    reply = client.send("POST", "/api/v1/retry/1")
    text = "Package hello is in the REJECT list and cannot be retried"
    assert (reply.status_code, reply.text) == (403, text)
    assert client.ids() == [1]


def test_publish_makes_own_private_runs_public(client: Client, clock: ManualClock) -> None:
    for key in (KEY, OTHER):
        tests = json.dumps([{"package": "hello", "is_private": True}])
        client.send("POST", ARRAY, key, data={"tests": tests})
    clock.advance(5)
    reply = client.send("POST", "/api/v1/test/publish", data={"run_ids": "1,2,99,x"})
    assert (reply.status_code, reply.text) == (200, "")
    assert client.listing()["results"][0]["is_private"] is False
    assert client.listing(key=OTHER)["results"][0]["is_private"] is True, "another user's"


@pytest.mark.parametrize("key", [KEY, None])
def test_no_batch_ever_works(client: Client, key: str | None) -> None:
    batch = [{"suite": "testing", "arch": ["amd64"], "tests": [{"package": "hello"}]}]
    for tests, status in ((batch, 500), ([], 201), ([{"suite": "warty"}], 400)):
        data = {"tests": json.dumps(tests)}
        assert client.send("POST", "/api/v1/test/batch", key, data=data).status_code == status
    assert client.ids() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/getkey"),
        ("DELETE", "/v1/test"),
        ("PUT", "/v1/retry/1"),
        ("GET", "/v1/test/1"),
        ("POST", "/v1/test/testing"),
        ("POST", "/v1/test/1/abort/x/y"),
        ("GET", "/v2/auth"),
    ],
)
def test_unknown_paths_and_methods_are_500(client: Client, method: str, path: str) -> None:
    reply = client.send(method, f"/api{path}")
    assert reply.status_code == 500
    assert "unhandled lowlevel error" in reply.text
    assert "Content-Type" not in reply.headers


def test_the_reject_list_expands_its_stars(client: Client, debci: DebciStandin) -> None:
    debci.reject_list.append(Rejected("everywhere", comment="why"))
    got = client.send("GET", "/api/v1/reject_list").json()
    assert got["blocked-*"] == {"testing": {"amd64": {"*": "sample\n"}}}
    assert set(got["everywhere"]) == set(debci.suites)
    assert set(got["everywhere"]["stable"]) == set(debci.architectures)
    assert got["everywhere"]["stable"]["arm64"] == {"*": "why\n"}
    assert got["versioned"]["stable"]["arm64"] == {"1.2-3": "\n"}


# Pages and public files.


def _data(debci: DebciStandin, run_id: int, name: str = "log.gz") -> str:
    run = debci.run(run_id)
    start = run.package[:4] if run.package.startswith("lib") else run.package[0]
    return f"/data/autopkgtest/{run.suite}/{run.arch}/{start}/{run.package}/{run_id}/{name}"


@pytest.mark.parametrize(("package", "start"), [("hello", "h"), ("libfoo", "libf")])
def test_pages_for_people(
    client: Client, debci: DebciStandin, version: Version, package: str, start: str
) -> None:
    debci.add_run(package, age_s=60, outcome=Outcome("fail", 20))
    place = f"/packages/{start}/{package}/testing/amd64/"
    history = client.send("GET", place, key=None)
    assert history.status_code == 200
    assert "fail" in history.text
    page = client.send("GET", f"{place}1/", key=None)
    assert page.status_code == (404 if version == "3.6" else 200), "since 3.8"
    redirect = client.send("GET", place.rstrip("/"), key=None)
    assert (redirect.status_code, redirect.headers["Location"]) == (301, place)
    assert client.send("GET", f"/packages/{start}/{package}/", key=None).status_code == 200
    pending = debci.add_run(package)
    assert f"{pending.run_id}:" in client.send("GET", "/status/pending/", key=None).text


def test_private_runs_show_in_no_page_but_their_log_does(
    client: Client, debci: DebciStandin
) -> None:
    debci.add_run("secret", age_s=60, is_private=True)
    page = client.send("GET", "/packages/s/secret/testing/amd64/", key=None)
    assert "1:" not in page.text
    own = client.send("GET", "/packages/s/secret/testing/amd64/1/", key=None)
    assert own.status_code == 404
    assert client.send("GET", _data(debci, 1), key=None).status_code == 200


def test_logs_and_artifacts(client: Client, debci: DebciStandin, clock: ManualClock) -> None:
    debci.script("libfoo", Outcome("fail", 10))
    client.ask({"package": "libfoo"})
    assert client.send("GET", _data(debci, 1)).status_code == 404, "pending"
    clock.advance(10)
    reply = client.send("GET", _data(debci, 1), stream=True)
    assert reply.headers["Content-Encoding"] == "gzip"
    assert b"FAIL" in gzip.decompress(reply.raw.read(decode_content=False))
    artifacts = client.send("GET", _data(debci, 1, "artifacts.tar.gz")).content
    with tarfile.open(fileobj=io.BytesIO(artifacts)) as archive:
        assert archive.getnames() == ["summary"]


def test_public_totals(client: Client, debci: DebciStandin) -> None:
    for package, outcome in (
        ("a1", Outcome("fail")),
        ("a1", Outcome()),
        ("b1", Outcome("tmpfail")),
    ):
        debci.add_run(package, age_s=60, outcome=outcome)
    debci.add_run("c1", age_s=60, is_private=True)
    debci.add_run("d1", age_s=60, pins=(("src:bar", "unstable"),))
    base = "/data/status/testing/amd64"
    totals = client.send("GET", f"{base}/status.json", key=None).json()
    assert totals == {
        "pass": 1,
        "fail": 0,
        "neutral": 0,
        "tmpfail": 1,
        "total": 2,
        "date": "2025-06-15T15:06:40",
    }
    packages = client.send("GET", f"{base}/packages.json", key=None).json()
    assert [run["run_id"] for run in packages] == [2, 3], "the latest run of each package"


def test_faults_and_what_was_received(client: Client, debci: DebciStandin) -> None:
    debci.faults.add(Fault(path="/api/v1/test/.*", times=1, status=502, body=b"<h1>Bad</h1>"))
    assert client.ask({"package": "hello"})[0] == 502
    assert client.ids() == []
    assert client.ask({"package": "hello"})[0] == 201
    assert len(debci.faults.requests("POST", ARRAY)) == 2
    assert debci.faults.received[0].headers["Auth-Key"] == KEY
