"""Audit rows, duplicates of inbound deliveries, and claims on mutations."""

import sqlite3
from datetime import datetime

from sqlite_utils import Database

from bot.domain.access import Verb
from bot.domain.audit import Command, CommandState, NewCommand
from bot.domain.chat import Posted
from bot.domain.endings import Ending, card_key
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


def accept(db: Database, command_id: int, target: str, card: Posted | None, now: str) -> None:
    update(db, command_id, CommandState.ACCEPTED, target, None, None)
    if card is not None:
        note_card(db, command_id, card, now)


def note_card(db: Database, command_id: int, card: Posted, now: str) -> None:
    """Makes the card known as a message that edits may belong to."""
    db.execute(
        "INSERT OR IGNORE INTO lanes (channel, paused_until_at) VALUES (?, 0)", [card.channel]
    )
    db.execute(
        "INSERT INTO outbox (channel, key, form, kind, body, state, ts, ended)"
        " VALUES (?, ?, 'post', '', '', 'sent', ?, ?) ON CONFLICT (key) DO NOTHING",
        [card.channel, card_key(command_id), card.ts, now],
    )


def end(db: Database, ending: Ending, now_s: float) -> None:
    """A claim of the command is kept for presses that come late."""
    db.execute(
        "UPDATE commands SET state = ?, target = ?, outcome = ? WHERE id = ?",
        [
            ending.state.value,
            storable(ending.target),
            storable(ending.outcome),
            ending.command_id,
        ],
    )
    db.execute(
        "UPDATE actions SET ends_at = ? WHERE command_id = ?",
        [now_s + ending.told_for_s, ending.command_id],
    )


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
    """Those of earlier openings of the store that were not over, as they were."""
    rows = db.execute(
        "SELECT * FROM commands WHERE state IN ('received', 'accepted') AND opening < ?"
        " ORDER BY id",
        [opening],
    ).fetchall()
    db.execute(
        "UPDATE commands SET state = 'interrupted'"
        " WHERE state IN ('received', 'accepted') AND opening < ?",
        [opening],
    )
    return tuple(map(_command, rows))


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


def claim_action(
    db: Database, key: str, command_id: int, now_s: float, lease_s: float, passing: int | None
) -> Command | None:
    """None if the claim is this command's now, else the command that holds it."""
    held = db.execute(
        "SELECT commands.* FROM actions JOIN commands ON commands.id = command_id"
        " WHERE key = ? AND ends_at > ? AND commands.id IS NOT ?"
        " AND state IN ('received', 'accepted', 'done', 'unknown')",
        [key, now_s, passing],
    ).fetchone()
    if held is not None:
        return _command(held)
    db.execute(
        "INSERT OR REPLACE INTO actions (key, command_id, ends_at) VALUES (?, ?, ?)",
        [key, command_id, now_s + lease_s],
    )
    return None
