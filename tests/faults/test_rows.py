"""Rows of the fault table that have no file of their own, seen from outside where it can be.

F24 (the PostgreSQL server restarts) waits for that store.
"""

import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import BuildContext
from bot.domain.statuses import Status
from bot.playground.clock import ManualClock
from bot.playground.faults import Fault
from bot.playground.server import Server
from bot.playground.slack.people import BUILDS, OPERATOR
from bot.playground.vendors.allure import AllureStandin
from bot.providers.allure import SPEC as ALLURE
from bot.runtime.clock import SystemClock
from tests.fakes.model_vendor import Vendor
from tests.fakes.model_world import CHANGES, World
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import SHOP, Stage
from tests.scenario.test_serve import Process, get

Open = Callable[..., Newsroom]
RESPONSE_URL = "/(commands|actions)/.*"


class LateClock(SystemClock):
    added_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.added_s)

    def monotonic(self) -> float:
        return time.monotonic() + self.added_s


def test_f12_an_expired_token_is_renewed_once_for_ten_threads() -> None:
    standin, clock = AllureStandin(ManualClock(), "sample-api-token"), LateClock()
    with Server(standin.app) as server:
        settings = ALLURE.settings.model_validate(
            {"token": "sample-api-token", "base_url": server.url}
        )
        provider = ALLURE.build(BuildContext("allure", settings, clock))
        check = lambda _=0: provider.check(Deadline.after(clock, 10))  # noqa: E731
        check()
        clock.added_s = 3600
        standin.revoke_tokens()
        standin.faults.add(Fault(path="/api/uaa/oauth/token", delay_s=0.2))
        with ThreadPoolExecutor(10) as pool:
            assert len(list(pool.map(check, range(10)))) == 10
        assert standin.exchanges == 2
        standin.api_token = "another"
        standin.revoke_tokens()
        with ThreadPoolExecutor(10) as pool:
            kinds = list(pool.map(lambda _: kind_of(check), range(10)))
        assert set(kinds) == {Kind.AUTH}
        refused = standin.faults.requests(path="/api/uaa/oauth/token")
        assert len(refused) == 3, "no storm of logins"


def kind_of(call: Callable[[], Any]) -> Kind | None:
    try:
        call()
    except ProviderError as error:
        return error.kind
    return None


