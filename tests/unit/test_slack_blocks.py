"""Blocks: within Slack's limits whatever goes in."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.playground.slack.blocks import message_problems, too_much_text
from bot.slack.blocks import (
    Button,
    Confirm,
    actions,
    context,
    divider,
    fallback,
    fit,
    header,
    section,
    sections,
    shorten,
)
from bot.slack.text import escape

long_text = st.builds(lambda text, times: text * times, st.text(), st.integers(1, 400))
markup = long_text.map(escape)
buttons = st.builds(
    Button,
    long_text,
    st.sampled_from(["a", "b" * 300, "c", "d", "e"]),
    st.text(max_size=2500),
    st.sampled_from([None, None, "https://ci.example/x", "ftp://x", "https://ci.example/a b|c"]),
    st.sampled_from([None, "danger"]),
    st.none() | st.builds(Confirm, long_text, long_text, long_text, long_text),
)
a_block = st.one_of(
    st.builds(section, markup),
    st.builds(header, long_text),
    st.builds(context, markup),
    st.builds(divider),
)


def check(blocks: list[dict[str, Any]]) -> None:
    assert message_problems(blocks) == []
    assert not too_much_text(blocks)


@given(st.lists(a_block, max_size=70))
def test_any_message_fits(blocks: list[dict[str, Any]]) -> None:
    check(fit(blocks))


@given(st.lists(buttons, max_size=12, unique_by=lambda button: button.action_id))
def test_any_buttons_fit(many: list[Button]) -> None:
    made = actions(many)
    check(made)
    pressed = [e for block in made for e in block["elements"] if e["type"] == "button"]
    assert len(pressed) <= 3


def test_more_than_three_buttons_go_into_the_menu() -> None:
    (row,) = actions([Button(f"b{n}", f"a{n}", "v") for n in range(12)])
    assert [e["type"] for e in row["elements"]] == ["button"] * 3 + ["overflow"]
    options = row["elements"][3]["options"]
    assert [option["text"]["text"] for option in options] == ["b3", "b4", "b5", "b6", "b7"]


def test_a_button_that_cannot_be_shown_is_left_out() -> None:
    assert actions([Button("x", "a", "v" * 2001), Button(" ", "b", "v"), Button("x", "c")]) == []


@given(st.lists(markup, max_size=60))
def test_lines_become_sections_that_fit(lines: list[str]) -> None:
    blocks = sections(lines)
    for block in blocks:
        assert 0 < len(block["text"]["text"]) <= 3000
    check(fit(blocks))


def test_lines_are_not_torn_apart() -> None:
    lines = [f"line {n} " + "x" * 90 for n in range(100)]
    shown = "\n".join(block["text"]["text"] for block in sections(lines))
    assert shown.split("\n") == lines


def test_the_end_of_a_long_message_stays_and_the_gap_is_said() -> None:
    row = actions([Button("Open", "open", url="https://ci.example")])
    blocks = fit([*(section("x" * 2900) for _ in range(60)), *row, context("oldest data 20 s")])
    check(blocks)
    assert blocks[-1] == context("oldest data 20 s")
    assert blocks[-2:-1] == row
    assert "left out" in blocks[-3]["elements"][0]["text"]


@given(
    st.lists(
        st.sampled_from(["&amp;", "&lt;", "<https://a.b|c>", "`x y`", "```\nx\n```", "a", " "])
    ),
    st.integers(20, 200),
)
def test_shortening_splits_no_entity_link_or_code(parts: list[str], most: int) -> None:
    short = shorten("".join(parts), most)
    assert len(short) <= most or short == " "
    assert not re.search(r"&(?!(?:amp|lt|gt);)", short)
    assert short.count("<") == short.count(">")
    assert short.count("`") % 2 == 0


@given(st.lists(markup), st.lists(markup, max_size=2))
def test_the_fallback_text_is_never_empty_or_too_long(lines: list[str], tail: list[str]) -> None:
    text = fallback(lines, tail)
    assert 0 < len(text) <= 4000


def test_the_fallback_text_says_how_much_is_missing() -> None:
    text = fallback([f"{n} {'x' * 95}" for n in range(100)], ["the end"])
    shown = text.count("x" * 95)
    assert f"and {100 - shown} more lines" in text
    assert text.endswith("the end")
