"""Signed button values: good for one run, verb and channel, for seven days; for nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.access import Verb
from bot.domain.errors import UserError
from bot.domain.runs import RunRef
from bot.slack.values import (
    LIFETIME,
    MOST_CHARACTERS,
    CommandPress,
    Press,
    PressRefusedError,
    RunPress,
    Signer,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIGNER = Signer("a secret of the deployment")
REF = RunRef("wercker", "577a4dbc3ec144923a02b6f9")

refs = st.builds(
    RunRef,
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}", fullmatch=True),
)
encodable = st.text(st.characters(exclude_categories=["Cs"]))
presses = st.one_of(
    st.builds(RunPress, st.sampled_from(Verb), refs, encodable.map(lambda text: text[:200])),
    st.builds(CommandPress, encodable),
)


def signed(press: Press, channel: str = "C1") -> str:
    return SIGNER.sign(press, channel, NOW + LIFETIME)


def refusal(value: str, channel: str = "C1", now: datetime = NOW) -> PressRefusedError:
    with pytest.raises(PressRefusedError) as caught:
        SIGNER.read(value, channel, now)
    return caught.value


@given(presses)
def test_what_was_signed_is_read_again(press: Press) -> None:
    assert SIGNER.read(signed(press), "C1", NOW) == press


@given(refs, st.sampled_from(Verb), st.text())
def test_values_of_runs_fit_into_a_button(ref: RunRef, verb: Verb, reason: str) -> None:
    assert len(signed(RunPress(verb, ref, reason))) <= MOST_CHARACTERS


def test_the_value_of_a_usual_run_fits_into_an_overflow_menu() -> None:
    assert len(signed(RunPress(Verb.RETRY, REF))) <= 150


@given(presses, st.integers(0, 3000), st.characters())
def test_an_edited_value_is_refused(press: Press, at: int, other: str) -> None:
    value = signed(press)
    at %= len(value)
    edited = value[:at] + other + value[at + 1 :]
    if edited != value:
        refusal(edited)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    refusal(text)


def test_every_defect_is_refused_with_the_same_words() -> None:
    press = RunPress(Verb.RETRY, REF)
    value = signed(press)
    payload, _, signature = value.partition(".")
    other_run = signed(RunPress(Verb.RETRY, RunRef("wercker", "1"))).partition(".")[0]
    other_verb = signed(RunPress(Verb.ABORT, REF)).partition(".")[0]
    foreign = Signer("another secret").sign(press, "C1", NOW + LIFETIME)
    defects = [
        refusal(f"{other_run}.{signature}"),
        refusal(f"{other_verb}.{signature}"),
        refusal(value, channel="C2"),
        refusal(value, now=NOW + LIFETIME),
        refusal(payload),
        refusal(f"{payload}."),
        refusal(""),
        refusal(foreign),
        refusal(f"{value}="),
    ]
    assert len({defect.message for defect in defects}) == 1
    assert all(isinstance(defect, UserError) for defect in defects)
    assert all(defect.detail for defect in defects)


def test_a_value_lives_for_seven_days() -> None:
    assert timedelta(days=7) == LIFETIME
    press = RunPress(Verb.RETRY, REF)
    assert SIGNER.read(signed(press), "C1", NOW + LIFETIME - timedelta(seconds=1)) == press


def test_the_secret_does_not_show() -> None:
    assert "secret of" not in repr(SIGNER)
    assert "secret of" not in str(vars(SIGNER))
