"""What the bot says, as values. Rendering belongs to the chat platform."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from bot.domain.access import Verb
from bot.domain.decisions import Decision
from bot.domain.digests import Digest, DigestList
from bot.domain.intents import Topic
from bot.domain.mutes import Mute
from bot.domain.opinions import Difference, Opinion
from bot.domain.pipelines import Pipeline, PipelineRef
from bot.domain.runs import Log, Run, RunRef, Step, TestResult
from bot.domain.statuses import Status
from bot.domain.watches import Watch


class Control(StrEnum):
    """A button on a run: what it would do now, given its state and its vendor."""

    RETRY = "retry"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Notice:
    """One plain sentence or two. `tone` chooses the symbol in front."""

    text: str
    tone: Literal["info", "done", "warning", "problem"] = "info"


@dataclass(frozen=True, slots=True)
class Offer:
    """A corrected command. A read runs at once when its button is pressed; a mutation asks."""

    label: str
    command: str
    is_mutation: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """The four parts of every error. `read` is the command as understood, secrets masked."""

    read: str
    problem: str
    maybe: tuple[Offer, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A mutation that is not sent before a person presses `yes`. `facts` are label and value."""

    verb: Verb
    run: Run
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Silent:
    """An instance that gave no data, and the safe sentence why. `is_refused`: it answered, and
    does not take the credential.
    """

    instance: str
    why: str
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs, newest first, numbered from 1 for `#n`. `looked_at` counts what was filtered.

    `data_age` is the age of the oldest data in it. `what` says in words what was asked.
    """

    runs: tuple[Run, ...]
    looked_at: int
    data_age: timedelta
    silent: tuple[Silent, ...] = ()
    what: str = "runs"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunDetail:
    """One run with what its vendor tells. `notes` say what could not be read."""

    run: Run
    steps: tuple[Step, ...] = ()
    failed_tests: tuple[TestResult, ...] = ()
    controls: tuple[Control, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepList:
    run: Run
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class TestList:
    run: Run
    tests: tuple[TestResult, ...]


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last lines of a log, colours and secrets already taken out."""

    ref: RunRef
    log: Log
    lines: int


