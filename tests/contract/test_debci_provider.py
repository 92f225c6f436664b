"""The debci provider against a server of either version that answers as the real ones did."""

import gzip
import json
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import (
    Aborts,
    BuildContext,
    Capability,
    HasSteps,
    HasTests,
    Observation,
    OpenRun,
    RetryRequest,
    Started,
    TriggerRequest,
    Variable,
    is_able,
)
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.playground.clock import ManualClock
from bot.playground.faults import Fault
from bot.playground.server import Server
from bot.playground.vendors.debci import DebciStandin
from bot.playground.vendors.debci_model import Outcome
from bot.playground.vendors.debci_rules import Rejected
from bot.providers.debci import SOURCE, SPEC, Debci
from tests.fakes.net import within

KEY = "ca4a5-debc1-canary"
OTHER_KEY = "someone-else's-key"
LISTING = "/api/v1/test"
REQUEST = "/api/v1/test/testing/amd64"
VERSIONS = ("3.6", "3.12")


class SameClock:
    """The bot's view of the stand-in's clock, `ahead_s` ahead of it."""

    def __init__(self, clock: ManualClock, ahead_s: float = 0.0) -> None:
        self.clock = clock
        self.ahead_s = ahead_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time() + self.ahead_s, UTC)

    def monotonic(self) -> float:
        return self.clock.time()


class World:
    """A server, a provider that talks to it, and the poller's memory of open runs."""

    def __init__(self, version: Any) -> None:
        self.version = version
        self.clock = ManualClock(1_795_293_706.3)
        self.debci = DebciStandin(self.clock, {KEY: "chatops", OTHER_KEY: "someone-else"}, version)
        self.server = Server(self.debci.app)
        self.cursor = ""
        self.open: dict[str, OpenRun] = {}

    def provider(self, ahead_s: float = 0.0, **settings: Any) -> Debci:
        given = {"token": KEY, "base_url": self.server.url, "requests_per_minute": 6000}
        model = SPEC.settings.model_validate({**given, **settings})
        provider = SPEC.build(BuildContext("debci", model, SameClock(self.clock, ahead_s)))
        assert isinstance(provider, Debci)
        return provider

    def sent(self, method: str = ".*", path: str = ".*") -> int:
        return len(self.debci.faults.requests(method, path))

    def posted(self) -> dict[str, str]:
        """The form of the only POST."""
        [request] = self.debci.faults.requests("POST")
        return {name: value[0] for name, value in parse_qs(request.body.decode()).items()}

    def fault(self, **fields: Any) -> Fault:
        return self.debci.faults.add(Fault(**fields))

    def poll(self, provider: Debci) -> Observation:
        seen = provider.observe(SOURCE, self.cursor, tuple(self.open.values()), within(5))
        self.cursor = seen.cursor
        for run in seen.runs:
            if run.is_over:
                self.open.pop(run.ref.run_id, None)
            else:
                known = OpenRun(run.ref.run_id, self.now, run.created)
                self.open.setdefault(run.ref.run_id, known)
        return seen

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time(), UTC)


