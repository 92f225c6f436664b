"""Many failures in one message, and all of them for the person who wants to see them."""

from collections.abc import Iterable

from bot.domain.digests import STORM, Digest, DigestGroup, DigestList, Listed
from bot.domain.runs import Run, RunRef
from bot.slack.blocks import Button
from bot.slack.page import RenderContext, Rendered, compose
from bot.slack.rendering_lines import mentioned, ref_text, run_line, status_words
from bot.slack.text import date, literal, prose
from bot.slack.values import DigestPress


def digest(reply: Digest, context: RenderContext) -> Rendered:
    value = context.sign(DigestPress(reply.digest_id))
    return compose(
        [
            *_head(reply),
            *_shared(reply),
            *_groups(reply.groups, reply.total, context),
            *_rest(reply),
        ],
        footer=[_footer(reply)],
        buttons=[Button("Show all", "show_all", value)],
    )


def digest_list(reply: DigestList, context: RenderContext) -> Rendered:
    """As much of it as one message holds; the rest is in the listing of runs."""
    rest = f"/{context.prefix}runs failing lists what is red"
    lines = [f"*{_runs(reply.total)} in this digest*" if reply.total else "*This digest*"]
    lines += [_listed(one, context) for one in reply.failed]
    if left_out := reply.total - len(reply.failed):
        lines.append(f"… and {left_out} more; {rest}")
    if reply.total and reply.ended:
        lines.append(f"*besides, {_count(reply.ended, 'run')} ended without failing*")
    lines += [_listed(one, context) for one in reply.others]
    if left_out := reply.ended - len(reply.others):
        lines.append(f"… and {left_out} more that did not fail")
    return compose(lines, left_out=f"the rest is left out; {rest}")


def _listed(one: Listed, context: RenderContext) -> str:
    return _fate(one.run, one.fixed_by, run_line(one.run, context.now, is_lasting=True))


def _fate(run: Run, fixed_by: RunRef | None, line: str) -> str:
    """The line of a run, led by what became of its episode. A fix is fixed by itself, and so is
    a run that was repeated under its id.
    """
    if fixed_by is None:
        return line
    if not run.status.is_failure:
        return line.replace(status_words(run.status, run.raw_status), "✔ fixed", 1)
    by = f"by {ref_text(fixed_by)}" if fixed_by != run.ref else "when it was repeated"
    return f"✔ fixed {by} · {line}"


def _head(reply: Digest) -> Iterable[str]:
    if not reply.total:
        yield f"*✔ {_ended(reply)}*"
        return
    whom = " ".join(filter(None, map(mentioned, reply.mentions)))
    where = _count(reply.pipelines, "pipeline")
    yield f"*✖ {_runs(reply.total)} in {where}*{f' · {whom}' if whom else ''}"


def _ended(reply: Digest) -> str:
    if not reply.fixes:
        return f"{_count(reply.others, 'run')} ended, none of them failed"
    others = f", {_count(reply.others, 'other run')} ended" if reply.others else ""
    return f"{reply.fixes} fixed{others}, nothing failed"


def _shared(reply: Digest) -> Iterable[str]:
    if reply.total < 2:  # noqa: PLR2004 - one failure has nothing in common with itself
        return
    found = [f"{prose(one.what, 60)} {literal(one.value)}" for one in reply.shared]
    if found:
        yield f"in common: {' · '.join(found)}"
    if len(reply.providers) > 1:
        parts = [f"{literal(name)} {count}" for name, count in reply.providers]
        yield f"by provider: {' · '.join(parts)}"


def _groups(groups: Iterable[DigestGroup], total: int, context: RenderContext) -> Iterable[str]:
    for one in groups:
        if one.failures or not total:
            yield _group(one, context)


def _group(one: DigestGroup, context: RenderContext) -> str:
    line = run_line(one.newest, context.now, is_lasting=True)
    count = one.failures or one.others
    if count > 1:
        line = f"{count} \u00d7 {line} (newest)"
    return " · ".join([_fate(one.newest, one.fixed_by, line), *_branches(one)])


def _branches(one: DigestGroup) -> Iterable[str]:
    if one.branches < 2:  # noqa: PLR2004 - the line names the only one
        return
    if 0 < one.green < one.branches:
        yield f"{one.branches - one.green} of {one.branches} branches still red"
    else:
        yield f"{one.branches} branches"


def _rest(reply: Digest) -> Iterable[str]:
    hidden = reply.pipelines - sum(one.failures > 0 for one in reply.groups)
    if hidden > 0:
        yield f"… and {_count(hidden, 'more pipeline')}"
    if reply.total and reply.fixes:
        yield f"✔ besides, {reply.fixes} fixed that had failed before"
    if reply.total and reply.others:
        yield f"besides, {_count(reply.others, 'run')} ended without failing"
    green = reply.cards - reply.red
    if reply.cards and green:
        is_ = "is" if green == 1 else "are"
        which = f"all {green}" if green == reply.cards else f"{green} of {reply.cards}"
        yield f"✔ {which} that turned red {is_} green again"


def _footer(reply: Digest) -> str:
    since = f"more than {STORM} messages within a minute, gathered since {date(reply.since)}"
    if not reply.is_calm:
        return f"{since}; still counting"
    left = reply.red - reply.carded
    if left > 0:
        is_ = "1 is" if left == 1 else f"{left} are"
        return f"{since}; calm now. {is_} still red: news of that comes in this thread"
    if reply.red:
        return f"{since}; calm now. What is still red has a card of its own"
    return f"{since}; calm now"


def _runs(total: int) -> str:
    return f"{total} failing run{'' if total == 1 else 's'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
