"""Storms: what waits for a channel is folded into one digest message (see bot.domain.digests).

Everything here is done in small steps, each in a transaction of its own, so that nobody waits
long for the database however much is folded.
"""

import sqlite3
from collections.abc import Iterable

from sqlite_utils import Database

from bot.domain import digests
from bot.domain.digests import Digest, News
from bot.domain.errors import StoreError, UserError
from bot.domain.outbox import Body, Form
from bot.domain.pipelines import PipelineRef
from bot.domain.replies import AlertCard, AlertReply
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.store.codec import dump_body, load_body, read_time, storable_or_none
from bot.store.sqlite.outbox import NewRow, put_edit
from bot.store.sqlite.roots import bury, post_anew

BATCH = 200
_NEWS = "state = 'waiting' AND is_news = 1 AND is_ambiguous = 0"
_SHOWN = "state = 'sent' AND is_news = 1 AND form <> 'reply'"
_MANY = digests.STORM + 1

_STORMY = f"""
SELECT channel FROM lanes
WHERE EXISTS (SELECT 1 FROM outbox WHERE channel = lanes.channel AND {_NEWS})
AND (
    EXISTS (SELECT 1 FROM digests WHERE channel = lanes.channel AND is_open = 1)
    OR {digests.STORM} < (SELECT count(*) FROM (
        SELECT 1 FROM outbox WHERE channel = lanes.channel AND {_NEWS} LIMIT {_MANY}))
    + (SELECT count(*) FROM (
        SELECT 1 FROM outbox WHERE channel = lanes.channel AND {_SHOWN}
        AND sent_at > :now - {digests.STORM_S} LIMIT {_MANY}))
)
LIMIT 1
"""  # noqa: S608 - fixed texts
_CALM = f"""
SELECT digests.* FROM digests JOIN outbox ON outbox.key = 'digest:' || digests.id
WHERE is_open = 1 AND folded_at <= :now - {digests.CALM_S} AND outbox.state = 'sent' LIMIT 1
"""  # noqa: S608 - fixed texts
_STALE = "SELECT id FROM digests WHERE is_stale = 1 LIMIT 1"
_STRAY_EDITS = """
SELECT waiting.id, waiting.kind, waiting.body, root.id AS root_id, root.folded_into
FROM outbox AS waiting JOIN outbox AS root ON root.key = waiting.root_key
WHERE waiting.state = 'waiting' AND waiting.form = 'edit' AND root.state = 'folded'
ORDER BY root.folded_into LIMIT :most
"""


def is_due(db: Database, now_s: float) -> bool:
    """Whether `tend` has anything to do; cheap."""
    return any(
        db.execute(query, {"now": now_s, "most": 1}).fetchone() is not None
        for query in (_STORMY, _STRAY_EDITS, _STALE, _CALM)
    )


def tend(db: Database, now_s: float, now: str) -> None:
    """One step: folds a batch of a channel, or takes over a batch of edits, or brings a digest
    up to date when there is no more to fold, or ends a storm.
    """
    if stormy := db.execute(_STORMY, {"now": now_s}).fetchone():
        _fold(db, stormy["channel"], now_s, now)
    elif edits := db.execute(_STRAY_EDITS, {"most": BATCH}).fetchall():
        _take_over(db, edits, now)
    elif stale := db.execute(_STALE).fetchone():
        _remain(db, stale["id"])
        _refresh(db, stale["id"])
    elif calm := db.execute(_CALM, {"now": now_s}).fetchone():
        db.execute("UPDATE digests SET is_open = 0, is_stale = 1 WHERE id = ?", [calm["id"]])


def news_of(db: Database, digest_id: int) -> Iterable[News]:
    """What was folded into a digest, in order."""
    for row in db.execute(
        "SELECT * FROM digest_items WHERE digest_id = ? ORDER BY message_id", [digest_id]
    ):
        yield News(
            thread=row["thread"],
            run=_run(row),
            failures=row["failures"],
            mention=row["mention"],
            is_card=bool(row["is_card"]),
            is_red=bool(row["is_red"]),
            has_card=bool(row["has_card"]),
        )


def channel_of(db: Database, digest_id: int) -> str | None:
    row = db.execute("SELECT channel FROM digests WHERE id = ?", [digest_id]).fetchone()
    return None if row is None else str(row["channel"])


def arrive(db: Database, body: Digest, ts: str) -> None:
    """What was folded into a digest stands where the digest does."""
    db.execute(
        "UPDATE outbox SET ts = ? WHERE folded_into = ? AND state = 'folded'", [ts, body.digest_id]
    )


def _fold(db: Database, channel: str, now_s: float, now: str) -> None:
    digest_id = _open(db, channel, now_s, now)
    rows = db.execute(
        f"SELECT * FROM outbox WHERE channel = ? AND {_NEWS} ORDER BY id LIMIT {BATCH}",  # noqa: S608
        [channel],
    ).fetchall()
    for row in rows:
        try:
            _put_item(db, digest_id, row, load_body(row["kind"], row["body"]), now)
        except StoreError as error:
            bury(db, row["id"], error.message, now)


