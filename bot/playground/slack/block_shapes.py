"""The shapes of blocks, and which surface takes which."""

from collections.abc import Mapping
from typing import Any

from bot.playground.slack.block_rules import (
    Check,
    Report,
    anything,
    boolean,
    both,
    by_type,
    choice,
    integer,
    items,
    link,
    mrkdwn_or_plain,
    plain,
    problem,
    shape,
    string,
)
from bot.playground.slack.element_shapes import ACCESSORY, ACTION, IDENT, IMAGE, INPUT


def _block(required: Mapping[str, Check], **optional: Check) -> Check:
    return shape(required, {"block_id": IDENT, **optional})


def _loose(value: Any, pointer: str, report: Report) -> None:
    """A newer block: only its id is looked at."""
    if isinstance(value, dict) and "block_id" in value:
        IDENT(value["block_id"], f"{pointer}/block_id", report)


def _says_something(value: Any, pointer: str, report: Report) -> None:
    if isinstance(value, dict) and "text" not in value and "fields" not in value:
        problem(report, "must define either `text` or `fields`", pointer)


SECTION = both(
    _block(
        {},
        text=mrkdwn_or_plain(3000),
        fields=items(mrkdwn_or_plain(2000), 10),
        accessory=ACCESSORY,
        expand=boolean,
    ),
    _says_something,
)
_CONTEXT_TEXT = mrkdwn_or_plain(3000)
CONTEXT = _block(
    {
        "elements": items(
            by_type({"image": IMAGE, "plain_text": _CONTEXT_TEXT, "mrkdwn": _CONTEXT_TEXT}), 10
        )
    }
)
INPUT_BLOCK = _block(
    {"label": plain(2000), "element": INPUT},
    hint=plain(2000),
    optional=boolean,
    dispatch_action=boolean,
)
IMAGE_BLOCK = _block(
    {"alt_text": string(2000, 1)}, image_url=link(), slack_file=anything, title=plain(2000)
)
_STYLE = shape({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), boolean))
_STYLED: Mapping[str, Check] = {"style": _STYLE}
RICH_PART = by_type(
    {
        "text": shape({"text": string(40_000, 1)}, _STYLED),
        "link": shape({"url": link()}, {"text": string(40_000), "unsafe": boolean, **_STYLED}),
        "emoji": shape({"name": string(100, 1)}, {"unicode": anything, "skin_tone": anything}),
        "user": shape({"user_id": string(20, 1)}, _STYLED),
        "usergroup": shape({"usergroup_id": string(20, 1)}, _STYLED),
        "channel": shape({"channel_id": string(20, 1)}, _STYLED),
        "broadcast": shape({"range": choice("here", "channel", "everyone")}, _STYLED),
        "date": shape(
            {"timestamp": integer(0, 9_999_999_999), "format": string(200, 1)},
            {"url": link(), "fallback": string(200)},
        ),
        "color": shape({"value": string(20, 1)}, {}),
    }
)
_PARTS = items(RICH_PART, 1000, 0)
RICH_SECTION = shape({"elements": _PARTS}, {})
_RICH_SECTIONS = items(by_type({"rich_text_section": RICH_SECTION}), 1000, 0)
RICH_TEXT = _block(
    {
        "elements": items(
            by_type(
                {
                    "rich_text_section": RICH_SECTION,
                    "rich_text_preformatted": shape(
                        {"elements": _PARTS}, {"border": integer(0, 1), "language": string(50)}
                    ),
                    "rich_text_quote": shape({"elements": _PARTS}, {"border": integer(0, 1)}),
                    "rich_text_list": shape(
                        {"elements": _RICH_SECTIONS, "style": choice("bullet", "ordered")},
                        {
                            "indent": integer(0, 8),
                            "offset": integer(0, 10_000),
                            "border": integer(0, 1),
                        },
                    ),
                }
            ),
            1000,
        )
    }
)
TABLE = _block({"rows": items(items(anything, 20), 100)}, column_settings=anything)

EVERYWHERE: Mapping[str, Check] = {
    "section": SECTION,
    "header": _block({"text": plain(150)}),
    "divider": _block({}),
    "context": CONTEXT,
    "actions": _block({"elements": items(ACTION, 25)}),
    "input": INPUT_BLOCK,
    "image": IMAGE_BLOCK,
    "rich_text": RICH_TEXT,
    "video": _loose,
}
MESSAGE_BLOCK = by_type(
    {
        **EVERYWHERE,
        "markdown": _block({"text": string(12_000, 1)}),
        "table": TABLE,
        **dict.fromkeys(
            (
                "file",
                "call",
                "data_table",
                "card",
                "carousel",
                "container",
                "plan",
                "task_card",
                "context_actions",
            ),
            _loose,
        ),
    }
)
VIEW_BLOCK = by_type(
    {**EVERYWHERE, "alert": _block({"text": mrkdwn_or_plain(200)}, level=anything)}
)
