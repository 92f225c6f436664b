"""What is posted without being asked: the card of a red pipeline, news below it, notices.

The first line carries it all: it is what a phone shows at night.
"""

from collections.abc import Iterable

from bot.domain.replies import AlertCard, AlertReply, ChannelNotice
from bot.domain.runs import Run
from bot.slack.blocks import Button
from bot.slack.page import RenderContext, Rendered, compose, with_prefix
from bot.slack.rendering_lines import (
    SAME_COMMIT,
    TONES,
    changed_value,
    channel_name,
    controls,
    failures,
    mentioned,
    on_branch,
    opinion_words,
    past_run,
    reworded,
    run_label,
    run_line,
    status_words,
    strip_line,
)
from bot.slack.text import date, duration, literal, prose
from bot.slack.values import CommandPress, MutePress

_MOST_CHANGES = 6


def alert_card(reply: AlertCard, context: RenderContext) -> Rendered:
    if reply.is_fixed:
        lines = _fixed(reply, context)
    elif reply.is_unwatched:
        lines = _unwatched(reply, context)
    else:
        lines = _red(reply, context)
    return compose(lines, buttons=_buttons(reply, context))


def _buttons(reply: AlertCard, context: RenderContext) -> list[Button]:
    """Retry or Abort, Mute while it is red, the run's page; the reasons in the overflow menu."""
    run = reply.underway or reply.latest
    row = controls(run, reply.controls, context)
    if reply.is_red:
        value = context.sign(MutePress(reply.pipeline, reply.branch))
        row.insert(min(1, len(row)), Button("Mute 2 h", "mute", value))
    return [*row, Button("Why?", "why", context.sign(CommandPress(f"/watch why {run.ref}")))]


def _red(reply: AlertCard, context: RenderContext) -> Iterable[str]:
    latest = run_line(reply.latest, context.now, is_lasting=True)
    again = f" · {_underway(reply.underway)}" if reply.underway else ""
    yield f"{latest}{again}"
    times = f" · {reply.failures} failing runs" if reply.failures > 1 else ""
    whom = mentioned(reply.mention)
    name = on_branch(reply.pipeline, reply.branch)
    yield f"{name}: {prose(reply.reason, 200)}{times}{f' · {whom}' if whom else ''}"
    yield _about(reply.latest)
    if reply.first_bad and reply.first_bad.ref != reply.latest.ref:
        yield f"first bad: {past_run(reply.first_bad)}"
    if reply.last_green:
        yield f"last green: {past_run(reply.last_green)}"
    yield from _since_green(reply)
    yield strip_line(reply.strip)


def _underway(run: Run) -> str:
    return f"{status_words(run.status, run.raw_status)} again: {run_label(run)}"


def _about(run: Run) -> str:
    """What failed in the run, its commit, and who started it."""
    facts = {
        "what failed:": failures(run.failures),
        "commit": literal(run.commit or ""),
        "started by": literal(run.author or ""),
    }
    return " · ".join(f"{what} {text}" for what, text in facts.items() if text)


def _since_green(reply: AlertCard) -> Iterable[str]:
    if reply.is_same_commit:
        yield SAME_COMMIT
    changes = [changed_value(one) for one in reply.differences[:_MOST_CHANGES]]
    if changes:
        left = len(reply.differences) - len(changes)
        more = f" · and {left} more" if left else ""
        yield f"changed since: {' · '.join(changes)}{more}"
    if reply.opinion:
        yield opinion_words(reply.opinion)


def _fixed(reply: AlertCard, context: RenderContext) -> Iterable[str]:
    runs = "1 failing run" if reply.failures == 1 else f"{reply.failures} failing runs"
    took = f", {duration(reply.fixed_after)}" if reply.fixed_after is not None else ""
    yield f"✔ fixed  {on_branch(reply.pipeline, reply.branch)} after {runs}{took}"
    yield run_line(reply.latest, context.now, is_lasting=True)
    yield _about(reply.latest)
    if reply.first_bad:
        yield f"first bad: {past_run(reply.first_bad)}"
    if reply.last_green:
        yield f"green before: {past_run(reply.last_green)}"
    yield strip_line(reply.strip)


def _unwatched(reply: AlertCard, context: RenderContext) -> Iterable[str]:
    """Its status is of the past: how it goes on is no longer told."""
    yield f"ⓘ no longer watched here  {on_branch(reply.pipeline, reply.branch)}"
    yield f"last known: {run_line(reply.latest, context.now, is_lasting=True)}"
    if reply.first_bad and reply.first_bad.ref != reply.latest.ref:
        yield f"first bad: {past_run(reply.first_bad)}"
    if reply.last_green:
        yield f"last green: {past_run(reply.last_green)}"


def alert_reply(reply: AlertReply, context: RenderContext) -> Rendered:
    run, whom = reply.run, mentioned(reply.mention)
    line = reworded(run_line(run, context.now, is_lasting=True), run, reply.word)
    call = f" · {whom}" if whom else ""
    lines = [line, f"{on_branch(run.pipeline, run.branch)}: {prose(reply.text, 300)}{call}"]
    if run.status.is_failure or reply.word == "fixed":
        lines.append(_about(run))
    return compose(lines, buttons=controls(run, reply.controls, context))


def channel_notice(reply: ChannelNotice, context: RenderContext) -> Rendered:
    since = f" (since {date(reply.since)})" if reply.since else ""
    lines = [prose(line) for line in with_prefix(reply.text, context.prefix).splitlines()]
    lines = lines or [""]
    where = f"{channel_name(reply.about)}: " if reply.about else ""
    return compose([f"{TONES[reply.tone]} {where}{lines[0]}{since}", *lines[1:]])
