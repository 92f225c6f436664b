"""Messages and what can be read off them."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Message:
    """One message; `ephemeral_for` names the only person who sees it."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    ephemeral_for: str | None = None
    subtype: str | None = None
    broadcast: bool = False
    attachments: list[Json] = field(default_factory=list)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def visible(self) -> str:
        """What a reader sees: the words of the blocks, or the text when there are none."""
        return "\n".join(texts(self.blocks)) if self.blocks else self.text

    @property
    def controls(self) -> list[str]:
        """The labels of buttons and of overflow options, in order."""
        return [label for item in elements(self.blocks) for label in labels(item)]

    def copy(self) -> "Message":
        return replace(self, blocks=deepcopy(self.blocks), metadata=deepcopy(self.metadata))


def elements(blocks: list[Json]) -> Iterator[Json]:
    """Every interactive element, with the `block_id` of its block."""
    for block in blocks:
        held = [block.get("accessory"), block.get("element"), *_list(block.get("elements"))]
        for item in held:
            if isinstance(item, dict) and "action_id" in item:
                yield {**item, "block_id": block.get("block_id", "")}


def labels(element: Json) -> list[str]:
    if element.get("type") == "button":
        return [_text(element.get("text"))]
    if element.get("type") == "overflow":
        return [_text(option.get("text")) for option in element.get("options", [])]
    return []


def find_element(blocks: list[Json], wanted: str, within: str = "") -> Json | None:
    """The first element whose action_id or visible label is `wanted`.

    `within` narrows it down to a block with that id, or with that text in it.
    """
    chosen = [b for b in blocks if not within or _is_within(b, within)]
    every = list(elements(chosen))
    by_id = [e for e in every if e["action_id"] == wanted]
    by_label = [e for e in every if _bare(wanted) in map(_bare, labels(e))]
    found = by_id or by_label
    return found[0] if found else None


def _is_within(block: Json, within: str) -> bool:
    return block.get("block_id") == within or within in "\n".join(texts(block))


def texts(value: Any) -> Iterator[str]:
    """Every piece of text inside blocks, in order of appearance."""
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        yield from _texts_of(value)


def _texts_of(item: Json) -> Iterator[str]:
    if item.get("type") == "rich_text_section":
        yield "".join(_rich(part) for part in _list(item.get("elements")))
        return
    for key in ("title", "label", "text", "fields", "element", "elements", "accessory", "options"):
        held = item.get(key)
        if isinstance(held, str):
            yield held
        else:
            yield from texts(held)
    if "alt_text" in item:
        yield str(item["alt_text"])


def _rich(part: Json) -> str:
    if part.get("type") == "link":
        return str(part.get("text") or part.get("url", ""))
    if part.get("type") == "emoji":
        return f":{part.get('name', '')}:"
    return str(part.get("text") or part.get("fallback") or part.get("user_id") or "")


def _text(value: Any) -> str:
    return str(value.get("text", "")) if isinstance(value, dict) else ""


def _bare(label: str) -> str:
    return label.strip().casefold()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
