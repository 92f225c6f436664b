"""The one transaction of a poll."""

from collections.abc import Callable
from datetime import datetime

from sqlite_utils import Database

from bot.domain.pipelines import PipelineRef
from bot.domain.polls import Decide, PollChanges, PollClaim, PollView
from bot.domain.providers import Observation
from bot.domain.runs import Run
from bot.store.codec import time_text
from bot.store.sqlite import episodes, outbox, runs, sources, watches


def record(
    db: Database,
    claim: PollClaim,
    observation: Observation,
    decide: Decide,
    now: datetime,
) -> tuple[int, PollChanges] | None:
    """Stores what `decide` says; the source's row is for the caller to settle."""
    source_id = sources.held(db, claim)
    if source_id is None:
        return None
    changes = decide(view(db, observation))
    runs.save(db, changes.snapshots, now)
    runs.mark_read(db, source_id, (run.ref for run in observation.runs), now)
    episodes.save(db, changes.episodes)
    outbox.enqueue(db, changes.messages, time_text(now))
    return source_id, changes


def view(db: Database, observation: Observation) -> PollView:
    return PollView(
        snapshots=runs.snapshots(db, (run.ref for run in observation.runs)),
        watches=watches.active(db),
        episodes=episodes.open_ones(db, {run.pipeline for run in observation.runs}),
        history=_history(db),
    )


def _history(db: Database) -> Callable[[Run], tuple[Run, ...]]:
    """Reads each pipeline and branch once, when it is asked for."""
    known: dict[tuple[PipelineRef, str | None], tuple[Run, ...]] = {}

    def history(run: Run) -> tuple[Run, ...]:
        key = (run.pipeline, run.branch)
        if key not in known:
            known[key] = runs.history(db, *key)
        return known[key]

    return history
