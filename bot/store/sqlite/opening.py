"""How a worker takes a database file over."""

from collections.abc import Callable
from pathlib import Path

from bot.domain.clock import Clock
from bot.domain.errors import StoreError
from bot.store.sqlite import housekeeping
from bot.store.sqlite.database import Connections
from bot.store.sqlite.inspection import check_folder, inspect
from bot.store.sqlite.schema import MIGRATIONS
from bot.store.sqlite.worker_lock import WorkerLock


def prepare(
    path: Path,
    connections: Connections,
    lock: WorkerLock,
    clock: Clock,
    token: Callable[[], str],
    wait_s: float,
) -> tuple[int, str]:
    """The number of this opening and the prefix of message ids. StoreError: nothing is held."""
    check_folder(path)
    lock.take()
    try:
        inspect(path, wait_s)
        connections.open()
        _use_write_ahead_log(connections)
        return _take_over(connections, clock, token)
    except BaseException:
        connections.close()
        lock.release()
        raise


def _use_write_ahead_log(connections: Connections) -> None:
    with connections.outside_transaction() as db:
        mode = str(db.execute("PRAGMA journal_mode = WAL").fetchone()[0])
    if mode != "wal":
        raise StoreError("The database must be on a local disk: its file system is not suitable.")


def _take_over(connections: Connections, clock: Clock, token: Callable[[], str]) -> tuple[int, str]:
    with connections.write() as db:
        MIGRATIONS.apply(db)
        housekeeping.take_over(db, clock.monotonic(), clock.now(), token)
        return int(housekeeping.fact(db, "opening")), housekeeping.fact(db, "prefix")
