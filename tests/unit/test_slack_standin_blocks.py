"""What Slack's own limits say, with JSON pointers."""

from typing import Any

import pytest

from bot.playground.slack.blocks import message_problems, too_much_text, view_problems

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "go", "text": plain("Go"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def option(value: str = "v") -> Json:
    return {"text": plain("Label"), "value": value}


def select(count: int) -> Json:
    options = [option(str(n)) for n in range(count)]
    return {"type": "static_select", "action_id": "pick", "options": options}


CONFIRM = {
    "title": plain("Sure?"),
    "text": mrkdwn("*really*"),
    "confirm": plain("Yes"),
    "deny": plain("No"),
}

FINE = [
    {"type": "header", "text": plain("h" * 150)},
    {"type": "section", "text": mrkdwn("t" * 3000), "accessory": button()},
    {"type": "section", "fields": [mrkdwn("f" * 100)] * 10},
    {"type": "context", "elements": [mrkdwn("c")] * 10},
    {"type": "divider"},
    actions(button(value="v" * 2000, url="https://a.test/", style="danger", confirm=CONFIRM)),
    actions(select(100)),
    actions(
        {"type": "overflow", "action_id": "more", "options": [option(str(n)) for n in "12345"]}
    ),
    {"type": "image", "image_url": "https://a.test/x.png", "alt_text": "x"},
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": "x", "style": {"code": True}}],
            }
        ],
    },
]

REFUSED = [
    ({"type": "header", "text": plain("h" * 151)}, "less than 151 characters", "/text/text"),
    ({"type": "header", "text": mrkdwn("h")}, "unsupported type: mrkdwn", "/text/type"),
    ({"type": "section", "text": mrkdwn("")}, "more than 0 characters", "/text/text"),
    ({"type": "section", "text": mrkdwn("t" * 3001)}, "less than 3001 characters", "/text/text"),
    ({"type": "section"}, "must define either `text` or `fields`", ""),
    ({"type": "section", "fields": []}, "no less than 1 items allowed", "/fields"),
    ({"type": "section", "fields": [mrkdwn("f")] * 11}, "no more than 10 items", "/fields"),
    (
        {"type": "section", "fields": [mrkdwn("f" * 2001)]},
        "less than 2001 characters",
        "/fields/0/text",
    ),
    ({"type": "section", "text": "t"}, "must be an object", "/text"),
    ({"type": "context", "elements": [mrkdwn("c")] * 11}, "no more than 10 items", "/elements"),
    (actions(*[button(action_id=str(n)) for n in range(26)]), "no more than 25", "/elements"),
    (actions(button(text=plain("x" * 76))), "less than 76 characters", "/elements/0/text/text"),
    (actions(button(text=mrkdwn("x"))), "unsupported type: mrkdwn", "/elements/0/text/type"),
    (actions(button(value="v" * 2001)), "less than 2001 characters", "/elements/0/value"),
    (actions(button(action_id="a" * 256)), "less than 256 characters", "/elements/0/action_id"),
    (actions(button(style="default")), "must be a valid enum value", "/elements/0/style"),
    (actions(button(url="no link")), "must be a valid URL", "/elements/0/url"),
    (actions(button(colour="red")), "invalid additional property: colour", "/elements/0"),
    (actions(button(), button()), "`action_id` already exists", "/elements/1/action_id"),
    (actions(select(101)), "no more than 100 items", "/elements/0/options"),
    (actions(select(0)), "no less than 1 items", "/elements/0/options"),
    (
        actions({"type": "overflow", "options": [option(str(n)) for n in range(6)]}),
        "no more than 5 items",
        "/elements/0/options",
    ),
    (
        actions(button(confirm={**CONFIRM, "title": plain("t" * 101)})),
        "less than 101 characters",
        "/elements/0/confirm/title/text",
    ),
    (
        actions({**select(1), "initial_option": option("other")}),
        "initial_option must match",
        "/elements/0",
    ),
    ({"type": "blink"}, "unsupported type: blink", "/type"),
    ({}, "missing required field: type", ""),
]


@pytest.mark.parametrize("block", FINE, ids=lambda block: block["type"])
def test_a_block_at_its_limit_is_taken(block: Json) -> None:
    assert message_problems([block]) == []


@pytest.mark.parametrize(("block", "words", "pointer"), REFUSED)
def test_a_block_past_its_limit_is_refused_with_a_pointer(
    block: Json, words: str, pointer: str
) -> None:
    problems = message_problems([block])
    assert any(words in p and f"[json-pointer:/blocks/0{pointer}]" in p for p in problems), problems


def test_fifty_blocks_are_taken_and_not_one_more() -> None:
    assert message_problems([{"type": "divider"}] * 50) == []
    problems = message_problems([{"type": "divider"}] * 51)
    assert problems == ["no more than 50 items allowed [json-pointer:/blocks]"]


def test_block_ids_are_unique_in_a_message() -> None:
    problems = message_problems([{"type": "divider", "block_id": "one"}] * 2)
    assert problems == ["`block_id` already exists [json-pointer:/blocks/1/block_id]"]


def test_the_same_action_id_may_stand_in_two_blocks() -> None:
    assert message_problems([actions(button()), actions(button())]) == []


def test_all_texts_together_have_a_limit() -> None:
    section = {"type": "section", "text": mrkdwn("t" * 3000)}
    assert not too_much_text([section] * 4)
    assert too_much_text([section] * 5)


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": plain("Title"), "blocks": [], **more}


INPUT = {
    "type": "input",
    "label": plain("Name"),
    "element": {"type": "plain_text_input", "action_id": "name"},
}


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        (modal(title=plain("t" * 25)), "/view/title/text"),
        (modal(submit=plain("t" * 25)), "/view/submit/text"),
        (modal(private_metadata="m" * 3001), "/view/private_metadata"),
        (modal(blocks=[{"type": "divider"}] * 101), "/view/blocks"),
        (modal(blocks=[INPUT]), "/view"),
        (modal(blocks=[{**INPUT, "label": mrkdwn("Name")}]), "/view/blocks/0/label/type"),
        ({"type": "popup"}, "/view/type"),
    ],
)
def test_a_modal_past_its_limits_is_refused(view: Json, pointer: str) -> None:
    assert any(f"[json-pointer:{pointer}]" in p for p in view_problems(view))


def test_a_modal_with_an_input_and_a_submit_is_taken() -> None:
    assert view_problems(modal(blocks=[INPUT], submit=plain("Go"))) == []
