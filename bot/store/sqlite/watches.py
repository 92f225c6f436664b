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
    read_time,
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


def sync_settings(db: Database, wanted: Collection[Watch], now: datetime) -> None:
    """What is in the settings is wanted still, so it is tried again."""
    _resume(db, "is_from_settings = 1", now)
    rows = db.execute("SELECT * FROM watches WHERE is_from_settings = 1")
    old = {_identity(one): one for one in map(_watch, rows)}
    for watch in wanted:
        old.pop(_identity(watch), None)
        add(db, watch)
    for gone in old.values():
        remove(db, gone.watch_id)


_SUSPEND = """
UPDATE watches SET suspended_because = :because, quiet_since = CASE
    WHEN quiet_since IS NULL OR EXISTS (
        SELECT 1 FROM outbox
        WHERE channel = :channel AND state = 'sent' AND ended >= watches.since)
    THEN coalesce((
        SELECT min(decided) FROM decisions JOIN outbox ON outbox.key = decisions.message_key
        WHERE outbox.channel = :channel AND outbox.state = 'dead' AND outbox.ended = :now), :now)
    ELSE quiet_since END
WHERE channel = :channel AND suspended_because IS NULL RETURNING *
"""


def suspend(db: Database, channel: str, because: str, now: datetime) -> tuple[Watch, ...]:
    """Quiet since the oldest decision whose message was buried just now; or, where nothing was
    posted since the last time, since then.
    """
    values = {"because": storable(because), "channel": channel, "now": time_text(now)}
    return _in_order(db.execute(_SUSPEND, values))


def resume(db: Database, channel: str, now: datetime) -> tuple[Watch, ...]:
    return _resume(db, "channel = :channel", now, channel)


def _resume(db: Database, which: str, now: datetime, channel: str = "") -> tuple[Watch, ...]:
    return _in_order(
        db.execute(
            "UPDATE watches SET suspended_because = NULL, since = :now, is_introduced = 0"  # noqa: S608 - fixed texts
            f" WHERE suspended_because IS NOT NULL AND {which} RETURNING *",
            {"now": time_text(now), "channel": channel},
        )
    )


def _in_order(rows: Iterable[sqlite3.Row]) -> tuple[Watch, ...]:
    return tuple(sorted(map(_watch, rows), key=lambda one: one.watch_id))


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
        quiet_since=read_time(row["quiet_since"]),
        watch_id=row["id"],
        tells_overdue=bool(row["tells_overdue"]),
    )
