"""A snapshot as a row of `runs`: the allow-listed columns, and nothing else of a vendor."""

import sqlite3
from datetime import datetime

from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Counts, Run, RunRef
from bot.domain.statuses import Status
from bot.domain.transitions import End, Snapshot
from bot.store.codec import (
    PARAMETERS,
    TEXTS,
    read_time,
    storable,
    storable_number,
    storable_or_none,
    time_text,
    time_text_or_none,
)

Value = str | int | None

UPSERT = """
INSERT INTO runs (
    instance, run_id, pipeline_instance, pipeline_key, aliases, title, status, raw_status, is_over,
    branch, commit_id, author, environment, created, started, finished, url,
    total, passed, failed, skipped, progress, vendor_attempt, failed_step, is_private,
    parameters, failing, attempt, seen, changed, is_overdue, end_status, end_finished, listed,
    last_read
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?)
ON CONFLICT (instance, run_id) DO UPDATE SET
    pipeline_instance = excluded.pipeline_instance, pipeline_key = excluded.pipeline_key,
    aliases = excluded.aliases, title = excluded.title, status = excluded.status,
    raw_status = excluded.raw_status, is_over = excluded.is_over, branch = excluded.branch,
    commit_id = excluded.commit_id, author = excluded.author, environment = excluded.environment,
    created = excluded.created, started = excluded.started, finished = excluded.finished,
    url = excluded.url, total = excluded.total, passed = excluded.passed,
    failed = excluded.failed, skipped = excluded.skipped, progress = excluded.progress,
    vendor_attempt = excluded.vendor_attempt, failed_step = excluded.failed_step,
    is_private = excluded.is_private, parameters = excluded.parameters,
    failing = excluded.failing, attempt = excluded.attempt, seen = excluded.seen,
    changed = excluded.changed, is_overdue = excluded.is_overdue,
    end_status = excluded.end_status, end_finished = excluded.end_finished,
    listed = excluded.listed, last_read = excluded.last_read
"""


def columns(snapshot: Snapshot, now: datetime) -> tuple[Value, ...]:
    """The values for UPSERT."""
    run = snapshot.run
    return (
        *_names(run),
        *_times(run),
        storable_or_none(run.url),
        *_numbers(run),
        storable_or_none(run.failed_step),
        int(run.is_private),
        PARAMETERS.dump(run.parameters) if run.parameters else "[]",
        TEXTS.dump(run.failing) if run.failing else "[]",
        storable_number(snapshot.attempt),
        time_text(snapshot.seen),
        time_text(snapshot.changed),
        int(snapshot.is_overdue),
        None if snapshot.last_end is None else snapshot.last_end.status.value,
        None if snapshot.last_end is None else time_text(snapshot.last_end.finished),
        time_text(run.when or snapshot.seen),
        time_text(now),
    )


def _names(run: Run) -> tuple[Value, ...]:
    return (
        run.ref.instance,
        run.ref.run_id,
        run.pipeline.instance,
        storable(run.pipeline.key),
        TEXTS.dump(run.aliases) if run.aliases else "[]",
        storable(run.title),
        run.status.value,
        storable(run.raw_status),
        int(run.is_over),
        storable_or_none(run.branch),
        storable_or_none(run.commit),
        storable_or_none(run.author),
        storable_or_none(run.environment),
    )


def _times(run: Run) -> tuple[Value, ...]:
    return tuple(map(time_text_or_none, (run.created, run.started, run.finished)))


def _numbers(run: Run) -> tuple[Value, ...]:
    counts = run.counts
    numbers = (counts.total, counts.passed, counts.failed, counts.skipped)
    return tuple(map(storable_number, (*numbers, run.progress, run.attempt)))


def read_snapshot(row: sqlite3.Row) -> Snapshot:
    *_, attempt, seen, changed, is_overdue, end_status, end_finished, _listed, _last_read = row
    ended = read_time(end_finished)
    return Snapshot(
        run=read_run(row),
        attempt=attempt,
        seen=datetime.fromisoformat(seen),
        changed=datetime.fromisoformat(changed),
        is_overdue=bool(is_overdue),
        last_end=None if ended is None else End(Status(end_status), ended),
    )


def read_run(row: sqlite3.Row) -> Run:
    """By position, in the order of the table: thousands are read in one poll."""
    names, times, rest = row[:13], row[13:16], row[16:27]
    instance, run_id, pipeline_instance, pipeline_key, aliases, title, *more = names
    status, raw_status, _is_over, branch, commit, author, environment = more
    created, started, finished = map(read_time, times)
    url, total, passed, failed, skipped, progress, attempt, *last = rest
    failed_step, is_private, parameters, failing = last
    return Run(
        ref=RunRef(instance, run_id),
        pipeline=PipelineRef(pipeline_instance, pipeline_key),
        status=Status(status),
        raw_status=raw_status,
        title=title,
        branch=branch,
        commit=commit,
        author=author,
        environment=environment,
        created=created,
        started=started,
        finished=finished,
        url=url,
        counts=Counts(total, passed, failed, skipped),
        progress=progress,
        attempt=attempt,
        aliases=TEXTS.load(aliases) if aliases != "[]" else (),
        failed_step=failed_step,
        is_private=bool(is_private),
        parameters=PARAMETERS.load(parameters) if parameters != "[]" else (),
        failing=TEXTS.load(failing) if failing != "[]" else (),
    )
