"""One worker per SQLite file: a lock that the operating system ends with the process."""

import fcntl
import os
from pathlib import Path

from bot.domain.errors import StoreError


class WorkerLock:
    """An exclusive lock on a file beside the database. The file stays, the lock does not."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> None:
        """StoreError at once if another worker (or another store of this process) has it."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(
                f"The folder of the database cannot be used: {self._path.parent}",
                error.strerror or "",
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise StoreError(
                "Another worker is using this database; only one may run on a SQLite file "
                f"({self._path} is locked).",
                error.strerror or "",
            ) from error
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
