"""What is done at the start and now and then."""

import logging
from collections.abc import Collection

from bot.domain.store import Store
from bot.domain.watches import Watch
from bot.services.farewells import farewell
from bot.services.interruptions import reports_of

log = logging.getLogger(__name__)

KEEP_DAYS = 90


class Housekeeping:
    def __init__(self, store: Store) -> None:
        self._store = store

    def start(self, settings_watches: Collection[Watch]) -> None:
        """Takes over the watches of the settings and reports what a restart interrupted."""
        self._store.sync_settings_watches(settings_watches)
        self._store.close_unwatched(farewell)
        interrupted = self._store.interrupt_commands(reports_of)
        for command in interrupted:
            log.warning("command.interrupted", extra={"command_id": command.command_id})

    def clean(self) -> None:
        self._store.clean(KEEP_DAYS)
