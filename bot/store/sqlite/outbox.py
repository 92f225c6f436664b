"""Messages that are put in and found: the order in each channel is that of insertion."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlite_utils import Database

from bot.domain.outbox import Fate, Form, NewMessage, Standing
from bot.domain.replies import AlertCard, AlertReply
from bot.store.codec import dump_body, storable, storable_or_none
from bot.store.sqlite.roots import settle_orphans


@dataclass(frozen=True, slots=True)
class NewRow:
    """A new message, its body already text. `is_news` may be folded into a digest."""

    channel: str
    key: str
    form: Form
    kind: str
    body: str
    root_key: str | None
    is_news: bool = False


def new_row(message: NewMessage) -> NewRow:
    kind, body = dump_body(message.body)
    return NewRow(
        message.channel,
        storable(message.key),
        message.form,
        kind,
        body,
        storable_or_none(message.root_key),
        message.form is not Form.EDIT and isinstance(message.body, AlertCard | AlertReply),
    )


def enqueue(db: Database, rows: Sequence[NewRow], now: str) -> None:
    """A key that is there already is left alone, unless both are edits."""
    for channel in {row.channel for row in rows}:
        db.execute(
            "INSERT OR IGNORE INTO lanes (channel, paused_until_at) VALUES (?, 0)", [channel]
        )
    for is_edit, group in groupby(rows, key=lambda row: row.form is Form.EDIT):
        if is_edit:
            for row in group:
                put_edit(db, row)
        else:
            _insert_new(db, group)
    settle_orphans(db, now)


def put_edit(db: Database, row: NewRow) -> None:
    """A newer body for an edit, or a first one."""
    old = db.execute("SELECT id, form, state FROM outbox WHERE key = ?", [row.key]).fetchone()
    if old is None:
        _insert_new(db, [row])
    elif old["form"] == Form.EDIT:
        _replace(db, old["id"], old["state"], row)


def _insert_new(db: Database, rows: Iterable[NewRow]) -> None:
    db.conn.executemany(
        "INSERT INTO outbox (channel, key, form, kind, body, root_key, is_news)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        [(r.channel, r.key, r.form.value, r.kind, r.body, r.root_key, r.is_news) for r in rows],
    )


def _replace(db: Database, message_id: int, state: str, row: NewRow) -> None:
    """A waiting edit keeps its place; one that was sent already goes to the end."""
    if state == "waiting":
        db.execute(
            "UPDATE outbox SET kind = ?, body = ?, is_ambiguous = 0 WHERE id = ?",
            [row.kind, row.body, message_id],
        )
    elif state == "sending":
        db.execute(
            "UPDATE outbox SET newer_kind = ?, newer_body = ? WHERE id = ?",
            [row.kind, row.body, message_id],
        )
    else:
        db.execute("DELETE FROM outbox WHERE id = ?", [message_id])
        _insert_new(db, [row])


def requeue_newer(db: Database, message_id: int) -> None:
    """Puts the newer body of an edit that is settled at the end, as a message of its own."""
    row = db.execute(
        "DELETE FROM outbox WHERE id = ? AND newer_body IS NOT NULL"
        " RETURNING channel, key, form, newer_kind, newer_body, root_key",
        [message_id],
    ).fetchone()
    if row is not None:
        db.execute(
            "INSERT INTO outbox (channel, key, form, kind, body, root_key)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            list(row),
        )


def depth(db: Database) -> int:
    """Messages not yet sent, and digests that have changed and have no message for it yet."""
    row = db.execute(
        "SELECT (SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending'))"
        " + (SELECT count(*) FROM digests WHERE is_stale = 1)"
    )
    return int(row.fetchone()[0])


def fate(db: Database, key: str) -> Fate | None:
    """A message is waiting also while it is being sent."""
    row = db.execute(
        "SELECT state, reason, ts, EXISTS (SELECT 1 FROM digest_items WHERE thread = outbox.key"
        " AND has_card = 1) AS is_carded FROM outbox WHERE key = ?",
        [storable(key)],
    ).fetchone()
    if row is None:
        return None
    state = "waiting" if row["state"] == "sending" else row["state"]
    is_carded = row["is_carded"] and state != "dead"
    standing = Standing.CARDED if is_carded else Standing(state)
    return Fate(standing, row["ts"] is not None, row["reason"])


def sent_as(db: Database, key: str) -> tuple[str, str] | None:
    row = db.execute(
        "SELECT channel, ts FROM outbox WHERE key = ? AND ts IS NOT NULL", [storable(key)]
    ).fetchone()
    return None if row is None else (row["channel"], row["ts"])


def ts_of(db: Database, key: str) -> str | None:
    found = sent_as(db, key)
    return None if found is None else found[1]
