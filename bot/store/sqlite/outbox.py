"""Messages that are put in and found: the order in each channel is that of insertion."""

from collections.abc import Collection

from sqlite_utils import Database

from bot.domain.outbox import Form, NewMessage
from bot.store.codec import dump_body, storable, storable_or_none

ROOT_IS_DEAD = "the message it belongs to was never posted"


def enqueue(db: Database, messages: Collection[NewMessage], now: str) -> None:
    for channel in {message.channel for message in messages}:
        db.execute(
            "INSERT OR IGNORE INTO lanes (channel, paused_until_at) VALUES (?, 0)", [channel]
        )
    for message in messages:
        _put(db, message)
    bury_orphans(db, now)


def _put(db: Database, message: NewMessage) -> None:
    key = storable(message.key)
    old = db.execute("SELECT id, form, state FROM outbox WHERE key = ?", [key]).fetchone()
    if old is None:
        _insert(db, message)
    elif old["form"] == message.form == Form.EDIT:
        _replace(db, old["id"], old["state"], message)


def _insert(db: Database, message: NewMessage) -> None:
    kind, body = dump_body(message.body)
    db.execute(
        "INSERT INTO outbox (channel, key, form, kind, body, root_key) VALUES (?, ?, ?, ?, ?, ?)",
        [
            message.channel,
            storable(message.key),
            message.form.value,
            kind,
            body,
            storable_or_none(message.root_key),
        ],
    )


def _replace(db: Database, message_id: int, state: str, message: NewMessage) -> None:
    """A waiting edit keeps its place; one that was sent already goes to the end."""
    kind, body = dump_body(message.body)
    if state == "waiting":
        db.execute(
            "UPDATE outbox SET kind = ?, body = ?, is_ambiguous = 0 WHERE id = ?",
            [kind, body, message_id],
        )
    elif state == "sending":
        db.execute(
            "UPDATE outbox SET newer_kind = ?, newer_body = ? WHERE id = ?",
            [kind, body, message_id],
        )
    else:
        db.execute("DELETE FROM outbox WHERE id = ?", [message_id])
        _insert(db, message)


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


def bury_orphans(db: Database, now: str) -> None:
    """Waiting messages whose root is dead or unknown will never be sent."""
    db.execute(
        "UPDATE outbox SET state = 'dead', reason = ?, ended = ?"
        " WHERE state = 'waiting'"
        " AND root_key IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM outbox AS root WHERE root.key = outbox.root_key AND root.state != 'dead')",
        [ROOT_IS_DEAD, now],
    )


def depth(db: Database) -> int:
    row = db.execute("SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')")
    return int(row.fetchone()[0])


def sent_as(db: Database, key: str) -> tuple[str, str] | None:
    row = db.execute(
        "SELECT channel, ts FROM outbox WHERE key = ? AND ts IS NOT NULL", [storable(key)]
    ).fetchone()
    return None if row is None else (row["channel"], row["ts"])
