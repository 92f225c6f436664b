"""The port to durable state. Every verb is one transaction, safe to call from any thread.

Errors: StoreBusyError when the database stays locked for the time allowed (nothing was
written), StoreError for everything else. Leases and due times are given as seconds from now
and measured on the store's own clock, so a jump of the time of day steals no claim.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.audit import Command, CommandState, NewCommand
from bot.domain.chat import Posted
from bot.domain.decisions import Decision
from bot.domain.digests import News
from bot.domain.endings import Ending
from bot.domain.episodes import Episode
from bot.domain.mutes import Mute
from bot.domain.outbox import Fate, NewMessage, OutboxClaim
from bot.domain.pipelines import Pattern
from bot.domain.polls import Decide, PollChanges, PollClaim, SourceKey, SourceState
from bot.domain.providers import Observation
from bot.domain.runs import Run, RunRef
from bot.domain.sights import Blindness
from bot.domain.transitions import Snapshot
from bot.domain.watches import Watch


class Store(Protocol):
    # Life

    def open(self) -> None:
        """Brings the schema up to date and takes what is needed to work.

        StoreError with one clear line if the file is corrupt, newer than this program, or in
        use by another worker; the file is untouched then. Claims of an earlier process end.
        """

    def close(self) -> None: ...

    def is_writable(self) -> bool:
        """Whether a small write would work now; for readiness."""

    def clean(self, keep_days: int) -> None:
        """Forgets what is over and older than that: runs, sent messages, commands, listings."""

    # Duplicates and commands

    def is_first_time(self, key: str) -> bool:
        """Notes an inbound delivery (`trigger:…`, `event:…`); False if it was there already."""

    def record_command(self, command: NewCommand) -> int:
        """Stores an audit row as RECEIVED and returns its id; waits at most 1 s for a lock."""

    def update_command(
        self,
        command_id: int,
        state: CommandState,
        *,
        target: str | None = None,
        outcome: str | None = None,
        rule: str | None = None,
    ) -> None: ...

    def accept_command(self, command_id: int, target: str, card: Posted | None) -> None:
        """ACCEPTED: whatever becomes of it from now on, it may have been done."""

    def end_command(self, ending: Ending) -> None:
        """Stores all that follows from it; once more changes nothing."""

    def tell_of_command(self, command_id: int, card: Posted | None, message: NewMessage) -> None:
        """Enqueues how a command ended; the message may be an edit of its card."""

    def settle_refused(self, command_id: int, outcome: str) -> None:
        """REFUSED, unless the command has come to another end already."""

    def commands_since(self, user_id: str, since: datetime) -> int:
        """How many commands of this user were recorded since then."""

    def interrupt_commands(
        self, reports: Callable[[tuple[Command, ...]], Iterable[NewMessage]] = lambda _: ()
    ) -> tuple[Command, ...]:
        """Marks those that were under way when the process ended, once, and returns them as they
        were. What is to be said of them is enqueued with it, so that no second crash can silence
        it.
        """

    def commands(self, limit: int) -> tuple[Command, ...]:
        """The newest audit rows, newest first."""

    def claim_action(
        self, key: str, command_id: int, lease_s: float, passing: int | None = None
    ) -> Command | None:
        """Claims a mutation on one thing (`abort wercker:577a…`) for a command. None if it is its
        own now, else the command that holds it: one that is under way, or that ended less than
        its `told_for_s` ago. A claim ends with its lease, and with a command that was refused;
        `passing` is the command whose claim does not count.
        """

    # Listings and cards

    def save_listing(self, channel: str, user_id: str, refs: Sequence[RunRef]) -> None:
        """What `#n` means for this person in this channel from now on."""

    def listing(self, channel: str, user_id: str, max_age_s: float) -> tuple[RunRef, ...]: ...

    def card_run(self, channel: str, ts: str) -> RunRef | None:
        """Which run a posted message is about."""

    # Watches

    def add_watch(self, watch: Watch) -> Watch:
        """Stores a watch, or replaces the one of the same channel, pattern and filters (keeping
        its `since`); returns it with its id.
        """

    def watches(self, channel: str | None = None) -> tuple[Watch, ...]:
        """All watches of a channel, or of all channels, in the order they were made."""

    def remove_watch(self, watch_id: int) -> bool: ...

    def close_unwatched(
        self, farewell: Callable[[Episode], NewMessage], channel: str | None = None
    ) -> int:
        """Forgets what is red in a channel, or in all, and is no longer followed by any watch
        there that posts cards; `farewell` is enqueued for each that has a card. Tells how many.
        """

    def sync_settings_watches(self, watches: Collection[Watch]) -> None:
        """Makes the watches with `made_by == "settings"` equal to these. One that is there
        already keeps its `since` and its mute; one that is suspended is resumed.
        """

    def suspend_channel(self, channel: str, because: str) -> tuple[Watch, ...]:
        """Suspends a channel's active watches and returns them."""

    def resume_channel(self, channel: str) -> tuple[Watch, ...]:
        """Lets the suspended watches of a channel go on, as if they were made now: they are
        newcomers again. Returns them.
        """

    def newcomers(self) -> tuple[Watch, ...]:
        """Active watches whose first look was not reported yet."""

    def introduce(self, watches: Iterable[Watch], messages: Iterable[NewMessage]) -> None:
        """The first look of these watches is reported by these messages, once and for all."""

    def set_mute(self, mute: Mute) -> None:
        """Stores a mute, or replaces the one of the same channel, pattern and branch."""

    def mutes(self, channel: str | None = None) -> tuple[Mute, ...]:
        """Those of a channel, or of all, in the order they end; ended ones too."""

    def remove_mutes(self, mutes: Iterable[Mute]) -> int:
        """Ends the mutes of these channels, patterns and branches; tells how many there were."""

    def open_episodes(self, channel: str) -> tuple[Episode, ...]:
        """What is red in a channel, in the order it turned red."""

    # Polling

    def plan_sources(self, wanted: Collection[SourceKey]) -> None:
        """Adds new sources as due now; takes those no longer wanted out of polling, keeping
        their cursors.
        """

    def claim_source(self, lease_s: float, instances: Collection[str]) -> PollClaim | None:
        """The source of these instances that has been due for longest; None if none is due."""

    def seconds_to_due_source(self) -> float | None: ...

    def record_poll(
        self, claim: PollClaim, observation: Observation, due_in_s: float, decide: Decide
    ) -> PollChanges | None:
        """The one transaction of a poll: checks the claim, reads what `decide` needs, and stores
        snapshots, episodes, messages and cursor. None, and nothing stored, if the claim was lost.

        A claim is lost when somebody else has claimed the source since, or a new process has
        opened the store; an ended lease alone loses nothing. `decide` must be pure: it is asked
        again when what it saw has changed meanwhile. It may not call the store.
        """

    def record_failed_poll(
        self, claim: PollClaim, error: str, due_in_s: float, *, is_refused: bool = False
    ) -> None: ...

    def give_back_source(self, claim: PollClaim) -> None:
        """Ends a claim whose poll could not be stored: the source is due again."""

    def hurry_source(self, key: SourceKey) -> None:
        """Makes a source due now, because something on it was just changed by us."""

    def source_states(self) -> tuple[SourceState, ...]: ...

    def blindnesses(self) -> tuple[Blindness, ...]:
        """What the channels were told to be out of sight, and not yet to be back."""

    def save_blindness(self, blindness: Blindness, messages: Iterable[NewMessage]) -> None:
        """Notes that the channels of it are told, by these messages."""

    def end_blindness(self, key: SourceKey, messages: Iterable[NewMessage]) -> None: ...

    # Runs

    def runs(self, pattern: Pattern, limit: int) -> tuple[Run, ...]:
        """The newest stored runs whose pipeline or alias matches, newest first."""

    def run(self, ref: RunRef) -> Run | None: ...

    def history(self, run: Run) -> tuple[Run, ...]:
        """The newest runs of the run's pipeline and branch that are over, newest first."""

    def failures_seen(self, since: datetime) -> tuple[Snapshot, ...]:
        """Failing runs that were first read, or last changed, since then; oldest first."""

    def decisions(self, ref: RunRef, channel: str) -> tuple[Decision, ...]:
        """What was decided about a run in a channel, oldest attempt first."""

    # Outbox

    def enqueue(self, messages: Iterable[NewMessage]) -> None: ...

    def claim_message(self, lease_s: float, edit_gap_s: float = 0.0) -> OutboxClaim | None:
        """The oldest due message of a channel that has none under way and is not paused.

        Storms are folded into digests before (see bot.domain.digests). After an EDIT no other
        one of any channel is claimed for `edit_gap_s`; other messages go on.
        """

    def seconds_to_due_message(self) -> float | None: ...

    def settle_sent(
        self, claim: OutboxClaim, ts: str, pause_s: float, *, rendering: str = ""
    ) -> bool:
        """Sent: keeps `ts` and what is shown now, and pauses the channel. False, and nothing
        stored, if the claim was lost (all settles).
        """

    def settle_later(
        self, claim: OutboxClaim, in_s: float, *, is_ambiguous: bool, looks: int = 0
    ) -> bool:
        """The message stays, its channel waits; other channels go on. `looks` is how often it
        was looked for in vain since it was last sent.
        """

    def settle_gone(self, claim: OutboxClaim, because: str) -> bool:
        """The message that it edits or answers was deleted. If it tells of a failure that no
        message has told of, it becomes a message of its own, under the key of the deleted one,
        so that whatever follows belongs to that; else it is dead. The same holds for anything
        enqueued later that belongs to a message which is dead or unknown.
        """

    def settle_channel_refused(
        self,
        claim: OutboxClaim,
        because: str,
        notices: Callable[[tuple[Watch, ...]], Iterable[NewMessage]],
    ) -> bool:
        """The channel takes no messages: those waiting for it are dead, its active watches are
        suspended, and the notices about these enqueued. The watches count as quiet from the
        oldest decision on that only these messages told of.
        """

    def settle_dead(self, claim: OutboxClaim, because: str) -> bool: ...

    def pause_all_lanes(self, in_s: float) -> None: ...

    def pause_edits(self, in_s: float) -> None:
        """No EDIT is claimed in that time, in any channel. It ends no longer pause."""

    def digest_news(self, channel: str, digest_id: int) -> tuple[News, ...]:
        """What was folded into a digest of this channel, in order."""

    def outbox_depth(self) -> int:
        """Messages not yet sent."""

    def message_fate(self, key: str) -> Fate | None:
        """What became of the message of this key; None if there is none, or no more."""

    def message_ts(self, key: str) -> tuple[str, str] | None:
        """Channel and timestamp of a sent message."""
