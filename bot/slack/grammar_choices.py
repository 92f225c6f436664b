"""How a run or a pipeline is named."""

import re

from bot.domain.errors import UserError
from bot.domain.intents import RunById, RunByNumber, RunByPipeline, RunByUrl, RunChoice
from bot.domain.runs import is_run_id
from bot.slack.sentence import Sentence
from bot.slack.vocabulary import WHICH, closest
from bot.slack.words import Kind, Word

_GLOB = re.compile(r"[*?\[]")


def run_choice(sentence: Sentence, word: Word) -> RunChoice:
    """The run that a word names. UserError if the word cannot be a run."""
    match word.kind:
        case Kind.URL:
            return RunByUrl(word.text)
        case Kind.NUMBER:
            return _by_number(sentence, word)
        case Kind.QUALIFIED | Kind.BARE:
            return _by_name(sentence, word)
        case _:
            raise _not_a_run(sentence, word)


def can_be_run(word: Word) -> bool:
    """Whether a word has the shape of a run, be it a wrong one (`#0`, `nightly@lst`)."""
    if word.kind in {Kind.URL, Kind.NUMBER}:
        return True
    if "@" in word.text[1:]:
        return word.kind in {Kind.QUALIFIED, Kind.BARE}
    if word.kind is Kind.QUALIFIED:
        return is_run_id(word.value)
    return word.kind is Kind.BARE and _is_bare_id(word)


def can_be_pipeline(word: Word) -> bool:
    """Whether a word can only be a pipeline: a key with a slash, a glob, or a name with blanks."""
    if word.kind is Kind.QUALIFIED:
        return not is_run_id(word.value)
    return word.kind is Kind.BARE and ("/" in word.text or _GLOB.search(word.text) is not None)


def pipeline_name(sentence: Sentence, word: Word) -> str:
    """A pipeline as typed, its instance in lower case. UserError if it is a run or nothing."""
    if word.kind not in {Kind.QUALIFIED, Kind.BARE}:
        raise sentence.problem(f"{sentence.shown(word)} is not a pipeline; write `provider:name`.")
    head, at, which = sentence.said(word).rpartition("@")
    if at and which in WHICH:
        raise sentence.problem(
            f"{sentence.shown(word)} is a run; here a pipeline is needed.",
            sentence.replacing(word, head),
        )
    return qualified(sentence, word)


def qualified(sentence: Sentence, word: Word) -> str:
    """`instance:rest` with the instance in lower case, or a bare word as it is."""
    if word.kind is not Kind.QUALIFIED:
        return word.text
    if not word.value:
        raise sentence.problem(
            f"there is nothing behind {sentence.shown(word)} Write `{word.key}:name`."
        )
    return f"{word.key}:{word.value}"


def _by_number(sentence: Sentence, word: Word) -> RunChoice:
    number = int(word.text[1:])
    if number < 1:
        raise sentence.problem("the lines of a listing are counted from #1.")
    return RunByNumber(number)


def _by_name(sentence: Sentence, word: Word) -> RunChoice:
    pipeline, at, which = qualified(sentence, word).rpartition("@")
    if at and pipeline:
        return _by_pipeline(sentence, word, pipeline, which)
    if word.kind is Kind.QUALIFIED and is_run_id(word.value):
        return RunById(word.key, word.value)
    if _is_bare_id(word):
        return RunById(None, word.text)
    raise _not_a_run(sentence, word)


def _by_pipeline(sentence: Sentence, word: Word, pipeline: str, which: str) -> RunChoice:
    if found := WHICH.get(which.lower()):
        return RunByPipeline(pipeline, found)
    near = closest(which, WHICH) or tuple(WHICH)
    name = sentence.said(word).rpartition("@")[0]
    raise sentence.problem(
        f'"{sentence.shown(word)}" is not a run: behind the @ comes last, last-failed or '
        "last-green.",
        *(sentence.replacing(word, f"{name}@{one}") for one in near if name),
    )


def _is_bare_id(word: Word) -> bool:
    """A bare id has a digit in it, which tells it from a misspelt word."""
    return is_run_id(word.text) and any(c in "0123456789" for c in word.text)


def _not_a_run(sentence: Sentence, word: Word) -> UserError:
    maybe: tuple[str, ...] = ()
    if can_be_pipeline(word) and not _GLOB.search(word.text):
        maybe = (sentence.replacing(word, f"{sentence.said(word)}@last"),)
    return sentence.problem(
        f'"{sentence.shown(word)}" is not a run. A run is `provider:id`, #1 of your last listing, '
        "a pasted address, or `pipeline@last`.",
        *maybe,
    )