@pytest.fixture(params=VERSIONS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(request.param)
    with made.server:
        yield made


@pytest.fixture
def new_world() -> Iterator[World]:
    made = World("3.12")
    with made.server:
        yield made


@pytest.fixture
def debci(world: World) -> Debci:
    return world.provider()


def asked(key: str = "testing/amd64/hello", mark: str = "m-1", **parameters: str) -> TriggerRequest:
    model = SPEC.trigger.model_validate(parameters)
    return TriggerRequest(key, model, (), mark, "U123")


def again(run: Run, **changes: Any) -> RetryRequest:
    return replace(RetryRequest(run, "all", {}, (), "m-2", "U123"), **changes)


def failing(kind: Kind, call: Any, *arguments: Any) -> ProviderError:
    """The error of the call, whose text holds neither key nor page."""
    with pytest.raises(ProviderError) as caught:
        call(*arguments, within(5))
    error = caught.value
    assert error.kind is kind, repr(error)
    shown = (
        f"{error!r} {error.detail} {error.__dict__} {''.join(traceback.format_exception(error))}"
    )
    assert KEY not in shown
    assert "<h1>" not in f"{error.message} {error.detail} {error.__dict__}"
    assert error.__context__ is None or KEY not in repr(vars(error.__context__))
    return error


def made(started: Started) -> Run:
    assert started.run is not None, started.note
    return started.run


def ids(runs: tuple[Run, ...]) -> list[str]:
    return [run.ref.run_id for run in runs]


def test_check_tells_whose_key_it_is(debci: Debci) -> None:
    assert debci.check(within(5)).account == "chatops"


def test_a_wrong_key(world: World) -> None:
    stranger = world.provider(token="never-valid")
    for call in (
        stranger.check,
        lambda by: stranger.get("1", by),
        lambda by: stranger.trigger(asked(), by),
        lambda by: stranger.observe(SOURCE, "", (), by),
    ):
        failing(Kind.AUTH, call)
    assert world.sent("POST") == 0


def test_a_server_that_is_no_debci(world: World, debci: Debci) -> None:
    world.fault(path="/api/v1/auth", status=200, body=b"<html>hello</html>")
    assert "debci" in failing(Kind.BAD_REPLY, debci.check).message
    lost = world.provider(base_url=f"{world.server.url}/elsewhere")
    assert "BASE_URL" in failing(Kind.BAD_REPLY, lost.check).message


def test_500_on_a_good_call(world: World, debci: Debci) -> None:
    world.fault(path=LISTING, status=500, body=b"<h1>Internal Server Error</h1>")
    assert "500" in failing(Kind.UNAVAILABLE, debci.get, "1").message


def test_what_it_says_it_can_do(world: World, debci: Debci) -> None:
    for capability in Capability:
        assert is_able(debci, capability) is (capability in SPEC.capabilities)
        assert (capability in SPEC.refusals) is (capability not in SPEC.capabilities)
    assert not isinstance(debci, Aborts | HasSteps | HasTests)
    assert SPEC.refusals[Capability.ABORT] == "debci has no abort: a run ends by itself."
    assert world.sent() == 0


def test_nothing_shows_the_key(debci: Debci) -> None:
    assert KEY not in repr(debci) + str(debci) + repr(vars(debci))


def test_a_run_is_requested_and_found(world: World, debci: Debci) -> None:
    world.debci.add_run("other", user="someone-else")
    world.debci.add_run("hello")
    started = debci.trigger(asked(), within(5))
    run = made(started)
    assert (run.ref.run_id, run.status, started.note) == ("3", Status.QUEUED, "")
    assert run.pipeline.key == "testing/amd64/hello"
    assert json.loads(world.posted()["tests"]) == [
        {"package": "hello", "trigger": "slack/U123/m-1"}
    ]
    assert set(world.posted()) == {"tests"}
    assert world.debci.run(3).priority == 5


def test_all_parameters_arrive(world: World, debci: Debci) -> None:
    given = {
        "priority": "9",
        "pin-packages": "src:foo,unstable;bar,stable",
        "is_private": "yes",
        "trigger": "ärger & <b>",
        "extra-apt-sources": "example-extra",
    }
    run = made(debci.trigger(asked("stable/arm64/libstdc++", **given), within(5)))
    stored = world.debci.run(int(run.ref.run_id))
    assert run.is_private
    assert (stored.package, stored.suite, stored.arch) == ("libstdc++", "stable", "arm64")
    assert stored.pins == [["src:foo", "unstable"], ["bar", "stable"]]
    assert (stored.priority, stored.apt_sources) == (9, ["example-extra"])
    assert stored.trigger == "ärger & <b> slack/U123/m-1"


@pytest.mark.parametrize("ahead_s", [-7200, 7200])
def test_a_run_is_found_whatever_our_clock_says(world: World, ahead_s: float) -> None:
    debci = world.provider(ahead_s)
    latest = world.debci.add_run("hello", age_s=86400).created
    assert made(debci.trigger(asked(), within(5))).ref.run_id == "2"
    looked_for = world.debci.faults.requests("GET", LISTING)[-1].query["since"]
    assert int(looked_for) == int(latest) - 600, "not all of the last days once more"


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("hello", "suite/architecture/package"),
        ("testing/amd64/Hello", "package name"),
        ("testing/amd64/../hello", "package name"),
        ("sid/amd64/hello", "sid is not a configured suite: there are testing, unstable."),
        ("testing/mips/hello", "mips is not a configured architecture: there are amd64."),
    ],
)
def test_what_cannot_be_is_not_sent(world: World, key: str, part: str) -> None:
    debci = world.provider(suites="testing,unstable", architectures=["amd64"])
    assert part in failing(Kind.INVALID, debci.trigger, asked(key)).message
    unset = replace(asked(), variables=(Variable("A", KEY),))
    failing(Kind.INVALID, debci.trigger, unset)
    assert world.sent() == 0


