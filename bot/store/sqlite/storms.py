"""Storms: what waits for a channel is folded into one digest message (see bot.domain.digests).

Everything here is done in small steps, each in a transaction of its own, so that nobody waits
long for the database however much is folded.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from sqlite_utils import Database

from bot.domain import digests
from bot.domain.digests import Digest
from bot.domain.errors import StoreError
from bot.domain.outbox import Form
from bot.domain.replies import AlertCard, AlertReply
from bot.store.codec import dump_body, load_body, read_time
from bot.store.sqlite import digest_items as items
from bot.store.sqlite.outbox import NewRow, put_edit
from bot.store.sqlite.roots import bury, post_anew

BATCH = 200
_NEWS = "state = 'waiting' AND is_news = 1 AND is_ambiguous = 0"
_SHOWN = "state = 'sent' AND is_news = 1 AND form <> 'reply'"

_STORMY = f"""
SELECT channel FROM lanes
WHERE EXISTS (SELECT 1 FROM outbox WHERE channel = lanes.channel AND {_NEWS})
AND (
    EXISTS (SELECT 1 FROM digests WHERE channel = lanes.channel AND is_open = 1)
    OR :storm < (SELECT count(*) FROM (
        SELECT 1 FROM outbox WHERE channel = lanes.channel AND {_NEWS} LIMIT :storm + 1))
    + (SELECT count(*) FROM (
        SELECT 1 FROM outbox WHERE channel = lanes.channel AND {_SHOWN}
        AND sent_at > :since LIMIT :storm + 1))
    * EXISTS (SELECT 1 FROM outbox WHERE channel = lanes.channel AND {_NEWS} AND form <> 'reply')
)
LIMIT 1
"""  # noqa: S608 - fixed texts
_CALM = """
SELECT digests.* FROM digests JOIN outbox ON outbox.key = 'digest:' || digests.id
WHERE is_open = 1 AND folded_at <= :calm_since AND outbox.state = 'sent' LIMIT 1
"""
_STALE = "SELECT id FROM digests WHERE is_stale = 1 LIMIT 1"
_STRAY_EDITS = """
SELECT waiting.id, waiting.kind, waiting.body, waiting.root_key,
    root.id AS root_id, root.folded_into