def test_f12_a_refused_credential_is_told_at_once(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    room.break_down("wercker", status=401)
    assert "wercker" in room.waits_for("blind").visible


def test_f18_a_locked_database_says_busy_and_loses_nothing(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    olivia = room.person()
    with locked(room.database):
        run = room.ends("failed")
        told = olivia.does(f"/trigger wercker:{SHOP}")
        assert told.acked_s <= 1.5
        assert told.answer is not None
        assert "nothing was done" in told.answer.text
        room.wait(lambda: "store.failed" in room.log.events(), "a write that failed", 30)
    room.waits_for(run.id)
    assert room.changes() == []
    assert len(room.alerts(run.id)) == 1


def test_f18_a_poll_that_could_not_be_stored_is_made_again_as_soon_as_it_can_be(
    newsroom: Open,
) -> None:
    """Not only when its lease ends."""
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS, BOT_PROVIDERS__WERCKER__APPLICATIONS="acme/shop")
    room.polls_twice()
    run = room.ends("failed")
    other = sqlite3.connect(room.database, isolation_level=None, check_same_thread=False)
    with closing(other):
        room.break_down("wercker", times=1, then=lambda: other.execute("BEGIN IMMEDIATE"))
        room.wait(lambda: not_stored(room, "poll-wercker"), "a poll that could not be stored", 30)
    assert run.id in room.waits_for(run.id).visible


def test_f18_what_slack_took_is_noted_as_soon_as_it_can_be_and_not_looked_for(
    newsroom: Open,
) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    other = sqlite3.connect(room.database, isolation_level=None, check_same_thread=False)
    with closing(other):
        lock = Fault(
            path="/api/chat.postMessage", times=1, then=lambda: other.execute("BEGIN IMMEDIATE")
        )
        room.slack.faults.add(lock)
        first = room.ends("failed", branch="one")
        room.waits_for(first.id)
        room.wait(lambda: not_stored(room, "send-"), "an outcome that could not be stored", 30)
    second = room.ends("failed", branch="two")
    room.waits_for(second.id)
    assert len(room.alerts(first.id)) == 1
    assert room.slack.calls("conversations.history") == []


def not_stored(room: Newsroom, loop: str) -> bool:
    """Whether a loop of this kind met a database that did not do what was asked."""
    said = [json.loads(line) for line in room.log.lines]
    return any(s["event"] == "store.failed" and s["loop"].startswith(loop) for s in said)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        other.close()


def test_f19_a_full_disk_refuses_changes_keeps_alerts_and_is_got_over(
    newsroom: Open, tmp_path: Path
) -> None:
    """The disk is full for one process: no file of it may grow, or be written far inside."""
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    room.stop_bot()
    serving = Process(tmp_path, room.environ(), "serve")
    try:
        room.connect(port_of(room, serving))
        url = f"http://127.0.0.1:{port_of(room, serving)}/readyz"
        room.wait(lambda: get(url)[0] == 200, "readiness", 30)
        room.polls_twice()
        known = resource.prlimit(serving.child.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(serving.child.pid, resource.RLIMIT_FSIZE, (1, known[1]))
        run = room.ends("failed")
        room.wait(lambda: get(url)[0] == 503, "that readiness tells", 30)
        assert "database_not_writable" in get(url)[1]
        told = room.person().does(f"/trigger wercker:{SHOP}")
        assert told.answer is not None
        assert "othing was" in told.answer.text
        assert room.changes() == []
        resource.prlimit(serving.child.pid, resource.RLIMIT_FSIZE, known)
        room.wait(lambda: get(url)[0] == 200, "readiness", 30)
        room.wait(lambda: room.alerts(run.id), "the alert", 30)
        assert len(room.alerts(run.id)) == 1
    finally:
        serving.end()
        room.start_bot()


def port_of(room: Stage, process: Process) -> int:
    started = room.wait(lambda: process.event("bot.started"), "bot.started", 30)
    return int(started["port"])


def serve(folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    here = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "bot", "serve"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": here, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("what", ["damaged", "newer"])
def test_f20_a_database_that_cannot_be_used_is_refused_untouched(
    newsroom: Open, tmp_path: Path, what: str
) -> None:
    room = newsroom()
    folder = tmp_path / "other"
    folder.mkdir()
    path = folder / "bot.db"
    if what == "damaged":
        path.write_bytes(b"no database at all, but long enough to look at" * 100)
    else:
        room.stop_bot()
        path.write_bytes(room.database.read_bytes())
        with sqlite3.connect(path) as conn:
            conn.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
                         " VALUES ('bot', 'of_tomorrow', '2030-01-01')")  # fmt: skip
        conn.close()
        room.start_bot()
    before = path.read_bytes()
    ended = serve(folder, room.environ() | {"DATABASE_URL": f"sqlite:///{path}"})
    assert ended.returncode == 1
    assert len([line for line in ended.stderr.splitlines() if "bot.refused" in line]) == 1
    assert path.read_bytes() == before


def test_f22_a_second_worker_on_the_same_file_is_refused(newsroom: Open, tmp_path: Path) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    ended = serve(tmp_path, room.environ())
    assert ended.returncode == 1
    assert "Another worker is using this database" in ended.stderr
    run = room.ends("failed")
    room.waits_for(run.id)


def test_f22_another_name_of_the_file_is_the_same_file(newsroom: Open, tmp_path: Path) -> None:
    room = newsroom()
    other = tmp_path / "other.db"
    other.symlink_to(room.database)
    ended = serve(tmp_path, room.environ() | {"DATABASE_URL": f"sqlite:///{other}"})
    assert ended.returncode == 1
    assert "Another worker is using this database" in ended.stderr


def test_f26_a_full_pool_is_said_at_once_and_recovers(
    newsroom: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.runtime.bot.COMMAND_WORKERS", 1)
    monkeypatch.setattr("bot.runtime.bot.COMMAND_BACKLOG", 1)
    room = newsroom()
    olivia = room.person()
    slow = room.break_down("wercker", delay_s=1.0)
    for _ in range(2):
        olivia.does("/runs provider=wercker")
    told = olivia.does(f"/trigger wercker:{SHOP}")
    assert told.acked_s < 1.0
    assert told.answer is not None
    assert "I am busy, so nothing was done" in told.answer.text
    assert room.changes() == []
    slow.times = 0
    room.wait(lambda: len(olivia.screen()) >= 3, "the answers that were under way")
    assert "— done" in olivia.acts(f"/trigger wercker:{SHOP}").text


@pytest.mark.parametrize("status", [404, 500])
def test_f28_an_answer_finds_another_way_and_no_loop(newsroom: Open, status: int) -> None:
    room = newsroom()
    run = room.wercker.add_run(SHOP, age_s=50)
    room.slack.faults.add(Fault(path=RESPONSE_URL, status=status, body=b"used_url"))
    answer = room.person().asks("/runs")
    assert run.id in answer.text
    assert answer.ephemeral_for == OPERATOR
    assert len(room.slack.faults.requests("POST", RESPONSE_URL)) == 1
    assert len(room.slack.calls("chat.postEphemeral")) == 1


def test_f30_a_thread_that_dies_is_started_once_more_and_then_all_ends(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    (loop,) = [one for one in room.bot._supervisor._loops if one.name == "plan"]
    turn, faults = loop.turn, [1]

    def dies() -> bool:
        if faults:
            faults.pop()
            raise RuntimeError
        return turn()

    loop.turn = dies
    ended: list[bool] = []
    stop = threading.Event()
    watching = threading.Thread(target=lambda: ended.append(room.bot.run(stop)))
    watching.start()
    try:
        loop.wake.set()
        room.wait(lambda: "thread.restarted" in room.log.events(), "a new thread")
        run = room.ends("failed")
        room.waits_for(run.id)
        assert ended == []
        faults.append(1)
        room.wait(lambda: loop.wake.set() or ended == [False], "the end")  # type: ignore[func-returns-value]
    finally:
        stop.set()
        watching.join(10)
    assert "bot.dying" in room.log.events()


def test_f16_a_run_repeated_under_its_id_and_stale_pages_tell_each_failure_once(
    tmp_path: Path,
) -> None:
    """Both ends of a repeated run are told; a cache that is some changes behind tells nothing."""
    with closing(World(tmp_path)) as world:
        world.poll()
        vendor = world.vendors[1]
        run_id = vendor.start("p0", "main")
        for stale_by in (0, 1, 2, 3):
            if stale_by:
                vendor.repeat(run_id)
            look(world, vendor, stale_by)
            vendor.end(run_id, Status.FAILED)
            look(world, vendor, stale_by)
        world.heal_and_drain()
        assert set(world.told(CHANGES).values()) == {1}
        assert len(world.told(CHANGES)) == 4


def look(world: World, vendor: Vendor, stale_by: int) -> None:
    """Fresh, then from a cache, then fresh again."""
    for behind in (0, stale_by, 0):
        vendor.stale_by = behind
        world.clock.advance(61)
        world.poll()


@pytest.mark.parametrize("hours", [-1, 1])
def test_f21_a_clock_that_jumps_loses_nothing_and_repeats_nothing(
    tmp_path: Path, hours: int
) -> None:
    with closing(World(tmp_path)) as world:
        world.poll()
        vendor = world.vendors[0]
        for error in (0, hours, 0):
            world.clock.error = timedelta(hours=error)
            world.clock.advance(61)
            vendor.end(vendor.start("p0", "main"), Status.FAILED)
            world.poll()
            world.send(1)
        world.heal_and_drain()
        assert set(world.told(CHANGES)) == world.truth(CHANGES).must
        assert set(world.told(CHANGES).values()) == {1}
        assert len(world.told(CHANGES)) == 3
