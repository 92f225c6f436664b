"""What people were shown: numbered listings, and messages that are about a run."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.domain.runs import RunRef
from bot.store.codec import TEXTS, time_text


def save(db: Database, channel: str, user_id: str, refs: Sequence[RunRef], now: datetime) -> None:
    db.execute(
        "INSERT OR REPLACE INTO listings (channel, user_id, refs, saved) VALUES (?, ?, ?, ?)",
        [channel, user_id, TEXTS.dump(tuple(map(str, refs))), time_text(now)],
    )


def newest(
    db: Database, channel: str, user_id: str, now: datetime, max_age_s: float
) -> tuple[RunRef, ...]:
    row = db.execute(
        "SELECT refs FROM listings WHERE channel = ? AND user_id = ? AND saved >= ?",
        [channel, user_id, time_text(now - timedelta(seconds=max_age_s))],
    ).fetchone()
    return tuple(map(RunRef.parse, TEXTS.load(row["refs"]))) if row else ()


def save_card(db: Database, channel: str, ts: str, ref: RunRef, now: datetime) -> None:
    db.execute(
        "INSERT OR REPLACE INTO cards (channel, ts, ref, saved) VALUES (?, ?, ?, ?)",
        [channel, ts, str(ref), time_text(now)],
    )


def card_run(db: Database, channel: str, ts: str) -> RunRef | None:
    row = db.execute("SELECT ref FROM cards WHERE channel = ? AND ts = ?", [channel, ts]).fetchone()
    return RunRef.parse(row["ref"]) if row else None
