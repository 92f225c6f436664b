"""What every rendering is made of: the surroundings, the result, and how one becomes the other."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.slack.blocks import Button, actions, context, fallback, fit, sections
from bot.slack.values import Press


@dataclass(frozen=True, slots=True)
class RenderContext:
    """`sign` makes the value of a button in this channel; `prefix` stands before each command's
    name (`ci-` makes `/ci-runs`). None of `secrets` is ever shown.
    """

    now: datetime
    channel: str
    sign: Callable[[Press], str]
    prefix: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message: `text` says everything that `blocks` say, for notifications and for readers
    without blocks.
    """

    text: str
    blocks: list[dict[str, Any]]


def compose(
    lines: Iterable[str],
    *,
    footer: Sequence[str] = (),
    buttons: Sequence[Button] = (),
    left_out: str = "the rest is left out",
) -> Rendered:
    """Makes a message of lines of mrkdwn, a small footer, and a row of buttons."""
    every = [line for line in lines if line]
    small = [line for line in footer if line]
    blocks = [*sections(every), *actions(buttons), *([context("\n".join(small))] if small else [])]
    return Rendered(
        fallback(map(without_links, every), ["\n".join(map(without_links, small))]),
        fit(blocks, left_out),
    )


def without_links(line: str) -> str:
    """A line of mrkdwn for plain readers: labels instead of links, no bold."""
    return _BOLD.sub(r"\1", _LINK.sub(r"\1", line))


def with_prefix(text: str, prefix: str) -> str:
    """A text with its commands as they are called in this workspace."""
    return _COMMAND.sub(rf"/{prefix}\1", text) if prefix else text


_LINK = re.compile(r"<https?://[^|<>]*+\|([^<>]*+)>")
_BOLD = re.compile(r"\A\*(.*)\*\Z", re.DOTALL)
_COMMAND = re.compile(r"(?<![^\s`(\"])/(runs|trigger|abort|retry|watch)(?![\w/-])")
