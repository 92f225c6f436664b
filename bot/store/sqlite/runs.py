"""Stored runs: snapshots, what is open on a source, the past of a pipeline."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.domain.pipelines import Pattern, PipelineRef
from bot.domain.providers import OpenRun
from bot.domain.runs import Run, RunRef
from bot.domain.transitions import Snapshot
from bot.store.codec import TEXTS, read_time, time_text
from bot.store.sqlite.run_columns import UPSERT, Value, read_run, read_snapshot

HISTORY_LENGTH = 20
DURATIONS = 200
_GIVEN_UP_AFTER = timedelta(days=7)
_READ_MARK_EVERY = timedelta(days=1)


def save(db: Database, rows: Iterable[tuple[Value, ...]]) -> None:
    """Stores snapshots, given as the rows that `columns` makes of them."""
    db.conn.executemany(UPSERT, rows)


def one(db: Database, ref: RunRef) -> Run | None:
    row = db.execute(
        "SELECT * FROM runs WHERE instance = ? AND run_id = ?", [ref.instance, ref.run_id]
    ).fetchone()
    return None if row is None else read_run(row)


def snapshots(db: Database, refs: Iterable[RunRef]) -> dict[RunRef, Snapshot]:
    found: dict[RunRef, Snapshot] = {}
    for instance, ids in _by_instance(refs):
        rows = db.execute(
            "SELECT * FROM runs WHERE instance = ? AND run_id IN (SELECT value FROM json_each(?))",
            [instance, ids],
        )
        found.update((each.run.ref, each) for each in map(read_snapshot, rows))
    return found


def mark_read(db: Database, source_id: int, refs: Iterable[RunRef], now: datetime) -> None:
    """Notes that a source still shows these stored runs, so that `clean` keeps them, and that
    the open ones among them are this source's to follow.
    """
    for instance, ids in _by_instance(refs):
        db.execute(
            "UPDATE runs SET last_read = ? WHERE instance = ? AND last_read < ?"
            " AND run_id IN (SELECT value FROM json_each(?))",
            [time_text(now), instance, time_text(now - _READ_MARK_EVERY), ids],
        )
        db.execute(
            "INSERT OR IGNORE INTO source_runs (source_id, instance, run_id)"
            " SELECT ?, instance, run_id FROM runs WHERE instance = ? AND is_over = 0"
            " AND run_id IN (SELECT value FROM json_each(?))",
            [source_id, instance, ids],
        )


def _by_instance(refs: Iterable[RunRef]) -> list[tuple[str, str]]:
    """Instances with their run ids as a JSON array (ids are plain by their grammar)."""
    grouped: defaultdict[str, set[str]] = defaultdict(set)
    for ref in refs:
        grouped[ref.instance].add(ref.run_id)
    return [(instance, json.dumps(list(ids))) for instance, ids in grouped.items()]


def open_of_source(db: Database, source_id: int, now: datetime) -> tuple[OpenRun, ...]:
    """Those that changed within a week: a run that never ends is not asked for for ever. Those
    that were just changed by us too, whatever is stored of them.
    """
    rows = db.execute(
        "SELECT run_id, runs.seen, runs.created FROM source_runs"
        " JOIN runs USING (instance, run_id)"
        " WHERE source_id = :source_id AND is_over = 0 AND changed >= :given_up"
        " UNION"
        " SELECT run_id, coalesce(runs.seen, since), coalesce(runs.created, followed.created)"
        " FROM followed JOIN sources ON sources.id = source_id"
        " LEFT JOIN runs USING (instance, run_id)"
        " WHERE source_id = :source_id ORDER BY 2, 1",
        {"source_id": source_id, "given_up": time_text(now - _GIVEN_UP_AFTER)},
    )
    return tuple(
        OpenRun(run_id, datetime.fromisoformat(seen), read_time(created))
        for run_id, seen, created in rows
    )


def history(db: Database, pipeline: PipelineRef, branch: str | None) -> tuple[Run, ...]:
    rows = db.execute(
        "SELECT * FROM runs WHERE pipeline_instance = ? AND pipeline_key = ? AND branch IS ?"
        " AND is_over = 1 ORDER BY listed DESC, rowid DESC LIMIT ?",
        [pipeline.instance, pipeline.key, branch, HISTORY_LENGTH],
    )
    return tuple(map(read_run, rows))


def durations(db: Database, pipeline: PipelineRef) -> tuple[timedelta, ...]:
    """Of the newest runs of a pipeline, on any branch, that passed or failed."""
    rows = db.execute(
        "SELECT coalesce(started, created) AS began, finished FROM runs"
        " WHERE pipeline_instance = ? AND pipeline_key = ? AND status IN ('passed', 'failed')"
        " ORDER BY listed DESC LIMIT ?",
        [pipeline.instance, pipeline.key, DURATIONS],
    )
    moments = [(read_time(row["began"]), read_time(row["finished"])) for row in rows]
    return tuple(max(end - begin, timedelta(0)) for begin, end in moments if begin and end)


def failures_seen(db: Database, since: datetime) -> tuple[Snapshot, ...]:
    rows = db.execute(
        "SELECT * FROM runs WHERE status IN ('failed', 'error') AND changed >= ?"
        " ORDER BY changed, listed",
        [time_text(since)],
    )
    return tuple(map(read_snapshot, rows))


def matching(db: Database, pattern: Pattern, limit: int) -> tuple[Run, ...]:
    names = db.execute(
        "SELECT rowid, pipeline_instance, pipeline_key, aliases FROM runs"
        " ORDER BY listed DESC, rowid DESC"
    )
    verdicts: dict[tuple[str, str, str], bool] = {}
    found: list[Run] = []
    for rowid, *name in names:
        if len(found) >= limit:
            break
        instance, key, aliases = name
        if (instance, key, aliases) not in verdicts:
            ref = PipelineRef(instance, key)
            verdicts[instance, key, aliases] = pattern.matches(ref, TEXTS.load(aliases))
        if verdicts[instance, key, aliases]:
            row = db.execute("SELECT * FROM runs WHERE rowid = ?", [rowid]).fetchone()
            found.append(read_run(row))
    return tuple(found)


def forget(db: Database, before: datetime) -> None:
    """Runs that are over and that no source has shown since. Open ones stay."""
    db.execute("DELETE FROM runs WHERE is_over = 1 AND last_read < ?", [time_text(before)])
