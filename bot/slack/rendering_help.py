"""Help: one page a command, the trigger's parameters as the configured providers have them."""

from bot.domain.intents import Topic
from bot.domain.replies import HelpPage, TriggerHelp
from bot.slack.page import RenderContext, Rendered, compose, with_prefix
from bot.slack.text import literal, prose

_PAGES: dict[Topic, tuple[tuple[str, str], ...]] = {
    "runs": (
        ("/runs", "the last runs of what this channel watches"),
        ("/runs failing since=24h", "views: failing, running, mine"),
        ("/runs branch=main status!=passed limit=20", "filters, see below"),
        ("/runs provider:id", "one run; also #2, a pasted address, pipeline@last-failed"),
        ("/runs #2 tests", "its parts: tests, steps, log, params"),
        ('/runs #2 log "setup environment" 80', "the last 80 lines of a step"),
        ("/runs history provider:pipeline", "the last 20 runs of a pipeline"),
        ("/runs pipelines n*", "what there is; also /runs providers"),
        ("/runs failing share", "share posts the answer to the channel"),
    ),
    "trigger": (
        ("/trigger", "shows what can be started"),
        ("/trigger provider:pipeline main", "the one bare word is the branch or revision"),
        ('/trigger provider:pipeline message="new image"', "values are key=value"),
        ("/trigger provider:pipeline env.IMAGE=2.1", "a variable; its value is never shown"),
        ("/trigger provider:pipeline reason=hotfix dry", "dry shows what would be sent"),
    ),
    "abort": (
        ("/abort provider:id wrong branch", "the words behind the run are the reason"),
        ("/abort #1", "a line of your last listing; asks before it is sent"),
        ("/abort pipeline@last", "the newest run of a pipeline"),
    ),
    "retry": (
        ("/retry provider:id", "all of it again"),
        ("/retry provider:id failed", "only what failed, where the provider can"),
        ("/retry pipeline@last-failed branch=main", "values replace those of the old run"),
        ("/retry provider:id dry", "dry shows what would be sent"),
    ),
    "watch": (
        ("/watch", "what this channel watches; also /watch list"),
        ("/watch provider:pipeline branch=main", "posts when it fails and when it is fixed"),
        ("/watch provider:nightly-* on=failures", "globs; on= changes, failures or all"),
        ("/watch * thread=broadcast mention=@team", "thread= quiet, broadcast or off"),
        ("/watch off 1", "ends a watch, by number or pipeline"),
        ("/watch resume", "goes on with what is suspended, once I may post here again"),
        ("/watch mute provider:pipeline 2h flaky", "silence for a while; also with branch=main"),
        ("/watch unmute provider:pipeline", "ends the silence; also with branch=main"),
        ("/watch why provider:id", "why a run was posted here, or why not"),
        ("/watch test 1", "what a watch would have posted about the stored runs"),
        ("/watch provider:pipeline overdue=off", "not told when a run takes too long"),
        ("/watch provider:pipeline mention=none", "set again: changes this option alone"),
    ),
}
_HOW = "key=one,two or key!=value; globs allowed"
_FILTERS: dict[Topic, str] = {
    "runs": "filters: branch, status, provider, pipeline, by, env, since (45m 2h 1d), limit; "
    f"{_HOW}",
    "watch": f"filters: branch, status, provider, pipeline, by, env; {_HOW}",
}
_ELSEWHERE = (
    "The same words work behind my name, in a direct message, and in a card's thread: "
    "there a run need not be named. More: /runs help · /trigger help · /abort help · "
    "/retry help · /watch help"
)


def help_page(reply: HelpPage, context: RenderContext) -> Rendered:
    prefix = reply.prefix or context.prefix
    lines = [f"ⓘ help for {with_prefix(f'/{reply.topic}', prefix)}"]
    lines += [
        f"`{with_prefix(command, prefix)}`  {with_prefix(words, prefix)}"
        for command, words in _PAGES[reply.topic]
    ]
    if filters := _FILTERS.get(reply.topic):
        lines.append(filters)
    if reply.topic == "trigger":
        lines += [line for one in reply.providers for line in _provider(one)]
    return compose(lines, footer=[with_prefix(_ELSEWHERE, prefix)])


def _provider(one: TriggerHelp) -> list[str]:
    head = f"{literal(one.title)}  {literal(f'{one.instance}:{one.pipeline_form}', 200)}"
    lines = [head]
    for parameter in one.parameters:
        need = " (required)" if parameter.is_required else ""
        lines.append(f"    `{_name(parameter.name)}=`{need}  {prose(parameter.text, 200)}")
    return [*lines, "    `env.NAME=`  a variable"] if one.takes_variables else lines


def _name(name: str) -> str:
    return literal(name, 60).replace("`", "")
