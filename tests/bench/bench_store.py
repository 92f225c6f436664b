"""Times the store: python -m tests.bench.bench_store [runs] [folder].

Prints how long one poll takes in which that many runs turn to failure, with a card and an
edit per channel or a message per run, and how long an acknowledgement waits meanwhile.
"""

import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.errors import StoreBusyError
from bot.domain.outbox import Form, NewMessage
from bot.domain.pipelines import PipelineRef
from bot.domain.polls import PollChanges, PollView
from bot.domain.providers import Observation
from bot.domain.replies import AlertCard
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.domain.transitions import Reason, compare
from bot.store.sqlite import SqliteStore
from tests.fakes.store_engines import ManualClock
from tests.fakes.store_samples import NOON, SOURCE, claimed_source, command

CHANNELS = 20


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def runs_of(count: int, status: Status) -> tuple[Run, ...]:
    return tuple(
        Run(
            RunRef("wercker", f"577a{number:020}"),
            PipelineRef("wercker", f"acme/shop-{number % CHANNELS}/build"),
            status,
            raw_status=status.value,
            title="Make the basket remember what was in it",
            branch="main",
            commit="0123456789abcdef0123456789abcdef01234567",
            author="ada",
            created=NOON,
            started=NOON,
            finished=NOON if status.is_terminal else None,
            url=f"https://ci.example/runs/577a{number:020}",
        )
        for number in range(count)
    )


def decision(runs: tuple[Run, ...], *, one_each: bool) -> Callable[[PollView], PollChanges]:
    """Compares every run, and makes a card per channel or a message per run."""

    def decide(view: PollView) -> PollChanges:
        changed = [
            compare(view.snapshots.get(run.ref), run, now=NOON, runs_reopen=False) for run in runs
        ]
        failed = [one.snapshot.run for one in changed if one.snapshot.run.status.is_failure]
        for run in failed:
            view.history(run)
        told = failed if one_each else failed[:CHANNELS]
        return PollChanges(
            tuple(one.snapshot for one in changed if one.reason is not Reason.STILL_THE_SAME),
            tuple(_episode(run) for run in failed[:CHANNELS]),
            tuple(_card(run) for run in told),
        )

    return decide


def _card(run: Run) -> NewMessage:
    card = AlertCard(run.pipeline, run.branch, run, "turned failing", first_bad=run)
    return NewMessage(_channel(run), f"card:{run.ref}", Form.POST, card)


def _episode(run: Run) -> Episode:
    key = EpisodeKey(_channel(run), run.pipeline, run.branch)
    return Episode(key, f"card:{run.ref}", NOON, run, run, ((run.ref, 1),))


def _channel(run: Run) -> str:
    return f"C-{run.pipeline.key}"


@dataclass(slots=True)
class Acks:
    """What an acknowledgement writes, again and again, and how long each took."""

    store: SqliteStore
    times_s: list[float] = field(default_factory=list)
    refused: int = 0
    _end: Event = field(default_factory=Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()

    def _work(self) -> None:
        while not self._end.wait(0.01):
            start = perf_counter()
            try:
                self.store.is_first_time(f"trigger:{start}")
                self.store.record_command(command())
            except StoreBusyError:
                self.refused += 1
            self.times_s.append(perf_counter() - start)


def time_poll(store: SqliteStore, runs: tuple[Run, ...], *, one_each: bool = False) -> float:
    store.hurry_source(SOURCE)
    claim = claimed_source(store)
    start = perf_counter()
    stored = store.record_poll(claim, Observation(runs, "c"), 60, decision(runs, one_each=one_each))
    took = perf_counter() - start
    if stored is None:
        raise RuntimeError("the claim was lost")
    return took


def time_polls(folder: Path, count: int, *, one_each: bool, with_acks: bool) -> None:
    store = SqliteStore(folder / f"{one_each}{with_acks}.db", ManualClock(), lambda: "b")
    store.open()
    store.plan_sources([SOURCE])
    new = time_poll(store, runs_of(count, Status.RUNNING))
    acks = Acks(store)
    failed = runs_of(count, Status.FAILED)
    if with_acks:
        with acks.running():
            flip = time_poll(store, failed, one_each=one_each)
    else:
        flip = time_poll(store, failed, one_each=one_each)
    same = time_poll(store, tuple(replace(run) for run in failed))
    what = "a message per run" if one_each else "a card per channel"
    say(f"{count} runs, {what}: new {new:.2f} s, all flip {flip:.2f} s, no change {same:.2f} s")
    if with_acks:
        times = sorted(acks.times_s)
        say(
            f"  acks meanwhile: {len(times)}, middle {times[len(times) // 2]:.3f} s, "
            f"worst {times[-1]:.3f} s, {acks.refused} told busy"
        )
    time_sending(store)
    store.close()


def time_sending(store: SqliteStore) -> None:
    depth = store.outbox_depth()
    start = perf_counter()
    done = 0
    while done < min(depth, 200):
        claim = store.claim_message(60)
        if claim is None:
            break
        store.settle_sent(claim, "1.0", 0)
        done += 1
    each_ms = 1000 * (perf_counter() - start) / max(done, 1)
    say(f"  claim and settle with {depth} waiting: {each_ms:.2f} ms each")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        for one_each in (False, True):
            for with_acks in (False, True):
                time_polls(Path(folder), count, one_each=one_each, with_acks=with_acks)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"peak memory {peak_mib:.0f} MiB")


if __name__ == "__main__":
    main()
