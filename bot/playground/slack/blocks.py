"""Whether Slack would take these blocks, and if not, what it would say."""

from collections.abc import Iterator
from typing import Any

from bot.playground.slack.block_rules import Report, boolean, items, plain, problem, shape, string
from bot.playground.slack.block_shapes import MESSAGE_BLOCK, VIEW_BLOCK
from bot.playground.slack.messages import Json, texts

MOST_TEXT = 13_200
"""Characters over all blocks; undocumented, the least that was seen refused."""
MOST_MARKDOWN = 12_000

_VIEW_COMMON = {
    "private_metadata": string(3000),
    "callback_id": string(255),
    "external_id": string(255),
}
_MODAL = shape(
    {"title": plain(24), "blocks": items(VIEW_BLOCK, 100, 0)},
    {
        **_VIEW_COMMON,
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    },
)
_HOME = shape({"blocks": items(VIEW_BLOCK, 100, 0)}, _VIEW_COMMON)


def message_problems(blocks: Any) -> list[str]:
    """What is wrong with a message's blocks, as `words [json-pointer:/blocks/…]`."""
    report: Report = []
    items(MESSAGE_BLOCK, 50, 0)(blocks, "/blocks", report)
    if not report:
        _unique_ids(blocks, "/blocks", report)
        _message_sums(blocks, report)
    return report


def view_problems(view: Any, pointer: str = "/view") -> list[str]:
    """What is wrong with a modal or a Home tab."""
    report: Report = []
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        problem(report, "unsupported type", f"{pointer}/type")
        return report
    (_MODAL if view["type"] == "modal" else _HOME)(view, pointer, report)
    if not report:
        _unique_ids(view["blocks"], f"{pointer}/blocks", report)
        _submit(view, pointer, report)
    return report


def too_much_text(blocks: list[Json]) -> bool:
    """Whether the blocks together are refused as `msg_blocks_too_long`."""
    return sum(len(text) for text in texts(blocks)) > MOST_TEXT


def _submit(view: Json, pointer: str, report: Report) -> None:
    has_input = any(block.get("type") == "input" for block in view["blocks"])
    if view["type"] == "modal" and has_input and not view.get("submit"):
        problem(report, "must define `submit` to use an `input` block in modals", pointer)


def _message_sums(blocks: list[Json], report: Report) -> None:
    markdown = sum(len(b["text"]) for b in blocks if b["type"] == "markdown")
    if markdown > MOST_MARKDOWN:
        problem(report, f"must be less than {MOST_MARKDOWN + 1} characters", "/blocks")
    if sum(b["type"] == "table" for b in blocks) > 1:
        problem(report, "only one table is allowed", "/blocks")


def _unique_ids(blocks: list[Json], pointer: str, report: Report) -> None:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            problem(report, "`block_id` already exists", f"{pointer}/{index}/block_id")
        if block_id:
            seen.add(block_id)
        _unique_actions(block, f"{pointer}/{index}", report)


def _unique_actions(block: Json, pointer: str, report: Report) -> None:
    seen: set[str] = set()
    for place, action_id in _action_ids(block):
        if action_id in seen:
            problem(report, "`action_id` already exists", f"{pointer}{place}/action_id")
        seen.add(action_id)


def _action_ids(block: Json) -> Iterator[tuple[str, str]]:
    for key in ("accessory", "element"):
        held = block.get(key)
        if isinstance(held, dict) and held.get("action_id"):
            yield f"/{key}", held["action_id"]
    elements = block.get("elements")
    for index, item in enumerate(elements if isinstance(elements, list) else []):
        if isinstance(item, dict) and item.get("action_id"):
            yield f"/elements/{index}", item["action_id"]
