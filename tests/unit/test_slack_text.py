"""Text from elsewhere: shown as it is, never markup, never a mention."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.slack.masking import MASK, mask_assignments, mask_secrets
from bot.slack.text import (
    age,
    ago,
    code_block,
    code_span,
    cut,
    date,
    duration,
    escape,
    link,
    literal,
    one_line,
    prose,
    safe_url,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANGLES = re.compile(r"[<>]")
ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
EVIL = [
    "<!channel>",
    "<@U012>",
    "<https://evil.example|https://good.example>",
    "*bold* _it_ ~gone~ `code` ```block```",
    "> quote",
    ":tada: @here",
    "a\nb\r\nc\u2028d",
    "\u202etxt.exe\u2066x\u200b\ufeff",
    "nul\x00bell\x07esc\x1b[31m",
    "&lt;!here&gt;",
    "\ud800",
    "https://evil.example/x",
    "`<!channel>`",
    "``",
]


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def outside_code(markup: str) -> str:
    return "".join(markup.split("`")[::2])


@given(st.text())
@example("&lt;")
def test_escaping_leaves_no_control_character_and_can_be_undone(text: str) -> None:
    escaped = escape(text)
    assert not ANGLES.search(escaped)
    assert not ENTITY.search(escaped)
    assert unescape(escaped) == text


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("make", [literal, code_span, prose, lambda text: link(None, text)])
def test_nothing_in_untrusted_text_is_markup(text: str, make: "type[str]") -> None:
    check_harmless(make(text))


@given(st.one_of(st.text(), st.lists(st.sampled_from(EVIL)).map("".join)))
def test_nothing_in_any_text_is_markup(text: str) -> None:
    for made in (literal(text), code_span(text), prose(text)):
        check_harmless(made)


def check_harmless(made: str) -> None:
    assert not ANGLES.search(made)
    assert not ENTITY.search(made)
    assert made.count("`") % 2 == 0
    assert "``" not in made
    plain = outside_code(made)
    assert not re.search(r"[*~]|@|https?:", plain)
    assert not re.search(r":[a-z0-9+-]+:", plain)
    assert not re.search(r"(?<![^\W_])_|_(?![^\W_])", plain)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in made)
    assert not re.search("[\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]", made)
    made.encode()


def test_plain_names_stay_plain() -> None:
    for name in ("nightly", "acme/shop_x/build", "feature/a-b", "R&D"):
        assert literal(name) == escape(name)


def test_a_name_with_markup_in_it_stands_in_code() -> None:
    assert literal("feature/*x*") == "`feature/*x*`"
    assert literal("a`b") == "`a\u02cbb`"


def test_invisible_characters_are_shown() -> None:
    assert one_line("a\x00b\u202ec") == "a\u2400b\ufffdc"
    assert one_line(" a\n\tb ") == "a b"


def test_prose_keeps_its_code_and_hides_other_markup() -> None:
    assert prose("write `instance:id` not my_*x*") == "write `instance:id` not `my_*x*`"
    assert prose("an open ` stays harmless").count("`") == 0


@given(st.text(), st.integers(1, 50))
def test_a_cut_text_is_short_and_says_so(text: str, most: int) -> None:
    short = cut(text, most)
    assert len(short) <= most
    assert short == text or short.endswith("\u2026")


@given(st.text(st.sampled_from("&<>ab")), st.integers(1, 20))
def test_cutting_comes_before_escaping(text: str, most: int) -> None:
    assert len(unescape(literal(text, most)).strip("`")) <= most


@given(st.text())
def test_a_code_block_cannot_be_left(text: str) -> None:
    block = code_block(text)
    assert block.count("`") == 6
    assert not ANGLES.search(block)


@pytest.mark.parametrize(
    ("url", "label", "shown"),
    [
        ("https://ci.example/1", "testery:1", "<https://ci.example/1|testery:1>"),
        ("https://ci.example/?a=1&b=2", "x", "<https://ci.example/?a=1&amp;b=2|x>"),
        ("https://ci.example/a|b> c", "x", "<https://ci.example/a%7Cb%3E%20c|x>"),
        ("https://ci.example/", "a|b<c", "<https://ci.example/|a|b&lt;c>"),
        ("javascript:alert(1)", "x", "x"),
        ("slack://open", "x", "x"),
        ("https://", "x", "x"),
        ("https://user@ci.example/", "x", "x"),
        ("https://[", "x", "x"),
        (f"https://ci.example/{'a' * 3000}", "x", "x"),
        (None, "x", "x"),
        ("https://ci.example/", "https://good.example", "`https://good.example`"),
        ("https://ci.example/", "", ""),
    ],
)
def test_links(url: str | None, label: str, shown: str) -> None:
    assert link(url, label) == shown


@given(st.text(), st.text())
def test_a_link_has_two_angles_or_none(url: str, label: str) -> None:
    for address in (url, f"https://ci.example/{url}"):
        made = link(address, label)
        assert len(ANGLES.findall(made)) in {0, 2}
        found = safe_url(address)
        assert found is None or not re.search(r"[\s<>|\x00-\x20]", found.replace("|", ""))


def test_a_date_shows_in_the_readers_zone_with_a_fallback() -> None:
    shown = date(NOW)
    assert shown == "<!date^1795262400^{date_short_pretty} {time}|2026-11-21 12:00 UTC>"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (41, "41 s"),
        (60, "1m"),
        (386, "6m 26s"),
        (7500, "2h 5m"),
        (7200, "2h"),
        (273600, "3d 4h"),
    ],
)
def test_durations(seconds: int, shown: str) -> None:
    assert duration(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-9, "0 s"), (20, "20 s"), (300, "5 min"), (7300, "2 h"), (260_000, "3 d")],
)
def test_ages(seconds: int, shown: str) -> None:
    assert age(timedelta(seconds=seconds)) == shown


def test_how_long_ago() -> None:
    assert ago(NOW - timedelta(hours=2), NOW) == "2 h ago"
    assert ago(NOW + timedelta(minutes=1), NOW) == "just now"


@pytest.mark.parametrize(
    ("log", "secret"),
    [
        ("Authorization: Bearer abc.def-ghi", "abc.def"),
        ("authorization=Basic dXNlcjpwYXNz", "dXNl"),
        ("curl -H 'bearer AbCdEfGh12345'", "AbCd"),
        ("AKIAIOSFODNN7EXAMPLE is the key", "AKIA"),
        ("ghp_abcdefghijklmnopqrstuvwx", "ghp_abc"),
        ("xoxb-123456789-abcdef", "123456789"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "eyJz"),
        ("password=hunter2", "hunter2"),
        ("DB_PASSWORD: 'hun ter2'", "ter2"),
        ('"api_key": "hunter2"', "hunter2"),
        ("AWS_SECRET_ACCESS_KEY=hunter2", "hunter2"),
        ("SECRET_THING = hunter2", "hunter2"),
        ("--password hunter2", "hunter2"),
        ("postgres://user:hunter2@db/x", "hunter2"),
        ("git clone https://hunter2@host/x", "hunter2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----", "hunter2"),
        ("-----BEGIN PRIVATE KEY-----\nhunter2", "hunter2"),
        ("x\nhunter2hunter2hunter2\n-----END PRIVATE KEY-----\nrest", "hunter2"),
    ],
)
def test_secrets_in_logs_are_masked(log: str, secret: str) -> None:
    masked = mask_secrets(f"before\n{log}\nafter")
    assert secret not in masked
    assert MASK in masked
    assert masked.startswith("before\n")


@pytest.mark.parametrize(
    "line",
    ["3 of 30 failed", "https://ci.example/a@b", "basic setup done", "key: value", "a=b", "12:30"],
)
def test_ordinary_lines_stay(line: str) -> None:
    assert mask_secrets(line) == line


@given(st.text())
def test_masking_never_raises(text: str) -> None:
    mask_secrets(text)
    mask_assignments(text)
