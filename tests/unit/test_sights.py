"""When something counts as out of sight."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.polls import SourceKey, SourceState
from bot.domain.sights import is_back, is_blind, limit_s, out_of_sight

MAX_S = 60.0


def state(source: str, age_s: float, failures: int = 0, *, is_refused: bool = False) -> SourceState:
    return SourceState(
        SourceKey("wercker", source), age_s, failures, "why", age_s, is_refused=is_refused
    )


def test_the_limit() -> None:
    assert [limit_s(one) for one in (0.4, 60, 300)] == [0.4 * 3, 180, 300]


def test_a_refused_credential_counts_at_once() -> None:
    assert is_blind(state("a", 0.0, 1, is_refused=True), MAX_S)


def test_one_bad_poll_after_a_long_quiet_interval_is_no_proof() -> None:
    assert not is_blind(state("a", 190, 1), MAX_S)
    assert is_blind(state("a", 190, 2), MAX_S)
    assert is_blind(state("a", 361, 1), MAX_S)


def test_one_bad_poll_is_proof_enough_when_the_vendor_wants_a_long_pause() -> None:
    assert is_blind(replace(state("a", 181, 1), due_in_s=600), MAX_S)
    assert not is_blind(replace(state("a", 179, 1), due_in_s=600), MAX_S)


def test_a_source_that_is_merely_idle_is_seen() -> None:
    assert not is_blind(state("a", 1100, 0), 1000.0)


def test_the_whole_or_a_part() -> None:
    lost, well = state("a", 200, 3), state("b", 10)
    assert set(out_of_sight([lost, well], MAX_S)) == {lost.key}
    assert set(out_of_sight([lost, state("b", 200, 3)], MAX_S)) == {SourceKey("wercker", "")}


def test_while_the_others_are_being_lost_too_nothing_is_told_yet() -> None:
    assert out_of_sight([state("a", 200, 3), state("b", 170, 2)], MAX_S) == {}
    assert out_of_sight([state("a", 200, 3), state("b", 150)], MAX_S) == {}


@given(st.floats(0, 180), st.integers(0, 20))
def test_within_the_limit_nothing_is_blind(age_s: float, failures: int) -> None:
    assert not is_blind(state("a", age_s, failures), MAX_S)


def test_back_means_all_of_it() -> None:
    key = SourceKey("wercker", "")
    assert is_back(key, [state("a", 1), state("b", 1)])
    assert not is_back(key, [state("a", 1), state("b", 1, 1)])