@pytest.mark.parametrize(
    ("key", "parameters", "text"),
    [
        ("sid/amd64/hello", {}, "Invalid suite: sid"),
        ("testing/mips/hello", {}, "Invalid architecture: mips"),
        (
            "testing/amd64/hello",
            {"extra-apt-sources": "nope"},
            "Invalid request: Invalid value for extra_apt_sources: nope",
        ),
    ],
)
def test_what_debci_refuses(debci: Debci, key: str, parameters: Any, text: str) -> None:
    error = failing(Kind.INVALID, debci.trigger, asked(key, **parameters))
    assert error.message == f"debci refused: {text}"


def test_a_rejected_package_is_not_sent(world: World, debci: Debci) -> None:
    world.debci.reject_list.append(Rejected("hel*", "testing", "amd64", comment="too big"))
    error = failing(Kind.INVALID, debci.trigger, asked())
    assert "reject list" in error.message
    assert "too big" in error.message
    assert world.sent("POST") == 0
    assert made(debci.trigger(asked("testing/arm64/hello"), within(5)))
    assert world.sent("GET", "/api/v1/reject_list") == 1, "the list is remembered for a while"


def test_a_package_rejected_since_we_looked(world: World, debci: Debci) -> None:
    debci.trigger(asked(), within(5))
    world.debci.reject_list.append(Rejected("hello"))
    if world.version == "3.12":
        error = failing(Kind.INVALID, debci.trigger, asked(mark="m-2"))
        assert "reject list" in error.message
        return
    started = debci.trigger(asked(mark="m-2"), within(5))
    assert "was not run" in started.note
    assert "reject list" in started.note
    assert made(started).status is Status.FAILED
    assert "not run" in made(started).title


def test_accepted_and_nowhere_to_be_seen(new_world: World) -> None:
    debci = new_world.provider()
    new_world.fault(method="POST", status=201)
    started = debci.trigger(asked(), within(5))
    assert started.run is None
    assert "lists no new run" in started.note


def test_a_reject_list_that_fails_stops_nothing(world: World, debci: Debci) -> None:
    world.fault(path="/api/v1/reject_list", status=500, body=b"<h1>no</h1>")
    assert made(debci.trigger(asked(), within(5)))


@pytest.mark.parametrize("lost", ["the answer", "the queue"])
def test_an_unconfirmed_request_is_looked_for(world: World, debci: Debci, lost: str) -> None:
    if lost == "the queue":
        world.debci.broker_down = True
    else:
        world.fault(method="POST", drop_after=True)
    started = debci.trigger(asked(), within(5))
    assert made(started).ref.run_id == "1"
    assert started.note.startswith("Recorded as run 1, but it may never start")
    assert world.sent("POST") == 1, "nothing is sent twice"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "body": b"<h1>Internal Server Error</h1>"},
        {"status": 502, "body": b"<html>Bad Gateway</html>"},
        {"status": 302, "headers": {"Location": "https://evil.example/"}},
        {"drop_before": True},
    ],
    ids=str,
)
def test_what_is_neither_confirmed_nor_found_is_told_so(
    world: World, debci: Debci, fault: dict[str, Any]
) -> None:
    world.fault(method="POST", **fault)
    failing(Kind.AMBIGUOUS, debci.trigger, asked())
    assert world.sent("POST") == 1
    assert world.debci.runs == []


