"""Vendor text for people."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.net import Reply, clean_message, clean_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<h1>Bad\r\n Gateway</h1><p>nginx", "Bad Gateway nginx"),
        ("<style>p { color: red }</style>Oops", "Oops"),
        ("<script>alert(1)", ""),
        ("Invalid &lt;suite&gt; &amp; arch", "Invalid <suite> & arch"),
        ("a < b and 3<4", "a < b and 3<4"),
        ("one\x00two\x1b[31mthree", "one two [31mthree"),
        ("evil\u202egnp.exe\u200b", "evilgnp.exe"),
        ("  much \t\n space ", "much space"),
        ("half \ud800 character", "half character"),
    ],
)
def test_a_message_is_one_plain_line(text: str, shown: str) -> None:
    assert clean_message(text) == shown


def test_a_long_message_is_cut_with_a_sign() -> None:
    assert clean_message("word " * 100, 12) == "word word w…"
    assert len(clean_message("x" * 1000)) == 300


@given(st.text(), st.integers(1, 50))
def test_any_message_is_short_and_printable(text: str, limit: int) -> None:
    shown = clean_message(text, limit)
    assert len(shown) <= limit
    assert not any(unicodedata.category(c).startswith("C") for c in shown)
    assert shown == " ".join(shown.split())


@pytest.mark.parametrize(
    "text", ["<" * 200_000, "<script>" * 25_000, "<a " * 70_000, "&" * 200_000]
)
@pytest.mark.timeout(5)
def test_awkward_text_takes_no_time(text: str) -> None:
    clean_message(text)


def test_a_log_keeps_colours_tabs_and_lines() -> None:
    raw = b"\xef\xbb\xbfone\r\ntwo\rthree\n\tfour \x1b[31mred\x1b[0m\x00\x07\x7f \xff"
    assert Reply(200, {}, raw).text() == "one\ntwo\nthree\n\tfour \x1b[31mred\x1b[0m \ufffd"


@given(st.text())
def test_any_log_holds_no_other_control_characters(text: str) -> None:
    odd = {c for c in clean_text(text) if unicodedata.category(c) == "Cc"}
    assert odd <= {"\n", "\t", "\x1b"}
