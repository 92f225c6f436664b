"""What SQLite says went wrong, as errors with a sentence that people may read."""

import sqlite3

from bot.domain.errors import StoreBusyError, StoreError

_SENTENCES = {
    "SQLITE_FULL": "The disk that holds the database is full; nothing was written.",
    "SQLITE_READONLY": "The database cannot be written; nothing was changed.",
    "SQLITE_CORRUPT": "The database file is damaged.",
    "SQLITE_NOTADB": "The database file is damaged, or is not a database.",
    "SQLITE_CANTOPEN": "The database file cannot be opened.",
    "SQLITE_IOERR": "The disk of the database is full or does not work; nothing was written.",
}
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")


def as_store_error(error: sqlite3.Error | UnicodeEncodeError | OverflowError) -> StoreError:
    """StoreBusyError for a lock that stayed, else StoreError. No values, only SQLite's words."""
    name = str(getattr(error, "sqlite_errorname", type(error).__name__))
    words = str(error) if isinstance(error, sqlite3.Error) else "a value that cannot be stored"
    detail = f"{name}: {words}"
    if name.startswith(_BUSY):
        return StoreBusyError("The database is busy; nothing was written.", detail)
    for start, sentence in _SENTENCES.items():
        if name.startswith(start):
            return StoreError(sentence, detail)
    return StoreError("The database did not do what was asked; nothing was changed.", detail)
