"""What was folded into digests: one item for each run that a folded message told of.

An item is about that run for good; of its episode it knows how many runs failed, and the one
that fixed it.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from sqlite_utils import Database

from bot.domain.digests import News
from bot.domain.errors import StoreError, UserError
from bot.domain.pipelines import PipelineRef
from bot.domain.replies import AlertCard, AlertReply
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.store.codec import EPISODE, read_time, storable_or_none, time_text_or_none


def put(db: Database, digest_id: int, row: sqlite3.Row, body: AlertCard | AlertReply) -> None:
    run, fix = _run_of(body), fix_in(body)
    is_card = isinstance(body, AlertCard)
    thread = row["key"] if is_card else row["root_key"] or row["key"]
    db.execute(
        "INSERT INTO digest_items (message_id, digest_id, thread, instance, run_id,"
        " pipeline_instance, pipeline_key, status, branch, environment, failed_step, url,"
        " finished, mention, failures, is_card)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            row["id"],
            digest_id,
            thread,
            *_run_columns(run),
            storable_or_none(body.mention),
            body.failures if isinstance(body, AlertCard) else int(run.status.is_failure),
            is_card,
        ],
    )
    if fix is not None:
        note_fixed(db, thread, fix)


def news_of(db: Database, digest_id: int) -> Iterable[News]:
    """What was folded into a digest, in order; behind its card those failing runs of an episode
    that had no message which could be folded.
    """
    for row in db.execute(
        "SELECT * FROM digest_items WHERE digest_id = ? ORDER BY message_id", [digest_id]
    ):
        news = _news(row)
        yield news
        if news.is_card and news.failures > 1:
            yield from _untold(db, digest_id, news)


def note_fixed(db: Database, thread: str, fix: RunRef) -> None:
    """The episode of a card is over; wherever its failures were folded, the digest tells so."""
    for row in db.execute(
        "UPDATE digest_items SET fixed_by = ? WHERE thread = ? AND fixed_by IS NULL"
        " RETURNING digest_id",
        [str(fix), thread],
    ).fetchall():
        db.execute("UPDATE digests SET is_stale = 1 WHERE id = ?", [row["digest_id"]])


def drop_card(db: Database, message_id: int) -> None:
    """Nobody watches what a folded card is about: its failures stay, but it gets no message."""
    db.execute("UPDATE digest_items SET is_card = 0 WHERE message_id = ?", [message_id])


def are_one(db: Database, digest_id: int) -> bool:
    """Whether the digest tells of one thing only."""
    row = db.execute("SELECT count(*) FROM digest_items WHERE digest_id = ?", [digest_id])
    return int(row.fetchone()[0]) == 1


def fix_in(body: AlertCard | AlertReply) -> RunRef | None:
    """The run by which an episode is over, if it tells of one."""
    if isinstance(body, AlertReply):
        return body.run.ref if body.word == "fixed" else None
    return body.latest.ref if body.is_fixed else None


def _run_of(body: AlertCard | AlertReply) -> Run:
    """The run that it tells of; of a card the newest failing one that it knows."""
    if isinstance(body, AlertReply):
        return body.run
    return body.latest if body.latest.status.is_failure else body.first_bad or body.latest


def _untold(db: Database, digest_id: int, card: News) -> Iterable[News]:
    """The failing runs of a card's episode that are no items of the digest."""
    row = db.execute("SELECT body FROM episodes WHERE card_key = ?", [card.thread]).fetchone()
    if row is None:
        return
    told = Counter(
        RunRef(item["instance"], item["run_id"])
        for item in db.execute(
            "SELECT instance, run_id FROM digest_items"
            " WHERE digest_id = ? AND thread = ? AND failures > 0",
            [digest_id, card.thread],
        )
    )
    failed = Counter(ref for ref, _attempt in EPISODE.load(row["body"]).failed)
    for ref in (failed - told).elements():
        yield News(card.thread, _failed_run(db, ref, card.run), 1, fixed_by=card.fixed_by)


def _failed_run(db: Database, ref: RunRef, sibling: Run) -> Run:
    """A run that failed, whatever became of it since."""
    row = db.execute(
        "SELECT * FROM runs WHERE instance = ? AND run_id = ?", [ref.instance, ref.run_id]
    ).fetchone()
    run = Run(ref, sibling.pipeline, Status.FAILED, branch=sibling.branch)
    if row is None:
        return run
    found = _run(row)
    return found if found.status.is_failure else replace(run, url=found.url)


def _run_columns(run: Run) -> list[str | None]:
    texts = (run.branch, run.environment, run.failed_step, run.url)
    return [
        run.ref.instance,
        run.ref.run_id,
        run.pipeline.instance,
        storable_or_none(run.pipeline.key),
        run.status.value,
        *map(storable_or_none, texts),
        time_text_or_none(run.finished or run.when),
    ]


def _news(row: sqlite3.Row) -> News:
    try:
        fixed_by = RunRef.parse(row["fixed_by"]) if row["fixed_by"] else None
    except UserError as error:
        raise StoreError("The database holds a run that this version cannot read.") from error
    return News(
        thread=row["thread"],
        run=_run(row),
        failures=row["failures"],
        mention=row["mention"],
        is_card=bool(row["is_card"]),
        fixed_by=fixed_by,
        has_card=bool(row["has_card"]),
    )


def _run(row: sqlite3.Row) -> Run:
    try:
        status = Status(row["status"])
        ref = RunRef(row["instance"], row["run_id"])
    except (ValueError, UserError) as error:
        raise StoreError("The database holds a run that this version cannot read.") from error
    return Run(
        ref,
        PipelineRef(row["pipeline_instance"], row["pipeline_key"]),
        status,
        branch=row["branch"],
        environment=row["environment"],
        failed_step=row["failed_step"],
        url=row["url"],
        finished=read_time(row["finished"]),
    )
