"""Blocks that keep Slack's limits by construction. Texts for mrkdwn come in escaped."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.slack.text import ELLIPSIS, cut, one_line, safe_url

Block = dict[str, Any]

MOST_BLOCKS = 50
MOST_TEXT = 12_000
"""Over all blocks of a message; Slack was seen to refuse from about 13,200 characters."""
MOST_FALLBACK = 3900
MOST_VALUE = 2000
MOST_OPTION_VALUE = 150
MOST_BUTTONS = 3
_MOST_SECTION = 3000
_MOST_CONTEXT = 2000
_MOST_HEADER = 150
_MOST_LABEL = 75
_MOST_OPTIONS = 5
_ATOM = re.compile(r"<[^<>\n]*+>|&(?:amp|lt|gt);|.", re.DOTALL)
_FENCE_OR_ATOM = re.compile(rf"```|{_ATOM.pattern}", re.DOTALL)
_TICK = "`"
_FENCE = "```"
_FENCE_END = "\n```"


@dataclass(frozen=True, slots=True)
class Confirm:
    """Slack's own question before a button counts. Texts are plain."""

    title: str
    text: str
    yes: str
    no: str = "Keep it"


@dataclass(frozen=True, slots=True)
class Button:
    """A button with a signed value, or with the address it opens. The label is plain text."""

    label: str
    action_id: str
    value: str = ""
    url: str | None = None
    style: str | None = None
    confirm: Confirm | None = None

    @property
    def can_be_shown(self) -> bool:
        is_link = self.url is not None and safe_url(self.url) is not None
        return bool(self.label.strip()) and (is_link or 0 < len(self.value) <= MOST_VALUE)


def section(mrkdwn: str) -> Block:
    return {"type": "section", "text": _mrkdwn(shorten(mrkdwn, _MOST_SECTION))}


def sections(lines: Iterable[str]) -> list[Block]:
    """Lines of mrkdwn, gathered into as few sections as hold them; none is torn apart."""
    blocks: list[Block] = []
    gathered = ""
    for line in lines:
        short = shorten(line, _MOST_SECTION)
        if gathered and len(gathered) + 1 + len(short) > _MOST_SECTION:
            blocks.append(section(gathered))
            gathered = short
        else:
            gathered = f"{gathered}\n{short}" if gathered else short
    return [*blocks, section(gathered)] if gathered.strip() else blocks


def header(plain: str) -> Block:
    return {"type": "header", "text": _plain(plain, _MOST_HEADER)}


def context(mrkdwn: str) -> Block:
    return {"type": "context", "elements": [_mrkdwn(shorten(mrkdwn, _MOST_CONTEXT))]}


def divider() -> Block:
    return {"type": "divider"}


def actions(buttons: Sequence[Button]) -> list[Block]:
    """The row of buttons: three of them, the rest in an overflow menu where its smaller limits
    allow; no block at all if there is nothing to press.
    """
    shown = [button for button in buttons if button.can_be_shown]
    elements = [_button(button) for button in shown[:MOST_BUTTONS]]
    rest = [_option(one) for one in shown[MOST_BUTTONS:] if _fits_option(one)]
    if rest:
        elements.append({"type": "overflow", "action_id": "more", "options": rest[:_MOST_OPTIONS]})
    return [{"type": "actions", "elements": elements}] if elements else []


def fit(blocks: Sequence[Block], left_out: str = "the rest is left out") -> list[Block]:
    """As many of the blocks as Slack takes in one message. What does not fit is taken from
    before the closing context and actions, and said.
    """
    if _fits(blocks):
        return list(blocks)
    body, tail = _split_tail(blocks)
    note = context(f"{ELLIPSIS} {left_out}")
    while body and not _fits([*body, note, *tail]):
        body.pop()
    return [*body, note, *tail]