def test_a_hanging_request_leaves_time_to_look(world: World, debci: Debci) -> None:
    world.fault(method="POST", hang=True)
    deadline = within(1.5)
    with pytest.raises(ProviderError) as caught:
        debci.trigger(asked(), deadline)
    assert caught.value.kind is Kind.AMBIGUOUS
    assert deadline.remaining_s() > 0
    posted = [request.method for request in world.debci.faults.received].index("POST")
    assert world.debci.faults.received[posted + 1].path == LISTING


def test_accepted_but_the_listing_fails(world: World, debci: Debci) -> None:
    debci.recent("*", 1, within(5))
    world.debci.add_run("hello")
    debci.recent("*", 1, within(5))
    world.fault(path=LISTING, status=500)
    started = debci.trigger(asked(), within(5))
    assert started.run is None
    assert started.note.startswith("debci accepted it, but its run could not be looked up")
    assert world.sent("POST") == 1


def test_nothing_is_sent_when_debci_is_out_of_reach(world: World, debci: Debci) -> None:
    world.fault(path=LISTING, status=500)
    failing(Kind.UNAVAILABLE, debci.trigger, asked())
    assert world.sent("POST") == 0


def test_a_retry_is_a_new_run(world: World, debci: Debci) -> None:
    old = made(debci.trigger(asked(is_private="true"), within(5)))
    world.clock.advance(20)
    started = debci.retry(again(debci.get(old.ref.run_id, within(5))), within(5))
    assert (made(started).ref.run_id, started.note) == ("2", "")
    assert made(started).is_private
    third = debci.retry(again(old), within(5))
    assert made(third).ref.run_id == "3", "the second has the same trigger and is older"
    assert world.debci.run(3).trigger == "slack/U123/m-1"
    requests = world.debci.faults.requests("POST", "/api/v1/retry/.*")
    assert [(r.path, r.body) for r in requests] == [("/api/v1/retry/1", b"")] * 2


def test_the_first_of_two_repeats_is_taken(world: World, debci: Debci) -> None:
    """Someone else with a key of the same user repeats the run just after us."""
    old = made(debci.trigger(asked(), within(5)))
    queue, world.debci.retry = world.debci.retry, lambda run: queue(run) and queue(run)  # type: ignore[method-assign]
    assert made(debci.retry(again(old), within(5))).ref.run_id == "2"
    assert len(world.debci.runs) == 3


def test_only_runs_of_our_own_are_repeated(world: World, debci: Debci) -> None:
    world.debci.add_run("hello", user="someone-else")
    old = made(debci.trigger(asked(), within(5)))
    for run_id in ("1", "99", "2x", "007"):
        theirs = replace(old, ref=replace(old.ref, run_id=run_id))
        failing(Kind.NOT_FOUND, debci.retry, again(theirs))
    assert world.sent("POST", "/api/v1/retry/.*") == 0


def test_a_retry_takes_nothing_else(world: World, debci: Debci) -> None:
    old = made(debci.trigger(asked(), within(5)))
    for changes in (
        {"scope": "failed"},
        {"parameters": {"priority": "1"}},
        {"variables": (Variable("A", KEY),)},
    ):
        failing(Kind.INVALID, debci.retry, again(old, **changes))
    assert world.sent("POST", "/api/v1/retry/.*") == 0


def test_a_retry_of_a_rejected_package(world: World, debci: Debci) -> None:
    old = made(debci.trigger(asked(), within(5)))
    world.debci.reject_list.append(Rejected("hello"))
    error = failing(Kind.INVALID, debci.retry, again(old))
    assert "REJECT list" in error.message


