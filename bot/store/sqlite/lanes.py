"""Sending: one message under way per channel, with pauses per channel and for all."""

import sqlite3

from sqlite_utils import Database

from bot.domain.errors import StoreError
from bot.domain.outbox import Form, NewMessage, OutboxClaim
from bot.store.codec import load_body, storable
from bot.store.sqlite.outbox import bury_orphans, requeue_newer, ts_of

_NEXT = """
WITH heads AS (
    SELECT (
        SELECT waiting.id FROM outbox AS waiting
        LEFT JOIN outbox AS root ON root.key = waiting.root_key
        WHERE waiting.channel = lanes.channel
        AND waiting.state IN ('waiting', 'sending')
        AND (waiting.root_key IS NULL OR root.ts IS NOT NULL)
        ORDER BY waiting.id LIMIT 1
    ) AS id,
    max(
        paused_until_at,
        coalesce((SELECT CAST(value AS REAL) FROM facts WHERE name = 'paused_until_at'), 0),
        coalesce((
            SELECT max(claim_ends_at) FROM outbox AS busy
            WHERE busy.channel = lanes.channel AND busy.state = 'sending'
        ), 0)
    ) AS due_at
    FROM lanes
)
SELECT id, due_at FROM heads WHERE id IS NOT NULL
"""


def claim(db: Database, prefix: str, now_s: float, lease_s: float, now: str) -> OutboxClaim | None:
    while True:
        due = db.execute(
            f"{_NEXT} AND due_at <= ? ORDER BY id LIMIT 1",
            [now_s],
        ).fetchone()
        if due is None:
            return None
        row = _take(db, due["id"], now_s + lease_s)
        try:
            return _claim(db, row, prefix)
        except StoreError as error:
            _bury(db, row["id"], error.message, now)


def _take(db: Database, message_id: int, ends_at: float) -> sqlite3.Row:
    """A claim that ran out means a sender that may have sent: ambiguous, unless the body is
    a newer one.
    """
    row: sqlite3.Row = db.execute(
        "UPDATE outbox SET state = 'sending', token = token + 1, attempts = attempts + 1,"
        " claim_ends_at = :ends_at,"
        " is_ambiguous = newer_body IS NULL AND (is_ambiguous OR state = 'sending'),"
        " kind = coalesce(newer_kind, kind), body = coalesce(newer_body, body),"
        " newer_kind = NULL, newer_body = NULL WHERE id = :id RETURNING *",
        {"ends_at": ends_at, "id": message_id},
    ).fetchone()
    return row


def _claim(db: Database, row: sqlite3.Row, prefix: str) -> OutboxClaim:
    message = NewMessage(
        channel=row["channel"],
        key=row["key"],
        form=Form(row["form"]),
        body=load_body(row["kind"], row["body"]),
        root_key=row["root_key"],
    )
    return OutboxClaim(
        message_id=f"o{prefix}-{row['id']}",
        message=message,
        token=row["token"],
        attempts=row["attempts"] - 1,
        is_ambiguous=bool(row["is_ambiguous"]),
        root_ts=None if message.root_key is None else ts_of(db, message.root_key),
    )


def seconds_to_due(db: Database, now_s: float) -> float | None:
    row = db.execute(f"SELECT min(due_at) FROM ({_NEXT})").fetchone()  # noqa: S608 - fixed texts
    return None if row[0] is None else max(0.0, float(row[0]) - now_s)


def settle_sent(
    db: Database, claim: OutboxClaim, ts: str, paused_until_at: float, now: str
) -> bool:
    message_id = _held(db, claim)
    if message_id is None:
        return False
    db.execute(
        "UPDATE outbox SET state = 'sent', claim_ends_at = NULL, is_ambiguous = 0, ts = ?,"
        " ended = ? WHERE id = ?",
        [ts, now, message_id],
    )
    requeue_newer(db, message_id)
    _pause(db, claim.message.channel, paused_until_at)
    return True


def settle_later(
    db: Database, claim: OutboxClaim, paused_until_at: float, *, is_ambiguous: bool
) -> bool:
    """An edit for which there is a newer body goes on with that one."""
    message_id = _held(db, claim)
    if message_id is None:
        return False
    db.execute(
        "UPDATE outbox SET state = 'waiting', claim_ends_at = NULL,"
        " is_ambiguous = newer_body IS NULL AND ?,"
        " kind = coalesce(newer_kind, kind), body = coalesce(newer_body, body),"
        " newer_kind = NULL, newer_body = NULL WHERE id = ?",
        [is_ambiguous, message_id],
    )
    _pause(db, claim.message.channel, paused_until_at)
    return True


def end_claims(db: Database) -> None:
    """After a crash nobody knows whether what was under way has arrived."""
    db.execute(
        "UPDATE outbox SET state = 'waiting', claim_ends_at = NULL,"
        " is_ambiguous = newer_body IS NULL,"
        " kind = coalesce(newer_kind, kind), body = coalesce(newer_body, body),"
        " newer_kind = NULL, newer_body = NULL WHERE state = 'sending'"
    )


def settle_dead(db: Database, claim: OutboxClaim, because: str, now: str) -> bool:
    message_id = _held(db, claim)
    if message_id is None:
        return False
    _bury(db, message_id, because, now)
    requeue_newer(db, message_id)
    return True


def _bury(db: Database, message_id: int, because: str, now: str) -> None:
    db.execute(
        "UPDATE outbox SET state = 'dead', claim_ends_at = NULL, reason = ?, ended = ?"
        " WHERE id = ?",
        [storable(because), now, message_id],
    )
    bury_orphans(db, now)


def _held(db: Database, claim: OutboxClaim) -> int | None:
    """The row that is claimed, or None if the claim was lost."""
    row = db.execute(
        "SELECT id FROM outbox WHERE id = ? AND token = ? AND state = 'sending'",
        [int(claim.message_id.rpartition("-")[2]), claim.token],
    ).fetchone()
    return None if row is None else int(row["id"])


def _pause(db: Database, channel: str, until_at: float) -> None:
    db.execute(
        "UPDATE lanes SET paused_until_at = ? WHERE channel = ?",
        [until_at, channel],
    )


def pause_all(db: Database, until_at: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO facts (name, value) VALUES ('paused_until_at', ?)",
        [repr(until_at)],
    )
