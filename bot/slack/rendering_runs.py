"""Runs: listings, one run, its steps, tests and log, a pipeline's history."""

import re
from collections.abc import Iterable

from bot.domain.replies import History, LogTail, RunDetail, RunList, StepList, TestList
from bot.domain.runs import NOTHING, Run, Step, TestResult
from bot.slack.masking import mask_secrets
from bot.slack.page import RenderContext, Rendered, compose
from bot.slack.rendering_lines import (
    SYMBOLS,
    controls,
    data_age,
    failures,
    ref_text,
    run_line,
    silent_lines,
    status_words,
    strip_line,
)
from bot.slack.text import code_block, cut, date, duration, literal, prose, visible

_MOST_TESTS = 20
_MOST_STEPS = 30
_MOST_LOG = 9000
_MOST_LOG_LINE = 400
_MOST_LOG_READ = 400_000
_LOG_SECTION = 2800
_COLOURS = re.compile(r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\n]*+(?:\x07|\x1b\\)?|[@-Z\\^_])")


def run_list(reply: RunList, context: RenderContext) -> Rendered:
    notes = [f"ⓘ {prose(note, 300)}" for note in reply.notes]
    footer = [*silent_lines(reply.silent), *notes]
    ages = data_age(reply.data_age)
    if not reply.runs:
        looked = f"{reply.looked_at} looked at"
        return compose([f"ⓘ no {prose(reply.what, 300)}; {looked}; {ages}"], footer=footer)
    what = reply.what if len(reply.runs) > 1 else reply.what.replace("runs", "run", 1)
    lines = [f"*{len(reply.runs)} {prose(what, 300)}*"] if reply.what != "runs" else []
    lines += [f"{n}. {run_line(run, context.now)}" for n, run in enumerate(reply.runs, 1)]
    sums = f"{len(reply.runs)} shown · {reply.looked_at} looked at · {ages}"
    return compose(lines, footer=[sums, *footer], left_out="the rest is left out; use filters")


def run_detail(reply: RunDetail, context: RenderContext) -> Rendered:
    run = reply.run
    lines = [
        run_line(run, context.now),
        *_facts(run),
        *(f"   {_step_line(step)}" for step in reply.steps[:_MOST_STEPS]),
        _more(len(reply.steps), _MOST_STEPS, "steps", run),
        *(_test_line(test) for test in reply.failed_tests[:_MOST_TESTS]),
        _more(len(reply.failed_tests), _MOST_TESTS, "tests", run),
    ]
    return compose(
        lines,
        footer=[f"⚠ {prose(note, 300)}" for note in reply.notes],
        buttons=controls(run, reply.controls, context),
    )


def _facts(run: Run) -> Iterable[str]:
    who = {"by": run.author, "commit": run.commit, "of": run.title}
    parts = [f"{label} {literal(text, 120)}" for label, text in who.items() if text]
    if run.attempt > 1:
        parts.append(f"attempt {run.attempt}")
    if parts:
        yield " · ".join(parts)
    moments = {"created": run.created, "started": run.started, "finished": run.finished}
    times = [f"{label} {date(moment)}" for label, moment in moments.items() if moment]
    if times:
        yield " · ".join(times)
    if given := [_parameter(*one) for one in run.parameters if one[1] != NOTHING]:
        yield " · ".join(given)
    if run.failures:
        yield f"what failed: {failures(run.failures)}"


def _parameter(name: str, value: str) -> str:
    return f"{literal(name, 60)} {literal(mask_secrets(value), 100)}"


def _more(count: int, most: int, part: str, run: Run) -> str:
    return f"… and {count - most} more: `/runs {run.ref} {part}`" if count > most else ""


def step_list(reply: StepList, context: RenderContext) -> Rendered:
    if not reply.steps:
        return compose([run_line(reply.run, context.now), "ⓘ this run has no steps"])
    lines = [f"{n}. {_step_line(step)}" for n, step in enumerate(reply.steps, 1)]
    return compose([run_line(reply.run, context.now), *lines])


