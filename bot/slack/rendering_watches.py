"""The watches of a channel: what is watched, muted, and what a watch would do."""

from collections.abc import Iterable

from bot.domain.mutes import Mute
from bot.domain.replies import (
    MuteEnded,
    MuteSet,
    OutOfSight,
    Rehearsal,
    Sample,
    WatchAdded,
    WatchList,
    WatchState,
)
from bot.domain.runs import Run
from bot.domain.watches import Preset, Watch
from bot.slack.page import RenderContext, Rendered, compose, with_prefix
from bot.slack.rendering_lines import (
    failures,
    mentioned,
    on_branch,
    reworded,
    run_line,
    status_words,
    user,
)
from bot.slack.text import age, ago, date, literal, prose

_MOST_WOKEN = 3
_PRESETS = {
    Preset.CHANGES: "fails or is fixed",
    Preset.FAILURES: "fails, each time",
    Preset.ALL: "ends, each time",
}


def watch_list(reply: WatchList, context: RenderContext) -> Rendered:
    if not reply.watches and not reply.mutes:
        text = "ⓘ this channel watches nothing yet. Start with `/watch provider:name`"
        return compose([with_prefix(text, context.prefix)])
    lines = [f"{n}. {_watch(one)}" for n, one in enumerate(reply.watches, 1)]
    lines += [_mute(mute) for mute in reply.mutes]
    footer = ["`/watch off 1` ends the first · `/watch help`"]
    if any(one.watch.suspended_because for one in reply.watches):
        footer.append("`/watch resume` goes on with what is suspended, once I may post here again")
    return compose(lines, footer=[with_prefix(line, context.prefix) for line in footer])


def _mute(mute: Mute) -> str:
    """As in `‖ muted until 02:10  wercker:acme/shop/build on main · deploy · by @olivia`."""
    why = f" · {prose(mute.because, 200)}" if mute.because else ""
    head = f"‖ muted until {date(mute.until)}  {_mute_name(mute)}"
    return f"{head}{why}{_woken(mute)} · by {user(mute.made_by)}"


def _woken(mute: Mute) -> str:
    """For what a mute no longer counts: pipelines that failed otherwise since."""
    awake = [
        f"{on_branch(one.pipeline, one.branch)} ({failures(sorted(one.fingerprint))})"
        for one in mute.known
        if one.is_awake
    ]
    left = len(awake) - _MOST_WOKEN
    more = f" and {left} more" if left > 0 else ""
    names = f"{', '.join(awake[:_MOST_WOKEN])}{more}"
    return f" · not for what fails otherwise since: {names}" if awake else ""


def _mute_name(mute: Mute) -> str:
    branch = f" on {literal(mute.branch, 80)}" if mute.branch else ""
    return f"{literal(str(mute.pattern), 160)}{branch}"


def mute_set(reply: MuteSet, context: RenderContext) -> Rendered:
    mute = reply.mute
    word = "muted" if reply.is_new else "already muted"
    why = f": {prose(mute.because, 200)}" if mute.because else ""
    names = sorted(set[str]().union(*(known.fingerprint for known in mute.known)))
    lines = [
        f"‖ {word} until {date(mute.until)}  {_mute_name(mute)} · by {user(mute.made_by)}{why}",
        f"what fails now and is kept quiet: {failures(names)}" if names else "",
    ]
    footer = f"{_waking(mute)} What is still red when it ends is told then."
    branch = f" branch={mute.branch}" if mute.branch else ""
    end = with_prefix(f"End it: `/watch unmute {mute.pattern}{branch}`", context.prefix)
    return compose(lines, footer=[prose(footer, 400), prose(end, 400)])


def _waking(mute: Mute) -> str:
    """What wakes it up: two failures differ only by what their provider tells of them."""
    untold = sorted({one.pipeline.instance for one in mute.known if not one.fingerprint})
    if not mute.known:
        return (
            "The first failure is kept quiet; something else that fails wakes it up, as far as "
            "the provider tells what failed."
        )
    if not untold:
        return "It wakes up when something else fails."
    if any(one.fingerprint for one in mute.known):
        return "It wakes up when something else fails, where the provider told what failed."
    names = " and ".join(untold)
    return f"{names} did not tell what failed, so it stays quiet until it ends or is unmuted."


def mute_ended(reply: MuteEnded, _context: RenderContext) -> Rendered:
    names = ", ".join(dict.fromkeys(_mute_name(mute) for mute in reply.mutes))
    return compose(
        [f"✔ no longer muted  {names} · by {user(reply.by)}; what is still red and untold follows"]
    )


