"""The one transaction of a poll.

Reading and deciding take most of the time of a large poll, and others must be able to write
meanwhile. So the decision is made from a consistent view first; the transaction then checks
that the view still holds (`view_number`), and where it does not, decides anew within.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.domain.pipelines import PipelineRef
from bot.domain.polls import Decide, PollChanges, PollClaim, PollView
from bot.domain.providers import Observation
from bot.domain.runs import Run
from bot.store.codec import time_text
from bot.store.sqlite import (
    commands,
    decisions,
    episodes,
    mutes,
    outbox,
    run_columns,
    runs,
    sources,
    watches,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be stored, ready for the tables, and the number of the view it rests on."""

    view_number: int
    changes: PollChanges
    run_rows: list[tuple[run_columns.Value, ...]]
    messages: list[outbox.NewRow]


@dataclass(frozen=True, slots=True)
class Poll:
    """One poll's result on its way into the store."""

    claim: PollClaim
    observation: Observation
    decide: Decide
    now: datetime

    def plan(self, db: Database) -> Plan | None:
        """What would be stored now; None if the claim was lost."""
        if sources.held(db, self.claim) is None:
            return None
        changes = self.decide(_view(db, self.claim.key.instance, self.observation))
        return Plan(
            view_number(db),
            changes,
            [run_columns.columns(one, self.now) for one in changes.snapshots],
            [outbox.new_row(one) for one in changes.messages],
        )

    def store(self, db: Database, plan: Plan) -> tuple[int, PollChanges] | None:
        """Stores it within a write transaction and tells the source's row, which is for the
        caller to settle. None if the claim was lost.
        """
        source_id = sources.held(db, self.claim)
        if source_id is None:
            return None
        if view_number(db) != plan.view_number:
            plan = self.plan(db) or plan
        runs.save(db, plan.run_rows)
        runs.mark_read(db, source_id, (run.ref for run in self.observation.runs), self.now)
        episodes.save(db, plan.changes.episodes)
        decisions.save(db, plan.changes.decisions)
        mutes.save(db, plan.changes.mutes)
        outbox.enqueue(db, plan.messages, time_text(self.now))
        if plan.changes.snapshots or plan.changes.episodes or plan.changes.mutes:
            change_view(db)
        return source_id, plan.changes


def view_number(db: Database) -> int:
    """Rises with every write that changes what a decision may see."""
    row = db.execute("SELECT value FROM facts WHERE name = 'view'").fetchone()
    return int(row[0])


def change_view(db: Database) -> None:
    db.execute("UPDATE facts SET value = value + 1 WHERE name = 'view'")


def _view(db: Database, instance: str, observation: Observation) -> PollView:
    held_back = episodes.held_back(db, instance)
    refs = [run.ref for run in observation.runs]
    refs += [episode.latest.ref for episode in held_back.values()]
    return PollView(
        snapshots=runs.snapshots(db, refs),
        watches=watches.active(db),
        episodes=held_back | episodes.open_ones(db, {run.pipeline for run in observation.runs}),
        history=_history(db),
        mutes=mutes.of_channel(db, None),
        durations=_durations(db),
        asked_by=lambda ref: commands.asked_by(db, ref),
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


def _durations(db: Database) -> Callable[[Run], tuple[timedelta, ...]]:
    known: dict[PipelineRef, tuple[timedelta, ...]] = {}

    def durations(run: Run) -> tuple[timedelta, ...]:
        if run.pipeline not in known:
            known[run.pipeline] = runs.durations(db, run.pipeline)
        return known[run.pipeline]

    return durations
