"""Sources of polls: which is due, whose turn it is, how the polling stands."""

import json
import sqlite3
from collections.abc import Collection
from datetime import datetime

from sqlite_utils import Database

from bot.domain.endings import FOLLOWED_S
from bot.domain.polls import PollClaim, SourceKey, SourceState
from bot.domain.runs import Run
from bot.store.codec import read_time, storable, time_text, time_text_or_none
from bot.store.sqlite import runs


def plan(db: Database, wanted: Collection[SourceKey], now_s: float) -> None:
    rows = db.execute("SELECT instance, source FROM sources WHERE is_wanted = 1").fetchall()
    polled = {SourceKey(row["instance"], row["source"]) for row in rows}
    for key in sorted(set(wanted) - polled):
        db.execute(
            "INSERT INTO sources (instance, source, due_at, wanted_at)"
            " VALUES (:instance, :source, :now_s, :now_s)"
            " ON CONFLICT (instance, source)"
            " DO UPDATE SET is_wanted = 1, due_at = :now_s, wanted_at = :now_s",
            {"instance": key.instance, "source": key.source, "now_s": now_s},
        )
    for key in polled - set(wanted):
        db.execute(
            "UPDATE sources SET is_wanted = 0 WHERE instance = ? AND source = ?",
            [key.instance, key.source],
        )


def claim(
    db: Database, lease_s: float, instances: Collection[str], now_s: float, now: datetime
) -> PollClaim | None:
    row = db.execute(
        "UPDATE sources SET token = token + 1, claim_ends_at = :ends_at, is_hurried = 0"
        " WHERE id = (SELECT id FROM sources WHERE is_wanted = 1 AND due_at <= :now_s"
        " AND coalesce(claim_ends_at, :now_s) <= :now_s"
        " AND instance IN (SELECT value FROM json_each(:instances))"
        " ORDER BY due_at, id LIMIT 1) RETURNING *",
        {
            "now_s": now_s,
            "ends_at": now_s + lease_s,
            "instances": json.dumps(sorted(instances)),
        },
    ).fetchone()
    return None if row is None else _claim(db, row, now)


def _claim(db: Database, row: sqlite3.Row, now: datetime) -> PollClaim:
    return PollClaim(
        key=SourceKey(row["instance"], row["source"]),
        token=row["token"],
        cursor=row["cursor"],
        is_first=row["good_poll"] is None,
        failures=row["failures"],
        open_runs=runs.open_of_source(db, row["id"], now),
    )


def seconds_to_due(db: Database, now_s: float) -> float | None:
    row = db.execute(
        "SELECT min(max(due_at, coalesce(claim_ends_at, due_at))) FROM sources WHERE is_wanted = 1"
    ).fetchone()
    return None if row[0] is None else max(0.0, float(row[0]) - now_s)


def held(db: Database, claim: PollClaim) -> int | None:
    """The row of the claimed source, or None if the claim was lost."""
    row = db.execute(
        "SELECT id FROM sources WHERE instance = ? AND source = ? AND token = ?"
        " AND claim_ends_at IS NOT NULL",
        [claim.key.instance, claim.key.source, claim.token],
    ).fetchone()
    return None if row is None else int(row["id"])


def settle_good(
    db: Database, source_id: int, cursor: str, due_in_s: float, now_s: float, now: datetime
) -> None:
    """A source that was hurried while it was polled is due at once: the poll may be older."""
    db.execute(
        "UPDATE sources SET claim_ends_at = NULL, cursor = ?, failures = 0, last_error = '',"
        " is_refused = 0, good_poll = ?, good_poll_at = ?,"
        " due_at = CASE WHEN is_hurried THEN ? ELSE ? END WHERE id = ?",
        [storable(cursor), time_text(now), now_s, now_s, now_s + due_in_s, source_id],
    )
    db.execute("DELETE FROM followed WHERE source_id = ? AND until_at <= ?", [source_id, now_s])


def settle_bad(
    db: Database, source_id: int, error: str, due_at: float, *, is_refused: bool
) -> None:
    db.execute(
        "UPDATE sources SET claim_ends_at = NULL, failures = failures + 1, last_error = ?,"
        " is_refused = ?, due_at = ? WHERE id = ?",
        [storable(error), is_refused, due_at, source_id],
    )


def give_back(db: Database, source_id: int) -> None:
    db.execute("UPDATE sources SET claim_ends_at = NULL WHERE id = ?", [source_id])


def hurry(db: Database, key: SourceKey, now_s: float) -> None:
    db.execute(
        "UPDATE sources SET due_at = min(due_at, ?), is_hurried = 1"
        " WHERE instance = ? AND source = ?",
        [now_s, key.instance, key.source],
    )


def follow(
    db: Database, run: Run, keys: Collection[SourceKey], now_s: float, now: datetime
) -> None:
    """These sources read the run until the first good poll after FOLLOWED_S; they are due now."""
    for key in keys:
        db.execute(
            "INSERT OR REPLACE INTO followed (source_id, run_id, since, created, until_at)"
            " SELECT id, ?, ?, ?, ? FROM sources WHERE instance = ? AND source = ?",
            [
                run.ref.run_id,
                time_text(now),
                time_text_or_none(run.created),
                now_s + FOLLOWED_S,
                key.instance,
                key.source,
            ],
        )
        hurry(db, key, now_s)


def states(db: Database, now_s: float) -> tuple[SourceState, ...]:
    """Of the sources that are polled now."""
    rows = db.execute("SELECT * FROM sources WHERE is_wanted = 1 ORDER BY instance, source")
    return tuple(_state(row, now_s) for row in rows)


def _state(row: sqlite3.Row, now_s: float) -> SourceState:
    good_at = row["good_poll_at"]
    looked_at = row["wanted_at"] if good_at is None else max(good_at, row["wanted_at"])
    return SourceState(
        key=SourceKey(row["instance"], row["source"]),
        good_poll_age_s=None if good_at is None else max(0.0, now_s - float(good_at)),
        failures=row["failures"],
        last_error=row["last_error"],
        sight_age_s=max(0.0, now_s - float(looked_at)),
        good_poll=read_time(row["good_poll"]),
        is_refused=bool(row["is_refused"]),
        due_in_s=max(0.0, float(row["due_at"]) - now_s),
    )
