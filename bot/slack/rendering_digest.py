"""Many failures in one message, and all of them for the person who wants to see them."""

from collections.abc import Iterable

from bot.domain.digests import STORM, Digest, DigestGroup, DigestList
from bot.slack.blocks import Button
from bot.slack.page import RenderContext, Rendered, compose
from bot.slack.rendering_lines import mentioned, run_line
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
    lines = [f"*{_runs(reply.total)} in this digest*" if reply.total else "*This digest*"]
    lines += [run_line(run, context.now, is_lasting=True) for run in reply.runs]
    rest = f"/{context.prefix}runs failing lists what is red"
    if reply.left_out:
        lines.append(f"… and {reply.left_out} more; {rest}")
    return compose(lines, left_out=f"the rest is left out; {rest}")


def _head(reply: Digest) -> Iterable[str]:
    if not reply.total:
        yield f"*✔ {_count(reply.others, 'run')} ended, none of them failed*"
        return
    whom = " ".join(filter(None, map(mentioned, reply.mentions)))
    where = _count(reply.pipelines, "pipeline")
    yield f"*✖ {_runs(reply.total)} in {where}*{f' · {whom}' if whom else ''}"


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
    return f"{one.failures} \u00d7 {line} (newest)" if one.failures > 1 else line


def _rest(reply: Digest) -> Iterable[str]:
    hidden = reply.pipelines - sum(one.failures > 0 for one in reply.groups)
    if hidden > 0:
        yield f"… and {_count(hidden, 'more pipeline')}"
    if reply.total and reply.others:
        yield f"besides, {_count(reply.others, 'run')} ended without failing"
    if reply.cards and reply.red < reply.cards:
        yield f"✔ {reply.cards - reply.red} of {reply.cards} that turned red are green again"


def _footer(reply: Digest) -> str:
    since = f"more than {STORM} messages within a minute, gathered since {date(reply.since)}"
    if not reply.is_calm:
        return f"{since}; still counting"
    left = reply.red - reply.carded
    if left > 0:
        return f"{since}; calm now. News of these goes to this thread"
    return f"{since}; calm now. What is still red has a card of its own" if reply.red else since


def _runs(total: int) -> str:
    return f"{total} failing run{'' if total == 1 else 's'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
