"""Watches. One is the same as another with its channel, pattern, filters and kind of maker."""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from sqlite_utils import Database

from bot.domain.pipelines import Pattern
from bot.domain.watches import Filter, Preset, ThreadMode, Watch
from bot.store.codec import (
    FILTERS,
    storable,
    storable_or_none,
    time_text,
)

_SETTINGS = "settings"


def add(db: Database, watch: Watch) -> Watch:
    """Inserts, or replaces all but id and `since`."""
    row = db.execute(
        "INSERT INTO watches (channel, instance_glob, key_glob, filters, filters_key,"
        " is_from_settings, made_by, since, preset, thread, mention, suspended_because,"
        " tells_overdue)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (channel, instance_glob, key_glob, filters_key, is_from_settings)"
        " DO UPDATE SET filters = excluded.filters, made_by = excluded.made_by,"
        " preset = excluded.preset, thread = excluded.thread, mention = excluded.mention,"
        " suspended_because = excluded.suspended_because,"
        " tells_overdue = excluded.tells_overdue"
        " RETURNING *",
        _columns(watch),
    ).fetchone()
    return _watch(row)


def of_channel(db: Database, channel: str | None) -> tuple[Watch, ...]:
    rows = db.execute(
        "SELECT * FROM watches WHERE channel = coalesce(?, channel) ORDER BY id", [channel]
    )
    return tuple(map(_watch, rows))


def active(db: Database) -> tuple[Watch, ...]:
    rows = db.execute("SELECT * FROM watches WHERE suspended_because IS NULL ORDER BY id")
    return tuple(map(_watch, rows))


def remove(db: Database, watch_id: int) -> bool:
    return db.execute("DELETE FROM watches WHERE id = ?", [watch_id]).rowcount == 1


def sync_settings(db: Database, wanted: Collection[Watch]) -> None:
    """A suspension outlives a restart."""
    rows = db.execute("SELECT * FROM watches WHERE is_from_settings = 1")
    old = {_identity(one): one for one in map(_watch, rows)}
    for watch in wanted:
        before = old.pop(_identity(watch), None)
        add(db, watch if before is None else _as_lived(watch, before))
    for gone in old.values():
        remove(db, gone.watch_id)


def _as_lived(watch: Watch, before: Watch) -> Watch:
    return replace(watch, suspended_because=before.suspended_because)


def suspend(db: Database, channel: str, because: str) -> tuple[Watch, ...]:
    rows = db.execute(
        "UPDATE watches SET suspended_because = ?"
        " WHERE channel = ? AND suspended_because IS NULL RETURNING *",
        [storable(because), channel],
    ).fetchall()
    return tuple(sorted(map(_watch, rows), key=lambda one: one.watch_id))


def resume(db: Database, channel: str) -> None:
    db.execute("UPDATE watches SET suspended_because = NULL WHERE channel = ?", [channel])


def newcomers(db: Database) -> tuple[Watch, ...]:
    rows = db.execute(
        "SELECT * FROM watches WHERE suspended_because IS NULL AND is_introduced = 0 ORDER BY id"
    )
    return tuple(map(_watch, rows))


def introduce(db: Database, watches: Iterable[Watch]) -> None:
    db.conn.executemany(
        "UPDATE watches SET is_introduced = 1 WHERE id = ?", [(w.watch_id,) for w in watches]
    )


def _identity(watch: Watch) -> tuple[object, ...]:
    return (watch.channel, watch.pattern, _filters_key(watch.filters))


def _filters_key(filters: Iterable[Filter]) -> str:
    """The same for the same filters in any order."""
    plain = {replace(one, values=tuple(sorted(set(one.values)))) for one in filters}
    return FILTERS.dump(tuple(sorted(plain, key=str)))


def _columns(watch: Watch) -> list[str | int | None]:
    return [
        watch.channel,
        storable(watch.pattern.instance),
        storable(watch.pattern.key),
        FILTERS.dump(watch.filters),
        _filters_key(watch.filters),
        int(watch.made_by == _SETTINGS),
        watch.made_by,
        time_text(watch.since),
        watch.preset.value,
        watch.thread.value,
        storable_or_none(watch.mention),
        storable_or_none(watch.suspended_because),
        int(watch.tells_overdue),
    ]


def _watch(row: sqlite3.Row) -> Watch:
    return Watch(
        channel=row["channel"],
        pattern=Pattern(row["instance_glob"], row["key_glob"]),
        made_by=row["made_by"],
        since=datetime.fromisoformat(row["since"]),
        filters=FILTERS.load(row["filters"]),
        preset=Preset(row["preset"]),
        thread=ThreadMode(row["thread"]),
        mention=row["mention"],
        suspended_because=row["suspended_because"],
        watch_id=row["id"],
        tells_overdue=bool(row["tells_overdue"]),
    )
