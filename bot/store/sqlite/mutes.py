"""Mutes of channels: one for each channel, pattern and branch."""

from collections.abc import Iterable

from sqlite_utils import Database

from bot.domain.mutes import Mute
from bot.store.codec import MUTE, storable, time_text

_UPSERT = """
INSERT INTO mutes (channel, instance_glob, key_glob, branch_key, until, body)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (channel, instance_glob, key_glob, branch_key)
DO UPDATE SET until = excluded.until, body = excluded.body
"""


def save(db: Database, mutes: Iterable[Mute]) -> None:
    db.conn.executemany(_UPSERT, map(_columns, mutes))


def of_channel(db: Database, channel: str | None) -> tuple[Mute, ...]:
    rows = db.execute(
        "SELECT body FROM mutes WHERE channel = coalesce(?, channel) ORDER BY until, rowid",
        [channel],
    )
    return tuple(MUTE.load(row["body"]) for row in rows)


def remove(db: Database, mutes: Iterable[Mute]) -> int:
    return sum(
        db.execute(
            "DELETE FROM mutes"
            " WHERE channel = ? AND instance_glob = ? AND key_glob = ? AND branch_key = ?",
            _identity(mute),
        ).rowcount
        for mute in mutes
    )


def _columns(mute: Mute) -> tuple[str, ...]:
    return (*_identity(mute), time_text(mute.until), MUTE.dump(mute))


def _identity(mute: Mute) -> tuple[str, ...]:
    return (
        mute.channel,
        storable(mute.pattern.instance),
        storable(mute.pattern.key),
        "" if mute.branch is None else f"={storable(mute.branch)}",
    )
