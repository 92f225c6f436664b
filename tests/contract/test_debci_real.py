"""The debci provider against a real debci 3.6. Opt-in, see `tests/fakes/real_debci.py`.

REAL_DEBCI=1 pytest -m real_debci tests/contract/test_debci_real.py
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import (
    BuildContext,
    Observation,
    OpenRun,
    RetryRequest,
    Started,
    TriggerRequest,
)
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.providers.debci import SOURCE, SPEC, Debci
from tests.fakes.net import RealClock
from tests.fakes.real_debci import RealDebci, real_debci, wait_until

pytestmark = [
    pytest.mark.real_debci,
    pytest.mark.skipif(os.environ.get("REAL_DEBCI") != "1", reason="REAL_DEBCI is not 1"),
]


class WallClock(RealClock):
    def now(self) -> datetime:
        return datetime.now(UTC)


CLOCK = WallClock()


@pytest.fixture(scope="module")
def server() -> Iterator[RealDebci]:
    with real_debci() as running:
        yield running


def make(server: RealDebci, **settings: Any) -> Debci:
    given = {"token": server.key, "base_url": server.url, "requests_per_minute": 6000}
    model = SPEC.settings.model_validate({**given, **settings})
    provider = SPEC.build(BuildContext("debci", model, CLOCK))
    assert isinstance(provider, Debci)
    return provider


@pytest.fixture
def debci(server: RealDebci) -> Debci:
    return make(server)


def soon(seconds: float = 15) -> Deadline:
    return Deadline.after(CLOCK, seconds)


def asked(package: str, mark: str, arch: str = "amd64", **parameters: str) -> TriggerRequest:
    model = SPEC.trigger.model_validate(parameters)
    return TriggerRequest(f"unstable/{arch}/{package}", model, (), mark, "U123")


def made(started: Started) -> Run:
    assert started.run is not None, started.note
    return started.run


def finished(debci: Debci, run: Run) -> Run:
    wait_until(lambda: debci.get(run.ref.run_id, soon()).is_over, f"run {run.ref}")
    return debci.get(run.ref.run_id, soon())


def error(kind: Kind, call: Any, *arguments: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        call(*arguments, soon())
    assert caught.value.kind is kind, repr(caught.value)
    return caught.value


def waiting(runs: tuple[Run, ...]) -> tuple[OpenRun, ...]:
    return tuple(OpenRun(r.ref.run_id, CLOCK.now(), r.created) for r in runs if not r.is_over)


def by_id(seen: Observation) -> dict[str, Run]:
    return {run.ref.run_id: run for run in seen.runs}


def test_the_key(server: RealDebci, debci: Debci) -> None:
    assert debci.check(soon()).account == "chatops"
    error(Kind.AUTH, make(server, token="33333333-3333-3333-3333-333333333333").check)


def test_a_run_from_request_to_log(server: RealDebci, debci: Debci) -> None:
    with server.paused(server.worker):
        started = debci.trigger(asked("hello-fail", "one", trigger="ärger & <b>"), soon())
        run = made(started)
        assert (run.status, started.note) == (Status.QUEUED, "")
        assert (
            "before the run is over"
            in error(Kind.NOT_FOUND, debci.log, run.ref.run_id, None).message
        )
    over = finished(debci, run)
    assert (over.status, over.raw_status) == (Status.FAILED, "fail")
    assert over.title.endswith(": Tests failed")
    assert over.created == run.created
    assert over.finished is not None
    log = debci.log(run.ref.run_id, None, soon())
    assert "autopkgtest" in log.text
    assert debci.recent("unstable/amd64/hello-fail", 1, soon())[0] == over


def test_all_parameters_are_understood(server: RealDebci, debci: Debci) -> None:
    given = {"priority": "9", "pin-packages": "src:foo,bar,testing", "is_private": "true"}
    run = made(debci.trigger(asked("libstdc++", "two", **given), soon()))
    assert run.is_private
    pins = server.ruby(f"print Debci::Job.find({run.ref.run_id}).pin_packages.to_json")
    assert pins == '[["src:foo","bar","testing"]]'
    assert finished(debci, run).status is Status.PASSED
    assert "done" in debci.log(run.ref.run_id, None, soon()).text, "also with + in its address"


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (asked("hello", "x", arch="mips"), "Invalid architecture: mips"),
        (replace(asked("hello", "x"), pipeline="sid/amd64/hello"), "Invalid suite: sid"),
        (
            asked("hello", "x", **{"extra-apt-sources": "nope"}),
            "Invalid request: Invalid value for extra_apt_sources: nope",
        ),
    ],
)
def test_refusals(server: RealDebci, debci: Debci, request_: TriggerRequest, text: str) -> None:
    before = server.jobs()
    assert error(Kind.INVALID, debci.trigger, request_).message == f"debci refused: {text}"
    assert server.jobs() == before


def test_a_rejected_package(server: RealDebci, debci: Debci) -> None:
    rejected = replace(asked("blocked-x", "four"), pipeline="testing/amd64/blocked-x")
    before = server.jobs()
    found = error(Kind.INVALID, debci.trigger, rejected)
    assert "reject list" in found.message
    assert "too big" in found.message
    assert server.jobs() == before
    debci._rejects._listing = lambda *_, **__: {}  # type: ignore[method-assign]  # as if just added
    started = debci.trigger(rejected, soon())
    assert made(started).status is Status.FAILED
    assert "was not run" in started.note
    assert "did not run" in error(Kind.NOT_FOUND, debci.log, made(started).ref.run_id, None).message
    retry = RetryRequest(made(started), "all", {}, (), "m", "U123")
    assert "REJECT list" in error(Kind.INVALID, debci.retry, retry).message


def test_a_retry(server: RealDebci, debci: Debci) -> None:
    old = finished(debci, made(debci.trigger(asked("hello", "five"), soon())))
    assert old.status is Status.PASSED
    first = made(debci.retry(RetryRequest(old, "all", {}, (), "m", "U123"), soon()))
    second = made(debci.retry(RetryRequest(old, "all", {}, (), "m", "U123"), soon()))
    numbers = [int(run.ref.run_id) for run in (old, first, second)]
    assert numbers == sorted(set(numbers))
    triggers = server.ruby(f"print Debci::Job.find({numbers}).map(&:trigger).uniq.to_json")
    assert triggers == '["slack/U123/five"]'


def test_only_what_our_user_requested(server: RealDebci, debci: Debci) -> None:
    script = (
        "u = Debci::User.find_or_create_by!(username: 'other'); "
        "p = Debci::Package.find_or_create_by!(name: 'hello'); "
        "print Debci::Job.create!(package: p, suite: 'unstable', arch: 'amd64', requestor: u).id"
    )
    theirs = server.ruby(script)
    assert "its own user" in error(Kind.NOT_FOUND, debci.get, theirs).message
    mine = made(debci.trigger(asked("hello", "six"), soon()))
    not_mine = replace(mine, ref=replace(mine.ref, run_id=theirs))
    before = server.jobs()
    error(Kind.NOT_FOUND, debci.retry, RetryRequest(not_mine, "all", {}, (), "m", "U123"))
    assert server.jobs() == before


def test_a_late_result(server: RealDebci) -> None:
    """The collector sleeps while the run ends and a newer one is requested."""
    debci = make(server, overlap_s=0)
    with server.paused(server.collector):
        slow = made(debci.trigger(asked("late-fail", "seven"), soon()))
        first = debci.observe(SOURCE, "", (), soon())
        newer = made(debci.trigger(asked("hello", "eight", arch="arm64"), soon()))
        second = debci.observe(SOURCE, first.cursor, waiting(first.runs), soon())
        assert by_id(second)[slow.ref.run_id].status is Status.QUEUED
        assert newer.ref.run_id in by_id(second)
    cursor = second.cursor

    def result() -> Status:
        seen = debci.observe(SOURCE, cursor, waiting(second.runs), soon())
        return by_id(seen)[slow.ref.run_id].status

    wait_until(lambda: result().is_terminal, "the late result")
    assert result() is Status.FAILED
    assert (
        by_id(debci.observe(SOURCE, cursor, waiting(second.runs), soon()))[newer.ref.run_id].status
        is Status.QUEUED
    ), "arm64 has no worker"


def test_a_web_server_that_sleeps(server: RealDebci) -> None:
    """It may or may not take up what it finds when it wakes (Puma 5.6 drops it when it sees
    that nobody waits any more), so nothing but AMBIGUOUS would be true.
    """
    debci = make(server)
    debci.recent("*", 1, soon())
    before = server.jobs()
    with server.paused(server.web):
        error(Kind.UNAVAILABLE, lambda by: debci.get("999999", by.at_most(0.5)))
        debci._rejects._listing = lambda *_, **__: {}  # type: ignore[method-assign]
        error(Kind.AMBIGUOUS, lambda by: debci.trigger(asked("hello", "nine"), by.at_most(2)))
    debci.check(soon())
    assert server.jobs() - before in {0, 1}


def test_without_a_broker(server: RealDebci, debci: Debci) -> None:
    """The last one, as it ends the broker: 500, and the run is there for ever."""
    server.stop_broker()
    before = server.jobs()
    started = debci.trigger(asked("hello", "ten"), soon())
    assert made(started).status is Status.QUEUED
    assert f"Recorded as run {made(started).ref.run_id}, but it may never start" in started.note
    again = debci.retry(RetryRequest(made(started), "all", {}, (), "m", "U123"), soon())
    assert int(made(again).ref.run_id) > int(made(started).ref.run_id)
    assert server.jobs() == before + 2, "nothing was sent twice"
