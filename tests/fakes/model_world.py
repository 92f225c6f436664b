"""The bot's own poller, relay, lookout and store between a vendor and a Slack of the model.

One thread, a clock that is moved, a real database file. The process can be killed between any
two verbs of the store; then a new store is opened on the same file, the old one never closed.
The world keeps the truth beside: what good polls showed, and so what people must be told.
"""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.digests import Digest
from bot.domain.episodes import Episode
from bot.domain.mutes import Mute
from bot.domain.outbox import Body, Form, NewMessage
from bot.domain.pipelines import Pattern
from bot.domain.polls import Decide, PollChanges, PollClaim
from bot.domain.providers import Observation
from bot.domain.replies import AlertCard, AlertReply
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.domain.watches import Preset, Watch
from bot.services.checked import Checked
from bot.services.fleet import Fleet, Instance
from bot.services.lookout import Lookout
from bot.services.poller import Poller
from bot.services.relay import Relay
from bot.store.codec import EPISODE, load_body
from bot.store.sqlite import SqliteStore
from tests.fakes.model_slack import Killed, Shown, Slack
from tests.fakes.model_vendor import Vendor, Version

CHANGES, FAILURES, EVERYTHING = "C0CHANGES", "C0FAILURES", "C0EVERYTHING"
ALL = Pattern("*", "*")
SKEW = timedelta(minutes=2)
MORTAL_VERBS = (
    "claim_source",
    "record_poll",
    "record_failed_poll",
    "claim_message",
    "settle_sent",
    "settle_later",
    "save_blindness",
    "end_blindness",
    "introduce",
    "plan_sources",
)
Failure = tuple[RunRef, datetime]
"""One failure: a run, and when it ended so. A repeated run ends again, and later."""


class Clock:
    """`true` is the world's time, by which vendors live; the bot's time of day may be wrong."""

    def __init__(self) -> None:
        self.true = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.error = timedelta(0)
        self._monotonic = 5000.0

    def now(self) -> datetime:
        return self.true + self.error

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self.true += timedelta(seconds=seconds)
        self._monotonic += seconds

    def boot(self) -> None:
        """The machine has started anew."""
        self._monotonic = 10.0


class AtOnce:
    """A pool that does what it gets while it is handed over."""

    def submit(self, job: Callable[[], Any]) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(job())
        except BaseException as error:  # noqa: BLE001  # handed to whoever waits
            future.set_exception(error)
        return future

    def close(self) -> None: ...


class Mortal:
    """A store that dies before or after the verbs that it is told to."""

    def __init__(self, inner: SqliteStore, world: "World") -> None:
        self._inner = inner
        self._world = world

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._inner, name)
        if name not in MORTAL_VERBS:
            return verb

        def mortal(*args: Any, **more: Any) -> Any:
            self._world.maybe_die(f"before {name}")
            result = verb(*args, **more)
            self._world.maybe_die(f"after {name}")
            return result

        return mortal

    def record_poll(
        self, claim: PollClaim, observation: Observation, due_in_s: float, decide: Decide
    ) -> PollChanges | None:
        self._world.maybe_die("before record_poll")
        changes = self._inner.record_poll(claim, observation, due_in_s, decide)
        if changes is not None:
            self._world.was_seen(claim.key.instance)
            self._world.was_queued(changes.messages)
        self._world.maybe_die("after record_poll")
        return changes


@dataclass
class Truth:
    """What a channel must be told, may be told, may be told once its mute is over, and whose
    passes may go unsaid.
    """

    must: set[Failure] = field(default_factory=set)
    may: set[Failure] = field(default_factory=set)
    muted: set[Failure] = field(default_factory=set)
    unheard_passes: set[Failure] = field(default_factory=set)


