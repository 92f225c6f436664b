"""One command as words: how it is spelt back, corrected, and refused."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.errors import UserError
from bot.domain.intents import Topic
from bot.slack.masking import MASK, is_secret_name, mask_assignments
from bot.slack.words import Kind, Word

_LONGEST_ECHO = 1000
_NEEDS_QUOTES = re.compile(r"[\s\"'`\\]|^[\u2013\u2014]|^$")
PAIRS = frozenset({Kind.PAIR, Kind.NOT_PAIR})


@dataclass(frozen=True, slots=True)
class Sentence:
    """A verb and the words behind it.

    Every text made from it is a full command without Slack's escaping, `/verb …`, in which
    values that may be secret are masked.
    """

    verb: Topic
    words: tuple[Word, ...]

    @property
    def names(self) -> tuple[Word, ...]:
        """The words that are not pairs, in order."""
        return tuple(word for word in self.words if word.kind not in PAIRS)

    @property
    def pairs(self) -> tuple[Word, ...]:
        return tuple(word for word in self.words if word.kind in PAIRS)

    def echo(self) -> str:
        return self._command(spell(self.words))

    def replacing(self, old: Word, *new: str) -> str:
        """The command with one of its words replaced by others, given as they are typed."""
        spelt = spell(self.words)
        texts = [
            text
            for word, again in zip(self.words, spelt, strict=True)
            for text in (new if word is old else (again,))
        ]
        return self._command(texts)

    def without(self, *left_out: Word) -> str:
        spelt = spell(self.words)
        ids = {id(word) for word in left_out}
        kept = (s for word, s in zip(self.words, spelt, strict=True) if id(word) not in ids)
        return self._command(kept)

    def shown(self, word: Word) -> str:
        """One of its words as it may stand in an error: short, and masked as in the echo."""
        return shown(self.said(word))

    def said(self, *words: Word) -> str:
        """Some of its words as running text, masked as in the echo."""
        ids = {id(word) for word in words}
        every = zip(self.words, spell(self.words), strict=True)
        return " ".join(_say(word, spelt) for word, spelt in every if id(word) in ids)

    def problem(self, message: str, *maybe: str) -> UserError:
        """An error about this command; `maybe` are full commands."""
        different = tuple(dict.fromkeys(one for one in maybe if one != self.echo()))
        return UserError(message, maybe=different, help_command=f"/{self.verb} help")

    def _command(self, texts: Iterable[str]) -> str:
        text = " ".join((f"/{self.verb}", *texts))
        return text if len(text) <= _LONGEST_ECHO else text[: _LONGEST_ECHO - 1] + "…"


def spell(words: tuple[Word, ...]) -> list[str]:
    """The words as they can be typed again, what may be secret masked."""
    texts: list[str] = []
    is_value_next = False
    for word in words:
        texts.append(MASK if is_value_next and word.text != "=" else _spell(word))
        is_value_next = _awaits_value(word)
    return texts


def quoted(text: str) -> str:
    """The text as one word, in quotes if it needs them."""
    if not _NEEDS_QUOTES.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def shown(text: str) -> str:
    """A text as it may stand in an error: short, and masked where it looks like a secret."""
    text = mask_assignments(text)
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004


def _say(word: Word, spelt: str) -> str:
    if word.kind is Kind.PAIR and word.key.lower() == "reason":
        return mask_assignments(word.value)
    return spelt if word.kind in PAIRS or MASK in spelt else word.text


def _spell(word: Word) -> str:
    if word.kind in PAIRS:
        sign = "=" if word.kind is Kind.PAIR else "!="
        return f"{word.key}{sign}{spell_value(word)}"
    if word.text.startswith("=") and word.text != "=":
        return f"={MASK}"
    text = f"--{word.key}" if word.kind is Kind.FLAG else mask_assignments(word.text)
    return _again(word, text)


def spell_value(word: Word) -> str:
    """The value of a pair as it can be typed again, masked if it may be secret."""
    if is_secret_name(word.key):
        return MASK
    if word.mention and word.key.lower() == "mention":
        return word.mention
    return _again(word, mask_assignments(word.value))


def _again(word: Word, text: str) -> str:
    if word.is_quoted and not _NEEDS_QUOTES.search(text):
        return f'"{text}"'
    return quoted(text)


def _awaits_value(word: Word) -> bool:
    """Whether the next word may be a secret value: `env.A = x`, `env.A= x`, `--token --x`."""
    if word.text == "=":
        return True
    if word.kind in PAIRS and not word.value:
        return is_secret_name(word.key)
    text = word.value if word.kind in PAIRS else word.text
    is_open = word.kind is Kind.FLAG or text.endswith(("=", ":"))
    return text.lower().startswith("env.") or (is_open and is_secret_name(word.text))
