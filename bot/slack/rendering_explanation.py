"""Why a run was posted, or why not."""

from collections.abc import Iterable

from bot.domain.mutes import Mute
from bot.domain.replies import Explanation, Verdict
from bot.slack.masking import mask_secrets
from bot.slack.page import RenderContext, Rendered, compose
from bot.slack.rendering_lines import (
    SAME_COMMIT,
    changed_value,
    opinion_words,
    past_run,
    run_line,
    user,
)
from bot.slack.text import code_span, date, prose


def explanation(reply: Explanation, context: RenderContext) -> Rendered:
    lines = [
        run_line(reply.run, context.now),
        *map(_verdict, reply.verdicts),
        *(prose(mask_secrets(line), 400) for line in reply.lines),
        *_since_green(reply),
    ]
    return compose(lines)


def _verdict(one: Verdict) -> str:
    """As in `Jul 3 14:02 · watch 1 `testery:*` · turned failing · a card was posted`."""
    decision = one.decision
    which = "a watch that is gone"
    if one.watch is not None:
        which = f"watch {one.number} {code_span(mask_secrets(one.watch.wish), 300)}"
    attempt = f"attempt {decision.attempt}: " if decision.attempt > 1 else ""
    became = f"{prose(one.became, 300)}{_muted(decision.mute)}"
    return f"{date(decision.decided)} · {attempt}{which} · {decision.reason} · {became}"


def _muted(mute: Mute | None) -> str:
    """Who muted it, until when and why."""
    if mute is None:
        return ""
    why = f": {prose(mute.because, 200)}" if mute.because else ""
    return f" by {user(mute.made_by)} until {date(mute.until)}{why}"


def _since_green(reply: Explanation) -> Iterable[str]:
    if not reply.run.status.is_failure:
        return
    if reply.last_green is None:
        yield "no green run before it is stored."
    else:
        yield f"last green: {past_run(reply.last_green, is_brief=True)}"
    if reply.is_same_commit:
        yield SAME_COMMIT
    yield from (f"changed since: {changed_value(one)}" for one in reply.differences)
    if reply.opinion:
        yield opinion_words(reply.opinion)
