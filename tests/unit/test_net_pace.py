"""The budget of requests and the pause."""

import threading

from bot.net.pace import Pace
from tests.fakes.net import StillClock


def test_a_small_burst_goes_at_once_and_then_one_an_interval() -> None:
    clock = StillClock()
    pace = Pace(clock, 60)
    assert [pace.reserve(100) for _ in range(10)] == [0.0] * 10
    assert [pace.reserve(100) for _ in range(3)] == [1.0, 2.0, 3.0]


def test_what_cannot_be_had_in_time_is_not_taken() -> None:
    pace = Pace(StillClock(), 6)
    assert pace.reserve(0) == 0.0
    assert pace.reserve(9.9) is None
    assert pace.reserve(9.9) is None
    assert pace.wait_s() == 10.0
    assert pace.reserve(10.0) == 10.0


def test_the_budget_fills_up_but_not_over() -> None:
    clock = StillClock()
    pace = Pace(clock, 60)
    clock.wait(3600)
    assert [pace.reserve(0) for _ in range(11)] == [0.0] * 10 + [None]


def test_over_an_hour_it_stays_within_the_rate_and_one_burst() -> None:
    clock = StillClock()
    pace = Pace(clock, 30)
    sent = 0
    while clock.passed_s < 3600:
        wait_s = pace.reserve(60)
        assert wait_s is not None
        clock.wait(wait_s)
        sent += 1
    assert 1795 <= sent <= 1800 + 10


def test_threads_share_one_budget() -> None:
    pace = Pace(StillClock(), 60)
    waits: list[float | None] = []
    threads = [threading.Thread(target=lambda: waits.append(pace.reserve(1e9))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(w or 0.0 for w in waits) == [0.0] * 10 + [float(n) for n in range(1, 41)]


def test_a_pause_ends_by_itself_and_a_shorter_one_does_not_shorten_it() -> None:
    clock = StillClock()
    pace = Pace(clock, 60)
    pace.pause(30)
    pace.pause(5)
    assert pace.paused_s() == 30
    clock.wait(31)
    assert pace.paused_s() == 0
    pace.pause(1e9)
    assert pace.paused_s() == 900
