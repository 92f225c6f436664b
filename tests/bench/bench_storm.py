"""A storm: python -m tests.bench.bench_storm [runs] [channels].

So many runs, each of a pipeline of its own, turn to failure in one poll and are news in as
many channels, through the real store, decision, relay and a local Slack over a socket. Prints
how that goes beside what is allowed.
"""

import logging
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, thread_time

from slack_sdk import WebClient
from sqlite_utils import Database

from bot.domain.outbox import Delivery, OutboxClaim
from bot.domain.pipelines import Pattern, PipelineRef
from bot.domain.polls import PollChanges, PollView
from bot.domain.providers import Observation
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.domain.watches import Watch
from bot.playground.slack.people import BOT_USER, Channel
from bot.playground.slack.standin import SlackStandin
from bot.providers.wercker import SPEC
from bot.runtime.clock import SystemClock
from bot.services.alerts import decide
from bot.services.relay import Relay
from bot.slack.identity import Identity
from bot.slack.page import RenderContext
from bot.slack.sender import SlackNotifier
from bot.slack.web import web_client
from bot.store.sqlite import SqliteStore
from tests.bench.bench_store import Acks
from tests.fakes.store_samples import SOURCE, claimed_source

SENDERS = 4
QUIET_S = 3.0


def say(what: str, value: str, allowed: str = "") -> None:
    sys.stdout.write(f"{what:<34} {value:>16}  {f'(allowed: {allowed})' if allowed else ''}\n")


def runs_of(count: int, channels: int, status: Status, now: datetime) -> tuple[Run, ...]:
    return tuple(
        Run(
            RunRef("wercker", f"577a{number:020}"),
            PipelineRef("wercker", f"team-{number % channels:03}/app-{number}/build"),
            status,
            raw_status=status.value,
            title="Make the basket remember what was in it",
            branch="main",
            commit=f"{number:040x}",
            author="ada",
            environment="staging",
            failed_step="install" if status.is_failure else None,
            created=now,
            started=now,
            finished=now + timedelta(seconds=30) if status.is_terminal else None,
            url=f"https://ci.example/runs/577a{number:020}",
        )
        for number in range(count)
    )


def poll(store: SqliteStore, runs: tuple[Run, ...], now: datetime) -> float:
    """One poll with the real decision; the time of its one store verb."""

    def verdict(view: PollView) -> PollChanges:
        return decide(view, runs, SPEC, now)

    store.hurry_source(SOURCE)
    claim = claimed_source(store)
    start = perf_counter()
    if store.record_poll(claim, Observation(runs, "c"), 60, verdict) is None:
        raise RuntimeError("the claim was lost")
    return perf_counter() - start


@contextmanager
def timed_writes(store: SqliteStore) -> Iterator[list[tuple[float, float]]]:
    """How long each write transaction holds the database, and what it takes of the processor."""
    times: list[tuple[float, float]] = []
    write = store._connections.write

    @contextmanager
    def timed(wait_s: float | None = None) -> Iterator[Database]:
        with write(wait_s) as db:
            start, used = perf_counter(), thread_time()
            yield db
            used = thread_time() - used
        times.append((perf_counter() - start, used))

    store._connections.write = timed  # type: ignore[method-assign]
    try:
        yield times
    finally:
        store._connections.write = write  # type: ignore[method-assign]


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def acks_for(store: SqliteStore, seconds: float) -> list[float]:
    acks = Acks(store)
    with acks.running():
        Event().wait(seconds)
    return acks.times_s


@contextmanager
def sending(relay: Relay) -> Iterator[None]:
    end = Event()

    def work() -> None:
        while not end.is_set():
            if not relay.send_next():
                end.wait(0.05)

    threads = [Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join()


def drain(store: SqliteStore, relay: Relay) -> tuple[float, list[float]]:
    """The time until nothing waits any more, and how long acknowledgements took meanwhile."""
    acks = Acks(store)
    start = perf_counter()
    with acks.running(), sending(relay):
        while store.outbox_depth():
            Event().wait(0.1)
            if perf_counter() - start > 300:
                break
    return perf_counter() - start, acks.times_s


class TimedNotifier(SlackNotifier):
    """Notes when each channel got a message or an edit."""

    def __init__(self, client: WebClient, clock: SystemClock) -> None:
        super().__init__(
            client,
            Identity(client),
            lambda channel: RenderContext(clock.now(), channel, lambda _: "s"),
        )
        self.times: dict[str, list[float]] = defaultdict(list)

    def send(self, claim: OutboxClaim) -> Delivery:
        delivery = super().send(claim)
        self.times[claim.message.channel].append(perf_counter())
        return delivery

    def busiest(self) -> float:
        """The most that any channel got within ten seconds, a second."""
        windows = (sum(t <= one < t + 10 for one in at) for at in self.times.values() for t in at)
        return max(windows, default=0) / 10


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    channels = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, SlackStandin().serve() as slack:
        names = [f"C0STORM{number:03}" for number in range(channels)]
        for name in names:
            slack.add(Channel(name, name.lower(), {BOT_USER}))
        clock = SystemClock()
        store = SqliteStore(Path(folder) / "bot.db", clock, lambda: "b")
        store.open()
        run(store, slack, clock, names, count)
        store.close()


def run(
    store: SqliteStore, slack: SlackStandin, clock: SystemClock, names: list[str], count: int
) -> None:
    notifier = TimedNotifier(web_client(slack.bot_token, slack.api_url), clock)
    relay = Relay(store, notifier, clock, jitter=lambda: 1.0)
    now = datetime.now(UTC)
    for number, name in enumerate(names):
        pattern = Pattern.parse(f"wercker:team-{number:03}/*")
        store.add_watch(Watch(name, pattern, "U1", now - timedelta(days=1)))
    store.plan_sources([SOURCE])
    quiet = p99(acks_for(store, QUIET_S))
    poll(store, runs_of(count, len(names), Status.RUNNING, now), now)
    before_mib = peak_mib()
    with timed_writes(store) as of_poll:
        took_s = poll(store, runs_of(count, len(names), Status.FAILED, now), now)
    with timed_writes(store) as of_drain:
        drained_s, acks = drain(store, relay)
    told = sum(m.user == BOT_USER for name in names for m in slack.messages(name))
    say("runs that flip, channels", f"{count}, {len(names)}")
    say("the poll's transaction", f"{max(of_poll)[0]:.2f} s", "< 2 s")
    say("  of that on the processor", f"{max(of_poll)[1]:.2f} s")
    say("  with the decision before it", f"{took_s:.2f} s")
    say("all told after", f"{drained_s:.1f} s", "< 60 s")
    say("messages in Slack", str(told))
    say("failures in their digests", str(folded(store, names)))
    say("busiest channel", f"{notifier.busiest():.2f} messages/s", "<= 1.2")
    say("peak memory, Slack included", f"{peak_mib():.0f} MiB", "< 300 MiB")
    say("  of that before the flip", f"{before_mib:.0f} MiB")
    say("ack p99, quiet", f"{quiet * 1000:.0f} ms")
    say("ack p99, while it drains", f"{p99(acks) * 1000:.0f} ms", "unchanged")
    say("longest transaction meanwhile", f"{max(of_drain)[0] * 1000:.0f} ms")
    say("worst ack meanwhile", f"{max(acks) * 1000:.0f} ms")


def folded(store: SqliteStore, names: list[str]) -> int:
    digests = range(1, 2 * len(names) + 1)
    news = (store.digest_news(name, digest) for digest in digests for name in names)
    return sum(one.failures for some in news for one in some)


if __name__ == "__main__":
    main()