FROM outbox AS waiting JOIN outbox AS root ON root.key = waiting.root_key
WHERE waiting.state = 'waiting' AND waiting.form = 'edit' AND root.state = 'folded'
ORDER BY root.folded_into LIMIT :most
"""


def is_due(db: Database, now_s: float) -> bool:
    """Whether `tend` has anything to do; cheap."""
    values = _values(now_s, most=1)
    return any(
        db.execute(query, values).fetchone() is not None
        for query in (_STORMY, _STRAY_EDITS, _STALE, _CALM)
    )


def tend(db: Database, now_s: float, now: str) -> None:
    """One step: folds a batch of a channel, or takes over a batch of edits, or brings a digest
    up to date when there is no more to fold, or ends a storm.
    """
    values = _values(now_s, most=BATCH)
    if stormy := db.execute(_STORMY, values).fetchone():
        _fold(db, stormy["channel"], now_s, now)
    elif edits := db.execute(_STRAY_EDITS, values).fetchall():
        _take_over(db, edits, now)
    elif stale := db.execute(_STALE).fetchone():
        _catch_up(db, stale["id"], now)
    elif calm := db.execute(_CALM, values).fetchone():
        db.execute("UPDATE digests SET is_open = 0, is_stale = 1 WHERE id = ?", [calm["id"]])


def _values(now_s: float, most: int) -> dict[str, float]:
    return {
        "storm": digests.STORM,
        "since": now_s - digests.STORM_S,
        "calm_since": now_s - digests.CALM_S,
        "most": most,
    }


def channel_of(db: Database, digest_id: int) -> str | None:
    row = db.execute("SELECT channel FROM digests WHERE id = ?", [digest_id]).fetchone()
    return None if row is None else str(row["channel"])


def arrive(db: Database, body: Digest, ts: str) -> None:
    """What was folded into a digest stands where the digest does."""
    db.execute(
        "UPDATE outbox SET ts = ? WHERE folded_into = ? AND state = 'folded'", [ts, body.digest_id]
    )


def _fold(db: Database, channel: str, now_s: float, now: str) -> None:
    """Folds a batch; first the fixes of folded cards, which belong to the digest that has these,
    for without them there may be no storm.
    """
    rows = db.execute(
        "SELECT *, (SELECT root.folded_into FROM outbox AS root"  # noqa: S608 - fixed texts
        " WHERE root.key = outbox.root_key AND root.state = 'folded') AS home"
        f" FROM outbox WHERE channel = ? AND {_NEWS} ORDER BY id LIMIT {BATCH}",
        [channel],
    ).fetchall()
    readable = list(_readable(db, rows, now))
    fixes = [(row, fix) for row, body in readable if (fix := items.fix_in(body)) and row["home"]]
    for row, fix in fixes:
        _mark_folded(db, row, row["home"], now)
        items.note_fixed(db, row["root_key"], fix)
    if readable and not fixes:
        digest_id = _open(db, channel, now_s, now)
        for row, body in readable:
            _mark_folded(db, row, digest_id, now)
            items.put(db, digest_id, row, body)


def _readable(
    db: Database, rows: Iterable[sqlite3.Row], now: str
) -> Iterable[tuple[sqlite3.Row, AlertCard | AlertReply]]:
    for row in rows:
        try:
            yield row, _news_in(row)
        except StoreError as error:
            bury(db, row["id"], error.message, now)


def _news_in(row: sqlite3.Row) -> AlertCard | AlertReply:
    body = load_body(row["kind"], row["body"])
    if isinstance(body, AlertCard | AlertReply):
        return body
    raise StoreError("The database holds news that this version cannot read.", row["kind"])


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


def _mark_folded(db: Database, row: sqlite3.Row, digest_id: int, now: str) -> None:
    db.execute(
        "UPDATE outbox SET state = 'folded', folded_into = :digest, ended = :now,"
        " ts = (SELECT ts FROM outbox AS post WHERE post.key = :post) WHERE id = :id",
        {"digest": digest_id, "post": _key(digest_id), "now": now, "id": row["id"]},
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
        "UPDATE digest_items SET failures = max(failures, ?) WHERE message_id = ?",
        [body.failures, edit["root_id"]],
    )
    if body.is_fixed:
        items.note_fixed(db, edit["root_key"], body.latest.ref)
    if body.is_unwatched:
        items.drop_card(db, edit["root_id"])


def _catch_up(db: Database, digest_id: int, now: str) -> None:
    """Gives the last red ones of a calm digest their cards, and brings its message up to date."""
    db.execute("UPDATE digests SET is_stale = 0 WHERE id = ?", [digest_id])
    last = _last_red(db, digest_id)
    called = _called(db, digest_id) if last else frozenset()
    for row, body in _readable(db, last, now):
        mention = None if row["mention"] in called else row["mention"]
        _, text = dump_body(replace(body, mention=mention))
        if items.are_one(db, digest_id):
            _become_card(db, digest_id, row, text)
            return
        post_anew(db, row, row["key"], is_news=False, body=text)
        db.execute("UPDATE digest_items SET has_card = 1 WHERE message_id = ?", [row["id"]])
    _refresh(db, digest_id)


def _last_red(db: Database, digest_id: int) -> list[sqlite3.Row]:
    """The folded cards that are to be posted now; none while there are too many."""
    rows = db.execute(
        "SELECT outbox.*, mention FROM outbox JOIN digest_items ON message_id = outbox.id"
        " JOIN digests ON digests.id = digest_id WHERE digest_id = ? AND is_open = 0"
        " AND is_card = 1 AND fixed_by IS NULL AND has_card = 0 AND state = 'folded'"
        " ORDER BY outbox.id LIMIT ?",
        [digest_id, digests.MOST_CARDS + 1],
    ).fetchall()
    return rows if len(rows) <= digests.MOST_CARDS else []


def _called(db: Database, digest_id: int) -> frozenset[str]:
    """Whom the digest called when it was posted; an edit calls nobody."""
    row = db.execute("SELECT kind, body FROM outbox WHERE key = ?", [_key(digest_id)]).fetchone()
    body = load_body(row["kind"], row["body"])
    return frozenset(body.mentions) if isinstance(body, Digest) else frozenset()


def _become_card(db: Database, digest_id: int, row: sqlite3.Row, body: str) -> None:
    """The digest's message is the card's from now on, and soon looks like it."""
    db.execute(
        "UPDATE outbox SET newer_kind = NULL, newer_body = NULL WHERE key = ?",
        [f"edit {_key(digest_id)}"],
    )
    db.execute("DELETE FROM digest_items WHERE digest_id = ?", [digest_id])
    db.execute(
        "UPDATE outbox SET state = 'sent', folded_into = NULL,"
        " told = (SELECT told FROM outbox AS post WHERE post.key = ?) WHERE id = ?",
        [_key(digest_id), row["id"]],
    )
    edit = NewRow(row["channel"], f"edit {row['key']}", Form.EDIT, row["kind"], body, row["key"])
    put_edit(db, edit)


def _refresh(db: Database, digest_id: int) -> None:
    """Brings the digest's message up to date: as it is, if it was not tried yet, else by edit."""
    digest = db.execute("SELECT * FROM digests WHERE id = ?", [digest_id]).fetchone()
    since = read_time(digest["opened"])
    if since is None:
        raise StoreError("The database holds a digest that this version cannot read.")
    is_calm = not digest["is_open"]
    body = digests.summarise(digest_id, since, items.news_of(db, digest_id), is_calm=is_calm)
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
