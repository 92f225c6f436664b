"""Engines for the contract suite of the Store port.

A second engine joins with a class like SqliteEngine and one more entry in ENGINES.
"""

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.domain.store import Store
from bot.store.sqlite import SqliteStore


class Engine(Protocol):
    """One database, the processes that use it, and their time."""

    def start(self) -> Store:
        """A store as a new process would open it."""

    def stop(self, store: Store) -> None:
        """The orderly end of its process."""

    def crash(self, store: Store) -> None:
        """Its process is gone without `close`. The object still works, as a process that was
        only paused and does not know that it was replaced.
        """

    def pass_time(self, seconds: float) -> None: ...

    def jump_time_of_day(self, by: timedelta) -> None: ...

    def now(self) -> datetime: ...

    def blocked(self) -> AbstractContextManager[None]:
        """A context in which another process keeps the database from being written."""

    def end(self) -> None: ...


class ManualClock:
    """Stands still until told to move; both readings are apart on purpose."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self._monotonic = 5000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, by: timedelta) -> None:
        self._now += by

    def boot(self) -> None:
        """Another machine, or this one anew: its monotonic clock has started again."""
        self._monotonic = 10.0


class SqliteEngine:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "bot.db"
        self.clock = ManualClock()
        self._tokens = itertools.count(1)
        self._stores: list[SqliteStore] = []

    def build(self, wait_s: float = 5.0) -> SqliteStore:
        store = SqliteStore(self.path, self.clock, lambda: f"t{next(self._tokens)}", wait_s=wait_s)
        self._stores.append(store)
        return store

    def start(self) -> SqliteStore:
        store = self.build()
        store.open()
        return store

    def stop(self, store: Store) -> None:
        store.close()

    def crash(self, store: Store) -> None:
        assert isinstance(store, SqliteStore)
        store._lock.release()
        self.clock.boot()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def jump_time_of_day(self, by: timedelta) -> None:
        self.clock.jump(by)

    def now(self) -> datetime:
        return self.clock.now()

    @contextmanager
    def blocked(self) -> Iterator[None]:
        other = sqlite3.connect(self.path, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            yield
        finally:
            other.close()

    def end(self) -> None:
        for store in self._stores:
            store.close()


ENGINES: dict[str, Callable[[Path], Engine]] = {"sqlite": SqliteEngine}
