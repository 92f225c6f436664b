"""How long a vendor asks us to wait."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.net import parse_retry_after
from tests.fakes.net import START


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        (" 17 ", 17.0),
        ("1.5", 1.5),
        ("900", 900.0),
        ("901", 900.0),
        ("-5", 0.0),
        ("-1e9", 0.0),
        ("1e9", 900.0),
        ("1000000000", 900.0),
        ("9e999", 900.0),
        ("9" * 30, 900.0),
    ],
)
def test_numbers_are_limited_to_a_quarter_of_an_hour(value: str, seconds: float) -> None:
    assert parse_retry_after(value, START) == seconds


@pytest.mark.parametrize(
    ("ahead_s", "seconds"), [(60, 60.0), (0, 0.0), (-60, 0.0), (86_400, 900.0)]
)
def test_dates_count_from_the_clock(ahead_s: int, seconds: float) -> None:
    value = format_datetime(START + timedelta(seconds=ahead_s), usegmt=True)
    assert parse_retry_after(value, START) == seconds


def test_a_date_without_a_zone_is_utc() -> None:
    assert parse_retry_after("Thu, 01 Jan 2026 12:00:30 -0000", START) == 30.0


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "soon",
        "nan",
        "inf",
        "1_0",
        "١٧",  # noqa: RUF001
        "0x10",
        "5 s",
        "Thu, 99 Foo 2026",
        "Thu, 01 Jan 99999 00:00:00 GMT",
        "9" * 5000,
    ],
)
def test_garbage_says_nothing(value: str | None) -> None:
    assert parse_retry_after(value, START) is None


@given(st.one_of(st.text(), st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ [\d:]+ \S+")))
def test_any_text_is_none_or_within_bounds(value: str) -> None:
    seconds = parse_retry_after(value, START)
    assert seconds is None or 0.0 <= seconds <= 900.0
