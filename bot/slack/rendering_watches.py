"""The watches of a channel: what is watched, muted, and what a watch would do."""

from bot.domain.mutes import Mute
from bot.domain.replies import MuteSet, Rehearsal, WatchAdded, WatchList
from bot.domain.runs import Run
from bot.domain.watches import Preset, Watch
from bot.slack.page import RenderContext, Rendered, compose, with_prefix
from bot.slack.rendering_lines import failures, mentioned, status_words, user
from bot.slack.text import ago, date, literal, prose

_PRESETS = {
    Preset.CHANGES: "fails or is fixed",
    Preset.FAILURES: "fails, each time",
    Preset.ALL: "ends, each time",
}


def watch_list(reply: WatchList, context: RenderContext) -> Rendered:
    if not reply.watches and not reply.mutes:
        text = "ⓘ this channel watches nothing yet. Start with `/watch provider:name`"
        return compose([with_prefix(text, context.prefix)])
    lines = [f"{n}. {_watch(watch, context)}" for n, watch in enumerate(reply.watches, 1)]
    lines += [_mute(mute) for mute in reply.mutes]
    footer = ["`/watch off 1` ends the first · `/watch help`"]
    if any(watch.suspended_because for watch in reply.watches):
        footer.append("`/watch resume` goes on with what is suspended, once I may post here again")
    return compose(lines, footer=[with_prefix(line, context.prefix) for line in footer])


def _mute(mute: Mute) -> str:
    """As in `‖ muted until 02:10  wercker:acme/shop/build on main · deploy · by @olivia`."""
    why = f" · {prose(mute.because, 200)}" if mute.because else ""
    awake = sum(known.is_awake for known in mute.known)
    woken = f" · woken {awake} times by other failures" if awake else ""
    head = f"‖ muted until {date(mute.until)}  {_mute_name(mute)}"
    return f"{head}{why}{woken} · by {user(mute.made_by)}"


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
        f"muted failure: {failures(names)}" if names else "",
    ]
    footer = f"{_waking(mute)} What is still red when it ends is told then."
    end = with_prefix(f"End it: `/watch unmute {mute.pattern}`", context.prefix)
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


def rehearsal(reply: Rehearsal, context: RenderContext) -> Rendered:
    name = literal(str(reply.watch.pattern), 160)
    if not reply.runs:
        return compose([f"ⓘ nothing is stored yet that {name} is about: nothing to test it on"])
    since = f" since {date(reply.since)}" if reply.since else ""
    posts = f"{reply.posts} {'message' if reply.posts == 1 else 'messages'}"
    runs = f"{reply.runs} stored {'run' if reply.runs == 1 else 'runs'}"
    lines = [f"ⓘ {name} would have posted {posts} about {runs}{since}"]
    lines += [prose(sample, 300) for sample in reply.samples]
    if reply.posts > len(reply.samples) > 0:
        lines.append(f"… and {reply.posts - len(reply.samples)} before these")
    footer = "Nothing was posted. Edits of cards are not counted."
    return compose(lines, footer=[with_prefix(footer, context.prefix)])


def _watch(watch: Watch, context: RenderContext) -> str:
    maker = "from the settings" if watch.made_by == "settings" else f"by {user(watch.made_by)}"
    parts = [f"{_state(watch, context)}  {literal(str(watch.pattern), 160)}"]
    parts += [literal(str(one)) for one in watch.filters]
    parts += [f"on={watch.preset}", f"thread={watch.thread}"]
    if not watch.tells_overdue:
        parts.append("overdue=off")
    if watch.mention:
        parts.append(f"mention {mentioned(watch.mention, is_loud=False)}")
    return " · ".join([*parts, maker])


def _state(watch: Watch, context: RenderContext) -> str:
    if watch.suspended_because:
        return f"⚠ suspended ({prose(watch.suspended_because, 200)})"
    if watch.muted_until and watch.muted_until > context.now:
        why = f", {prose(watch.muted_because, 200)}" if watch.muted_because else ""
        return f"‖ muted until {date(watch.muted_until)}{why}"
    return "● active"


def watch_added(reply: WatchAdded, context: RenderContext) -> Rendered:
    watch = reply.watch
    whom = mentioned(watch.mention, is_loud=False)
    extra = f" I will call {whom}." if whom else ""
    sentence = (
        f"✔ I will post here when {_what(watch)} {_PRESETS[watch.preset]}."
        f"{extra} {_right_now(reply.newest, context)}"
    )
    return compose([sentence.rstrip()], footer=[f"ⓘ {prose(note, 300)}" for note in reply.notes])


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
    moment = newest.finished or newest.when
    when = f" {ago(moment, context.now)}" if moment else ""
    words = status_words(newest.status, newest.raw_status).partition(" ")[2]
    return f"Right now: {words}{when}."