def test_a_retry_while_the_queue_is_down(world: World, debci: Debci) -> None:
    old = made(debci.trigger(asked(), within(5)))
    world.debci.broker_down = True
    started = debci.retry(again(old), within(5))
    assert made(started).ref.run_id == "2"
    assert "may never start" in started.note
    assert world.sent("POST", "/api/v1/retry/.*") == 1


def test_one_run_comes_from_the_listing(world: World, debci: Debci) -> None:
    world.debci.add_run("hello", outcome=Outcome("fail"))
    assert debci.get("1", within(5)).status is Status.QUEUED
    world.clock.advance(20)
    assert debci.get("1", within(5)).status is Status.FAILED
    assert world.sent() == 2
    assert debci.get("1", within(5)).status is Status.FAILED
    assert world.sent() == 2, "what is over stays as it is and is remembered"


def test_a_run_that_is_not_ours_or_too_old(world: World, debci: Debci) -> None:
    world.debci.add_run("hello", user="someone-else")
    world.debci.add_run("hello", age_s=8 * 86400)
    for run_id in ("1", "2", "3"):
        assert "its own user" in failing(Kind.NOT_FOUND, debci.get, run_id).message
    assert world.provider(look_back_h=200).get("2", within(5)).status is Status.PASSED


@pytest.mark.parametrize("run_id", ["", "0", "2x", "-1", "..", "1/../2", "1?x", "1\r\nX: y", "٣"])
def test_odd_ids_are_not_asked_for(world: World, debci: Debci, run_id: str) -> None:
    failing(Kind.NOT_FOUND, debci.get, run_id)
    failing(Kind.NOT_FOUND, debci.log, run_id, None)
    assert world.sent() == 0


def test_recent_runs_newest_first(world: World, debci: Debci) -> None:
    for package in ("hello", "other", "hello"):
        world.debci.add_run(package)
    world.debci.add_run("hello", suite="stable")
    world.debci.add_run("hello", user="someone-else")
    assert ids(debci.recent("*", 9, within(5))) == ["4", "3", "2", "1"]
    assert ids(debci.recent("testing/amd64/hello", 9, within(5))) == ["3", "1"]
    assert ids(debci.recent("*/hello", 2, within(5))) == ["4", "3"]
    assert debci.recent("*", 0, within(5)) == ()
    assert all("since" in r.query for r in world.debci.faults.requests("GET", LISTING))


def test_pipelines_are_what_was_requested_lately(world: World, debci: Debci) -> None:
    world.debci.add_run("other")
    world.debci.add_run("hello")
    world.debci.add_run("hello")
    found = debci.pipelines(within(5))
    assert [one.ref.key for one in found] == ["testing/amd64/hello", "testing/amd64/other"]
    assert found[0].title == "hello in testing on amd64"
    assert found[0].url == f"{world.server.url}/packages/h/hello/testing/amd64/"


def test_any_well_formed_key_is_a_pipeline(world: World) -> None:
    debci = world.provider(suites="testing,stable", architectures="amd64")
    assert debci.find_pipeline("stable/amd64/never-run", within(5)).ref.key.endswith("never-run")
    assert world.sent() == 0
    world.debci.add_run("other")
    made_up = ("testing/amd64/hello", "stable/amd64/hello", "testing/amd64/other")
    for key in ("hello", "sid/amd64/hello"):
        assert failing(Kind.NOT_FOUND, debci.find_pipeline, key).known == made_up
    world.fault(path=LISTING, status=500)
    fresh = world.provider(suites="testing", architectures="amd64")
    assert failing(Kind.NOT_FOUND, fresh.find_pipeline, "hello").known == made_up[:1]


def test_the_sources_are_one(debci: Debci) -> None:
    assert debci.sources("*") == debci.sources("testing/amd64/hello") == (SOURCE,)


