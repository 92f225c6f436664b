"""What has happened is written down, also when the database does not allow it at once."""

import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from bot.domain.errors import StoreError

log = logging.getLogger(__name__)

Write = Callable[[], None]
"""One or more verbs of the store that change nothing more when they are done again."""


class Ledger:
    """Thread-safe. What could not be written is kept in memory; each command owes two writes at
    the most, and a command is not even begun while the database takes none.
    """

    def __init__(self) -> None:
        self._owed: deque[Write] = deque()

    def write(self, what: Write) -> None:
        """Does it, now or as soon as the database allows; never raises StoreError."""
        try:
            what()
        except StoreError as error:
            log.warning("ledger.owed", extra={"detail": error.detail})
            self._owed.append(what)

    def catch_up(self) -> None:
        """Does what is owed; StoreError if the database still does not allow it."""
        for what in tuple(self._owed):
            what()
            with suppress(ValueError):  # another thread did it as well
                self._owed.remove(what)
