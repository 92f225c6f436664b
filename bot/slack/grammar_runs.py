"""`runs`: listings, one run and its parts, pipelines, providers, history."""

from dataclasses import dataclass
from typing import Literal

from bot.domain.errors import UserError
from bot.domain.intents import (
    Intent,
    ListPipelines,
    ListProviders,
    ListRuns,
    RunChoice,
    RunOfThread,
    ShowHistory,
    ShowRun,
)
from bot.domain.watches import Filter
from bot.slack.grammar_choices import can_be_pipeline, can_be_run, pipeline_name, run_choice
from bot.slack.grammar_filters import filters
from bot.slack.sentence import Sentence, quoted, shown
from bot.slack.vocabulary import PARTS, VIEWS, closest
from bot.slack.words import Word

MOST_LOG_LINES = 500
_LOG_LINES = 40


@dataclass(frozen=True, slots=True)
class _Request:
    """`names` are the words behind `runs` that are neither pairs nor `share`."""

    sentence: Sentence
    names: tuple[Word, ...]
    is_shared: bool

    def expect_names(self, most: int) -> None:
        if len(self.names) > most:
            extra = self.names[most]
            raise self.sentence.problem(
                f'"{self.sentence.shown(extra)}" is one word too many.',
                self.sentence.without(extra),
            )

    def expect_no_filters(self, message: str) -> None:
        if self.sentence.pairs:
            raise self.sentence.problem(message, self.sentence.without(*self.sentence.pairs))


def read_runs(sentence: Sentence) -> Intent:
    """Reads the words behind `runs`. UserError if they make no sense."""
    names = tuple(word for word in sentence.names if not word.says("share"))
    is_shared = any(word.says("share") for word in sentence.names)
    request = _Request(sentence, names, is_shared)
    if not names:
        return _list(request, "all")
    first = names[0]
    if first.says(*VIEWS):
        return _view(request, first.text.lower())
    if first.says(*PARTS):
        return _show(request, RunOfThread(), names)
    if can_be_run(first):
        return _show(request, run_choice(sentence, first), names[1:])
    if can_be_pipeline(first):
        request.expect_names(1)
        return _list(request, "all", Filter("pipeline", (pipeline_name(sentence, first),)))
    raise _unknown(sentence, first)


def _view(request: _Request, view: str) -> Intent:
    match view:
        case "failing" | "running" | "mine":
            request.expect_names(1)
            return _list(request, view)
        case "pipelines":
            request.expect_names(2)
            request.expect_no_filters("pipelines takes a glob, such as `testery:n*`.")
            return ListPipelines(_name(request, "*"), request.is_shared)
        case "providers":
            request.expect_names(1)
            request.expect_no_filters("providers takes no filters.")
            return ListProviders(request.is_shared)
        case _:
            request.expect_names(2)
            request.expect_no_filters("history takes one pipeline and no filters.")
            return ShowHistory(_name(request), request.is_shared)


def _name(request: _Request, default: str = "") -> str:
    if request.names[1:]:
        return pipeline_name(request.sentence, request.names[1])
    if not default:
        raise request.sentence.problem("history of which pipeline? Write `history provider:name`.")
    return default


def _list(
    request: _Request, view: Literal["all", "failing", "running", "mine"], *more: Filter
) -> Intent:
    found = filters(request.sentence, request.sentence.pairs)
    if more and any(one.key == "pipeline" and not one.is_negated for one in found):
        raise request.sentence.problem("the pipeline is given twice.")
    return ListRuns(view, more + found, request.is_shared)


def _show(request: _Request, run: RunChoice, names: tuple[Word, ...]) -> Intent:
    if names and not names[0].says(*PARTS):
        raise _not_a_part(request.sentence, request.names[0], names[0])
    request.expect_no_filters("filters belong to a listing; this is one run.")
    part = names[0].text.lower() if names else "summary"
    match part:
        case "log":
            step, lines = _log_words(request.sentence, names[1:])
            return ShowRun(run, "log", step, lines, request.is_shared)
        case "tests" | "steps" | "params" | "summary":
            if names[1:]:
                raise request.sentence.problem(
                    f'"{request.sentence.shown(names[1])}" is one word too many.',
                    request.sentence.without(*names[1:]),
                )
            return ShowRun(run, part, is_shared=request.is_shared)
        case _:
            raise _not_a_part(request.sentence, request.names[0], names[0])


def _log_words(sentence: Sentence, names: tuple[Word, ...]) -> tuple[str | None, int]:
    """`log [step] [n]`; a step that is a number is quoted."""
    last = names[-1] if names else None
    has_count = last is not None and not last.is_quoted and last.text.lstrip("-").isdecimal()
    lines = _count(sentence, last) if last and has_count else _LOG_LINES
    steps = names[:-1] if has_count else names
    if len(steps) > 1:
        step = sentence.said(*steps)
        raise sentence.problem(
            "a step with spaces in its name stands in quotes.", _with_step(sentence, steps, step)
        )
    return (steps[0].text if steps else None), lines


def _with_step(sentence: Sentence, steps: tuple[Word, ...], step: str) -> str:
    rest = Sentence(
        sentence.verb, tuple(w for w in sentence.words if all(w is not s for s in steps[1:]))
    )
    return rest.replacing(steps[0], quoted(step))


def _count(sentence: Sentence, word: Word) -> int:
    text = word.text
    is_number = text.isascii() and text.isdigit() and len(text) <= 9  # noqa: PLR2004
    if is_number and 1 <= int(text) <= MOST_LOG_LINES:
        return int(text)
    best = MOST_LOG_LINES if is_number and int(text) else _LOG_LINES
    raise sentence.problem(
        f"a log is shown in 1 to {MOST_LOG_LINES} lines, not {shown(text)}.",
        sentence.replacing(word, str(best)),
    )


def _not_a_part(sentence: Sentence, run: Word, word: Word) -> UserError:
    maybe = [sentence.replacing(word, one) for one in closest(word.text, PARTS)]
    if word.says(*VIEWS[:3]):
        rest = Sentence(sentence.verb, tuple(w for w in sentence.words if w is not word))
        maybe = [rest.replacing(run, word.text.lower(), f"pipeline={quoted(sentence.said(run))}")]
    return sentence.problem(
        f'"{sentence.shown(word)}" is not a part of a run. Possible are {", ".join(PARTS)}.', *maybe
    )


def _unknown(sentence: Sentence, word: Word) -> UserError:
    views = [sentence.replacing(word, one) for one in closest(word.text, VIEWS)]
    filtered = sentence.replacing(word, f"pipeline={quoted(sentence.said(word))}")
    return sentence.problem(
        f'"{sentence.shown(word)}" is neither a view nor a run. Views are {", ".join(VIEWS)}.',
        *views,
        filtered,
    )
