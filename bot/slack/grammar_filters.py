"""Filters: `branch=main`, `status!=passed,aborted`, `since=24h`."""

import re

from bot.domain.durations import parse_duration
from bot.domain.errors import UserError
from bot.domain.statuses import Status
from bot.domain.watches import Filter
from bot.slack.sentence import Sentence, quoted, shown, spell_value
from bot.slack.vocabulary import FILTER_KEYS, KEY_WORDS, STATUS_WORDS, FilterKey, closest
from bot.slack.words import Kind, Word

MOST_LINES = 50
_GLOB = re.compile(r"[*?\[]")
_COUNT = re.compile(r"([0-9]{1,4})[ _-]?([a-z]*)", re.IGNORECASE)
_WORDS = {"day": "1d", "today": "1d", "yesterday": "2d", "hour": "1h", "week": "7d", "month": "30d"}


def filters(
    sentence: Sentence, words: tuple[Word, ...], allowed: tuple[FilterKey, ...] = FILTER_KEYS
) -> tuple[Filter, ...]:
    """Reads pairs as filters. UserError for an unknown key, a wrong value or a repetition."""
    found: dict[tuple[str, bool], Filter] = {}
    for word in words:
        one = _filter(sentence, word, allowed)
        place = (one.key, one.is_negated)
        if place in found:
            raise _repeated(sentence, word, found[place], one)
        found[place] = one
    return tuple(found.values())


def unknown_key(
    sentence: Sentence, word: Word, known: tuple[str, ...], what: str = "a filter here"
) -> UserError:
    """What to say about a key that is not one of `known`, with the likely ones offered."""
    sign = "!=" if word.kind is Kind.NOT_PAIR else "="
    value = spell_value(word)
    return sentence.problem(
        f'"{shown(word.key)}" is not {what}. Possible are {", ".join(known)}.',
        *(sentence.replacing(word, f"{key}{sign}{value}") for key in closest(word.key, known)),
    )


def _filter(sentence: Sentence, word: Word, allowed: tuple[FilterKey, ...]) -> Filter:
    key = KEY_WORDS.get(word.key.lower())
    if key is None or key not in allowed:
        raise unknown_key(sentence, word, allowed)
    is_negated = word.kind is Kind.NOT_PAIR
    values = _values(word)
    if not values:
        raise sentence.problem(f"{key}{'!=' if is_negated else '='} needs a value.")
    return Filter(key, _checked(sentence, word, key, values), is_negated)


def _values(word: Word) -> tuple[str, ...]:
    if word.is_quoted:
        return (word.value,) if word.value else ()
    return tuple(dict.fromkeys(part.strip() for part in word.value.split(",") if part.strip()))


def _checked(
    sentence: Sentence, word: Word, key: FilterKey, values: tuple[str, ...]
) -> tuple[str, ...]:
    match key:
        case "status":
            every = (_status(sentence, word, value) for value in values)
            return tuple(dict.fromkeys(every))
        case "since":
            return (_since(sentence, word, values),)
        case "limit":
            return (_limit(sentence, word, values),)
        case "provider":
            return tuple(value.lower() for value in values)
        case "by":
            return tuple(value.removeprefix("@") or value for value in values)
        case _:
            return values


def _status(sentence: Sentence, word: Word, value: str) -> str:
    if found := STATUS_WORDS.get(value.lower()):
        return found.value
    if _GLOB.search(value):
        return value.lower()
    near = closest(value, STATUS_WORDS)
    words = dict.fromkeys(STATUS_WORDS[one].value for one in near)
    sign = "!=" if word.kind is Kind.NOT_PAIR else "="
    raise sentence.problem(
        f'"{shown(value)}" is not a status. Possible are {", ".join(Status)}.',
        *(
            sentence.replacing(word, f"{word.key}{sign}{_swap(word.value, value, one)}")
            for one in words
        ),
    )


def _swap(values: str, old: str, new: str) -> str:
    return ",".join(new if one.strip() == old else one for one in values.split(","))


def _since(sentence: Sentence, word: Word, values: tuple[str, ...]) -> str:
    if word.kind is Kind.NOT_PAIR:
        raise sentence.problem("since cannot be turned round; write since=2h.")
    value = values[0].lower()
    if len(values) == 1 and parse_duration(value):
        return value
    raise not_a_duration(sentence, word, f"{word.key}=", word.value)


def not_a_duration(sentence: Sentence, word: Word, before: str, value: str) -> UserError:
    """What to say about a duration that cannot be read; offers what may be meant."""
    return sentence.problem(
        f'"{shown(value)}" is not a duration; write 45m, 2h or 1d.',
        *(sentence.replacing(word, f"{before}{one}") for one in _near_durations(value)),
    )


def _near_durations(value: str) -> tuple[str, ...]:
    """`30` may be minutes, hours or days; `2hours` is 2h."""
    if found := _COUNT.fullmatch(value):
        count = int(found[1])
        units = found[2][:1].lower()
        return tuple(f"{count}{unit}" for unit in (units if units in "mhdw" and units else "mhd"))
    return tuple(_WORDS[word] for word in closest(value, _WORDS, limit=1))


def _limit(sentence: Sentence, word: Word, values: tuple[str, ...]) -> str:
    text = values[0]
    if word.kind is Kind.NOT_PAIR:
        raise sentence.problem("limit cannot be turned round; write limit=20.")
    is_number = len(values) == 1 and text.isascii() and text.isdigit() and len(text) <= 4  # noqa: PLR2004
    if is_number and 1 <= int(text) <= MOST_LINES:
        return str(int(text))
    best = MOST_LINES if is_number and int(text) > 0 else 10
    raise sentence.problem(
        f'"{shown(word.value)}" is not a limit; it is a number from 1 to {MOST_LINES}.',
        sentence.replacing(word, f"{word.key}={best}"),
    )


def _repeated(sentence: Sentence, word: Word, before: Filter, again: Filter) -> UserError:
    if again.key in {"since", "limit"}:
        return sentence.problem(f"{again.key} is given twice.", sentence.without(word))
    both = Filter(again.key, tuple(dict.fromkeys(before.values + again.values)), again.is_negated)
    first = next(w for w in sentence.pairs if KEY_WORDS.get(w.key.lower()) == again.key)
    merged = Sentence(sentence.verb, tuple(w for w in sentence.words if w is not first))
    return sentence.problem(
        f"{again.key} is given twice; for any of several write {again.key}=one,two.",
        merged.replacing(word, quoted(str(both))),
    )
