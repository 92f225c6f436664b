"""What is done at the start and now and then."""

import logging
from collections.abc import Collection

from bot.domain.audit import Command, CommandState
from bot.domain.outbox import Form, NewMessage
from bot.domain.replies import ChannelNotice
from bot.domain.store import Store
from bot.domain.watches import Watch
from bot.services.farewells import farewell

log = logging.getLogger(__name__)

KEEP_DAYS = 90


class Housekeeping:
    def __init__(self, store: Store) -> None:
        self._store = store

    def start(self, settings_watches: Collection[Watch]) -> None:
        """Takes over the watches of the settings and reports what a restart interrupted."""
        self._store.sync_settings_watches(settings_watches)
        self._store.close_unwatched(farewell)
        interrupted = self._store.interrupt_commands(lambda found: map(_report, found))
        for command in interrupted:
            log.warning("command.interrupted", extra={"command_id": command.command_id})

    def clean(self) -> None:
        self._store.clean(KEEP_DAYS)


def _report(command: Command) -> NewMessage:
    what = command.what
    target = f" {command.target}" if command.target else ""
    if command.state is CommandState.RECEIVED:
        ending = "Nothing was sent; ask again if it is still wanted."
    else:
        ending = "It is unknown whether it arrived: check before asking again. I send nothing more."
    text = f"A restart interrupted {what.verb}{target}, asked by <@{what.user_id}>. {ending}"
    body = ChannelNotice(text, "warning")
    return NewMessage(what.channel, f"interrupted {command.command_id}", Form.POST, body)
