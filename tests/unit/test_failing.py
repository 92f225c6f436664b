"""What failed in runs is asked once a run, a few in one poll, and never at an alert's cost."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.providers.failing import (
    MOST_CHARACTERS,
    MOST_KEPT,
    MOST_NAMES,
    MOST_TRIES,
    RUNS_A_POLL,
    Inquiry,
    ask_for_failing,
    failing,
    unanswered,
)
from tests.fakes.store_samples import a_run

RED, GREEN, OPEN = Status.FAILED, Status.PASSED, Status.RUNNING


class HandClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)

    def monotonic(self) -> float:
        return self.now_s


@dataclass
class Vendor:
    """Answers with one name per run; keeps what it was asked and what is known between polls."""

    past: dict[str, Inquiry] | None = field(default_factory=dict)
    clock: HandClock = field(default_factory=HandClock)
    asked: list[str] = field(default_factory=list)
    takes_s: float = 0.0
    problem: Callable[[str], Kind | None] = lambda _run_id: None

    def polls(self, *runs: Run, within_s: float = 20.0) -> list[tuple[str, ...]]:
        """What the poll tells of these runs."""
        by_id = {run.ref.run_id: run for run in runs}
        deadline = Deadline.after(self.clock, within_s)
        named, self.past = ask_for_failing(by_id, self.past, self._answer, deadline)
        assert list(named) == list(by_id)
        return [run.failing for run in named.values()]

    def _answer(self, run_id: str, deadline: Deadline) -> tuple[str, ...]:
        self.asked.append(run_id)
        self.clock.now_s += min(self.takes_s, deadline.remaining_s())
        kind = self.problem(run_id)
        if kind is not None or not deadline.remaining_s():
            raise ProviderError(kind or Kind.UNAVAILABLE, "no")
        return (f"test of {run_id}",)


def reds(count: int) -> list[Run]:
    """The youngest first, as lists show them."""
    return [a_run(f"r{n}", RED, minute=n) for n in reversed(range(count))]


def test_each_failure_is_asked_for_once() -> None:
    vendor = Vendor()
    assert vendor.polls(a_run("r1", OPEN), a_run("r2", GREEN)) == [(), ()]
    assert vendor.polls(a_run("r1", RED), a_run("r2", GREEN)) == [("test of r1",), ()]
    assert vendor.polls(a_run("r1", RED), a_run("r2", GREEN)) == [(), ()]
    assert vendor.asked == ["r1"]


def test_the_first_name_is_the_one_that_is_shown() -> None:
    runs = {"r1": a_run("r1", RED)}
    deadline = Deadline.after(HandClock(), 20)
    named, _ = ask_for_failing(runs, {}, lambda _i, _d: ("b", "c"), deadline)
    assert (named["r1"].failed_step, named["r1"].failing) == ("b", ("b", "c"))


def test_what_failed_before_the_first_poll_is_not_asked_for() -> None:
    vendor = Vendor(past=None)
    vendor.polls(*reds(3))
    vendor.polls(*reds(4))
    assert vendor.asked == ["r3"]


def test_what_a_list_tells_by_itself_is_not_asked_for() -> None:
    vendor = Vendor()
    vendor.polls(replace(a_run("r1", RED), failed_step="deploy"))
    assert vendor.asked == []


def test_few_are_asked_for_in_one_poll_and_the_oldest_first() -> None:
    vendor = Vendor()
    told = [vendor.polls(*reds(12)) for _ in range(4)]
    assert [sum(map(bool, names)) for names in told] == [RUNS_A_POLL, RUNS_A_POLL, 2, 0]
    assert vendor.asked == [f"r{n}" for n in range(12)]


def test_what_waits_is_asked_for_though_no_list_shows_it_now() -> None:
    vendor = Vendor()
    vendor.polls(*reds(7))
    assert unanswered(vendor.past) == {"r5", "r6"}
    vendor.polls()
    assert unanswered(vendor.past) == {"r5", "r6"}, "the provider is to show them again"
    vendor.polls(*reds(7)[:2])
    assert not unanswered(vendor.past)


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        (Kind.UNAVAILABLE, MOST_TRIES),
        (Kind.BAD_REPLY, MOST_TRIES),
        (Kind.RATE_LIMITED, MOST_TRIES),
        (Kind.AUTH, MOST_TRIES),
        (Kind.NOT_FOUND, 1),
        (Kind.FORBIDDEN, 1),
    ],
)
def test_a_run_is_told_though_what_failed_cannot_be_had(kind: Kind, times: int) -> None:
    vendor = Vendor(problem=lambda _run_id: kind)
    for _ in range(5):
        assert vendor.polls(a_run("r1", RED)) == [()]
    assert len(vendor.asked) == times


def test_it_is_known_late_once_the_vendor_answers_again() -> None:
    vendor = Vendor(problem=lambda _run_id: Kind.UNAVAILABLE)
    assert vendor.polls(a_run("r1", RED)) == [()]
    vendor.problem = lambda _run_id: None
    assert vendor.polls(a_run("r1", RED)) == [("test of r1",)]


def test_runs_that_cannot_be_asked_for_do_not_keep_others_waiting() -> None:
    vendor = Vendor(problem=lambda run_id: None if run_id == "r9" else Kind.UNAVAILABLE)
    vendor.polls(*reds(10))
    vendor.polls(*reds(10))
    assert "r9" in vendor.asked


@pytest.mark.parametrize("kind", [Kind.RATE_LIMITED, Kind.AUTH])
def test_a_refusal_of_everything_ends_the_asking_of_a_poll(kind: Kind) -> None:
    vendor = Vendor(problem=lambda _run_id: kind)
    vendor.polls(*reds(3))
    assert vendor.asked == ["r0"]


def test_a_vendor_that_hangs_takes_half_of_what_is_left_at_most() -> None:
    vendor = Vendor(takes_s=1e9)
    assert vendor.polls(*reds(3), within_s=20) == [(), (), ()]
    assert vendor.clock.now_s == 10
    assert vendor.asked == ["r0"]


def test_a_run_that_failed_again_under_its_id_is_asked_for_again() -> None:
    vendor = Vendor()
    first = a_run("r1", RED)
    assert first.finished is not None
    again = replace(first, finished=first.finished + timedelta(minutes=5))
    for run in (first, a_run("r1", OPEN), again, again):
        vendor.polls(run)
    assert vendor.asked == ["r1", "r1"]
    at_once = replace(first, finished=first.finished + timedelta(minutes=9))
    vendor.polls(at_once)
    assert vendor.asked == ["r1"] * 3, "it moved and ended between two polls"


def test_what_an_old_page_showed_under_way_is_asked_for_again() -> None:
    """For the store has forgotten what failed in it."""
    vendor = Vendor()
    for run in (a_run("r1", RED), a_run("r1", OPEN), a_run("r1", RED)):
        vendor.polls(run)
    assert vendor.asked == ["r1", "r1"]


def test_what_is_kept_between_polls_is_bounded() -> None:
    vendor = Vendor(past=None)
    vendor.polls(*reds(MOST_KEPT + 50))
    assert vendor.past is not None
    assert len(vendor.past) == MOST_KEPT
    assert "r0" not in vendor.past, "the oldest are given up"


def test_names_are_short_single_lines_in_order() -> None:
    assert failing(["b\nc", None, " ", "a", "a", "x" * 300]) == ("a", "b c", "x" * MOST_CHARACTERS)
    assert len(failing(str(n) for n in range(99))) == MOST_NAMES


@given(st.lists(st.none() | st.text(max_size=MOST_CHARACTERS + 9)))
def test_any_names(names: list[str | None]) -> None:
    told = failing(names)
    assert list(told) == sorted(set(told))
    assert all(0 < len(name) <= MOST_CHARACTERS and "\n" not in name for name in told)
    assert failing(reversed(names)) == told
