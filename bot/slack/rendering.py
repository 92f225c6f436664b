"""From what the bot wants to say to a Slack message. Pure; works for any value of the domain."""

from collections.abc import Callable
from typing import Any

from bot.domain.digests import Digest, DigestList
from bot.domain.replies import (
    ActionCard,
    AlertCard,
    AlertReply,
    Busy,
    ChannelNotice,
    Confirmation,
    Explanation,
    HelpPage,
    History,
    LogTail,
    MuteEnded,
    MuteSet,
    Notice,
    PipelineList,
    Preview,
    Problem,
    ProviderList,
    Rehearsal,
    Reply,
    RunDetail,
    RunList,
    StepList,
    TestList,
    WatchAdded,
    WatchList,
)
from bot.slack import rendering_actions as actions
from bot.slack import rendering_alerts as alerts
from bot.slack import rendering_catalogue as catalogue
from bot.slack import rendering_digest as digests
from bot.slack import rendering_errors as errors
from bot.slack import rendering_explanation as explanations
from bot.slack import rendering_help as help_
from bot.slack import rendering_runs as runs
from bot.slack import rendering_watches as watches
from bot.slack.page import RenderContext, Rendered
from bot.slack.redaction import redacted

__all__ = ["RenderContext", "Rendered", "render"]

_RENDERERS: dict[type, Callable[[Any, RenderContext], Rendered]] = {
    Notice: errors.notice,
    Problem: errors.problem,
    Confirmation: actions.confirmation,
    Preview: actions.preview,
    ActionCard: actions.action_card,
    Busy: actions.busy,
    RunList: runs.run_list,
    RunDetail: runs.run_detail,
    StepList: runs.step_list,
    TestList: runs.test_list,
    LogTail: runs.log_tail,
    History: runs.history,
    Explanation: explanations.explanation,
    PipelineList: catalogue.pipeline_list,
    ProviderList: catalogue.provider_list,
    WatchList: watches.watch_list,
    WatchAdded: watches.watch_added,
    MuteSet: watches.mute_set,
    MuteEnded: watches.mute_ended,
    Rehearsal: watches.rehearsal,
    HelpPage: help_.help_page,
    AlertCard: alerts.alert_card,
    AlertReply: alerts.alert_reply,
    ChannelNotice: alerts.channel_notice,
    Digest: digests.digest,
    DigestList: digests.digest_list,
}


def render(reply: Reply, context: RenderContext) -> Rendered:
    """The message for a reply, within all of Slack's limits, pinging nobody by accident."""
    return redacted(_RENDERERS[type(reply)](reply, context), context.secrets)