def fallback(lines: Iterable[str], tail: Iterable[str] = (), most: int = MOST_FALLBACK) -> str:
    """The message's `text`: whole lines as far as they fit, how many are missing, and the tail."""
    end = [shorten(line, most // 4) for line in tail if line][:2]
    every = [line for line in lines if line]
    room = most - 40 - sum(len(line) + 1 for line in end)
    kept: list[str] = []
    for line in every:
        short = shorten(line, most // 2)
        room -= len(short) + 1
        if room < 0:
            end.insert(0, f"{ELLIPSIS} and {len(every) - len(kept)} more lines")
            break
        kept.append(short)
    return "\n".join((*kept, *end)) or ELLIPSIS


def shorten(mrkdwn: str, most: int) -> str:
    """Cuts escaped markup without splitting an entity, a link or a code span."""
    if len(mrkdwn) <= most:
        return mrkdwn or " "
    room = most - len(ELLIPSIS) - len(_FENCE_END)
    kept, closing = 0, ""
    for end, open_until in _atoms(mrkdwn):
        if end > room:
            break
        kept, closing = end, open_until
    return mrkdwn[:kept] + ELLIPSIS + closing


def _atoms(mrkdwn: str) -> Iterator[tuple[int, str]]:
    """Where each atom ends, and what closes the code that is open there."""
    end, closing = 0, ""
    while found := (_ATOM if closing == _TICK else _FENCE_OR_ATOM).match(mrkdwn, end):
        end, closing = found.end(), _closing_after(found[0], closing)
        yield end, closing


def _closing_after(atom: str, closing: str) -> str:
    """A code span ends with its line at the latest; in a fence single ticks mean nothing."""
    if atom == _FENCE:
        return "" if closing else _FENCE_END
    if closing == _FENCE_END:
        return closing
    if atom == _TICK:
        return "" if closing else _TICK
    return "" if atom == "\n" else closing


def _mrkdwn(text: str) -> Block:
    """`verbatim` keeps Slack from finding links, channels and names in the text by itself."""
    return {"type": "mrkdwn", "text": text if text.strip() else ELLIPSIS, "verbatim": True}


def _plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": cut(one_line(text), most) or ELLIPSIS, "emoji": False}


def _button(button: Button) -> Block:
    made: Block = {
        "type": "button",
        "text": _plain(button.label, _MOST_LABEL),
        "action_id": button.action_id[:255],
    }
    if button.url is not None:
        made["url"] = safe_url(button.url)
    if button.value:
        made["value"] = button.value
    if button.style:
        made["style"] = button.style
    if button.confirm:
        made["confirm"] = _confirm(button.confirm)
    return made


def _confirm(confirm: Confirm) -> Block:
    return {
        "title": _plain(confirm.title, 100),
        "text": _plain(confirm.text, 300),
        "confirm": _plain(confirm.yes, 30),
        "deny": _plain(confirm.no, 30),
    }


def _fits_option(button: Button) -> bool:
    return button.confirm is None and len(button.value) <= MOST_OPTION_VALUE


def _option(button: Button) -> Block:
    option: Block = {
        "text": _plain(button.label, _MOST_LABEL),
        "value": button.value or button.action_id[:MOST_OPTION_VALUE],
    }
    if button.url is not None:
        option["url"] = safe_url(button.url)
    return option


def _split_tail(blocks: Sequence[Block]) -> tuple[list[Block], list[Block]]:
    """The last two blocks are kept where they are actions or context."""
    start = len(blocks)
    while start > max(0, len(blocks) - 2) and blocks[start - 1]["type"] in {"actions", "context"}:
        start -= 1
    return list(blocks[:start]), list(blocks[start:])


def _fits(blocks: Sequence[Block]) -> bool:
    return len(blocks) <= MOST_BLOCKS and sum(map(_size, blocks)) <= MOST_TEXT


def _size(block: Block) -> int:
    """Characters of visible text in a block."""
    if "text" in block and isinstance(block["text"], dict):
        return len(block["text"]["text"])
    return sum(_element_size(element) for element in block.get("elements", ()))


def _element_size(element: Block) -> int:
    if element["type"] == "mrkdwn":
        return len(element["text"])
    if element["type"] == "overflow":
        return sum(len(option["text"]["text"]) for option in element["options"])
    return len(element["text"]["text"])
