"""What happens when a process takes the database over, and what is forgotten with time."""

from collections.abc import Callable
from datetime import datetime

from sqlite_utils import Database

from bot.domain.endings import FOLLOWED_S
from bot.store.codec import time_text
from bot.store.sqlite import lanes, runs

_OLD = (
    "DELETE FROM seen WHERE received < ?",
    "DELETE FROM listings WHERE saved < ?",
    "DELETE FROM cards WHERE saved < ?",
    "DELETE FROM commands WHERE state NOT IN ('received', 'accepted') AND received < ?",
    "DELETE FROM episodes WHERE fixed < ?",
    "DELETE FROM mutes WHERE until < ?",
    # a card that may still be edited or answered keeps its timestamp
    (
        "DELETE FROM outbox WHERE ended < ?"
        " AND key NOT IN (SELECT card_key FROM episodes WHERE fixed IS NULL)"
        " AND key NOT IN (SELECT root_key FROM outbox WHERE root_key IS NOT NULL"
        " AND state IN ('waiting', 'sending'))"
        " AND key NOT IN (SELECT 'digest:' || id FROM digests)"
    ),
)
_EMPTY_DIGESTS = (
    "DELETE FROM digests WHERE is_open = 0"
    " AND id NOT IN (SELECT folded_into FROM outbox WHERE folded_into IS NOT NULL)"
)


def take_over(db: Database, now_s: float, now: datetime, token: Callable[[], str]) -> None:
    """Ends the claims of earlier processes and starts this one's clock: everything is due."""
    db.execute("UPDATE facts SET value = value + 1 WHERE name = 'opening'")
    for name, value in (("opening", "1"), ("view", "0"), ("prefix", token())):
        db.execute("INSERT OR IGNORE INTO facts (name, value) VALUES (?, ?)", [name, value])
    db.execute("DELETE FROM facts WHERE name IN ('paused_until_at', 'edits_paused_until_at')")
    db.execute("DELETE FROM actions")
    db.execute("UPDATE followed SET until_at = ?", [now_s + FOLLOWED_S])
    db.execute("UPDATE lanes SET paused_until_at = ?", [now_s])
    db.execute("UPDATE sources SET claim_ends_at = NULL, due_at = ?, wanted_at = ?", [now_s, now_s])
    lanes.end_claims(db)
    _start_ages(db, now_s, now)
    _start_storms(db, now_s, now)


def _start_storms(db: Database, now_s: float, now: datetime) -> None:
    """What was posted keeps its age, told by the time of day; a storm is as young as may be."""
    db.execute(
        "UPDATE outbox SET sent_at = :now_s"
        " - max(0.0, 86400.0 * (julianday(:now) - julianday(ended)))"
        " WHERE state = 'sent' AND is_news = 1",
        {"now_s": now_s, "now": time_text(now)},
    )
    db.execute("UPDATE digests SET folded_at = ? WHERE is_open = 1", [now_s])


def _start_ages(db: Database, now_s: float, now: datetime) -> None:
    """The age of the last good poll goes on, measured from now on with our own clock."""
    for row in db.execute("SELECT id, good_poll FROM sources").fetchall():
        if row["good_poll"] is not None:
            age_s = (now - datetime.fromisoformat(row["good_poll"])).total_seconds()
            db.execute(
                "UPDATE sources SET good_poll_at = ? WHERE id = ?",
                [now_s - max(0.0, age_s), row["id"]],
            )


def fact(db: Database, name: str) -> str:
    row = db.execute("SELECT value FROM facts WHERE name = ?", [name]).fetchone()
    return str(row["value"])


def clean(db: Database, before: datetime, now_s: float) -> None:
    for statement in _OLD:
        db.execute(statement, [time_text(before)])
    db.execute(_EMPTY_DIGESTS)
    db.execute("DELETE FROM actions WHERE ends_at <= ?", [now_s])
    runs.forget(db, before)


def probe(db: Database, now: datetime) -> None:
    """A write as small as it gets."""
    db.execute("INSERT OR REPLACE INTO facts (name, value) VALUES ('probe', ?)", [time_text(now)])
