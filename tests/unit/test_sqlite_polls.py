"""A poll decides without the write lock. What happens meanwhile must not be overlooked."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.domain.polls import PollChanges, PollView, SourceKey
from bot.domain.providers import Observation
from bot.domain.statuses import Status
from bot.store.sqlite import SqliteStore
from tests.fakes.store_engines import SqliteEngine
from tests.fakes.store_samples import (
    NOON,
    SOURCE,
    a_run,
    a_watch,
    claimed_source,
    command,
    episode,
    poll,
    post,
    snapshot,
)

OTHER = SourceKey("wercker", "other")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(tmp_path)
    yield engine
    engine.end()


@pytest.fixture
def store(engine: SqliteEngine) -> SqliteStore:
    store = engine.start()
    store.plan_sources([SOURCE])
    return store


def elsewhere(work: Callable[[], object]) -> None:
    """Does it in another thread, to its end."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result(timeout=30)


def views_of(
    store: SqliteStore, meanwhile: Callable[[], object], changes: PollChanges
) -> tuple[list[PollView], PollChanges | None]:
    """The views that one poll's decision was asked with, and the poll's result."""
    claim = claimed_source(store)
    views: list[PollView] = []

    def decide(view: PollView) -> PollChanges:
        views.append(view)
        if len(views) == 1:
            elsewhere(meanwhile)
        return changes

    return views, store.record_poll(claim, Observation((a_run(),), "c"), 60, decide)


def test_others_write_while_a_poll_is_decided(store: SqliteStore) -> None:
    changes = PollChanges((snapshot(a_run()),))
    views, stored = views_of(store, lambda: store.record_command(command()), changes)
    assert stored == changes
    assert len(views) == 1, "what others wrote was not of its concern"
    assert len(store.commands(9)) == 1


def test_a_watch_made_meanwhile_is_seen(store: SqliteStore) -> None:
    views, stored = views_of(store, lambda: store.add_watch(a_watch()), PollChanges())
    assert stored is not None
    assert [len(view.watches) for view in views] == [0, 1]


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.suspend_channel("C1", "archived"),
        lambda store: store.resume_channel("C2"),
        lambda store: store.remove_watch(1),
        lambda store: store.sync_settings_watches([a_watch("C3", made_by="settings")]),
        lambda store: store.clean(30),
    ],
)
def test_whatever_changes_the_view_lets_it_be_decided_anew(
    store: SqliteStore, change: Callable[[SqliteStore], object]
) -> None:
    store.add_watch(a_watch("C1"))
    store.add_watch(a_watch("C2"))
    store.suspend_channel("C2", "archived")
    views, _ = views_of(store, lambda: change(store), PollChanges())
    assert len(views) == 2
    assert store.watches() == () or views[1].watches == tuple(
        one for one in store.watches() if one.suspended_because is None
    )


def test_what_another_poll_stored_meanwhile_is_seen(store: SqliteStore) -> None:
    before = snapshot(a_run("r1", Status.RUNNING))

    def other_poll() -> None:
        poll(store, [before], episodes=(episode(),), key=OTHER)

    store.plan_sources([SOURCE, OTHER])
    views, _ = views_of(store, other_poll, PollChanges())
    assert [dict(view.snapshots) for view in views] == [{}, {before.run.ref: before}]
    assert [len(view.episodes) for view in views] == [0, 1]


def test_a_claim_lost_meanwhile_stores_nothing(engine: SqliteEngine, store: SqliteStore) -> None:
    def lose() -> None:
        engine.pass_time(61)
        claimed_source(store)

    changes = PollChanges((snapshot(a_run()),), (), (post("a"),))
    _, stored = views_of(store, lose, changes)
    assert stored is None
    assert store.run(a_run().ref) is None
    assert store.outbox_depth() == 0
    assert store.source_states()[0].good_poll_age_s is None


def test_the_decision_of_the_newest_view_is_stored(store: SqliteStore) -> None:
    claim = claimed_source(store)
    answers = iter([snapshot(a_run("old")), snapshot(a_run("new"), NOON)])

    def decide(view: PollView) -> PollChanges:
        if not view.watches:
            elsewhere(lambda: store.add_watch(a_watch()))
        return PollChanges((next(answers),))

    store.record_poll(claim, Observation((a_run(),), "c"), 60, decide)
    assert store.run(a_run("old").ref) is None
    assert store.run(a_run("new").ref) is not None
