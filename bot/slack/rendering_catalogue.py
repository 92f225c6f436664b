"""What there is: pipelines and providers."""

from bot.domain.replies import PipelineList, ProviderList, ProviderState
from bot.slack.page import RenderContext, Rendered, compose
from bot.slack.rendering_lines import silent_lines
from bot.slack.text import age, link, literal, prose


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
    reached = "✖ credential refused" if state.is_refused else reach[state.is_reachable]
    parts = [f"{reached}  {literal(state.instance)}  {literal(state.title)}"]
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
