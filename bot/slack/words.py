"""What people type, as words: Slack's escaping undone, quotes honoured, phones forgiven.

One pass of a regular expression without alternatives that overlap, so the time is linear.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.domain.errors import UserError

SWITCHES = frozenset({"dry", "dry-run", "share", "help", "failed", "all"})
"""`--name` of these stands alone; any other takes the next word as its value."""


class Kind(StrEnum):
    PAIR = "key=value"
    NOT_PAIR = "key!=value"
    FLAG = "--flag"
    QUALIFIED = "provider:rest"
    NUMBER = "#n"
    URL = "url"
    MENTION = "mention"
    BARE = "bare"


@dataclass(frozen=True, slots=True)
class Word:
    """One word, quotes taken off.

    `key` and `value` are the parts of pairs and of `provider:rest`; a bare word that was typed
    as a switch (`--dry`) has a key too. `is_quoted` tells that the
    word began with a quote, or that a pair's value has a quote in it. `mention` is the Slack id
    (or `here`, `channel`, `everyone`) when the word or value is exactly one mention.
    """

    text: str
    kind: Kind = Kind.BARE
    key: str = ""
    value: str = ""
    is_quoted: bool = False
    mention: str | None = None

    def says(self, *keywords: str) -> bool:
        """Whether this is one of the given words of the grammar; quoting makes it a name."""
        return not self.is_quoted and self.kind is Kind.BARE and self.text.lower() in keywords


@dataclass(frozen=True, slots=True)
class Words:
    """All words up to the end, or up to an open quote, whose last word is as far as it goes."""

    words: tuple[Word, ...]
    problem: UserError | None = None


def split(text: str) -> Words:
    """Reads the text of a command as Slack sends it. Never raises."""
    scanner = _Scanner()
    for lexeme in _LEXEME.finditer(text.translate(_CHARACTERS)):
        scanner.take(lexeme.lastgroup or "", lexeme.group(), lexeme.start())
    return scanner.finish()


def join_options(words: Iterable[Word]) -> tuple[Word, ...]:
    """Turns `--key value` into the pair `key=value`, and a known switch into its bare word."""
    joined: list[Word] = []
    for word in words:
        flag = joined[-1] if joined and joined[-1].kind is Kind.FLAG else None
        if flag and word.kind not in {Kind.PAIR, Kind.NOT_PAIR, Kind.FLAG}:
            joined[-1] = replace(word, kind=Kind.PAIR, key=flag.key, value=word.text)
        elif word.kind is Kind.FLAG and word.key.lower() in SWITCHES:
            joined.append(Word(word.key.lower(), key=word.key.lower()))
        else:
            joined.append(word)
    return tuple(joined)


_LEXEME = re.compile(
    r"(?P<space>\s++)|(?P<link><[@#!A-Za-z][^<>]*+>)|(?P<entity>&(?:amp|lt|gt);)|(?P<quote>[\"'])"
    r"|(?P<escape>\\[\"\\])|(?P<plain>[^\s<&\"'\\]++|.)",
    re.DOTALL,
)
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_INVISIBLE = (0x00AD, 0x200B, 0x2060, 0xFEFF, *range(0x200E, 0x2010), *range(0x202A, 0x202F))
_CONTROLS = (*range(0x09), *range(0x0E, 0x1C), *range(0x7F, 0x85), *range(0x86, 0xA0))
_CHARACTERS: dict[int, str | None] = {
    **dict.fromkeys(_CONTROLS),
    **dict.fromkeys(_INVISIBLE),
    **dict.fromkeys(range(0x2066, 0x206A)),
    **dict.fromkeys(range(0xD800, 0xE000)),  # halves of characters that no encoder takes
    **dict.fromkeys(range(0x201C, 0x2020), '"'),
    **dict.fromkeys(range(0x2018, 0x201C), "'"),
}


@dataclass(slots=True)
class _Draft:
    """A word being read. `plain` is its length before the first quote, `tail` the length up to
    the end of the last quoted part.
    """

    parts: list[str] = field(default_factory=list)
    length: int = 0
    plain: int | None = None
    tail: int = 0
    mentions: list[tuple[str, str]] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)

    def ends_in_word(self) -> bool:
        return bool(self.parts) and self.parts[-1][-1:].isalnum()


class _Scanner:
    def __init__(self) -> None:
        self._words: list[Word] = []
        self._draft: _Draft | None = None
        self._quote = ""
        self._quote_at = 0

    def take(self, kind: str, text: str, at: int) -> None:
        if kind == "space" and not self._quote:
            self._close_word()
        elif kind == "quote" and self._is_real_quote(text):
            self._turn_quote(text, at)
        elif kind == "link":
            self._add_link(text[1:-1])
        elif kind == "entity":
            self._open().add(_ENTITIES[text])
        elif kind == "escape" and self._quote == '"':
            self._open().add(text[1])
        elif kind == "space":
            self._open().add("".join(c if c in "\n\t" else " " for c in text))
        else:
            self._open().add(text)

    def finish(self) -> Words:
        if self._draft and self._quote:
            start = "".join(self._draft.parts)[: self._draft.plain or 0]
            problem = _open_quote(self._quote, start, self._quote_at)
            self._close_word()
            return Words(tuple(self._words), problem)
        self._close_word()
        return Words(tuple(self._words))

    def _open(self) -> _Draft:
        self._draft = self._draft or _Draft()
        return self._draft

    def _close_word(self) -> None:
        if self._draft:
            self._words.append(_classify(self._draft))
        self._draft = None

    def _is_real_quote(self, text: str) -> bool:
        """An apostrophe inside or behind a word (`don't`) opens nothing."""
        if self._quote:
            return text == self._quote
        return text == '"' or not (self._draft and self._draft.ends_in_word())

    def _turn_quote(self, text: str, at: int) -> None:
        draft = self._open()
        if self._quote:
            self._quote, draft.tail = "", draft.length
            return
        self._quote, self._quote_at = text, at
        draft.plain = draft.length if draft.plain is None else draft.plain
        draft.tail = draft.length

    def _add_link(self, inside: str) -> None:
        text, mention = _unwrap(inside)
        draft = self._open()
        draft.add(text)
        if mention:
            draft.mentions.append((text, mention))


def _open_quote(quote: str, start: str, at: int) -> UserError:
    where = f" behind {start}" if start else ""
    return UserError(f"the quote {quote}{where} (character {at + 1}) is never closed.")


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _unwrap(inside: str) -> tuple[str, str | None]:
    """The text that a `<…>` of Slack's stands for, and the id that it mentions."""
    target, bar, label = (_unescape(part) for part in inside.partition("|"))
    match target[:1]:
        case "@":
            return f"@{label.removeprefix('@') or target[1:]}", target[1:]
        case "#":
            return f"#{label.removeprefix('#') or target[1:]}", None
        case "!":
            return _unwrap_special(target[1:], label)
    if not bar:
        return (target if "://" in target else f"<{target}>"), None
    is_as_typed = target.partition(":")[0] in {"mailto", "tel"} or target in {
        f"http://{label}",
        f"https://{label}",
    }
    return (label if is_as_typed else target), None


