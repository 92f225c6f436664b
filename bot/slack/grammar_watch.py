"""`watch`: everything about alerts."""

import re
from datetime import timedelta

from rapidfuzz.distance import OSA

from bot.domain.durations import parse_duration
from bot.domain.errors import UserError
from bot.domain.intents import (
    AddWatch,
    ExplainRun,
    Intent,
    ListWatches,
    MuteWatch,
    RemoveWatch,
    ResumeWatches,
    RunOfThread,
    TestWatch,
    UnmuteWatch,
)
from bot.domain.watches import Preset, ThreadMode
from bot.slack.grammar_choices import pipeline_name, qualified, run_choice
from bot.slack.grammar_filters import filters, not_a_duration, unknown_key
from bot.slack.grammar_parameters import reason_text
from bot.slack.sentence import Sentence, quoted, shown
from bot.slack.vocabulary import KEY_WORDS, WATCH_WORDS, FilterKey, closest
from bot.slack.words import Kind, Word

LONGEST_MUTE = timedelta(days=90)
_OPTIONS = ("on", "mention", "thread", "overdue")
_FILTERS: tuple[FilterKey, ...] = ("branch", "status", "provider", "pipeline", "by", "env")
_NOBODY = ("none", "off")
_ID = re.compile(r"[UWS][A-Za-z0-9_-]{1,40}")
_PLAIN_NUMBER = re.compile(r"#?([0-9]{1,6})")
_ONE_SLIP = 1
"""A letter too many, missing or another one, or two neighbours that changed places."""


def read_watch(sentence: Sentence) -> Intent:
    """Reads the words behind `watch`; nothing behind it lists the watches of the channel."""
    if not sentence.words:
        return ListWatches()
    first = sentence.words[0]
    if first.says("list"):
        _expect_no_more(sentence, 1)
        return ListWatches()
    if first.says("off"):
        _expect_no_more(sentence, 2)
        return RemoveWatch(_which(sentence, "off"))
    if first.says("resume"):
        _expect_no_more(sentence, 1)
        return ResumeWatches()
    if first.says("why"):
        _expect_no_more(sentence, 2)
        has_run = len(sentence.words) > 1
        return ExplainRun(run_choice(sentence, sentence.words[1]) if has_run else RunOfThread())
    if first.says("test"):
        _expect_no_more(sentence, 2)
        return TestWatch(_which(sentence, "test"))
    if first.says("mute"):
        return _mute(sentence)
    if first.says("unmute"):
        return _unmute(sentence)
    return _add(sentence)


def _add(sentence: Sentence) -> Intent:
    if not sentence.names:
        raise sentence.problem("watch what? Name a pipeline, a glob, or * for everything.")
    pattern, extra = sentence.names[0], sentence.names[1:]
    if near := _misspelt(pattern):
        maybe = [sentence.replacing(pattern, word) for word in near]
        raise sentence.problem(
            f'"{sentence.shown(pattern)}" looks like {" or ".join(near)}. '
            "If it is a pipeline, write it in quotes.",
            *maybe,
            sentence.replacing(pattern, f'"{pattern.text}"'),
        )
    if extra:
        raise _extra(sentence, pattern, extra[0])
    options = _options(sentence)
    rest = tuple(w for w in sentence.pairs if w.key.lower() not in _OPTIONS)
    for word in rest:
        if KEY_WORDS.get(word.key.lower()) not in _FILTERS:
            raise unknown_key(sentence, word, (*_FILTERS, *_OPTIONS), "something a watch can have")
    return AddWatch(
        pipeline_name(sentence, pattern),
        filters(sentence, rest, _FILTERS),
        _preset(sentence, options.get("on")),
        _thread(sentence, options.get("thread")),
        _mention(sentence, options.get("mention")),
        _tells_overdue(sentence, options.get("overdue")),
    )


def _misspelt(word: Word) -> tuple[str, ...]:
    """Words of the grammar that differ from this one by little; a name is not taken for them."""
    if word.is_quoted or word.kind is not Kind.BARE or not word.text.isalpha():
        return ()
    text = word.text.lower()
    near = (known for known in WATCH_WORDS if known[0] == text[0])
    return tuple(known for known in near if OSA.distance(text, known) == _ONE_SLIP)


def _extra(sentence: Sentence, pattern: Word, extra: Word) -> UserError:
    if extra.says(*WATCH_WORDS):
        turned = Sentence("watch", (extra, pattern))
        return sentence.problem(f"{extra.text.lower()} stands before the pipeline.", turned.echo())
    return sentence.problem(
        f'"{sentence.shown(extra)}" is one word too many; conditions are written key=value.',
        sentence.replacing(extra, f"branch={quoted(sentence.shown(extra))}"),
        sentence.without(extra),
    )