@dataclass(frozen=True, slots=True)
class PipelineList:
    pipelines: tuple[Pipeline, ...]
    glob: str = "*"
    silent: tuple[Silent, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderState:
    """One configured instance in words. `can` and `cannot` are sentences. `is_refused`: it
    answered, and does not take the credential.
    """

    instance: str
    title: str
    is_reachable: bool | None
    account: str = ""
    problem: str = ""
    poll_age: timedelta | None = None
    can: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class ProviderList:
    providers: tuple[ProviderState, ...]


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One value that would be sent, masked where it may be secret, and where it came from."""

    name: str
    value: str
    origin: Literal["typed", "pipeline", "old run", "provider default"]


@dataclass(frozen=True, slots=True)
class Preview:
    """A dry run: what would be sent. Nothing was."""

    verb: Verb
    target: str
    lines: tuple[PreviewLine, ...]
    note: str = ""


class ActionState(StrEnum):
    """How a mutation stands. UNKNOWN: it was sent and the answer was lost."""

    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ActionCard:
    """The one message that a mutation puts into the channel, edited as it goes on.

    `target` is the run or pipeline asked for; `run` the resulting run, when known.
    """

    verb: Verb
    requester: str
    target: str
    state: ActionState
    run: Run | None = None
    note: str = ""
    reason: str = ""
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody (a Slack user id) is doing the very same thing, or has just done it; nothing more
    was sent. `state` is how that stands: SENDING, DONE, with the run it led to where known, or
    UNKNOWN.
    """

    holder: str
    verb: Verb
    target: str
    state: ActionState = ActionState.SENDING
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class HelpPage:
    topic: Topic
    prefix: str = ""
    providers: tuple["TriggerHelp", ...] = ()


@dataclass(frozen=True, slots=True)
class ParameterHelp:
    name: str
    text: str
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class TriggerHelp:
    """How one configured instance is triggered: its pipeline form and its parameters."""

    instance: str
    title: str
    pipeline_form: str
    parameters: tuple[ParameterHelp, ...]
    takes_variables: bool = False


@dataclass(frozen=True, slots=True)
class OutOfSight:
    """An instance, or a part of it in brackets, that cannot be seen, and the safe sentence why."""

    what: str
    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class WatchState:
    """`mute` is about the whole of the watch, `blind` what of it cannot be seen."""

    watch: Watch
    mute: Mute | None = None
    blind: tuple[OutOfSight, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchList:
    """`mutes` are those that no single watch shows by itself."""

    channel: str
    watches: tuple[WatchState, ...]
    mutes: tuple[Mute, ...] = ()


@dataclass(frozen=True, slots=True)
class MuteSet:
    """`is_new` is False when the same mute was set a moment ago."""

    mute: Mute
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class MuteEnded:
    """`by` is the Slack user id of who ended these mutes."""

    mutes: tuple[Mute, ...]
    by: str


@dataclass(frozen=True, slots=True)
class WatchAdded:
    """`newest` is the newest run it is about, where one is known; `before` is the watch as it
    was, if it was there already.
    """

    watch: Watch
    newest: Run | None = None
    notes: tuple[str, ...] = ()
    before: Watch | None = None


@dataclass(frozen=True, slots=True)
class HistoryMark:
    """One run in the strip of a pipeline's history."""

    status: Status
    ref: RunRef


@dataclass(frozen=True, slots=True)
class History:
    """A pipeline's last runs that are over, oldest first. `passed` of `judged` runs passed
    (those without a verdict are not judged); `typical` is the middle of their durations.
    """

    pipeline: PipelineRef
    strip: tuple[HistoryMark, ...]
    passed: int
    judged: int
    typical: timedelta | None = None
    newest: Run | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one attempt of a run, and what `became` of it, as the end of a
    sentence. `number` is the place of its watch in the list; both are None for one that is gone.
    """

    decision: Decision
    became: str
    number: int | None = None
    watch: Watch | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a run was posted here, or why not: `verdicts`, or sentences if nothing was decided.

    For a failure `last_green` is the newest green run before it, and the rest is as on a card.
    """

    run: Run
    verdicts: tuple[Verdict, ...] = ()
    lines: tuple[str, ...] = ()
    last_green: Run | None = None
    differences: tuple[Difference, ...] = ()
    is_same_commit: bool = False
    opinion: Opinion | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A message that was not posted; `word` stands in place of the status, as in AlertReply."""

    form: Literal["card", "reply", "message"]
    run: Run
    word: Literal["", "fixed", "overdue"] = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a watch would have posted about the stored runs: `posts` messages of `runs` runs
    since `since`; `samples` are the newest of them, newest first.
    """

    watch: Watch
    runs: int
    posts: int
    since: datetime | None = None
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertCard:
    """The live card of one red pipeline and branch in one channel.

    `latest` is the newest run of it; `failures` counts failing runs since it turned red;
    `fixed_after` is set when it is green again. `reason` is why the news was news. `underway`
    is a newer run that is not over yet. `differences` and `is_same_commit` compare the first
    bad run with the last green one. `is_unwatched` once no watch of the channel is about it.
    """

    pipeline: PipelineRef
    branch: str | None
    latest: Run
    reason: str
    failures: int = 1
    first_bad: Run | None = None
    last_green: Run | None = None
    strip: tuple[HistoryMark, ...] = ()
    fixed_after: timedelta | None = None
    is_fixed: bool = False
    mention: str | None = None
    controls: tuple[Control, ...] = ()
    underway: Run | None = None
    opinion: Opinion | None = None
    differences: tuple[Difference, ...] = ()
    is_same_commit: bool = False
    is_unwatched: bool = False

    @property
    def is_red(self) -> bool:
        """Whether it is still told how this goes on."""
        return not (self.is_fixed or self.is_unwatched)


@dataclass(frozen=True, slots=True)
class AlertReply:
    """News of one run: failed again or fixed (below a card), or by itself. `text` says why it
    is news. `word` stands in place of the status where that says more (fixed, overdue).
    """

    run: Run
    text: str
    mention: str | None = None
    controls: tuple[Control, ...] = ()
    word: Literal["", "fixed", "overdue"] = ""


@dataclass(frozen=True, slots=True)
class ChannelNotice:
    """A sentence for a whole channel: first look, blindness, interruptions. `about` is another
    channel, named where it is about one.
    """

    text: str
    tone: Literal["info", "done", "warning", "problem"] = "info"
    since: datetime | None = None
    about: str | None = None


Reply = (
    Notice
    | Problem
    | Confirmation
    | RunList
    | RunDetail
    | StepList
    | TestList
    | LogTail
    | History
    | Explanation
    | Rehearsal
    | PipelineList
    | ProviderList
    | Preview
    | ActionCard
    | Busy
    | HelpPage
    | WatchList
    | WatchAdded
    | MuteSet
    | MuteEnded
    | AlertCard
    | AlertReply
    | ChannelNotice
    | Digest
    | DigestList
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply to a person; `is_shared` makes it a message for the channel."""

    reply: Reply
    is_shared: bool = False
    refs: tuple[RunRef, ...] = field(default=())
