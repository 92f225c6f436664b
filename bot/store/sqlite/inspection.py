"""A look at a database file before anything is written to it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from bot.domain.errors import StoreError
from bot.store.sqlite.faults import as_store_error
from bot.store.sqlite.schema import MIGRATION_NAMES, MIGRATIONS


def check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"The folder of the database does not exist: {path.parent}")
    if path.is_dir():
        raise StoreError(f"The database must be a file, and this is a folder: {path}")


def inspect(path: Path, wait_s: float) -> None:
    """StoreError in one line if the file is damaged, newer than this program, or not the bot's.

    Reads only. A missing or empty file is fine.
    """
    if not path.exists():
        return
    try:
        _inspect(path, wait_s)
    except sqlite3.Error as error:
        known = as_store_error(error)
        text = f"{known.message} Nothing was changed in it: {path}"
        raise type(known)(text, known.detail) from error


def _inspect(path: Path, wait_s: float) -> None:
    address = f"file:{quote(str(path.absolute()))}?{_way_in(path)}"
    with closing(sqlite3.connect(address, uri=True, timeout=wait_s)) as connection:
        tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_schema")}
        if not tables:
            return
        _check_owner(path, connection, tables)
        verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise StoreError(f"The database file is damaged. Nothing was changed in it: {path}")


def _way_in(path: Path) -> str:
    """What a crash left beside the file decides how it can be read: a journal must be rolled
    back first, a log be read along; else no file need be made beside it.
    """
    journal, log = (path.with_name(path.name + end) for end in ("-journal", "-wal"))
    if journal.exists() and journal.stat().st_size:
        return "mode=rw"
    return "mode=ro" if log.exists() else "mode=ro&immutable=1"


def _check_owner(path: Path, connection: sqlite3.Connection, tables: set[str]) -> None:
    applied: set[str] = set()
    if MIGRATIONS.migrations_table in tables:
        rows = connection.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = ?", [MIGRATIONS.name]
        )
        applied = {str(row[0]) for row in rows}
    if not applied:
        raise StoreError(f"The file is a database of another program: {path}")
    if unknown := applied - MIGRATION_NAMES:
        raise StoreError(
            f"The database was made by a newer version of the bot. Nothing was changed in it: "
            f"{path}",
            ", ".join(sorted(unknown)),
        )
