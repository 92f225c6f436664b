"""The store on one SQLite file, for one worker process."""

from bot.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
