"""Connections to one SQLite file, one per thread, and the transactions on them."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from sqlite_utils import Database

from bot.domain.errors import StoreBusyError, StoreError
from bot.store.sqlite.faults import as_store_error


@dataclass(slots=True)
class _Link:
    """A thread's connection. `lock` is held while in use, so that `close` waits for the end."""

    db: Database
    thread: threading.Thread
    lock: threading.RLock = field(default_factory=threading.RLock)


class Connections:
    """Thread-safe. sqlite3's errors leave it as StoreError, everything undone."""

    def __init__(self, path: Path, wait_s: float) -> None:
        self._path = path
        self._wait_s = wait_s
        self._mine = threading.local()
        self._all: list[_Link] = []
        self._guard = threading.Lock()
        self._is_open = False
        # SQLite lets writers poll for its lock, and one that asks rarely may starve (seen: 1 s
        # beside another thread's transactions of 0.1 s); our own threads queue here instead
        self._turn = threading.Lock()

    def open(self) -> None:
        with self._guard:
            self._is_open = True

    def close(self) -> None:
        """Closes the connections of all threads; waits for transactions that are under way."""
        with self._guard:
            self._is_open = False
            links, self._all = self._all, []
        for link in links:
            with link.lock:
                link.db.conn.close()
        self._mine = threading.local()

    @contextmanager
    def write(self, wait_s: float | None = None) -> Iterator[Database]:
        """A transaction that has the write lock from its start.

        StoreBusyError if the lock cannot be had within `wait_s` (default: that of the store).
        """
        left_s = self._take_turn(self._wait_s if wait_s is None else wait_s)
        try:
            with self._transaction("BEGIN IMMEDIATE", left_s) as db:
                yield db
        finally:
            self._turn.release()

    def _take_turn(self, wait_s: float) -> float:
        """Queues among our own threads; gives what is left of the time allowed."""
        if self._turn.acquire(blocking=False):
            return wait_s
        start = monotonic()
        if not self._turn.acquire(timeout=wait_s):
            raise StoreBusyError("The database is busy; nothing was written.", "no turn to write")
        return max(0.0, wait_s - (monotonic() - start))

    @contextmanager
    def read(self) -> Iterator[Database]:
        """One consistent view; it waits for no writer."""
        with self._transaction("BEGIN", None) as db:
            yield db

    @contextmanager
    def outside_transaction(self) -> Iterator[Database]:
        """For pragmas, which SQLite refuses within transactions."""
        try:
            with self._link() as db:
                yield db
        except (sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
            raise as_store_error(error) from error

    @contextmanager
    def _transaction(self, begin: str, wait_s: float | None) -> Iterator[Database]:
        wait_ms = int(1000 * (self._wait_s if wait_s is None else wait_s))
        with self.outside_transaction() as db:
            db.execute(f"PRAGMA busy_timeout = {wait_ms}")
            db.execute(begin)
            try:
                yield db
                db.execute("COMMIT")
            finally:
                if db.conn.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def _link(self) -> Iterator[Database]:
        link: _Link | None = getattr(self._mine, "link", None)
        if link is None:
            link = self._connect()
        with link.lock:
            if not self._is_open:
                raise StoreError("The database is closed.")
            yield link.db

    def _connect(self) -> _Link:
        with self._guard:
            if not self._is_open:
                raise StoreError("The database is closed.")
            self._drop_those_of_ended_threads()
            link = _Link(_connection(self._path, self._wait_s), threading.current_thread())
            self._all.append(link)
            self._mine.link = link
            return link

    def _drop_those_of_ended_threads(self) -> None:
        for link in [one for one in self._all if not one.thread.is_alive()]:
            link.db.conn.close()
            self._all.remove(link)


def _connection(path: Path, wait_s: float) -> Database:
    # close() is called by another thread than the one that uses the connection
    conn = sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=False)
    try:
        conn.row_factory = sqlite3.Row
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("PRAGMA trusted_schema = OFF")
        return Database(conn, execute_plugins=False)
    except BaseException:
        conn.close()
        raise