def test_list(reply: TestList, context: RenderContext) -> Rendered:
    if not reply.tests:
        return compose([run_line(reply.run, context.now), "ⓘ this run lists no tests"])
    return compose(
        [run_line(reply.run, context.now), *(_test_line(test) for test in reply.tests)],
        footer=["1 test" if len(reply.tests) == 1 else f"{len(reply.tests)} tests"],
    )


def _step_line(step: Step) -> str:
    parts = [f"{status_words(step.status, step.raw_status)}  {literal(step.name, 120)}"]
    if step.started and step.finished:
        parts.append(duration(step.finished - step.started))
    if step.message:
        parts.append(literal(mask_secrets(step.message), 160))
    return " · ".join(parts)


def _test_line(test: TestResult) -> str:
    parts = [f"{status_words(test.status)}  {literal(test.name, 160)}"]
    if test.duration_s is not None:
        parts.append(f"{max(0.0, test.duration_s):.1f} s")
    if test.error:
        parts.append(literal(mask_secrets(test.error), 200))
    return " · ".join(parts)


def log_tail(reply: LogTail, context: RenderContext) -> Rendered:  # noqa: ARG001
    every = log_lines(reply.log.text)
    lines = _within_limits(every[-max(1, reply.lines) :])
    is_cut = reply.log.is_cut or len(lines) < len(every)
    how_many = f"last {len(lines)} lines" if is_cut else f"{len(lines)} lines"
    head = f"log of {ref_text(reply.ref)}: {literal(reply.log.title or 'run', 120)}, {how_many}"
    if not lines:
        return compose([f"ⓘ {head}: it is empty"])
    page = compose([f"ⓘ {head}", *(code_block(part) for part in _chunks(lines))])
    return Rendered("\n".join((f"ⓘ {head}", *_last_of(lines, 3000))), page.blocks)


def log_lines(text: str) -> list[str]:
    """The lines of a log without colours, overwritten progress and what is likely secret."""
    tail = _COLOURS.sub("", text[-_MOST_LOG_READ:].replace("\r\n", "\n"))
    lines = [line.rpartition("\r")[2] for line in mask_secrets(tail).strip("\n").split("\n")]
    return [cut(visible(line.rstrip()), _MOST_LOG_LINE) for line in lines] if tail.strip() else []


def _weight(line: str) -> int:
    """Length after escaping, newline included."""
    return len(line) + 4 * line.count("&") + 3 * (line.count("<") + line.count(">")) + 1


def _within_limits(lines: list[str]) -> list[str]:
    kept, room = 0, _MOST_LOG
    for line in reversed(lines):
        room -= _weight(line)
        if room < 0:
            break
        kept += 1
    return lines[len(lines) - kept :]


def _last_of(lines: list[str], most: int) -> list[str]:
    """The end of the log for the plain text, as one code block."""
    kept, room = 0, most
    for line in reversed(lines):
        room -= _weight(line)
        if room < 0:
            break
        kept += 1
    return [code_block("\n".join(lines[len(lines) - kept :]))] if kept else []


def _chunks(lines: list[str]) -> Iterable[str]:
    gathered: list[str] = []
    size = 0
    for line in lines:
        if gathered and size + _weight(line) > _LOG_SECTION:
            yield "\n".join(gathered)
            gathered, size = [], 0
        gathered.append(line)
        size += _weight(line)
    yield "\n".join(gathered)


def history(reply: History, context: RenderContext) -> Rendered:
    name = literal(str(reply.pipeline), 160)
    if not reply.strip:
        return compose([f"ⓘ {name} has no runs that are over"])
    rate = f" ({round(100 * reply.passed / reply.judged)} %)" if reply.judged else ""
    facts = [f"{reply.passed} of {reply.judged} passed{rate}"]
    if reply.typical is not None:
        facts.append(f"typically {duration(reply.typical)}")
    lines = [f"history of {name}: {' · '.join(facts)}", strip_line(reply.strip)]
    if reply.newest:
        lines.append(f"newest: {run_line(reply.newest, context.now)}")
    lines.append(" ".join(f"{SYMBOLS[m.status]} {ref_text(m.ref)}" for m in reply.strip[-3:]))
    return compose(lines)
