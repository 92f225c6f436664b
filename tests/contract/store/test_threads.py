"""Many threads on one store: every claim has one holder, and nothing is lost or doubled."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, Event
from typing import TypeVar

from bot.domain.errors import StoreError
from bot.domain.polls import PollChanges, SourceKey
from bot.domain.providers import Observation
from bot.domain.runs import RunRef
from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import a_run, command, post, snapshot

T = TypeVar("T")
THREADS = 6


def at_once(work: Callable[[int], T]) -> list[T]:
    """What THREADS threads return that start together."""
    start = Barrier(THREADS)

    def run(number: int) -> T:
        start.wait(timeout=10)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS), timeout=60))


def test_one_of_many_is_first(store: Store) -> None:
    assert Counter(at_once(lambda _: store.is_first_time("k")))[True] == 1


def test_one_of_many_holds_an_action(store: Store) -> None:
    ids = [store.record_command(command()) for _ in range(THREADS)]
    holders = at_once(lambda n: store.claim_action("k", ids[n], 30))
    winner = ids[holders.index(None)]
    assert {held.command_id for held in holders if held is not None} == {winner}
    assert holders.count(None) == 1


def test_every_command_has_an_id_of_its_own(store: Store) -> None:
    ids = at_once(lambda _: [store.record_command(command()) for _ in range(10)])
    assert len({one for some in ids for one in some}) == 10 * THREADS


def test_every_source_is_claimed_by_one(store: Store) -> None:
    store.plan_sources([SourceKey("wercker", f"s{n}") for n in range(10)])
    claims = at_once(lambda _: [store.claim_source(60, ["wercker"]) for _ in range(4)])
    keys = [claim.key for some in claims for claim in some if claim is not None]
    assert len(keys) == len(set(keys)) == 10


def test_every_message_is_sent_by_one_and_in_order(store: Store) -> None:
    channels = 4
    store.enqueue(post(f"{n}", f"C{n % channels}") for n in range(40))
    sent: list[int] = []

    def send_all(_number: int) -> None:
        while store.outbox_depth():
            claim = store.claim_message(60)
            if claim is not None:
                sent.append(int(claim.message.key))
                assert store.settle_sent(claim, "1.0", 0)

    at_once(send_all)
    assert sorted(sent) == list(range(40))
    for channel in range(channels):
        lane = [n for n in sent if n % channels == channel]
        assert lane == sorted(lane)


def test_of_two_holders_of_a_source_one_writes(engine: Engine, store: Store) -> None:
    store.plan_sources([SourceKey("wercker", "s")])
    claims = []
    for _ in range(THREADS):
        claims.append(store.claim_source(60, ["wercker"]))
        engine.pass_time(61)

    def write(number: int) -> PollChanges | None:
        claim, run = claims[number], a_run(f"r{number}")
        assert claim is not None
        changes = PollChanges((snapshot(run),))
        return store.record_poll(claim, Observation((run,), "c"), 1, lambda _: changes)

    assert [one is not None for one in at_once(write)] == [False] * (THREADS - 1) + [True]
    assert store.run(RunRef("wercker", "r0")) is None


def test_closing_waits_for_those_who_write_and_refuses_the_rest(
    engine: Engine, store: Store
) -> None:
    """No error but StoreError, and what was reported as written is there afterwards."""
    written: list[int] = []
    enough = Event()

    def write(number: int) -> None:
        if number == 0:
            assert enough.wait(timeout=10)
            store.close()
            return
        with suppress(StoreError):
            while True:
                written.append(store.record_command(command()))
                enough.set()

    at_once(write)
    assert len(engine.start().commands(10_000)) == len(written)
