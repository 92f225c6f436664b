"""What was decided about runs: one row for each channel and attempt, gone with its run."""

from collections.abc import Iterable
from datetime import datetime

from sqlite_utils import Database

from bot.domain.decisions import Decision, Treatment
from bot.domain.runs import RunRef
from bot.domain.transitions import Reason
from bot.store.codec import MUTE, storable_or_none, time_text

_INSERT = """
INSERT INTO decisions (instance, run_id, channel, attempt, watch_id, reason, treatment, decided,
    message_key, mute)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (instance, run_id, channel, attempt) DO UPDATE SET watch_id = excluded.watch_id,
    reason = excluded.reason, treatment = excluded.treatment, decided = excluded.decided,
    message_key = excluded.message_key, mute = excluded.mute
"""


def save(db: Database, decisions: Iterable[Decision]) -> None:
    db.conn.executemany(_INSERT, map(_columns, decisions))


def of_run(db: Database, ref: RunRef, channel: str) -> tuple[Decision, ...]:
    rows = db.execute(
        "SELECT * FROM decisions WHERE instance = ? AND run_id = ? AND channel = ?"
        " ORDER BY attempt",
        [ref.instance, ref.run_id, channel],
    )
    return tuple(
        Decision(
            channel=channel,
            ref=ref,
            attempt=row["attempt"],
            watch_id=row["watch_id"],
            reason=Reason(row["reason"]),
            treatment=Treatment(row["treatment"]),
            decided=datetime.fromisoformat(row["decided"]),
            message_key=row["message_key"],
            mute=None if row["mute"] is None else MUTE.load(row["mute"]),
        )
        for row in rows
    )


def _columns(one: Decision) -> tuple[str | int | None, ...]:
    return (
        one.ref.instance,
        one.ref.run_id,
        one.channel,
        one.attempt,
        one.watch_id,
        one.reason.value,
        one.treatment.value,
        time_text(one.decided),
        storable_or_none(one.message_key),
        None if one.mute is None else MUTE.dump(one.mute),
    )