class World:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "bot.db"
        self.clock = Clock()
        self.slack = Slack()
        self.vendors = [
            Vendor("fresh", self._true_now, runs_reopen=False, tells_attempts=False),
            Vendor("again", self._true_now, runs_reopen=True, tells_attempts=False),
            Vendor("counted", self._true_now, runs_reopen=True, tells_attempts=True),
        ]
        self.deaths: list[str] = []
        self.counts: Counter[str] = Counter()
        self.known: dict[RunRef, Version] = {}
        self._cards: dict[str, Run] = {}
        self._judged: set[Failure] = set()
        self._truth: dict[str, Truth] = {}
        self._tokens = itertools.count(1)
        self._stores: list[SqliteStore] = []
        self._open()
        for channel, preset in ((CHANGES, Preset.CHANGES), (FAILURES, Preset.FAILURES)):
            self.watch(channel, preset)

    def _true_now(self) -> datetime:
        return self.clock.true

    # Processes

    def _open(self) -> None:
        inner = SqliteStore(self.path, self.clock, lambda: f"t{next(self._tokens)}")
        self._stores.append(inner)
        inner.open()
        self.store: Any = Mortal(inner, self)
        pool: Any = AtOnce()
        fleet = Fleet(
            [Instance(v.name, v.spec, Checked(v.name, v, pool), pool, pool, pool)  # type: ignore[arg-type]
             for v in self.vendors]
        )  # fmt: skip
        self.poller = Poller(
            self.store, fleet, self.clock, min_interval_s=10, max_interval_s=60, jitter=lambda: 1.0
        )
        self.relay = Relay(self.store, self.slack, self.clock, jitter=lambda: 1.0)
        self.lookout = Lookout(self.store, fleet, self.clock, max_interval_s=60)

    def restart(self) -> None:
        """The old process is gone without a word; a new one takes its file over."""
        self.counts["restarts"] += 1
        self._stores[-1]._lock.release()
        self._open()
        self.attempt(self.poller.plan)

    def maybe_die(self, where: str) -> None:
        if where in self.deaths:
            self.deaths.remove(where)
            self.counts[f"died {where}"] += 1
            raise Killed

    def attempt(self, deed: Callable[[], Any]) -> Any:
        """Lets the bot do something; if that kills it, it is started again."""
        try:
            return deed()
        except Killed:
            self.restart()
            return None

    def close(self) -> None:
        for store in self._stores:
            store.close()

    # What people do

    def watch(self, channel: str, preset: Preset) -> None:
        self.store.add_watch(Watch(channel, ALL, "U0MAKER", self.clock.now(), preset=preset))
        self.attempt(self.poller.plan)

    def unwatch(self, channel: str) -> None:
        for watch in self.store.watches(channel):
            self.store.remove_watch(watch.watch_id)
        self.attempt(self.poller.plan)

    def is_watched(self, channel: str) -> bool:
        return bool(self.store.watches(channel))

    def mute(self, channel: str) -> None:
        until = self.clock.now() + timedelta(days=900)
        self.store.set_mute(Mute(channel, ALL, until, "U0MAKER"))

    def unmute(self, channel: str) -> None:
        self.store.remove_mutes(self.store.mutes(channel))
        truth = self.truth(channel)
        truth.may |= truth.muted
        truth.muted.clear()

    # What the bot does

    def poll(self) -> None:
        """Every source that is due, and a look at what is out of sight."""
        names = [vendor.name for vendor in self.vendors]
        while self.attempt(lambda: self.poller.poll_next(names)):
            self.counts["polls"] += 1
        self.attempt(self.lookout.look)

    def send(self, most: int) -> None:
        for _ in range(most):
            if not self.attempt(self.relay.send_next):
                return
            self.counts["sends"] += 1
            self.clock.advance(1.2)

    def heal_and_drain(self) -> None:
        """All is well again, and everything is said; the last storm is over."""
        self.slack.heal()
        self.deaths.clear()
        for vendor in self.vendors:
            vendor.is_down, vendor.stale_by = False, 0
        for _ in range(4):
            self.clock.advance(61)
            self.poll()
            self._send_everything()

    def _send_everything(self) -> None:
        for _ in range(3000):
            if self.relay.send_next():
                continue
            wait_s = self.store.seconds_to_due_message()
            if wait_s is None:
                break
            self.clock.advance(max(wait_s, 0.05))
        assert self.store.outbox_depth() == 0, "the outbox does not empty"

    # The truth

    def was_seen(self, instance: str) -> None:
        """A good poll was stored: what it showed is what people must hear of."""
        vendor = next(one for one in self.vendors if one.name == instance)
        for version in vendor.read:
            run = version.run
            known = self.known.get(run.ref)
            is_old = known is not None and known.number > version.number
            if run.status.is_failure and run.finished is not None:
                self._judge((run.ref, run.finished), run, is_old=is_old)
            if not is_old:
                self.known[run.ref] = version
                if run.status is Status.PASSED and run.finished is not None:
                    self._note_pass((run.ref, run.finished))

    def was_queued(self, messages: Iterable[NewMessage]) -> None:
        """Which run a card is posted about; later edits show others."""
        for message in messages:
            if message.form is Form.POST and isinstance(message.body, AlertCard):
                self._cards[message.key] = message.body.latest

    def truth(self, channel: str) -> Truth:
        return self._truth.setdefault(channel, Truth())

    def _judge(self, failure: Failure, run: Run, *, is_old: bool) -> None:
        if failure in self._judged:
            return
        self._judged.add(failure)
        self.counts["failures seen"] += 1
        for watch in self.store.watches():
            truth = self.truth(watch.channel)
            if is_old:
                truth.may.add(failure)
            elif failure[1] < watch.since - SKEW:
                continue
            elif self._is_muted(watch.channel, run):
                truth.muted.add(failure)
            elif failure[1] < watch.since:
                truth.may.add(failure)
            else:
                truth.must.add(failure)

    def _note_pass(self, one: Failure) -> None:
        for channel in (CHANGES, FAILURES, EVERYTHING):
            if self.store.mutes(channel) or not self.is_watched(channel):
                self.truth(channel).unheard_passes.add(one)

    def _is_muted(self, channel: str, run: Run) -> bool:
        return any(mute.covers(run, self.clock.now()) for mute in self.store.mutes(channel))

    # What people see

    def told(self, channel: str) -> Counter[Failure]:
        """Every failure that a card, a reply or a digest shows, and how often."""
        found: Counter[Failure] = Counter()
        carded = self._carded(channel)
        for shown in self.slack.channels.get(channel, []):
            if shown.key in carded:
                carded.remove(shown.key)
                continue
            found.update(self._failures_in(shown))
        return found

    def _failures_in(self, shown: Shown) -> list[Failure]:
        if not isinstance(shown.first, Digest):
            return self._failures_of(shown.key, shown.first)
        rows = self._folded(shown.first.digest_id)
        folded = [failure for key, body in rows for failure in self._failures_of(key, body)]
        if isinstance(shown.body, AlertCard):
            return folded  # it held one failure, and became its card
        assert isinstance(shown.body, Digest)
        assert shown.body.total >= len(folded), "a digest that counts too few"
        return folded

    def fixes(self, channel: str) -> Counter[Failure]:
        bodies = [shown.first for shown in self.slack.channels.get(channel, [])]
        for body in list(bodies):
            if isinstance(body, Digest):
                bodies += [folded for _, folded in self._folded(body.digest_id)]
        replies = [one for one in bodies if isinstance(one, AlertReply) and one.word == "fixed"]
        return Counter((one.run.ref, one.run.finished) for one in replies if one.run.finished)

    def episodes(self, channel: str) -> list[Episode]:
        rows = self._query("SELECT body FROM episodes WHERE channel = ? ORDER BY id", channel)
        return [EPISODE.load(row[0]) for row in rows]

    def _folded(self, digest_id: int) -> list[tuple[str, Body]]:
        """By their keys."""
        rows = self._query("SELECT key, kind, body FROM outbox WHERE folded_into = ?"
                           " AND form <> 'edit' ORDER BY id", digest_id)  # fmt: skip
        return [(str(key), load_body(kind, body)) for key, kind, body in rows]

    def _failures_of(self, key: str, body: Body) -> list[Failure]:
        run: Run | None = None
        if isinstance(body, AlertCard):
            run = self._cards.get(key.partition(" (until")[0])
        elif isinstance(body, AlertReply) and body.word != "overdue" and body.run.status.is_failure:
            run = body.run
        return [] if run is None or run.finished is None else [(run.ref, run.finished)]

    def _carded(self, channel: str) -> list[str]:
        """The keys of cards that a digest gave back when it was calm."""
        rows = self._query("SELECT key FROM outbox JOIN digest_items ON message_id = outbox.id"
                           " WHERE channel = ? AND has_card = 1", channel)  # fmt: skip
        return [str(row[0]).partition(" (until")[0] for row in rows]

    def _query(self, sql: str, value: object) -> list[Any]:
        conn = sqlite3.connect(self.path)
        try:
            return conn.execute(sql, [value]).fetchall()
        finally:
            conn.close()
