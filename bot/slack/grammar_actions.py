"""`trigger`, `abort` and `retry`."""

from typing import Literal

from bot.domain.errors import UserError
from bot.domain.intents import (
    AbortRun,
    Intent,
    OpenTriggerForm,
    RetryRun,
    RunChoice,
    RunOfThread,
    TriggerRun,
)
from bot.slack.grammar_choices import can_be_run, pipeline_name, run_choice
from bot.slack.grammar_parameters import read_parameters, reason_text
from bot.slack.sentence import Sentence, quoted, shown
from bot.slack.vocabulary import DRY_WORDS, WHICH
from bot.slack.words import Kind, Word


def read_trigger(sentence: Sentence) -> Intent:
    """Reads the words behind `trigger`. UserError if they make no sense."""
    if not sentence.words:
        return OpenTriggerForm()
    _expect_whole_pairs(sentence)
    names = [word for word in sentence.names if not word.says(*DRY_WORDS)]
    if not names:
        raise sentence.problem("trigger which pipeline? Write `provider:name`.")
    if len(names) > 2:  # noqa: PLR2004
        raise _second_bare(sentence, names)
    pipeline = _pipeline(sentence, names[0])
    found = read_parameters(sentence)
    return TriggerRun(
        pipeline,
        names[1].text if names[1:] else None,
        tuple(found.parameters),
        tuple(found.variables),
        found.reason,
        found.is_dry,
    )


def read_abort(sentence: Sentence) -> Intent:
    """Reads the words behind `abort`: a run, and all the rest is the reason."""
    run, rest = _leading_run(sentence)
    if _asks_for_dry(rest):
        raise sentence.problem("abort has no dry run. Nothing was sent.")
    return AbortRun(run, reason_text(sentence.said(*rest)))


def read_retry(sentence: Sentence) -> Intent:
    """Reads the words behind `retry`: a run, what of it, and values that replace the old ones."""
    _expect_whole_pairs(sentence)
    scopes = [word for word in sentence.names if word.says("failed", "all")]
    others = [w for w in sentence.names if not w.says("failed", "all", *DRY_WORDS)]
    if len({word.text.lower() for word in scopes}) > 1:
        raise sentence.problem("all or failed, not both.", *(sentence.without(w) for w in scopes))
    if len(others) > 1:
        raise sentence.problem(
            f'"{sentence.shown(others[1])}" is one word too many; values are written key=value.',
            sentence.without(others[1]),
        )
    run: RunChoice = run_choice(sentence, others[0]) if others else RunOfThread()
    found = read_parameters(sentence)
    scope: Literal["all", "failed"] = "failed" if scopes and scopes[0].says("failed") else "all"
    parameters, variables = tuple(found.parameters), tuple(found.variables)
    return RetryRun(run, scope, parameters, variables, found.reason, found.is_dry)


def _expect_whole_pairs(sentence: Sentence) -> None:
    for word in sentence.words:
        if word.kind is Kind.FLAG:
            raise sentence.problem(f"--{shown(word.key)} needs a value.")
        if word.kind is Kind.BARE and not word.is_quoted and word.text.startswith("="):
            raise sentence.problem("values are written key=value, without spaces around the =.")


def _pipeline(sentence: Sentence, word: Word) -> str:
    _, at, which = word.text.rpartition("@")
    if word.kind in {Kind.URL, Kind.NUMBER} or (at and which in WHICH):
        again = Sentence("retry", tuple(w for w in sentence.words if w is word))
        raise sentence.problem(
            f"{sentence.shown(word)} is a run, and trigger takes a pipeline. "
            "To start the same again, retry the run.",
            again.echo(),
        )
    return pipeline_name(sentence, word)


def _second_bare(sentence: Sentence, names: list[Word]) -> UserError:
    extra = names[2]
    return sentence.problem(
        f'"{sentence.shown(extra)}" is a second bare word; the one bare word, '
        f'"{sentence.shown(names[1])}", is the branch or revision. '
        "Everything else is written key=value, with quotes around spaces.",
        sentence.without(extra),
    )


def _leading_run(sentence: Sentence) -> tuple[RunChoice, tuple[Word, ...]]:
    if not sentence.words:
        return RunOfThread(), ()
    first = sentence.words[0]
    if first.kind is Kind.PAIR and first.key.lower() == "reason":
        return RunOfThread(), sentence.words
    if not can_be_run(first) and first.kind is Kind.BARE and "/" not in first.text:
        raise _run_missing(sentence, first)
    return run_choice(sentence, first), sentence.words[1:]


def _run_missing(sentence: Sentence, first: Word) -> UserError:
    reason = reason_text(sentence.said(*sentence.words))
    alone = Sentence("abort", ())
    return sentence.problem(
        f'"{sentence.shown(first)}" is not a run. Name the run first; in the thread of its card '
        "write reason=… alone.",
        f"{alone.echo()} reason={quoted(reason)}",
    )


def _asks_for_dry(rest: tuple[Word, ...]) -> bool:
    """`dry` never writes, so a lone `dry` is not taken for a reason."""
    is_switch = any(word.says(*DRY_WORDS) and word.key for word in rest)
    return is_switch or (len(rest) == 1 and rest[0].says(*DRY_WORDS))
