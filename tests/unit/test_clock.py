"""The time of day without its latest leaps ahead."""

from datetime import UTC, datetime, timedelta

from bot.domain.clock import SteadyTime

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.error = timedelta(0)
        self.passed = timedelta(0)

    def now(self) -> datetime:
        return NOON + self.passed + self.error

    def monotonic(self) -> float:
        return self.passed.total_seconds()


def test_it_goes_on_as_if_nothing_had_leapt_ahead() -> None:
    clock = Clock()
    steady = SteadyTime(clock)
    clock.passed, clock.error = HOUR, HOUR
    assert steady.now() == NOON + HOUR


def test_it_is_never_later_than_the_time_of_day() -> None:
    clock = Clock()
    clock.error = HOUR
    steady = SteadyTime(clock)
    clock.error = timedelta(0)
    assert steady.now() == NOON
    clock.error = -HOUR
    assert steady.now() == NOON - HOUR


def test_a_clock_that_was_put_right_is_believed_after_a_day() -> None:
    clock = Clock()
    clock.error = -HOUR
    steady = SteadyTime(clock)
    clock.error = timedelta(0)
    assert steady.now() == NOON - HOUR
    clock.passed = timedelta(days=1, seconds=1)
    steady.now()
    assert steady.now() == clock.now()
