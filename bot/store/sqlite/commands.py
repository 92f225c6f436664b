"""Audit rows, duplicates of inbound deliveries, and claims on mutations."""

import sqlite3
from datetime import datetime

from sqlite_utils import Database

from bot.domain.access import Verb
from bot.domain.audit import Command, CommandState, NewCommand
from bot.domain.errors import StoreError
from bot.domain.runs import RunRef
from bot.store.codec import storable, storable_or_none, time_text


def asked_by(db: Database, ref: RunRef) -> str | None:
    """Who last had this run started, by a command that was done."""
    row = db.execute(
        "SELECT user_id FROM commands WHERE target = ? AND verb IN ('trigger', 'retry')"
        " AND state = 'done' ORDER BY id DESC LIMIT 1",
        [str(ref)],
    ).fetchone()
    return None if row is None else str(row["user_id"])


def note_delivery(db: Database, key: str, now: datetime) -> bool:
    done = db.execute(
        "INSERT OR IGNORE INTO seen (key, received) VALUES (?, ?)", [storable(key), time_text(now)]
    )
    return done.rowcount == 1


def record(db: Database, command: NewCommand, now: datetime, opening: int) -> int:
    done = db.execute(
        "INSERT INTO commands"
        " (opening, verb, user_id, team_id, channel, origin, text, state, received)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            opening,
            command.verb.value,
            command.user_id,
            command.team_id,
            command.channel,
            command.origin,
            storable(command.text),
            CommandState.RECEIVED.value,
            time_text(now),
        ],
    )
    return int(done.lastrowid or 0)


def update(
    db: Database,
    command_id: int,
    state: CommandState,
    target: str | None,
    outcome: str | None,
    rule: str | None,
) -> None:
    done = db.execute(
        "UPDATE commands SET state = ?, target = coalesce(?, target),"
        " outcome = coalesce(?, outcome), rule = coalesce(?, rule) WHERE id = ?",
        [state.value, *map(storable_or_none, (target, outcome, rule)), command_id],
    )
    if done.rowcount != 1:
        raise StoreError("That command is not in the audit.", f"id {command_id}")


def refuse(db: Database, command_id: int, outcome: str) -> None:
    """Changes nothing if the command is over."""
    db.execute(
        "UPDATE commands SET state = 'refused', outcome = ?"
        " WHERE id = ? AND state IN ('received', 'accepted')",
        [storable(outcome), command_id],
    )


def count_since(db: Database, user_id: str, since: datetime, now: datetime) -> int:
    """Without those that bear a later time: they were received before the clock was put back."""
    row = db.execute(
        "SELECT count(*) FROM commands WHERE user_id = ? AND received BETWEEN ? AND ?",
        [user_id, time_text(since), time_text(now)],
    ).fetchone()
    return int(row[0])


def interrupt(db: Database, opening: int) -> tuple[Command, ...]:
    """Those of earlier openings of the store that were not over."""
    rows = db.execute(
        "UPDATE commands SET state = 'interrupted'"
        " WHERE state IN ('received', 'accepted') AND opening < ? RETURNING *",
        [opening],
    ).fetchall()
    return tuple(sorted(map(_command, rows), key=lambda one: one.command_id))


def newest(db: Database, limit: int) -> tuple[Command, ...]:
    rows = db.execute("SELECT * FROM commands ORDER BY id DESC LIMIT ?", [limit])
    return tuple(map(_command, rows))


def _command(row: sqlite3.Row) -> Command:
    what = NewCommand(
        Verb(row["verb"]),
        row["user_id"],
        row["team_id"],
        row["channel"],
        row["origin"],
        row["text"],
    )
    return Command(
        row["id"],
        what,
        CommandState(row["state"]),
        datetime.fromisoformat(row["received"]),
        row["target"],
        row["outcome"],
        row["rule"],
    )


def claim_action(db: Database, key: str, user_id: str, now_s: float, lease_s: float) -> str | None:
    """None if the claim is ours now, else who holds it."""
    held = db.execute(
        "SELECT user_id FROM actions WHERE key = ? AND ends_at > ?", [key, now_s]
    ).fetchone()
    if held is not None:
        return str(held["user_id"])
    db.execute(
        "INSERT OR REPLACE INTO actions (key, user_id, ends_at) VALUES (?, ?, ?)",
        [key, user_id, now_s + lease_s],
    )
    return None


def release_action(db: Database, key: str) -> None:
    db.execute("DELETE FROM actions WHERE key = ?", [key])