def test_a_run_is_known_by_its_own_link(world: World, debci: Debci) -> None:
    run = made(debci.trigger(asked("testing/amd64/libstdc++"), within(5)))
    assert run.url == f"{world.server.url}/packages/libs/libstdc++/testing/amd64/#1"
    assert debci.run_id_in(run.url) == "1"


def test_a_quiet_poll_is_one_request(world: World, debci: Debci) -> None:
    world.debci.add_run("hello")
    world.poll(debci)
    world.clock.advance(60)
    before = world.sent()
    assert [run.status for run in world.poll(debci).runs] == [Status.PASSED]
    world.poll(debci)
    assert world.sent() == before + 2


def test_the_first_poll_looks_back(world: World) -> None:
    world.debci.add_run("hello", age_s=7200)
    world.debci.add_run("hello", age_s=600)
    assert ids(world.poll(world.provider(look_back_h=1, overlap_s=60)).runs) == ["2"]


def test_nothing_new_is_no_reason_to_start_over(world: World, debci: Debci) -> None:
    world.poll(debci)
    first = json.loads(world.cursor)
    world.clock.advance(3600)
    world.poll(debci)
    assert json.loads(world.cursor) == first, "until is 0 then"


def test_the_mark_stays_when_until_goes_back(world: World) -> None:
    debci = world.provider(overlap_s=0)
    world.debci.add_run("hello", outcome=Outcome("pass", 500))
    world.clock.advance(100)
    world.debci.add_run("other", outcome=Outcome("pass", 1))
    world.clock.advance(5)
    world.poll(debci)
    highest = json.loads(world.cursor)["until"]
    world.clock.advance(100)
    world.fault(path=LISTING, times=1, status=200, body=b'{"until": 5, "results": []}')
    world.poll(debci)
    assert json.loads(world.cursor)["until"] == highest


def test_a_late_result_is_not_lost(world: World) -> None:
    """The run ends, a newer one is requested and moves `until`, then the result comes in."""
    debci = world.provider(overlap_s=0)
    late = world.debci.add_run("hello", outcome=Outcome("fail", duration_s=10, late_by_s=60))
    world.poll(debci)
    world.clock.advance(30)
    world.debci.add_run("newer", outcome=Outcome("pass", 1))
    world.clock.advance(5)
    world.poll(debci)
    assert json.loads(world.cursor)["until"] > late.date
    world.clock.advance(60)
    failed = [run for run in world.poll(debci).runs if run.status is Status.FAILED]
    assert ids(tuple(failed)) == ["1"]


def test_when_a_run_was_requested_is_not_forgotten(world: World, debci: Debci) -> None:
    world.debci.add_run("hello")
    [pending] = world.poll(debci).runs
    world.clock.advance(60)
    [over] = world.poll(debci).runs
    assert over.status is Status.PASSED
    assert over.created == pending.created
    assert over.created is not None


def test_a_run_that_never_ends_is_given_up(world: World) -> None:
    debci = world.provider(give_up_h=2)
    world.debci.workers.clear()
    world.debci.add_run("hello")
    world.poll(debci)
    world.clock.advance(3600)
    world.debci.add_run("other")
    assert {run.status for run in world.poll(debci).runs} == {Status.QUEUED}
    world.clock.advance(3601)
    lost = next(run for run in world.poll(debci).runs if run.ref.run_id == "1")
    assert (lost.status, lost.raw_status) == (Status.UNKNOWN, "pending for over 2 h")
    assert ids(world.poll(debci).runs) == ["2"], "it holds the listing back no longer"
    world.debci.finish(1, "fail")
    assert Status.FAILED in {run.status for run in world.poll(debci).runs}, "better late"


