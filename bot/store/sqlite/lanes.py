"""Sending: one message under way per channel, with pauses per channel and for all."""

import sqlite3
from dataclasses import dataclass

from sqlite_utils import Database

from bot.domain.digests import Digest
from bot.domain.errors import StoreError
from bot.domain.outbox import Form, NewMessage, OutboxClaim, failures_told
from bot.domain.replies import AlertCard
from bot.store.codec import load_body
from bot.store.sqlite import digest_items, storms
from bot.store.sqlite.outbox import requeue_newer, ts_of
from bot.store.sqlite.roots import bury, bury_channel, bury_root, settle_orphans


@dataclass(frozen=True, slots=True)
class Lease:
    """The moment of a claim, on all clocks, and how long it and the pause of edits last."""

    now_s: float
    epoch_s: float
    now: str
    lease_s: float
    edit_gap_s: float


_NEXT = """
WITH pauses AS (
    SELECT
        coalesce((
            SELECT CAST(value AS REAL) FROM facts WHERE name = 'paused_until_at'), 0) AS all_at,
        coalesce((
            SELECT CAST(value AS REAL) FROM facts WHERE name = 'edits_paused_until_at'), 0
        ) AS edits_at
),
heads AS (
    SELECT (
        SELECT waiting.id FROM outbox AS waiting
        LEFT JOIN outbox AS root ON root.key = waiting.root_key
        WHERE waiting.channel = lanes.channel
        AND waiting.state IN ('waiting', 'sending')
        AND (waiting.root_key IS NULL OR root.ts IS NOT NULL)
        AND (waiting.form <> 'edit' OR (root.state <> 'folded' AND pauses.edits_at <= :now))
        ORDER BY waiting.id LIMIT 1
    ) AS id,
    max(
        paused_until_at,
        pauses.all_at,
        coalesce((
            SELECT max(claim_ends_at) FROM outbox AS busy
            WHERE busy.channel = lanes.channel AND busy.state = 'sending'
        ), 0)
    ) AS due_at
    FROM lanes, pauses
)
SELECT id, due_at FROM heads WHERE id IS NOT NULL
"""
_EDITS_DUE = """
SELECT CAST(value AS REAL) FROM facts WHERE name = 'edits_paused_until_at'
AND CAST(value AS REAL) > :now
AND EXISTS (SELECT 1 FROM outbox WHERE state = 'waiting' AND form = 'edit')
"""


def claim(db: Database, prefix: str, lease: Lease) -> OutboxClaim | None:
    while True:
        due = db.execute(
            f"{_NEXT} AND due_at <= :now ORDER BY id LIMIT 1", {"now": lease.now_s}
        ).fetchone()
        if due is None:
            return None
        row = _take(db, due["id"], lease)
        try:
            return _claim(db, row, prefix, lease)
        except StoreError as error:
            bury(db, row["id"], error.message, lease.now)


def _take(db: Database, message_id: int, lease: Lease) -> sqlite3.Row:
    """A claim that ran out means a sender that may have sent: ambiguous, unless the body is
    a newer one.
    """
    row: sqlite3.Row = db.execute(
        "UPDATE outbox SET state = 'sending', token = token + 1, attempts = attempts + 1,"
        " claim_ends_at = :ends_at, first_try = coalesce(first_try, :epoch_s),"
        " looks = CASE WHEN state = 'sending' THEN 0 ELSE looks END,"
        " is_ambiguous = newer_body IS NULL AND (is_ambiguous OR state = 'sending'),"
        " kind = coalesce(newer_kind, kind), body = coalesce(newer_body, body),"
        " newer_kind = NULL, newer_body = NULL WHERE id = :id RETURNING *",
        {"ends_at": lease.now_s + lease.lease_s, "epoch_s": lease.epoch_s, "id": message_id},
    ).fetchone()
    return row


def _claim(db: Database, row: sqlite3.Row, prefix: str, lease: Lease) -> OutboxClaim:
    message = NewMessage(
        channel=row["channel"],
        key=row["key"],
        form=Form(row["form"]),
        body=load_body(row["kind"], row["body"]),
        root_key=row["root_key"],
    )
    shown, root_id = "", None
    if message.form is Form.EDIT:
        shown, root_id = _take_edit(db, message, lease)
    return OutboxClaim(
        message_id=f"o{prefix}-{row['id']}",
        message=message,
        token=row["token"],
        attempts=row["attempts"] - 1,
        is_ambiguous=bool(row["is_ambiguous"]),
        root_ts=None if message.root_key is None else ts_of(db, message.root_key),
        looks=row["looks"],
        first_try=row["first_try"],
        rendering=shown,
        root_id="" if root_id is None else f"o{prefix}-{root_id}",
    )


def _take_edit(db: Database, message: NewMessage, lease: Lease) -> tuple[str, int]:
    """What the message shows, which nobody knows any more once the edit is under way, and its
    id.
    """
    pause_edits(db, lease.now_s + lease.edit_gap_s)
    row = db.execute(
        "SELECT id, rendering FROM outbox WHERE key = ?", [message.root_key]
    ).fetchone()
    db.execute("UPDATE outbox SET rendering = '' WHERE key = ?", [message.root_key])
    return str(row["rendering"]), int(row["id"])