def rehearsal(reply: Rehearsal, context: RenderContext) -> Rendered:
    name = literal(str(reply.watch.pattern), 160)
    if not reply.runs:
        return compose([f"ⓘ nothing is stored yet that {name} is about: nothing to test it on"])
    since = f" since {date(reply.since)}" if reply.since else ""
    posts = f"{reply.posts} {'message' if reply.posts == 1 else 'messages'}"
    runs = f"{reply.runs} stored {'run' if reply.runs == 1 else 'runs'}"
    lines = [f"ⓘ {name} would have posted {posts} about {runs}{since}"]
    lines += [f"{sample.form}: {_sample(sample, context)}" for sample in reply.samples]
    if reply.posts > len(reply.samples) > 0:
        lines.append(f"… and {reply.posts - len(reply.samples)} before these")
    footer = "Nothing was posted. Edits of cards are not counted."
    return compose(lines, footer=[with_prefix(footer, context.prefix)])


def _sample(sample: Sample, context: RenderContext) -> str:
    line = run_line(sample.run, context.now)
    return reworded(line, sample.run, sample.word)


def _watch(state: WatchState) -> str:
    watch = state.watch
    maker = "from the settings" if watch.made_by == "settings" else f"by {user(watch.made_by)}"
    parts = [f"{_state(state)}  {literal(str(watch.pattern), 160)}"]
    parts += [literal(str(one)) for one in watch.filters]
    return " · ".join([*parts, _options(watch), maker])


def _options(watch: Watch) -> str:
    parts = [f"on={watch.preset}", f"thread={watch.thread}"]
    if not watch.tells_overdue:
        parts.append("overdue=off")
    if watch.mention:
        parts.append(f"mention {mentioned(watch.mention, is_loud=False)}")
    return " · ".join(parts)


def _state(state: WatchState) -> str:
    watch, mute = state.watch, state.mute
    if watch.suspended_because:
        return f"⚠ suspended ({prose(watch.suspended_because, 200)})"
    blind = ", ".join(_unseen(one) for one in state.blind)
    if mute:
        why = f", {prose(mute.because, 200)}" if mute.because else ""
        also = f" · ⚠ blind: {blind}" if blind else ""
        return f"‖ muted until {date(mute.until)}{why}{_woken(mute)}{also}"
    return f"⚠ blind: {blind}" if blind else "● active"


def _unseen(one: OutOfSight) -> str:
    return f"I cannot see {literal(one.what)} since {date(one.since)} ({prose(one.why, 200)})"


def watch_added(reply: WatchAdded, context: RenderContext) -> Rendered:
    watch = reply.watch
    if reply.before is None:
        extra = f" I will mention {_whom(watch.mention)}." if watch.mention else ""
        head = f"✔ I will post here when {_what(watch)} {_PRESETS[watch.preset]}.{extra}"
        lines = [f"{head} {_right_now(reply.newest, context)}".rstrip()]
    else:
        lines = list(_changed(reply.before, watch))
        lines.append(_right_now(reply.newest, context))
    return compose(lines, footer=[f"ⓘ {prose(note, 300)}" for note in reply.notes])


def _changed(before: Watch, watch: Watch) -> Iterable[str]:
    was, now = _options(before), _options(watch)
    what = f"{_what(watch)} {_PRESETS[watch.preset]}"
    if was == now:
        yield f"ⓘ this watch is here already: I post when {what}."
        yield f"nothing changed: {now}"
    else:
        yield f"✔ changed the watch that is here already: I post when {what}."
        yield f"now: {now}"
        yield f"was: {was}"


def _whom(mention: str) -> str:
    everybody = {"here": "everybody who is active here", "channel": "everybody in this channel"}
    return everybody.get(mention) or mentioned(mention, is_loud=False)


def _what(watch: Watch) -> str:
    pattern = str(watch.pattern)
    name = "any pipeline" if pattern == "*" else literal(pattern, 160)
    branches = [f for f in watch.filters if f.key == "branch" and not f.is_negated]
    others = [f for f in watch.filters if f not in branches]
    if branches:
        name += f" on {' or '.join(literal(value) for value in branches[0].values)}"
    return f"{name} ({', '.join(literal(str(one)) for one in others)})" if others else name


def _right_now(newest: Run | None, context: RenderContext) -> str:
    if newest is None:
        return ""
    words = status_words(newest.status, newest.raw_status).partition(" ")[2]
    if newest.is_over:
        moment = newest.finished or newest.when
        when = f" {ago(moment, context.now)}" if moment else ""
    else:
        moment = newest.started or newest.when
        when = f" for {age(context.now - moment)}" if moment else ""
    return f"Right now: {words}{when}."