def test_bad_entries_are_counted_and_cost_no_other(world: World, debci: Debci) -> None:
    good = {"run_id": 7, "package": "hello", "suite": "a", "arch": "b", "status": "fail"}
    items = [None, 5, {}, {**good, "run_id": "../1"}, good, {**good, "package": "a/b"}]
    body = json.dumps({"until": 10**15, "results": items}).encode()
    world.fault(path=LISTING, status=200, body=body)
    seen = world.poll(debci)
    assert (ids(seen.runs), seen.bad_items) == (["7"], 5)
    assert json.loads(seen.cursor)["until"] == int(world.clock.time())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<h1>hello</h1>",
        b"[]",
        b"null",
        b'{"until": 5}',
        b'{"until": "5", "results": []}',
        b'{"until": -1, "results": []}',
        b'{"until": NaN, "results": []}',
        b'{"until": 5, "results": {}}',
        b'{"until": 5, "results": [',
    ],
)
def test_a_listing_that_is_none(world: World, debci: Debci, body: bytes) -> None:
    world.fault(path=LISTING, status=200, body=body)
    failing(Kind.BAD_REPLY, lambda by: debci.observe(SOURCE, "", (), by))


def test_the_log(world: World, debci: Debci) -> None:
    world.debci.add_run("libfoo", outcome=Outcome("fail", 30))
    assert "before the run is over" in failing(Kind.NOT_FOUND, debci.log, "1", None).message
    world.clock.advance(40)
    log = debci.log("1", None, within(5))
    assert (log.title, log.is_cut) == ("libfoo 1", False)
    assert "smoke                FAIL" in log.text
    path = "/data/autopkgtest/testing/amd64/libf/libfoo/1/log.gz"
    [request] = world.debci.faults.requests("GET", path)
    assert "Auth-Key" not in request.headers, "a log server may be somebody else"
    failing(Kind.UNSUPPORTED, debci.log, "1", "setup")


def test_a_log_elsewhere_packed_as_a_file(world: World) -> None:
    debci = world.provider(log_base_url=f"{world.server.url}/logs/")
    world.debci.add_run("hello", age_s=600)
    lines = b"".join(b"line %d \x1b[31mred\n" % number for number in range(40_000))
    path = "/logs/testing/amd64/h/hello/1/log.gz"
    world.fault(path=path, status=200, body=gzip.compress(lines))
    log = debci.log("1", None, within(5))
    assert log.is_cut
    assert log.text.startswith("line ")
    assert log.text.endswith("line 39999 \x1b[31mred\n")
    assert len(log.text) <= 256 * 1024


@pytest.mark.parametrize(
    ("fault", "kind", "part"),
    [
        ({"status": 404, "body": b"<html>gone</html>"}, Kind.NOT_FOUND, "any more"),
        ({"status": 403}, Kind.FORBIDDEN, "log server"),
        ({"status": 200, "body": b"\x1f\x8bjunk"}, Kind.BAD_REPLY, "damaged"),
        ({"status": 200, "body": gzip.compress(bytes(20_000_000))}, Kind.BAD_REPLY, "too large"),
    ],
    ids=["gone", "forbidden", "damaged", "bomb"],
)
def test_a_log_that_cannot_be_had(
    world: World, debci: Debci, fault: dict[str, Any], kind: Kind, part: str
) -> None:
    world.debci.add_run("hello", age_s=600)
    world.fault(path="/data/.*", **fault)
    assert part in failing(kind, debci.log, "1", None).message


def test_a_run_that_was_not_run_has_no_log() -> None:
    world = World("3.6")
    world.debci.add_run("hello").outcome = None
    with world.server:
        debci = world.provider()
        assert "did not run" in failing(Kind.NOT_FOUND, debci.log, "1", None).message
    assert world.sent("GET", "/data/.*") == 0


def test_a_call_ends_at_its_deadline(world: World, debci: Debci) -> None:
    world.fault(path=LISTING, hang=True)
    deadline = within(0.3)
    started_s = deadline.clock.monotonic()
    with pytest.raises(ProviderError) as caught:
        debci.get("1", deadline)
    assert caught.value.kind is Kind.UNAVAILABLE
    assert deadline.clock.monotonic() - started_s < 2
