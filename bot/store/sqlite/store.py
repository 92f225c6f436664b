"""The Store port on SQLite: every verb a transaction, the work done by the nouns beside."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from bot.domain.audit import Command, CommandState, NewCommand
from bot.domain.chat import Posted
from bot.domain.clock import Clock
from bot.domain.decisions import Decision
from bot.domain.digests import News
from bot.domain.endings import Ending
from bot.domain.episodes import Episode
from bot.domain.errors import StoreError
from bot.domain.mutes import Mute
from bot.domain.outbox import Fate, NewMessage, OutboxClaim
from bot.domain.pipelines import Pattern
from bot.domain.polls import Decide, PollChanges, PollClaim, SourceKey, SourceState
from bot.domain.providers import Observation
from bot.domain.runs import Run, RunRef
from bot.domain.sights import Blindness
from bot.domain.transitions import Snapshot
from bot.domain.watches import Watch
from bot.store.codec import time_text
from bot.store.sqlite import (
    commands,
    decisions,
    digest_items,
    episodes,
    housekeeping,
    lanes,
    listings,
    mutes,
    outbox,
    polls,
    runs,
    sights,
    sources,
    storms,
)
from bot.store.sqlite import watches as stored_watches
from bot.store.sqlite.database import Connections
from bot.store.sqlite.opening import prepare
from bot.store.sqlite.worker_lock import WorkerLock

ACK_WAIT_S = 1.0


class SqliteStore:
    """One file, one process, any number of threads.

    `token` gives a short text of letters and digits that no other database has; it is kept
    when the database is made, and message ids begin with it. `wait_s` is how long a write
    waits for another process; what an acknowledgement waits for waits `ACK_WAIT_S` at most.
    """

    def __init__(
        self, path: Path | str, clock: Clock, token: Callable[[], str], *, wait_s: float = 5.0
    ) -> None:
        self._path = Path(path).resolve()  # one lock, whatever name leads to the file
        self._clock = clock
        self._token = token
        self._wait_s = wait_s
        self._ack_wait_s = min(ACK_WAIT_S, wait_s)
        self._lock = WorkerLock(self._path.with_name(f"{self._path.name}.lock"))
        self._connections = Connections(self._path, wait_s)
        self._storm_lock = threading.Lock()
        self._breather = threading.Event()
        self._opening = 0
        self._prefix = ""

    def open(self) -> None:
        self._opening, self._prefix = prepare(
            self._path, self._connections, self._lock, self._clock, self._token, self._wait_s
        )

    def close(self) -> None:
        self._connections.close()
        self._lock.release()

    def is_writable(self) -> bool:
        try:
            with self._connections.write(self._ack_wait_s) as db:
                housekeeping.probe(db, self._clock.now())
        except StoreError:
            return False
        return True

    def clean(self, keep_days: int) -> None:
        before = self._clock.now() - timedelta(days=keep_days)
        with self._changing_view() as db:
            housekeeping.clean(db, before, self._clock.monotonic())

    # Duplicates and commands

    def is_first_time(self, key: str) -> bool:
        with self._connections.write(self._ack_wait_s) as db:
            return commands.note_delivery(db, key, self._clock.now())

    def record_command(self, command: NewCommand) -> int:
        with self._connections.write(self._ack_wait_s) as db:
            return commands.record(db, command, self._clock.now(), self._opening)

    def update_command(
        self,
        command_id: int,
        state: CommandState,
        *,
        target: str | None = None,
        outcome: str | None = None,
        rule: str | None = None,
    ) -> None:
        with self._connections.write() as db:
            commands.update(db, command_id, state, target, outcome, rule)

    def accept_command(self, command_id: int, target: str, card: Posted | None) -> None:
        with self._connections.write() as db:
            commands.accept(db, command_id, target, card, self._now_text())

    def end_command(self, ending: Ending) -> None:
        now, now_s = self._clock.now(), self._clock.monotonic()
        with self._connections.write() as db:
            commands.end(db, ending, now_s)
            if ending.run is None:
                return
            sources.follow(db, ending.run, ending.sources, now_s, now)
            if ending.card is not None:
                card = ending.card
                listings.save_card(db, card.channel, card.ts, ending.run.ref, now)

    def tell_of_command(self, command_id: int, card: Posted | None, message: NewMessage) -> None:
        row = outbox.new_row(message)
        with self._connections.write() as db:
            if card is not None:
                commands.note_card(db, command_id, card, self._now_text())
            outbox.enqueue(db, [row], self._now_text())

    def settle_refused(self, command_id: int, outcome: str) -> None:
        with self._connections.write() as db:
            commands.refuse(db, command_id, outcome)

    def commands_since(self, user_id: str, since: datetime) -> int:
        with self._connections.read() as db:
            return commands.count_since(db, user_id, since, self._clock.now())

    def interrupt_commands(
        self, reports: Callable[[tuple[Command, ...]], Iterable[NewMessage]] = lambda _: ()
    ) -> tuple[Command, ...]:
        with self._connections.write() as db:
            interrupted = commands.interrupt(db, self._opening)
            rows = [outbox.new_row(message) for message in reports(interrupted)]
            outbox.enqueue(db, rows, self._now_text())
            return interrupted

    def commands(self, limit: int) -> tuple[Command, ...]:
        with self._connections.read() as db:
            return commands.newest(db, limit)

    def claim_action(
        self, key: str, command_id: int, lease_s: float, passing: int | None = None
    ) -> Command | None:
        with self._connections.write() as db:
            now_s = self._clock.monotonic()
            return commands.claim_action(db, key, command_id, now_s, lease_s, passing)

    # Listings and cards

    def save_listing(self, channel: str, user_id: str, refs: Sequence[RunRef]) -> None:
        with self._connections.write(self._ack_wait_s) as db:
            listings.save(db, channel, user_id, refs, self._clock.now())

    def listing(self, channel: str, user_id: str, max_age_s: float) -> tuple[RunRef, ...]:
        with self._connections.read() as db:
            return listings.newest(db, channel, user_id, self._clock.now(), max_age_s)

    def card_run(self, channel: str, ts: str) -> RunRef | None:
        with self._connections.read() as db:
            return listings.card_run(db, channel, ts)

    # Watches

    def add_watch(self, watch: Watch) -> Watch:
        with self._changing_view() as db:
            return stored_watches.add(db, watch)

    def watches(self, channel: str | None = None) -> tuple[Watch, ...]:
        with self._connections.read() as db:
            return stored_watches.of_channel(db, channel)

    def remove_watch(self, watch_id: int) -> bool:
        with self._changing_view() as db:
            return stored_watches.remove(db, watch_id)

    def close_unwatched(
        self, farewell: Callable[[Episode], NewMessage], channel: str | None = None
    ) -> int:
        with self._changing_view() as db:
            watches = stored_watches.of_channel(db, channel)
            closed = episodes.forget_unwatched(db, watches, channel)
            rows = [outbox.new_row(farewell(one)) for one in closed if one.is_told]
            outbox.enqueue(db, rows, self._now_text())
            return len(closed)

    def sync_settings_watches(self, watches: Collection[Watch]) -> None:
        with self._changing_view() as db:
            stored_watches.sync_settings(db, watches, self._clock.now())

    def suspend_channel(self, channel: str, because: str) -> tuple[Watch, ...]:
        with self._changing_view() as db:
            return stored_watches.suspend(db, channel, because, self._clock.now())

    def resume_channel(self, channel: str) -> tuple[Watch, ...]:
        with self._changing_view() as db:
            return stored_watches.resume(db, channel, self._clock.now())

    def newcomers(self) -> tuple[Watch, ...]:
        with self._connections.read() as db:
            return stored_watches.newcomers(db)

    def introduce(self, watches: Iterable[Watch], messages: Iterable[NewMessage]) -> None:
        rows = [outbox.new_row(message) for message in messages]
        with self._connections.write() as db:
            stored_watches.introduce(db, watches)
            outbox.enqueue(db, rows, self._now_text())

    def set_mute(self, mute: Mute) -> None:
        with self._changing_view() as db:
            mutes.save(db, [mute])

    def mutes(self, channel: str | None = None) -> tuple[Mute, ...]:
        with self._connections.read() as db:
            return mutes.of_channel(db, channel)

    def remove_mutes(self, ended: Iterable[Mute]) -> int:
        with self._changing_view() as db:
            return mutes.remove(db, ended)

    def open_episodes(self, channel: str) -> tuple[Episode, ...]:
        with self._connections.read() as db:
            return episodes.of_channel(db, channel)

    # Polling

    def plan_sources(self, wanted: Collection[SourceKey]) -> None:
        with self._connections.write() as db:
            sources.plan(db, wanted, self._clock.monotonic())

    def claim_source(self, lease_s: float, instances: Collection[str]) -> PollClaim | None:
        with self._connections.write() as db:
            return sources.claim(db, lease_s, instances, self._clock.monotonic(), self._clock.now())

    def seconds_to_due_source(self) -> float | None:
        with self._connections.read() as db:
            return sources.seconds_to_due(db, self._clock.monotonic())

    def record_poll(
        self, claim: PollClaim, observation: Observation, due_in_s: float, decide: Decide
    ) -> PollChanges | None:
        now = self._clock.now()
        poll = polls.Poll(claim, observation, decide, now)
        with self._connections.read() as db:
            plan = poll.plan(db)
        if plan is None:
            return None
        with self._connections.write() as db:
            stored = poll.store(db, plan)
            if stored is None:
                return None
            source_id, changes = stored
            sources.settle_good(
                db, source_id, observation.cursor, due_in_s, self._clock.monotonic(), now
            )
            return changes

    def record_failed_poll(
        self, claim: PollClaim, error: str, due_in_s: float, *, is_refused: bool = False
    ) -> None:
        with self._connections.write() as db:
            source_id = sources.held(db, claim)
            if source_id is not None:
                due_at = self._clock.monotonic() + due_in_s
                sources.settle_bad(db, source_id, error, due_at, is_refused=is_refused)

    def give_back_source(self, claim: PollClaim) -> None:
        with self._connections.write() as db:
            source_id = sources.held(db, claim)
            if source_id is not None:
                sources.give_back(db, source_id)

    def hurry_source(self, key: SourceKey) -> None:
        with self._connections.write() as db:
            sources.hurry(db, key, self._clock.monotonic())

    def source_states(self) -> tuple[SourceState, ...]:
        with self._connections.read() as db:
            return sources.states(db, self._clock.monotonic())

    def blindnesses(self) -> tuple[Blindness, ...]:
        with self._connections.read() as db:
            return sights.all_of(db)

    def save_blindness(self, blindness: Blindness, messages: Iterable[NewMessage]) -> None:
        rows = [outbox.new_row(message) for message in messages]
        with self._connections.write() as db:
            sights.save(db, blindness)
            outbox.enqueue(db, rows, self._now_text())

    def end_blindness(self, key: SourceKey, messages: Iterable[NewMessage]) -> None:
        rows = [outbox.new_row(message) for message in messages]
        with self._connections.write() as db:
            sights.end(db, key)
            outbox.enqueue(db, rows, self._now_text())

    # Runs

    def runs(self, pattern: Pattern, limit: int) -> tuple[Run, ...]:
        with self._connections.read() as db:
            return runs.matching(db, pattern, limit)

    def run(self, ref: RunRef) -> Run | None:
        with self._connections.read() as db:
            return runs.one(db, ref)

    def history(self, run: Run) -> tuple[Run, ...]:
        with self._connections.read() as db:
            return runs.history(db, run.pipeline, run.branch)

    def failures_seen(self, since: datetime) -> tuple[Snapshot, ...]:
        with self._connections.read() as db:
            return runs.failures_seen(db, since)

    def decisions(self, ref: RunRef, channel: str) -> tuple[Decision, ...]:
        with self._connections.read() as db:
            return decisions.of_run(db, ref, channel)

    # Outbox

    def enqueue(self, messages: Iterable[NewMessage]) -> None:
        rows = [outbox.new_row(message) for message in messages]
        with self._connections.write() as db:
            outbox.enqueue(db, rows, self._now_text())

    def claim_message(self, lease_s: float, edit_gap_s: float = 0.0) -> OutboxClaim | None:
        self._tend_storms()
        with self._connections.write() as db:
            now = self._clock.now()
            lease = lanes.Lease(
                self._clock.monotonic(), now.timestamp(), time_text(now), lease_s, edit_gap_s
            )
            return lanes.claim(db, self._prefix, lease)

    def _tend_storms(self) -> None:
        """In small steps with a pause between, so that an acknowledgement gets its turn."""
        with self._storm_lock:
            while True:
                now_s = self._clock.monotonic()
                with self._connections.read() as db:
                    if not storms.is_due(db, now_s):
                        return
                with self._connections.write() as db:
                    storms.tend(db, now_s, self._now_text())
                self._breather.wait(0.002)

    def seconds_to_due_message(self) -> float | None:
        with self._connections.read() as db:
            return lanes.seconds_to_due(db, self._clock.monotonic())

    def settle_sent(
        self, claim: OutboxClaim, ts: str, pause_s: float, *, rendering: str = ""
    ) -> bool:
        with self._connections.write() as db:
            now_s = self._clock.monotonic()
            pause = (now_s, now_s + pause_s)
            is_ours = lanes.settle_sent(db, claim, ts, rendering, pause, self._now_text())
            about = claim.message.about
            if is_ours and about is not None:
                listings.save_card(db, claim.message.channel, ts, about, self._clock.now())
            return is_ours

    def settle_later(
        self, claim: OutboxClaim, in_s: float, *, is_ambiguous: bool, looks: int = 0
    ) -> bool:
        with self._connections.write() as db:
            paused_until_at = self._clock.monotonic() + in_s
            return lanes.settle_later(
                db, claim, paused_until_at, is_ambiguous=is_ambiguous, looks=looks
            )

    def settle_gone(self, claim: OutboxClaim, because: str) -> bool:
        with self._connections.write() as db:
            return lanes.settle_gone(db, claim, because, self._now_text())

    def settle_channel_refused(
        self,
        claim: OutboxClaim,
        because: str,
        notices: Callable[[tuple[Watch, ...]], Iterable[NewMessage]],
    ) -> bool:
        with self._changing_view() as db:
            now, channel = self._clock.now(), claim.message.channel
            if not lanes.settle_channel_refused(db, claim, because, time_text(now)):
                return False
            suspended = stored_watches.suspend(db, channel, because, now)
            rows = [outbox.new_row(one) for one in notices(suspended)]
            outbox.enqueue(db, rows, time_text(now))
            return True

    def settle_dead(self, claim: OutboxClaim, because: str) -> bool:
        with self._connections.write() as db:
            return lanes.settle_dead(db, claim, because, self._now_text())

    def pause_all_lanes(self, in_s: float) -> None:
        with self._connections.write() as db:
            lanes.pause_all(db, self._clock.monotonic() + in_s)

    def pause_edits(self, in_s: float) -> None:
        with self._connections.write() as db:
            lanes.pause_edits(db, self._clock.monotonic() + in_s)

    def digest_news(self, channel: str, digest_id: int) -> tuple[News, ...]:
        with self._connections.read() as db:
            if storms.channel_of(db, digest_id) != channel:
                return ()
            return tuple(digest_items.news_of(db, digest_id))

    def outbox_depth(self) -> int:
        with self._connections.read() as db:
            return outbox.depth(db)

    def message_fate(self, key: str) -> Fate | None:
        with self._connections.read() as db:
            return outbox.fate(db, key)

    def message_ts(self, key: str) -> tuple[str, str] | None:
        with self._connections.read() as db:
            return outbox.sent_as(db, key)

    @contextmanager
    def _changing_view(self) -> Iterator[Database]:
        """A write that changes what a poll's decision sees."""
        with self._connections.write() as db:
            yield db
            polls.change_view(db)

    def _now_text(self) -> str:
        return time_text(self._clock.now())
