"""What channels were told to be out of sight."""

import json
from datetime import datetime

from sqlite_utils import Database

from bot.domain.polls import SourceKey
from bot.domain.sights import Blindness
from bot.store.codec import storable, time_text


def all_of(db: Database) -> tuple[Blindness, ...]:
    rows = db.execute("SELECT * FROM blindness ORDER BY since, instance, source")
    return tuple(
        Blindness(
            key=SourceKey(row["instance"], row["source"]),
            since=datetime.fromisoformat(row["since"]),
            why=row["why"],
            channels=tuple(json.loads(row["channels"])),
        )
        for row in rows
    )


def save(db: Database, blindness: Blindness) -> None:
    db.execute(
        "INSERT OR REPLACE INTO blindness (instance, source, since, why, channels)"
        " VALUES (?, ?, ?, ?, ?)",
        [
            blindness.key.instance,
            storable(blindness.key.source),
            time_text(blindness.since),
            storable(blindness.why),
            json.dumps(blindness.channels),
        ],
    )


def end(db: Database, key: SourceKey) -> None:
    db.execute(
        "DELETE FROM blindness WHERE instance = ? AND source = ?",
        [key.instance, storable(key.source)],
    )
