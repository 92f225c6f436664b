"""How a run, a status, a person and a button look, wherever they stand."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.access import Verb
from bot.domain.opinions import Difference, Opinion
from bot.domain.pipelines import PipelineRef
from bot.domain.replies import Control, HistoryMark, Silent
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.slack.blocks import Button, Confirm
from bot.slack.masking import mask_secrets
from bot.slack.page import RenderContext
from bot.slack.text import age, ago, code_span, date, duration, link, literal, prose, safe_url
from bot.slack.values import RunPress

SYMBOLS: dict[Status, str] = {
    Status.QUEUED: "○",
    Status.RUNNING: "●",
    Status.WAITING: "‖",
    Status.PASSED: "✔",
    Status.FAILED: "✖",
    Status.ERRORED: "⚠",
    Status.ABORTED: "⊘",
    Status.SKIPPED: "\u2013",
    Status.UNKNOWN: "?",
}
TONES = {"info": "ⓘ", "done": "✔", "warning": "⚠", "problem": "✖"}
_USER = re.compile(r"[UW][A-Za-z0-9_-]{1,40}")
_CHANNEL = re.compile(r"[CG][A-Za-z0-9_-]{1,40}")
_GROUP = re.compile(r"S[A-Za-z0-9_-]{1,40}")
_FULL_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LOUD = frozenset({"here", "channel", "everyone", "group"})
SAME_COMMIT = "same commit as the last green run: suspect a flake or the environment"
_BAR = 10
_MOST_FAILURES = 5
_WORDS = {"fixed": "✔ fixed", "overdue": "⚠ overdue"}


def status_words(status: Status, raw: str = "") -> str:
    """Symbol and word; beside `unknown` stands the vendor's own word."""
    words = f"{SYMBOLS[status]} {status}"
    if status is Status.UNKNOWN and raw.strip():
        return f"{words} ({literal(raw, 40)})"
    return words


def failures(names: Sequence[str]) -> str:
    """Steps or tests, as in `test_refund, test_login and 4 more`."""
    left = len(names) - _MOST_FAILURES
    more = f" and {left} more" if left > 0 else ""
    return f"{', '.join(literal(name) for name in names[:_MOST_FAILURES])}{more}"


def run_label(run: Run) -> str:
    """`instance:id` in full, as a link to the run's page where it has one."""
    label = link(run.url, str(run.ref), 200)
    if label.startswith("`") and safe_url(run.url):
        return f"{label} ({link(run.url, 'page')})"
    return label


def run_line(run: Run, now: datetime, *, is_lasting: bool = False) -> str:
    """As in `✖ failed  testery:55676  nightly @main dev · 3 of 30 failed · 6m 26s · 2 h ago`.

    `is_lasting` is for messages that stay: they tell the time of day instead of an age.
    """
    head = f"{status_words(run.status, run.raw_status)}  {run_label(run)}  {where(run)}"
    return " · ".join([head, *_facts(run, now, is_lasting=is_lasting)])


def reworded(line: str, run: Run, word: Literal["", "fixed", "overdue"]) -> str:
    """A line of a run with another word, where one is given, in place of its status."""
    return line.replace(status_words(run.status, run.raw_status), _WORDS[word], 1) if word else line


def where(run: Run) -> str:
    """Pipeline, branch and environment of a run."""
    parts = [literal(run.pipeline.key, 100), at_branch(run.branch)]
    if run.environment and run.environment not in run.pipeline.key:
        parts.append(literal(run.environment, 40))
    return " ".join(part for part in parts if part)


def short_commit(commit: str) -> str:
    """The beginning of a full commit hash, enough to know it by; anything else as it is."""
    return commit[:10] if _FULL_HASH.fullmatch(commit) else commit


def at_branch(branch: str | None) -> str:
    if not branch:
        return ""
    shown = code_span(branch, 80) if branch.strip().lower() in _LOUD else literal(branch, 80)
    return f"@{shown}" if not shown.startswith("`") else shown.replace("`", "`@", 1)


def on_branch(pipeline: PipelineRef, branch: str | None) -> str:
    """As in `testery:nightly on main`."""
    place = f" on {literal(branch, 80)}" if branch else ""
    return f"{literal(str(pipeline), 160)}{place}"


def past_run(run: Run, *, is_brief: bool = False) -> str:
    """As in `✔ passed  testery:55670 · commit 1f2e… · Jul 3 14:02`; the commit in full, so that
    it can be copied, unless it is to be brief.
    """
    shown = short_commit(run.commit) if run.commit and is_brief else run.commit
    commit = f" · commit {literal(shown)}" if shown else ""
    moment = run.finished or run.when
    when = f" · {date(moment)}" if moment else ""
    return f"{status_words(run.status, run.raw_status)}  {run_label(run)}{commit}{when}"