def _options(sentence: Sentence) -> dict[str, Word]:
    found: dict[str, Word] = {}
    for word in sentence.pairs:
        key = word.key.lower()
        if key not in _OPTIONS:
            continue
        if key in found:
            raise sentence.problem(f"{key} is given twice.", sentence.without(word))
        if word.kind is Kind.NOT_PAIR:
            raise sentence.problem(f"write {key}=value.")
        found[key] = word
    return found


def _preset(sentence: Sentence, word: Word | None) -> Preset | None:
    return Preset(_one_of(sentence, word, tuple(Preset))) if word else None


def _thread(sentence: Sentence, word: Word | None) -> ThreadMode | None:
    return ThreadMode(_one_of(sentence, word, tuple(ThreadMode))) if word else None


def _tells_overdue(sentence: Sentence, word: Word | None) -> bool | None:
    return _one_of(sentence, word, ("on", "off")) == "on" if word else None


def _one_of(sentence: Sentence, word: Word, known: tuple[str, ...]) -> str:
    value = word.value.lower()
    if value in known:
        return str(known[known.index(value)])
    near = closest(value, [str(one) for one in known]) or tuple(str(one) for one in known)
    raise sentence.problem(
        f'"{shown(word.value)}" is nothing that {word.key.lower()}= can be; it is '
        f"{', '.join(known[:-1])} or {known[-1]}.",
        *(sentence.replacing(word, f"{word.key.lower()}={one}") for one in near),
    )


def _mention(sentence: Sentence, word: Word | None) -> str | None:
    """A Slack id of a person or a user group, or `here` or `channel`; empty for nobody."""
    if word is None:
        return None
    text = word.mention or word.value.removeprefix("@")
    if text in _NOBODY:
        return ""
    if _ID.fullmatch(text) or text in {"here", "channel"}:
        return text
    raise sentence.problem(
        f'"{shown(word.value)}" is nobody I know. Choose a person or a user group from what '
        "Slack offers, or write here, channel or none."
    )


def _mute(sentence: Sentence) -> Intent:
    pattern = _target(sentence, "mute")
    branches = [word for word in sentence.pairs if KEY_WORDS.get(word.key.lower()) == "branch"]
    rest = [w for w in sentence.words[2:] if not w.says("for") and w not in branches[:1]]
    if not rest:
        raise sentence.problem(
            "mute for how long? Write 45m, 2h or 1d behind the pipeline.",
            *(f"{sentence.echo()} {one}" for one in ("2h", "1d")),
        )
    duration = parse_duration(rest[0].text)
    if not duration:
        raise not_a_duration(sentence, rest[0], "", rest[0].text)
    if duration > LONGEST_MUTE:
        raise sentence.problem(
            f"a mute lasts {LONGEST_MUTE.days} days at the most.",
            sentence.replacing(rest[0], f"{LONGEST_MUTE.days}d"),
        )
    branch = branches[0].value if branches else None
    return MuteWatch(pattern, duration, reason_text(sentence.said(*rest[1:])), branch)


def _unmute(sentence: Sentence) -> Intent:
    pattern = _target(sentence, "unmute")
    branches = [word for word in sentence.pairs if KEY_WORDS.get(word.key.lower()) == "branch"]
    extra = [word for word in sentence.words[2:] if word not in branches[:1]]
    if extra:
        raise _too_many(sentence, *extra)
    return UnmuteWatch(pattern, branches[0].value if branches else None)


def _target(sentence: Sentence, verb: str) -> str:
    words = sentence.words
    if len(words) < 2 or (not words[1].is_quoted and parse_duration(words[1].text)):  # noqa: PLR2004
        raise sentence.problem(
            f"{verb} what? Name the pipeline or pattern first; /watch list shows those of here.",
            "/watch list",
        )
    return pipeline_name(sentence, words[1])


def _which(sentence: Sentence, verb: str) -> str:
    if len(sentence.words) > 1 and (found := _PLAIN_NUMBER.fullmatch(sentence.words[1].text)):
        return found[1]
    if len(sentence.words) > 1 and sentence.words[1].kind is Kind.QUALIFIED:
        return qualified(sentence, sentence.words[1])
    return _target(sentence, verb)


def _expect_no_more(sentence: Sentence, most: int) -> None:
    if len(sentence.words) > most:
        raise _too_many(sentence, *sentence.words[most:])


def _too_many(sentence: Sentence, *extra: Word) -> UserError:
    return sentence.problem(
        f'"{sentence.shown(extra[0])}" is one word too many.', sentence.without(*extra)
    )
