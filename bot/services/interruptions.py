"""What is said of commands that were under way when the process ended."""

from collections.abc import Iterable, Iterator

from bot.domain.access import Verb
from bot.domain.audit import Command, CommandState
from bot.domain.endings import card_key
from bot.domain.outbox import Form, NewMessage
from bot.domain.replies import ActionCard, ActionState, ChannelNotice

_ACTIONS = frozenset({Verb.TRIGGER, Verb.ABORT, Verb.RETRY})


def reports_of(commands: Iterable[Command]) -> Iterator[NewMessage]:
    """A notice for each, and an edit for the card of each that may have reached its vendor."""
    for command in commands:
        yield _notice(command)
        if command.state is CommandState.ACCEPTED and command.what.verb in _ACTIONS:
            yield _end_of_card(command)


def _notice(command: Command) -> NewMessage:
    what = command.what
    target = f" {command.target}" if command.target else ""
    if command.state is CommandState.RECEIVED:
        ending = "Nothing was sent; ask again if it is still wanted."
    else:
        ending = "It is unknown whether it arrived: check before asking again. I send nothing more."
    text = f"A restart interrupted {what.verb}{target}, asked by <@{what.user_id}>. {ending}"
    body = ChannelNotice(text, "warning")
    return NewMessage(what.channel, f"interrupted {command.command_id}", Form.POST, body)


def _end_of_card(command: Command) -> NewMessage:
    """It would say for ever that it is being sent; nothing happens if there is no card."""
    what, key = command.what, card_key(command.command_id)
    card = ActionCard(what.verb, what.user_id, command.target, ActionState.UNKNOWN)
    return NewMessage(what.channel, f"ending {command.command_id}", Form.EDIT, card, key)
