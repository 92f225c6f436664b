"""F21 through the composed bot: the time of day jumps, and the machine is suspended."""

from collections.abc import Callable

import pytest

from bot.domain.overdue import ENOUGH
from bot.playground.faults import Fault
from bot.playground.slack.messages import Message
from bot.playground.slack.people import BUILDS
from bot.services.commands import BUDGET
from tests.fakes.clocks import JumpyClock
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import CATALOG, SHOP

Open = Callable[..., Newsroom]
HOUR_S = 3600.0
NAP_S = 2 * HOUR_S
LISTS = "/api/v3/runs"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> JumpyClock:
    """What the bots that start from now on read the time from."""
    made = JumpyClock()
    monkeypatch.setattr("bot.runtime.bot.SystemClock", lambda: made)
    return made


def cards(room: Newsroom) -> list[Message]:
    return [m for m in room.told() if not m.is_reply]


@pytest.mark.parametrize("hours", [-1, 1])
def test_f21_a_jump_of_the_time_of_day_tells_each_failure_once_and_nothing_else(
    newsroom: Open, clock: JumpyClock, hours: int
) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    running = room.begins(CATALOG)
    runs = []
    for branch, wrong_s in (("before", 0.0), ("during", hours * HOUR_S), ("after", 0.0)):
        clock.wrong_s = wrong_s
        room.polls_twice()
        runs.append(room.ends("failed", branch=branch))
        room.waits_for(runs[-1].id)
        room.polls_twice()
    room.wercker.finish(running.id, "failed")
    room.waits_for(running.id)
    room.polls_twice()
    assert [len(room.alerts(run.id)) for run in (*runs, running)] == [1, 1, 1, 1]
    assert len(room.told()) == 4
    assert room.bot.unready() == ()


@pytest.mark.parametrize("hours", [-1, 1])
def test_f21_a_jump_makes_no_run_overdue(newsroom: Open, clock: JumpyClock, hours: int) -> None:
    room = newsroom()
    for number in range(ENOUGH):
        room.wercker.add_run(CATALOG, age_s=500.0 - number)
    room.use(BOT_ALERT_CHANNEL=BUILDS)
    room.restarts()
    over = "SELECT count(*) AS n FROM runs WHERE is_over"
    room.wait(lambda: room.query(over)[0]["n"] == ENOUGH, "enough ended runs to judge by")
    room.begins(CATALOG)
    room.wait(lambda: room.query("SELECT 1 FROM runs WHERE NOT is_over"), "a run under way")
    for wrong_s in (hours * HOUR_S, 0.0):
        clock.wrong_s = wrong_s
        room.polls_twice()
    assert room.told() == []
    clock.slept_s = 60.0  # which is more than the others ever took
    assert "running for 1m" in room.waits_for("overdue").visible


@pytest.mark.parametrize("hours", [-1, 1])
def test_f21_mutes_and_buttons_outlive_a_jump(
    newsroom: Open, clock: JumpyClock, hours: int
) -> None:
    """A mute ends earlier or later by the jump, as clocks on walls say; it does not end anew."""
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    olivia = room.person()
    signed_before = room.waits_for(room.ends("failed", SHOP).id)
    clock.wrong_s = hours * HOUR_S
    signed_during = room.waits_for(room.ends("failed", CATALOG).id)
    assert "muted until" in olivia.press_answer(signed_before, "Mute 2 h").visible
    clock.wrong_s = 0.0
    assert "muted until" in olivia.press_answer(signed_during, "Mute 2 h").visible
    room.polls_twice()
    known = len(room.told())
    for pipeline in (SHOP, CATALOG):
        room.ends("failed", pipeline)
    room.polls_twice()
    assert len(room.told()) == known
    assert olivia.acts(f"/trigger wercker:{SHOP}").text


def test_f21_commands_of_a_later_hour_are_not_of_this_minute(
    newsroom: Open, clock: JumpyClock
) -> None:
    """A person who asked for something now and then is not taken for a flood."""
    room = newsroom()
    olivia = room.person()
    for minutes in range(BUDGET + 1):
        clock.wrong_s = minutes * 120.0
        olivia.asks("/watch off 1")
    clock.wrong_s = 0.0
    answer = olivia.asks(f"/watch wercker:{SHOP}")
    assert "I will post here" in answer.visible


@pytest.mark.parametrize("is_history_readable", [True, False])
def test_f21_a_suspended_machine_steals_no_claim_and_tells_each_failure_once(
    newsroom: Open, clock: JumpyClock, *, is_history_readable: bool
) -> None:
    """It is suspended while a poll and a post are under way, and a run fails meanwhile."""
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    if not is_history_readable:
        room.slack.scopes.discard("channels:history")
    room.polls_twice()
    first = room.ends("failed", branch="first")
    posting = room.slack.faults.add(Fault(path="/api/chat.postMessage", delay_s=5.0, times=1))
    room.wait(lambda: posting.times == 0, "a post under way")
    polling = room.break_down("wercker", path=LISTS, delay_s=2.0, times=2)
    room.wait(lambda: polling.times < 2, "a poll under way")
    asleep = room.ends("failed", branch="asleep")
    clock.slept_s += NAP_S
    room.clock.advance(NAP_S)
    awake = room.ends("failed", branch="awake")
    for run in (first, asleep, awake):
        room.wait(lambda: room.alerts(run.id), f"the alert of {run.branch}", 15)  # noqa: B023
    room.polls_twice()
    room.wait(lambda: not room.query("SELECT 1 FROM outbox WHERE state IN ('waiting', 'sending')"),
              "an empty outbox", 15)  # fmt: skip
    assert [len(room.alerts(run.id)) for run in (first, asleep, awake)] == [1, 1, 1]
    assert len(cards(room)) == 3, "nothing else is told"
    room.wait(lambda: room.bot.unready() == (), "readiness")