def _open(db: Database, channel: str, now_s: float, now: str) -> int:
    row = db.execute(
        "UPDATE digests SET folded_at = ?, is_stale = 1 WHERE channel = ? AND is_open = 1"
        " RETURNING id",
        [now_s, channel],
    ).fetchone()
    if row is None:
        row = db.execute(
            "INSERT INTO digests (channel, opened, folded_at, is_stale) VALUES (?, ?, ?, 1)"
            " RETURNING id",
            [channel, now, now_s],
        ).fetchone()
    return int(row["id"])


def _put_item(db: Database, digest_id: int, row: sqlite3.Row, body: Body, now: str) -> None:
    if not isinstance(body, AlertCard | AlertReply):
        raise StoreError("The database holds news that this version cannot read.", row["kind"])
    db.execute(
        "UPDATE outbox SET state = 'folded', folded_into = :digest, ended = :now,"
        " ts = (SELECT ts FROM outbox AS post WHERE post.key = :post) WHERE id = :id",
        {"digest": digest_id, "post": _key(digest_id), "now": now, "id": row["id"]},
    )
    run = body.latest if isinstance(body, AlertCard) else body.run
    is_card = isinstance(body, AlertCard)
    failures = body.failures if isinstance(body, AlertCard) else int(run.status.is_failure)
    db.execute(
        "INSERT INTO digest_items (message_id, digest_id, thread, instance, run_id,"
        " pipeline_instance, pipeline_key, status, branch, environment, failed_step, url,"
        " mention, failures, is_card, is_red)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            row["id"],
            digest_id,
            row["key"] if is_card else row["root_key"] or row["key"],
            *_run_columns(run),
            storable_or_none(body.mention),
            failures,
            is_card,
            isinstance(body, AlertCard) and not body.is_fixed,
        ],
    )


def _run_columns(run: Run) -> list[str | None]:
    texts = (run.branch, run.environment, run.failed_step, run.url)
    return [
        run.ref.instance,
        run.ref.run_id,
        run.pipeline.instance,
        storable_or_none(run.pipeline.key),
        run.status.value,
        *map(storable_or_none, texts),
    ]


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
    )


def _take_over(db: Database, edits: list[sqlite3.Row], now: str) -> None:
    """Edits of folded cards: the digest counts them from now on."""
    for edit in edits:
        db.execute(
            "UPDATE outbox SET state = 'folded', folded_into = ?, ended = ? WHERE id = ?",
            [edit["folded_into"], now, edit["id"]],
        )
        body = load_body(edit["kind"], edit["body"])
        if isinstance(body, AlertCard):
            _change_item(db, edit, body)
    for digest_id in {edit["folded_into"] for edit in edits}:
        db.execute("UPDATE digests SET is_stale = 1 WHERE id = ?", [digest_id])


def _change_item(db: Database, edit: sqlite3.Row, body: AlertCard) -> None:
    db.execute(
        "UPDATE outbox SET kind = ?, body = ? WHERE id = ?",
        [edit["kind"], edit["body"], edit["root_id"]],
    )
    db.execute(
        "UPDATE digest_items SET instance = ?, run_id = ?, pipeline_instance = ?,"
        " pipeline_key = ?, status = ?, branch = ?, environment = ?, failed_step = ?, url = ?,"
        " failures = max(failures, ?), is_red = ? WHERE message_id = ?",
        [*_run_columns(body.latest), body.failures, not body.is_fixed, edit["root_id"]],
    )


def _remain(db: Database, digest_id: int) -> None:
    """Gives the last red ones of a calm digest their cards."""
    rows = db.execute(
        "SELECT outbox.* FROM outbox JOIN digest_items ON message_id = outbox.id"
        " JOIN digests ON digests.id = digest_id"
        " WHERE digest_id = ? AND is_open = 0 AND is_red = 1 AND has_card = 0"
        " AND state = 'folded' ORDER BY outbox.id LIMIT ?",
        [digest_id, digests.MOST_CARDS + 1],
    ).fetchall()
    if len(rows) > digests.MOST_CARDS:
        return
    for row in rows:
        post_anew(db, row, row["key"], is_news=False)
        db.execute("UPDATE digest_items SET has_card = 1 WHERE message_id = ?", [row["id"]])


def _refresh(db: Database, digest_id: int) -> None:
    """Brings the digest's message up to date: as it is, if it was not tried yet, else by edit."""
    db.execute("UPDATE digests SET is_stale = 0 WHERE id = ?", [digest_id])
    digest = db.execute("SELECT * FROM digests WHERE id = ?", [digest_id]).fetchone()
    since = read_time(digest["opened"])
    if since is None:
        raise StoreError("The database holds a digest that this version cannot read.")
    is_calm = not digest["is_open"]
    body = digests.summarise(digest_id, since, news_of(db, digest_id), is_calm=is_calm)
    key, (kind, text) = _key(digest_id), dump_body(body)
    post = db.execute("SELECT id, state, is_ambiguous FROM outbox WHERE key = ?", [key]).fetchone()
    if post is None:
        db.execute(
            "INSERT INTO outbox (channel, key, form, kind, body) VALUES (?, ?, ?, ?, ?)",
            [digest["channel"], key, Form.POST.value, kind, text],
        )
    elif post["state"] == "waiting" and not post["is_ambiguous"]:
        db.execute("UPDATE outbox SET body = ? WHERE id = ?", [text, post["id"]])
    elif post["state"] != "dead":
        put_edit(db, NewRow(digest["channel"], f"edit {key}", Form.EDIT, kind, text, key))


def _key(digest_id: int) -> str:
    return f"digest:{digest_id}"