def seconds_to_due(db: Database, now_s: float) -> float | None:
    due = db.execute(f"SELECT min(due_at) FROM ({_NEXT})", {"now": now_s}).fetchone()  # noqa: S608 - fixed texts
    edits = db.execute(_EDITS_DUE, {"now": now_s}).fetchone()
    times = [row[0] for row in (due, edits) if row is not None and row[0] is not None]
    return max(0.0, float(min(times)) - now_s) if times else None


def settle_sent(
    db: Database, claim: OutboxClaim, ts: str, rendering: str, pause: tuple[float, float], now: str
) -> bool:
    """`pause` is the present moment, and until when the channel pauses."""
    message_id = _held(db, claim)
    if message_id is None:
        return False
    message = claim.message
    db.execute(
        "UPDATE outbox SET state = 'sent', claim_ends_at = NULL, is_ambiguous = 0, ts = ?,"
        " sent_at = ?, ended = ? WHERE id = ?",
        [ts, pause[0], now, message_id],
    )
    _note_shown(db, message, rendering)
    if isinstance(message.body, Digest) and message.form is Form.POST:
        storms.arrive(db, message.body, ts)
    if isinstance(message.body, AlertCard) and message.body.is_fixed:
        digest_items.note_fixed(db, message.root_key or message.key, message.body.latest.ref)
    requeue_newer(db, message_id)
    _pause(db, message.channel, pause[1])
    return True


def _note_shown(db: Database, message: NewMessage, rendering: str) -> None:
    """What the message shows now, and how many failures were told there and in its thread."""
    tells = failures_told(message.body, message.form)
    if message.form in {Form.REPLY, Form.BROADCAST}:
        db.execute("UPDATE outbox SET told = told + ? WHERE key = ?", [tells, message.root_key])
    else:
        db.execute(
            "UPDATE outbox SET told = max(told, ?), rendering = ? WHERE key = ?",
            [tells, rendering, message.root_key or message.key],
        )


def settle_later(
    db: Database, claim: OutboxClaim, paused_until_at: float, *, is_ambiguous: bool, looks: int
) -> bool:
    """An edit for which there is a newer body goes on with that one."""
    message_id = _held(db, claim)
    if message_id is None:
        return False
    db.execute(
        "UPDATE outbox SET state = 'waiting', claim_ends_at = NULL,"
        " is_ambiguous = newer_body IS NULL AND ?, looks = ?,"
        " kind = coalesce(newer_kind, kind), body = coalesce(newer_body, body),"
        " newer_kind = NULL, newer_body = NULL WHERE id = ?",
        [is_ambiguous, looks, message_id],
    )
    _pause(db, claim.message.channel, paused_until_at)
    return True


def settle_gone(db: Database, claim: OutboxClaim, because: str, now: str) -> bool:
    """What it belongs to was deleted; it is posted anew if it tells of an unseen failure."""
    if not settle_later(db, claim, 0, is_ambiguous=False, looks=0):
        return False
    bury_root(db, claim.message.root_key or "", because, now)
    settle_orphans(db, now)
    return True


def settle_channel_refused(db: Database, claim: OutboxClaim, because: str, now: str) -> bool:
    message_id = _held(db, claim)
    if message_id is None:
        return False
    db.execute("UPDATE outbox SET state = 'waiting' WHERE id = ?", [message_id])
    bury_channel(db, claim.message.channel, because, now)
    return True


def end_claims(db: Database) -> None:
    """After a crash nobody knows whether what was under way has arrived."""
    db.execute(
        "UPDATE outbox SET state = 'waiting', claim_ends_at = NULL,"
        " is_ambiguous = newer_body IS NULL, looks = 0,"
        " kind = coalesce(newer_kind, kind), body = coalesce(newer_body, body),"
        " newer_kind = NULL, newer_body = NULL WHERE state = 'sending'"
    )


def settle_dead(db: Database, claim: OutboxClaim, because: str, now: str) -> bool:
    message_id = _held(db, claim)
    if message_id is None:
        return False
    bury(db, message_id, because, now)
    requeue_newer(db, message_id)
    return True


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


def pause_edits(db: Database, until_at: float) -> None:
    """Slack counts edits for the whole workspace, unlike posts."""
    db.execute(
        "INSERT INTO facts (name, value) VALUES ('edits_paused_until_at', :until)"
        " ON CONFLICT (name) DO UPDATE SET value = :until"
        " WHERE CAST(value AS REAL) < CAST(:until AS REAL)",
        {"until": repr(until_at)},
    )


def pause_all(db: Database, until_at: float) -> None:
    db.execute(
        "INSERT OR REPLACE INTO facts (name, value) VALUES ('paused_until_at', ?)",
        [repr(until_at)],
    )