def changed_value(one: Difference) -> str:
    """As in `branch main → release`, what may be secret masked."""
    return f"{prose(one.what, 60)} {_told(one.before)} → {_told(one.after)}"


def opinion_words(opinion: Opinion) -> str:
    return f"{prose(opinion.words)} ({prose(opinion.evidence, 300)})"


def _told(text: str) -> str:
    return literal(mask_secrets(short_commit(text)), 100)


def counts_words(run: Run) -> str:
    """`3 of 30 failed`, `30 passed`, `2 skipped`; empty where nothing was counted."""
    counts = run.counts
    if counts.failed:
        of = f" of {counts.total}" if counts.total is not None else ""
        return f"{counts.failed}{of} failed"
    if counts.passed:
        of = f" of {counts.total}" if counts.total not in {None, counts.passed} else ""
        return f"{counts.passed}{of} passed"
    return f"{counts.skipped} skipped" if counts.skipped else ""


def progress_bar(percent: int) -> str:
    percent = max(0, min(100, percent))
    full = percent * _BAR // 100
    return f"{'▓' * full}{'░' * (_BAR - full)} {percent} %"


def _facts(run: Run, now: datetime, *, is_lasting: bool) -> Iterable[str]:
    if counts := counts_words(run):
        yield counts
    if not run.is_over and run.progress is not None and run.status is Status.RUNNING:
        yield progress_bar(run.progress)
    if run.duration is not None and run.is_over:
        yield duration(run.duration)
    moment = (run.finished if run.is_over else None) or run.when
    if moment is not None:
        yield date(moment) if is_lasting else ago(moment, now)


def user(user_id: str) -> str:
    """A mention of a person, if it is a Slack id; anything else is shown as it is."""
    return f"<@{user_id}>" if _USER.fullmatch(user_id) else literal(user_id, 60)


def channel_name(channel_id: str) -> str:
    """A link to a channel, if it is a Slack id; anything else is shown as it is."""
    return f"<#{channel_id}>" if _CHANNEL.fullmatch(channel_id) else literal(channel_id, 60)


def mentioned(who: str | None, *, is_loud: bool = True) -> str:
    """Whom a watch calls. `here` and `channel` only ring when it is loud."""
    if not who:
        return ""
    if _GROUP.fullmatch(who):
        return f"<!subteam^{who}>"
    if who in {"here", "channel"}:
        return f"<!{who}>" if is_loud else who
    return user(who)


def silent_lines(silent: Sequence[Silent]) -> list[str]:
    return [
        f"⚠ {'no data' if one.is_refused else 'no answer'} from {literal(one.instance, 64)}: "
        f"{prose(one.why, 200)}"
        for one in silent
    ]


def strip_line(strip: Sequence[HistoryMark]) -> str:
    """The symbols of the last runs, oldest first, with the sum in words."""
    if not strip:
        return ""
    marks = "".join(SYMBOLS[mark.status] for mark in strip[-30:])
    passed = sum(mark.status is Status.PASSED for mark in strip[-30:])
    if len(strip) == 1:
        return f"{marks}  the only run that is known"
    return f"{marks}  {passed} of the last {len(strip[-30:])} passed, newest on the right"


def controls(
    run: Run, wanted: Iterable[Control], context: RenderContext, *, is_open: bool = True
) -> list[Button]:
    """Retry, Abort (Slack asks first) and Open, as far as wanted."""
    made = [_control(run, control, context) for control in dict.fromkeys(wanted)]
    if is_open and run.url:
        made.append(Button("Open", "open", url=run.url))
    return made


def _control(run: Run, control: Control, context: RenderContext) -> Button:
    verb = Verb(control.value)
    value = context.sign(RunPress(verb, run.ref))
    if control is Control.ABORT:
        return Button("Abort", "abort", value, style="danger", confirm=abort_question(run))
    return Button("Retry", "retry", value)


def abort_question(run: Run) -> Confirm:
    branch = f" on branch {run.branch}" if run.branch else ""
    return Confirm("Abort this run?", f"{run.ref} of pipeline {run.pipeline.key}{branch}", "Abort")


def data_age(span: timedelta) -> str:
    return f"oldest data {age(span)}"


def ref_text(ref: RunRef) -> str:
    return literal(str(ref), 200)
