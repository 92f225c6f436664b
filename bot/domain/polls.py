"""What a poll needs from the store and gives back to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.decisions import Decision
from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.mutes import Mute
from bot.domain.outbox import NewMessage
from bot.domain.providers import OpenRun
from bot.domain.runs import Run, RunRef
from bot.domain.transitions import Snapshot
from bot.domain.watches import Watch


@dataclass(frozen=True, slots=True, order=True)
class SourceKey:
    """One vendor call that lists runs, polled once for all watches on it."""

    instance: str
    source: str


@dataclass(frozen=True, slots=True)
class PollClaim:
    """The right to poll a source, until the lease ends. `token` is the fencing token: a write
    with an outdated one is refused. `failures` counts bad polls in a row. `is_first` is True
    until a poll of this source has been stored.
    """

    key: SourceKey
    token: int
    cursor: str
    is_first: bool
    failures: int
    open_runs: tuple[OpenRun, ...]


@dataclass(frozen=True, slots=True)
class PollView:
    """What the decision sees, read in the same transaction that will store its result.

    `episodes` are the open ones of the pipelines that were read, and those of the instance
    whose cards were kept back; `snapshots` cover the runs read and the latest of these.
    `history` gives for each pipeline and branch in question (key: pipeline text and branch)
    the stored runs that are over, newest first, at most 20. `durations` are those of the
    newest judged runs of a run's pipeline, `asked_by` tells who started a run through the bot.
    """

    snapshots: Mapping[RunRef, Snapshot]
    watches: tuple[Watch, ...]
    episodes: Mapping[EpisodeKey, Episode]
    history: Callable[[Run], tuple[Run, ...]]
    mutes: tuple[Mute, ...] = ()
    durations: Callable[[Run], tuple[timedelta, ...]] = lambda _run: ()
    asked_by: Callable[[RunRef], str | None] = lambda _ref: None


@dataclass(frozen=True, slots=True)
class PollChanges:
    """What the decision wants stored: all of it or nothing."""

    snapshots: tuple[Snapshot, ...] = ()
    episodes: tuple[Episode, ...] = ()
    messages: tuple[NewMessage, ...] = ()
    decisions: tuple[Decision, ...] = ()
    mutes: tuple[Mute, ...] = ()


Decide = Callable[[PollView], PollChanges]


@dataclass(frozen=True, slots=True)
class SourceState:
    """How the polling of a source stands. Ages in seconds; None before the first good poll.

    `sight_age_s` is the time without a good poll, counted from the start of this process or of
    the polling at the most. `is_refused`: the vendor refused the credential. `due_in_s` is the
    time to the next poll.
    """

    key: SourceKey
    good_poll_age_s: float | None
    failures: int
    last_error: str
    sight_age_s: float = 0.0
    good_poll: datetime | None = None
    is_refused: bool = False
    due_in_s: float = 0.0
