"""What people ask for, once their text is read. Pure values, no run or pipeline looked up."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bot.domain.providers import Variable
from bot.domain.watches import Filter, Preset, ThreadMode

Topic = Literal["runs", "trigger", "abort", "retry", "watch"]


@dataclass(frozen=True, slots=True)
class RunById:
    """`instance:id`, or a bare id (`instance` is None then)."""

    instance: str | None
    run_id: str


@dataclass(frozen=True, slots=True)
class RunByUrl:
    url: str


@dataclass(frozen=True, slots=True)
class RunByNumber:
    """`#n`: a line of the asker's last listing in this channel."""

    number: int


@dataclass(frozen=True, slots=True)
class RunByPipeline:
    """`pipeline@last`; `pipeline` as typed, with or without its instance."""

    pipeline: str
    which: Literal["last", "last-failed", "last-green"]


@dataclass(frozen=True, slots=True)
class RunOfThread:
    """Nothing was named: the run of the card in whose thread the command stands."""


RunChoice = RunById | RunByUrl | RunByNumber | RunByPipeline | RunOfThread


@dataclass(frozen=True, slots=True)
class Help:
    topic: Topic


@dataclass(frozen=True, slots=True)
class ListRuns:
    """`view` narrows the list; `is_shared` posts the answer to the channel."""

    view: Literal["all", "failing", "running", "mine"] = "all"
    filters: tuple[Filter, ...] = ()
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class ShowRun:
    """One run, or one part of it. `step` and `lines` belong to the log."""

    run: RunChoice
    part: Literal["summary", "tests", "steps", "log", "params"] = "summary"
    step: str | None = None
    lines: int = 40
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class ListPipelines:
    glob: str = "*"
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class ListProviders:
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class ShowHistory:
    pipeline: str
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class TriggerRun:
    """`parameters` in the order typed, under the names typed; `bare` is the one bare word."""

    pipeline: str
    bare: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    variables: tuple[Variable, ...] = ()
    reason: str = ""
    is_dry: bool = False


@dataclass(frozen=True, slots=True)
class OpenTriggerForm:
    """`/trigger` with nothing behind it."""


@dataclass(frozen=True, slots=True)
class AbortRun:
    run: RunChoice
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RetryRun:
    run: RunChoice
    scope: Literal["all", "failed"] = "all"
    parameters: tuple[tuple[str, str], ...] = ()
    variables: tuple[Variable, ...] = ()
    reason: str = ""
    is_dry: bool = False


@dataclass(frozen=True, slots=True)
class AddWatch:
    """`pattern` as typed: a pipeline, a glob, or `*`. None stands for an option that was not
    typed; `mention` is empty for nobody.
    """

    pattern: str
    filters: tuple[Filter, ...] = ()
    preset: Preset | None = None
    thread: ThreadMode | None = None
    mention: str | None = None
    tells_overdue: bool | None = None


@dataclass(frozen=True, slots=True)
class ListWatches:
    pass


@dataclass(frozen=True, slots=True)
class RemoveWatch:
    """`which` is a number of `/watch list` or a pattern as typed."""

    which: str


@dataclass(frozen=True, slots=True)
class ResumeWatches:
    """`/watch resume`: all suspended ones of the channel."""


@dataclass(frozen=True, slots=True)
class MuteWatch:
    """`branch` None mutes every branch; empty, the runs that have none."""

    pattern: str
    duration: timedelta
    reason: str = ""
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class UnmuteWatch:
    """`branch` None ends the mutes of every branch."""

    pattern: str
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class ExplainRun:
    """`/watch why <run>`."""

    run: RunChoice


@dataclass(frozen=True, slots=True)
class TestWatch:
    """`/watch test`: `which` is a number of `/watch list` or a pattern as typed."""

    which: str


@dataclass(frozen=True, slots=True)
class ShowDigest:
    """Everything in a digest of this channel."""

    digest_id: int


Intent = (
    Help
    | ListRuns
    | ShowRun
    | ListPipelines
    | ListProviders
    | ShowHistory
    | TriggerRun
    | OpenTriggerForm
    | AbortRun
    | RetryRun
    | AddWatch
    | ListWatches
    | RemoveWatch
    | ResumeWatches
    | MuteWatch
    | UnmuteWatch
    | ExplainRun
    | TestWatch
    | ShowDigest
)
