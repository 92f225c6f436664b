"""Mutations: the question before, the dry run, and the card that all can see."""

from bot.domain.access import Verb
from bot.domain.replies import ActionCard, ActionState, Busy, Confirmation, Preview, PreviewLine
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.slack.blocks import Button
from bot.slack.masking import MASK, mask_assignments
from bot.slack.page import RenderContext, Rendered, compose
from bot.slack.rendering_lines import (
    at_branch,
    controls,
    run_label,
    run_line,
    status_words,
    user,
)
from bot.slack.text import ago, date, duration, literal, prose
from bot.slack.values import RunPress

_STATES = {
    ActionState.SENDING: ("⏳", "sending"),
    ActionState.DONE: ("✔", "done"),
    ActionState.REFUSED: ("✖", "refused"),
    ActionState.UNKNOWN: ("?", "unknown"),
}


def confirmation(reply: Confirmation, context: RenderContext) -> Rendered:
    run = reply.run
    moment = run.when
    facts = [f"pipeline {literal(run.pipeline.key)}"]
    if run.branch:
        facts.append(f"branch {literal(run.branch)}")
    if moment:
        facts.append(f"started {ago(moment, context.now)}")
    lines = [f"? {prose(reply.text)}", run_line(run, context.now), " · ".join(facts)]
    if reply.reason:
        lines.append(f"reason: {literal(reply.reason, 200)}")
    value = context.sign(RunPress(reply.verb, run.ref, reply.reason))
    style = "danger" if reply.verb is Verb.ABORT else "primary"
    yes = Button(reply.verb.capitalize(), "confirm_yes", value, style=style)
    return compose(lines, footer=["Nothing was sent yet."], buttons=[yes])


def preview(reply: Preview, context: RenderContext) -> Rendered:  # noqa: ARG001
    lines = [f"ⓘ dry run of {reply.verb} {literal(reply.target, 200)}"]
    lines += [f"    {_preview_line(line)}" for line in reply.lines]
    note = [prose(reply.note, 400)] if reply.note else []
    return compose([*lines, *note, "Nothing was sent."])


def _preview_line(line: PreviewLine) -> str:
    is_hidden = line.name.lower().startswith(("env.", "variables"))
    value = MASK if is_hidden else literal(mask_assignments(line.value), 300)
    return f"{literal(line.name)} = {value or '(empty)'}  ({line.origin})"


def action_card(reply: ActionCard, context: RenderContext) -> Rendered:
    lines = [_headline(reply)]
    if reply.state is ActionState.UNKNOWN:
        lines.append("unknown: check at the provider. Nothing more is sent.")
    if reply.reason and not _is_aborted(reply):
        lines.append(f"reason: {literal(reply.reason, 200)}")
    if reply.run and reply.state is not ActionState.REFUSED and not _is_aborted(reply):
        lines.append(run_line(reply.run, context.now, is_lasting=True))
    if reply.note:
        lines.append(prose(reply.note, 600))
    buttons = controls(reply.run, reply.controls, context) if reply.run else []
    return compose(lines, buttons=buttons)


def _headline(reply: ActionCard) -> str:
    if reply.run and _is_aborted(reply):
        return _aborted(reply, reply.run)
    symbol, word = _STATES[reply.state]
    target = literal(reply.target, 240)
    return f"{symbol} {user(reply.requester)} asked to {reply.verb} {target} — {word}"


def _is_aborted(reply: ActionCard) -> bool:
    return (
        reply.verb is Verb.ABORT
        and reply.state is ActionState.DONE
        and reply.run is not None
        and reply.run.status is Status.ABORTED
    )


def _aborted(reply: ActionCard, run: Run) -> str:
    """As in `⊘ aborted  wercker:577a…  build @main after 41 s by @sam: wrong branch`."""
    place = " ".join(part for part in (literal(run.pipeline.key), at_branch(run.branch)) if part)
    after = f" after {duration(run.duration)}" if run.duration is not None else ""
    reason = f": {literal(reply.reason, 200)}" if reply.reason else ""
    words = status_words(run.status)
    when = f" · {date(run.finished)}" if run.finished else ""
    return f"{words}  {run_label(run)}  {place}{after} by {user(reply.requester)}{reason}{when}"


def busy(reply: Busy, context: RenderContext) -> Rendered:
    if reply.state is not ActionState.SENDING:
        return _has_been_asked(reply, context)
    doing = {"trigger": "triggering", "abort": "aborting", "retry": "retrying"}
    verb = doing.get(reply.verb, f"doing {reply.verb} on")
    target = literal(reply.target, 240)
    return compose([f"ⓘ {user(reply.holder)} is {verb} {target} right now. Nothing more was sent."])


def _has_been_asked(reply: Busy, context: RenderContext) -> Rendered:
    _symbol, word = _STATES[reply.state]
    target = literal(reply.target, 240)
    lines = [f"ⓘ {user(reply.holder)} has asked to {reply.verb} {target} already — {word}."]
    if reply.run is not None:
        lines.append(run_line(reply.run, context.now))
    check = "Check at the provider. " if reply.state is ActionState.UNKNOWN else ""
    return compose([*lines, f"{check}Nothing more was sent."])
