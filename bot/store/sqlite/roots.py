"""Roots: the messages that others edit or answer, and what becomes of those when it is gone.

A root that was refused, or deleted in Slack, is dead. What still belongs to it is posted as a
new message under the same key if it tells of a failure that nobody saw; then all that follows
belongs to that one. Anything else that belongs to a dead root is dead too.
"""

import sqlite3

from sqlite_utils import Database

from bot.domain.errors import StoreError
from bot.domain.outbox import Form, failures_told
from bot.store.codec import load_body, storable

ROOT_IS_DEAD = "the message it belongs to was never posted, or is gone"
POSTED_ANEW = "the message it belongs to is gone, so it was posted anew"
DIGEST_IS_DEAD = "its digest was never posted, or is gone"


def bury(db: Database, message_id: int, because: str, now: str) -> None:
    _end(db, message_id, because, now)
    _bury_folded(db, now)
    settle_orphans(db, now)


def bury_root(db: Database, root_key: str, because: str, now: str) -> None:
    """The root's message was deleted; for a folded root that is its digest."""
    db.execute(
        "UPDATE outbox SET state = 'dead', reason = ?, ended = ? WHERE state <> 'dead' AND key = ("
        "SELECT coalesce('digest:' || folded_into, key) FROM outbox WHERE key = ?)",
        [storable(because), now, root_key],
    )
    _bury_folded(db, now)


def bury_channel(db: Database, channel: str, because: str, now: str) -> None:
    """Everything that waits for a channel that takes no messages."""
    db.execute(
        "UPDATE outbox SET state = 'dead', claim_ends_at = NULL, reason = ?, ended = ?"
        " WHERE channel = ? AND state = 'waiting'",
        [storable(because), now, channel],
    )
    _bury_folded(db, now)


def settle_orphans(db: Database, now: str) -> None:
    """Posts anew or buries what waits for a root that is dead or unknown."""
    rows = db.execute(
        "SELECT * FROM outbox WHERE state = 'waiting' AND root_key IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM outbox AS root WHERE root.key = outbox.root_key AND root.state <> 'dead')"
        " ORDER BY id"
    ).fetchall()
    for row in rows:
        _settle_orphan(db, row, now)


def post_anew(
    db: Database, row: sqlite3.Row, key: str, *, is_news: bool, body: str | None = None
) -> None:
    """A new message under the key of an old one, which stays under another for the record. It
    says what the row does, or `body` of the same kind.
    """
    db.execute(
        "UPDATE outbox SET key = key || ' (until ' || id || ')' WHERE key = ?",
        [key],
    )
    db.execute(
        "INSERT INTO outbox (channel, key, form, kind, body, is_news) VALUES (?, ?, ?, ?, ?, ?)",
        [row["channel"], key, Form.POST.value, row["kind"], body or row["body"], is_news],
    )


def _settle_orphan(db: Database, row: sqlite3.Row, now: str) -> None:
    root = db.execute("SELECT state, told FROM outbox WHERE key = ?", [row["root_key"]]).fetchone()
    if root is not None and root["state"] != "dead":
        return  # the one before it was posted anew
    is_unseen = _is_unseen(row, 0 if root is None else root["told"])
    _end(db, row["id"], POSTED_ANEW if is_unseen else ROOT_IS_DEAD, now)
    if is_unseen:
        post_anew(db, row, row["root_key"], is_news=row["kind"] != "Digest")


def _is_unseen(row: sqlite3.Row, told: int) -> bool:
    """Whether it tells of a failure that no message has told of."""
    form = Form(row["form"])
    try:
        tells = failures_told(load_body(row["kind"], row["body"]), form)
    except StoreError:
        return False
    return tells > told if form is Form.EDIT else tells > 0


def _end(db: Database, message_id: int, because: str, now: str) -> None:
    db.execute(
        "UPDATE outbox SET state = 'dead', claim_ends_at = NULL, reason = ?, ended = ?"
        " WHERE id = ?",
        [storable(because), now, message_id],
    )


def _bury_folded(db: Database, now: str) -> None:
    """What was folded into a digest that is dead."""
    db.execute(
        "UPDATE digests SET is_open = 0 WHERE is_open = 1 AND EXISTS ("
        "SELECT 1 FROM outbox WHERE key = 'digest:' || digests.id AND state = 'dead')"
    )
    db.execute(
        "UPDATE outbox SET state = 'dead', reason = ?, ended = ? WHERE state = 'folded'"
        " AND folded_into IN (SELECT digests.id FROM digests JOIN outbox AS post"
        " ON post.key = 'digest:' || digests.id AND post.state = 'dead')",
        [DIGEST_IS_DEAD, now],
    )
