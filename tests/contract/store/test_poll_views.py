"""What a decision sees: exactly what was stored before, of the runs that were observed."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.episodes import EpisodeKey
from bot.domain.pipelines import PipelineRef
from bot.domain.polls import PollChanges, PollView
from bot.domain.providers import Observation
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import (
    NOON,
    SHOP,
    SOURCE,
    a_run,
    claimed_source,
    episode,
    poll,
    post,
    snapshot,
)

KEY = EpisodeKey("C1", SHOP, "main")


def test_snapshots_of_the_observed_runs_are_seen(store: Store) -> None:
    one = snapshot(a_run("r1"), NOON + timedelta(seconds=1, microseconds=3), 4)
    poll(store, [one, snapshot(a_run("r2"))])
    assert poll(store, observed=[a_run("r1"), a_run("r9")]).snapshots == {one.run.ref: one}


def test_many_snapshots_are_seen_at_once(store: Store) -> None:
    many = [snapshot(a_run(f"r{n}", minute=n)) for n in range(2500)]
    poll(store, many)
    seen = poll(store, observed=[one.run for one in many]).snapshots
    assert seen == {one.run.ref: one for one in many}


def test_a_changed_snapshot_replaces_the_old_one(store: Store) -> None:
    poll(store, [snapshot(a_run("r1", Status.RUNNING))])
    after = snapshot(a_run("r1", Status.FAILED), NOON + timedelta(minutes=1), 2)
    poll(store, [after])
    assert poll(store, observed=[after.run]).snapshots[after.run.ref] == after


def test_an_open_episode_is_seen_with_its_pipeline_only(store: Store) -> None:
    poll(store, episodes=(episode(),))
    assert poll(store, observed=[a_run()]).episodes == {KEY: episode()}
    elsewhere = a_run("r2", pipeline=PipelineRef("wercker", "acme/other"))
    assert poll(store, observed=[elsewhere]).episodes == {}


def test_an_episode_without_a_card_is_seen_with_its_latest_run_whatever_was_observed(
    store: Store,
) -> None:
    held_back = replace(episode(), is_told=False)
    stored = snapshot(held_back.latest)
    poll(store, [stored], episodes=(held_back,))
    view = poll(store)
    assert view.episodes == {KEY: held_back}
    assert view.snapshots == {stored.run.ref: stored}
    poll(store, episodes=(episode(),))
    view = poll(store)
    assert (view.episodes, view.snapshots) == ({}, {})


def test_episodes_differ_by_channel_and_branch(store: Store) -> None:
    kept = (
        episode(),
        episode(channel="C2"),
        episode(branch=None),
        episode(branch=""),
    )
    poll(store, episodes=kept)
    assert poll(store, observed=[a_run()]).episodes == {one.key: one for one in kept}


def test_a_fixed_episode_is_not_seen_and_a_new_one_follows(store: Store) -> None:
    poll(store, episodes=(episode("card:1"),))
    poll(store, episodes=(episode("card:1", fixed_at=NOON),))
    assert poll(store, observed=[a_run()]).episodes == {}
    again = episode("card:2")
    poll(store, episodes=(again,))
    assert poll(store, observed=[a_run()]).episodes == {KEY: again}


def test_an_episode_is_changed_in_place(store: Store) -> None:
    poll(store, episodes=(episode(),))
    longer = replace(episode(), latest=a_run("r2"), last_green=a_run("r0", Status.PASSED))
    poll(store, episodes=(longer,))
    assert poll(store, observed=[a_run()]).episodes == {KEY: longer}


def test_history_is_of_one_pipeline_and_branch_newest_first(store: Store) -> None:
    over = [a_run(f"r{n:02}", Status.PASSED, minute=n) for n in range(25)]
    others = [
        a_run("open", Status.RUNNING, minute=99),
        a_run("branch", branch="dev", minute=99),
        a_run("none", branch=None, minute=99),
        a_run("pipeline", pipeline=PipelineRef("wercker", "acme/other"), minute=99),
    ]
    poll(store, map(snapshot, over + others))
    expected = tuple(reversed(over[5:]))
    histories = _histories(store, [a_run("new"), a_run("new2", branch=None)])
    assert histories == [expected, (others[2],)]


def _histories(store: Store, runs: list[Run]) -> list[tuple[Run, ...]]:
    store.hurry_source(SOURCE)
    seen: list[tuple[Run, ...]] = []

    def decide(view: PollView) -> PollChanges:
        seen.extend(view.history(run) for run in runs)
        return PollChanges()

    store.record_poll(claimed_source(store), Observation((), "c"), 60, decide)
    return seen


def test_messages_of_a_poll_are_sent_once(store: Store) -> None:
    poll(store, messages=(post("a"), post("b")))
    poll(store, messages=(post("b"), post("c")))
    assert store.outbox_depth() == 3


def test_what_was_stored_outlives_the_process(engine: Engine, store: Store) -> None:
    one = snapshot(a_run("r1"))
    poll(store, [one], episodes=(episode(),), messages=(post("a"),))
    engine.crash(store)
    after = engine.start()
    view = poll(after, observed=[one.run])
    assert view.snapshots == {one.run.ref: one}
    assert view.episodes == {KEY: episode()}
    assert after.outbox_depth() == 1
