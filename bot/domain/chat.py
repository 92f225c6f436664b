"""The ports to the chat platform, and who speaks to the bot there."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.access import Person
from bot.domain.outbox import Delivery, Look, OutboxClaim
from bot.domain.replies import ActionCard


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, where, and by which way in (`slash`, `mention`, `message`, `button`).

    `team_id` is the person's own workspace as the raw payload gives it. `thread_ts` is set inside a
    thread.
    """

    user_id: str
    team_id: str
    channel: str
    origin: str
    thread_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    channel: str
    ts: str


class Announcer(Protocol):
    """Puts the one message of a mutation into the channel and edits it."""

    def announce(self, card: ActionCard) -> Posted | None:
        """Posts the card; None when the channel cannot be posted to (it was told otherwise)."""

    def update(self, posted: Posted | None, card: ActionCard) -> bool:
        """Edits the card, or tells who asked where there is none. False if that has to be done
        later; who asked may know already.
        """


class Notifier(Protocol):
    """Sends outbox messages."""

    def send(self, claim: OutboxClaim) -> Delivery:
        """One Slack write, no retries. Never raises for what Slack or the network did."""

    def find(self, claim: OutboxClaim) -> Look:
        """Looks for a message that was perhaps sent, by its metadata. Never raises for what
        Slack or the network did.
        """


class Directory(Protocol):
    """What the chat platform says about people."""

    def person(self, user_id: str, team_id: str) -> Person:
        """Membership and groups of one person, from a short cache; asks over the network."""

    @property
    def home_team(self) -> str:
        """The workspace the bot is installed in; empty until known."""