def _unwrap_special(target: str, label: str) -> tuple[str, str | None]:
    name, _, rest = target.partition("^")
    if name == "subteam":
        return f"@{label.removeprefix('@') or rest}", rest
    if name in {"here", "channel", "everyone"}:
        return f"@{name}", name
    return label or target, None


_PAIR = re.compile(r"(?:--)?([^\s=!:/\"'`<>\-][^\s=!:/\"'`<>]{0,127})(!?=)")
_FLAG = re.compile(r"--([A-Za-z][\w.-]{0,127})")
_QUALIFIED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63}):(?!//)(.*)", re.DOTALL)
_NUMBER = re.compile(r"#[0-9]{1,6}")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_LONG_DASH = re.compile(r"[\u2013\u2014](?=[^\W\d_])")


def _classify(draft: _Draft) -> Word:
    text, plain = _without_marks(draft)
    is_quoted = plain == 0
    found = None if is_quoted else _PAIR.match(text, 0, plain)
    if found:
        word = _pair(found, text, is_quoted=plain < len(text))
    else:
        word = Word(text, is_quoted=is_quoted)
        word = _single(word)
    for shown, mention in draft.mentions:
        if shown == word.text:
            return replace(word, kind=Kind.MENTION, mention=mention)
        if shown == word.value:
            return replace(word, mention=mention)
    return word


def _without_marks(draft: _Draft) -> tuple[str, int]:
    """The text without backticks around it and with `--` for a long dash in front; and how
    much of it stands before the first quote.
    """
    text = "".join(draft.parts)
    plain = len(text) if draft.plain is None else draft.plain
    head, tail = text[:plain].lstrip("`"), text[plain:]
    head = _LONG_DASH.sub("--", head[:1] + head[1:2]) + head[2:] if head else head
    if draft.plain is None:
        head = head.rstrip("`")
    elif draft.tail < draft.length:
        tail = tail[: draft.tail - plain] + tail[draft.tail - plain :].rstrip("`")
    return head + tail, len(head)


def _pair(found: re.Match[str], text: str, *, is_quoted: bool) -> Word:
    kind = Kind.PAIR if found[2] == "=" else Kind.NOT_PAIR
    value = text[found.end() :]
    return Word(
        text, kind, found[1], value if is_quoted else value.lstrip("`"), is_quoted=is_quoted
    )


def _single(word: Word) -> Word:
    text = word.text
    if _URL.fullmatch(text):
        return replace(word, kind=Kind.URL)
    if found := _QUALIFIED.fullmatch(text):
        return replace(word, kind=Kind.QUALIFIED, key=found[1].lower(), value=found[2])
    if word.is_quoted:
        return word
    if found := _FLAG.fullmatch(text):
        return replace(word, kind=Kind.FLAG, key=found[1])
    return replace(word, kind=Kind.NUMBER) if _NUMBER.fullmatch(text) else word
