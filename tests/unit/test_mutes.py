"""Which failure a mute keeps quiet, and which wakes it up."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.mutes import Mute
from bot.domain.pipelines import Pattern
from bot.domain.runs import Run
from tests.fakes.store_samples import NOON, a_run

MUTE = Mute("C1", Pattern("wercker", "*"), NOON + timedelta(hours=2), "U1")
NAMES = st.lists(st.sampled_from("abcd"), unique=True).map(tuple)


def failing(*names: str) -> Run:
    return replace(a_run(), failing=names, failed_step=names[0] if names else None)


def quiet(*failures: tuple[str, ...]) -> list[bool]:
    """Of each failure in turn, whether the mute keeps it quiet."""
    mute, heard = MUTE, []
    for names in failures:
        mute, is_quiet = mute.hear(failing(*names))
        heard.append(is_quiet)
    return heard


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ([("a",), ("a",)], [True, True]),
        ([("a",), ("b",), ("a",)], [True, False, False]),
        ([("a", "b"), ("b",), ("b", "a")], [True, True, True]),
        ([("a",), ("a", "b")], [True, False]),
        ([("a",), (), ("a",), ("b",)], [True, True, True, False]),
        ([(), ("a",), ("a",), ("b",)], [True, True, True, False]),
    ],
    ids=["same", "other", "part", "more", "unknown", "known later"],
)
def test_a_mute_wakes_up_for_what_it_did_not_know(
    failures: list[tuple[str, ...]], expected: list[bool]
) -> None:
    assert quiet(*failures) == expected


def test_a_first_failed_step_alone_names_a_failure_too() -> None:
    step = replace(a_run(), failed_step="test")
    mute, _ = MUTE.hear(step)
    assert mute.hear(step)[1]
    assert not mute.hear(replace(step, failed_step="lint"))[1]


@given(NAMES, NAMES)
def test_only_a_name_that_is_new_wakes_it_up(muted: tuple[str, ...], then: tuple[str, ...]) -> None:
    assert quiet(muted, then)[1] == (not muted or set(then) <= set(muted))


@given(st.lists(NAMES, min_size=1), st.randoms(use_true_random=False))
def test_the_order_of_names_does_not_matter(
    failures: list[tuple[str, ...]], random: object
) -> None:
    shuffled = []
    for names in failures:
        mixed = list(names)
        random.shuffle(mixed)  # type: ignore[attr-defined]
        shuffled.append(tuple(mixed))
    assert quiet(*failures) == quiet(*shuffled)
