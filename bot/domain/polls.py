"""What a poll needs from the store and gives back to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain.episodes import Episode, EpisodeKey
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

    `history` gives for each pipeline and branch in question (key: pipeline text and branch)
    the stored runs that are over, newest first, at most 20.
    """

    snapshots: Mapping[RunRef, Snapshot]
    watches: tuple[Watch, ...]
    episodes: Mapping[EpisodeKey, Episode]
    history: Callable[[Run], tuple[Run, ...]]


@dataclass(frozen=True, slots=True)
class PollChanges:
    """What the decision wants stored: all of it or nothing."""

    snapshots: tuple[Snapshot, ...] = ()
    episodes: tuple[Episode, ...] = ()
    messages: tuple[NewMessage, ...] = ()


Decide = Callable[[PollView], PollChanges]


@dataclass(frozen=True, slots=True)
class SourceState:
    """How the polling of a source stands. Ages in seconds; None before the first good poll."""

    key: SourceKey
    good_poll_age_s: float | None
    failures: int
    last_error: str
