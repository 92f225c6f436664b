"""What is posted without being asked: the card of a red pipeline, news below it, notices."""

from collections.abc import Iterable

from bot.domain.replies import AlertCard, AlertReply, ChannelNotice
from bot.slack.page import RenderContext, Rendered, compose, with_prefix
from bot.slack.rendering_lines import (
    TONES,
    controls,
    mentioned,
    on_branch,
    run_label,
    run_line,
    strip_line,
)
from bot.slack.text import date, duration, literal, prose


def alert_card(reply: AlertCard, context: RenderContext) -> Rendered:
    return compose(
        _fixed(reply, context) if reply.is_fixed else _red(reply, context),
        buttons=controls(reply.latest, reply.controls, context),
    )


def _red(reply: AlertCard, context: RenderContext) -> Iterable[str]:
    yield run_line(reply.latest, context.now, is_lasting=True)
    name = on_branch(reply.pipeline, reply.branch)
    times = f" · {reply.failures} failing runs" if reply.failures > 1 else ""
    whom = mentioned(reply.mention)
    yield f"{name}: {prose(reply.reason, 200)}{times}{f' · {whom}' if whom else ''}"
    if reply.failures > 1 and reply.first_bad:
        yield f"first failed: {run_line(reply.first_bad, context.now, is_lasting=True)}"
    if reply.latest.failed_step:
        yield f"first failed step: {literal(reply.latest.failed_step)}"
    if reply.last_green:
        yield f"last green: {run_line(reply.last_green, context.now, is_lasting=True)}"
    yield strip_line(reply.strip)


def _fixed(reply: AlertCard, context: RenderContext) -> Iterable[str]:
    runs = "1 failing run" if reply.failures == 1 else f"{reply.failures} failing runs"
    took = f", {duration(reply.fixed_after)}" if reply.fixed_after is not None else ""
    yield f"✔ fixed  {on_branch(reply.pipeline, reply.branch)} after {runs}{took}"
    yield run_line(reply.latest, context.now, is_lasting=True)
    if reply.first_bad:
        yield f"first failed: {run_label(reply.first_bad)}"
    yield strip_line(reply.strip)


def alert_reply(reply: AlertReply, context: RenderContext) -> Rendered:
    run, whom = reply.run, mentioned(reply.mention)
    name = on_branch(run.pipeline, run.branch)
    lines = [
        run_line(run, context.now, is_lasting=True),
        f"{name}: {prose(reply.text, 300)}{f' · {whom}' if whom else ''}",
    ]
    if run.failed_step and run.status.is_failure:
        lines.append(f"first failed step: {literal(run.failed_step)}")
    return compose(lines, buttons=controls(run, reply.controls, context))


def channel_notice(reply: ChannelNotice, context: RenderContext) -> Rendered:
    since = f" (since {date(reply.since)})" if reply.since else ""
    lines = [prose(line) for line in with_prefix(reply.text, context.prefix).splitlines()]
    lines = lines or [""]
    return compose([f"{TONES[reply.tone]} {lines[0]}{since}", *lines[1:]])
