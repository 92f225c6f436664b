"""What there is: pipelines, providers, and the watches of a channel."""

from bot.domain.replies import PipelineList, ProviderList, ProviderState, WatchAdded, WatchList
from bot.domain.runs import Run
from bot.domain.watches import Preset, Watch
from bot.slack.page import RenderContext, Rendered, compose, with_prefix
from bot.slack.rendering_lines import mentioned, silent_lines, status_words, user
from bot.slack.text import age, ago, date, link, literal, prose

_PRESETS = {
    Preset.CHANGES: "fails or is fixed",
    Preset.FAILURES: "fails, each time",
    Preset.ALL: "ends, each time",
}


def pipeline_list(reply: PipelineList, context: RenderContext) -> Rendered:  # noqa: ARG001
    footer = silent_lines(reply.silent)
    glob = "" if reply.glob == "*" else f" like {literal(reply.glob)}"
    if not reply.pipelines:
        return compose([f"ⓘ no pipelines{glob}"], footer=footer)
    count = len(reply.pipelines)
    lines = [f"*{count} {'pipeline' if count == 1 else 'pipelines'}{glob}*"]
    for pipeline in reply.pipelines:
        title = f" — {literal(pipeline.title, 100)}" if pipeline.title else ""
        lines.append(f"{link(pipeline.url, str(pipeline.ref), 200)}{title}")
    return compose(lines, footer=footer, left_out="the rest is left out; name a glob")


def provider_list(reply: ProviderList, context: RenderContext) -> Rendered:  # noqa: ARG001
    if not reply.providers:
        return compose(["⚠ no provider is configured"])
    return compose([line for state in reply.providers for line in _provider(state)])


def _provider(state: ProviderState) -> list[str]:
    reach = {True: "✔ reachable", False: "✖ not reachable", None: "? not asked"}
    parts = [f"{reach[state.is_reachable]}  {literal(state.instance)}  {literal(state.title)}"]
    if state.account:
        parts.append(f"as {literal(state.account)}")
    if state.problem:
        parts.append(prose(state.problem, 300))
    if state.poll_age is not None:
        parts.append(f"polled {age(state.poll_age)} ago")
    lines = [" · ".join(parts)]
    if state.can:
        lines.append(f"    can: {prose(', '.join(state.can), 400)}")
    if state.cannot:
        lines.append(f"    cannot: {prose(' '.join(state.cannot), 600)}")
    return [*lines, *(f"    note: {prose(note, 300)}" for note in state.notes)]


def watch_list(reply: WatchList, context: RenderContext) -> Rendered:
    if not reply.watches:
        text = "ⓘ this channel watches nothing yet. Start with `/watch provider:name`"
        return compose([with_prefix(text, context.prefix)])
    lines = [f"{n}. {_watch(watch, context)}" for n, watch in enumerate(reply.watches, 1)]
    footer = with_prefix("`/watch off 1` ends the first · `/watch help`", context.prefix)
    return compose(lines, footer=[footer])


def _watch(watch: Watch, context: RenderContext) -> str:
    maker = "from the settings" if watch.made_by == "settings" else f"by {user(watch.made_by)}"
    parts = [f"{_state(watch, context)}  {literal(str(watch.pattern), 160)}"]
    parts += [literal(str(one)) for one in watch.filters]
    parts += [f"on={watch.preset}", f"thread={watch.thread}"]
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
