"""Vendor text made fit to be read by people. It is not escaped for Slack."""

import html
import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_UNSEEN = re.compile(r"<(script|style)\b.*?(?=</\1|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[!/?A-Za-z][^<>]*>?")
_LONGEST_READ = 20_000


def clean_text(text: str) -> str:
    """Control characters out, except newline, tab and ESC; line ends become newlines."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_message(text: str, limit: int = 300) -> str:
    """One line of at most `limit` characters, without tags, control or invisible characters."""
    shown = _TAG.sub(" ", _UNSEEN.sub(" ", text[:_LONGEST_READ]))
    words = "".join(_visible(c) for c in html.unescape(shown)).split()
    line = " ".join(words)
    return line if len(line) <= limit else f"{line[: max(0, limit - 1)].rstrip()}…"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category.startswith("C") else character
