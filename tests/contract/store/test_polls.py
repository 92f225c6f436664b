from datetime import timedelta

import pytest

from bot.domain.audit import CommandState
from bot.domain.endings import FOLLOWED_S, Ending
from bot.domain.outbox import NewMessage
from bot.domain.polls import PollChanges, PollView, SourceKey
from bot.domain.providers import Observation, OpenRun
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.domain.store import Store
from bot.domain.transitions import Snapshot
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import (
    NOON,
    SOURCE,
    a_run,
    claimed_source,
    command,
    poll,
    post,
    snapshot,
)

OTHER = SourceKey("testery", "all")
NOTHING = Observation((), "c")
BOTH = ["wercker", "testery"]


def store_nothing(_view: PollView) -> PollChanges:
    return PollChanges()


def store_this(*snapshots: Snapshot, messages: tuple[NewMessage, ...] = ()) -> PollChanges:
    return PollChanges(snapshots, (), messages)


def test_nothing_is_due_before_it_is_planned(store: Store) -> None:
    assert store.claim_source(60, BOTH) is None
    assert store.seconds_to_due_source() is None
    assert store.source_states() == ()


def test_a_new_source_is_due_now_and_empty(store: Store) -> None:
    store.plan_sources([SOURCE])
    assert store.seconds_to_due_source() == 0
    claim = claimed_source(store)
    assert (claim.cursor, claim.is_first, claim.failures, claim.open_runs) == ("", True, 0, ())


def test_only_sources_of_the_asked_instances_are_claimed(store: Store) -> None:
    store.plan_sources([SOURCE])
    assert store.claim_source(60, ["testery"]) is None
    assert store.claim_source(60, []) is None


def test_a_claimed_source_is_nobody_elses_until_the_lease_ends(
    engine: Engine, store: Store
) -> None:
    store.plan_sources([SOURCE])
    first = claimed_source(store)
    assert store.claim_source(60, BOTH) is None
    assert store.seconds_to_due_source() == pytest.approx(60, abs=1)
    engine.pass_time(60)
    assert claimed_source(store).token > first.token


def test_the_source_due_for_longest_comes_first(engine: Engine, store: Store) -> None:
    store.plan_sources([SOURCE])
    engine.pass_time(1)
    store.plan_sources([SOURCE, OTHER])
    assert claimed_source(store).key == SOURCE
    second = store.claim_source(60, BOTH)
    assert second is not None
    assert second.key == OTHER


def test_a_good_poll_moves_the_cursor_and_the_due_time(engine: Engine, store: Store) -> None:
    store.plan_sources([SOURCE])
    store.record_poll(claimed_source(store), Observation((), "c\u00e9\0"), 20, store_nothing)
    assert store.claim_source(60, BOTH) is None
    assert store.seconds_to_due_source() == pytest.approx(20, abs=1)
    engine.pass_time(20)
    claim = claimed_source(store)
    assert (claim.cursor, claim.is_first) == ("c\u00e9\0", False)


def test_failures_are_counted_until_a_good_poll(engine: Engine, store: Store) -> None:
    store.plan_sources([SOURCE])
    for failures in (1, 2):
        store.record_failed_poll(claimed_source(store), "no answer", 5)
        assert store.claim_source(60, BOTH) is None
        (state,) = store.source_states()
        assert (state.failures, state.last_error) == (failures, "no answer")
        assert state.good_poll_age_s is None
        engine.pass_time(5)
    claim = claimed_source(store)
    assert (claim.failures, claim.is_first) == (2, True)
    store.record_poll(claim, NOTHING, 5, store_nothing)
    engine.pass_time(3)
    (state,) = store.source_states()
    assert (state.key, state.failures, state.last_error) == (SOURCE, 0, "")
    assert state.good_poll_age_s == pytest.approx(3, abs=1)


def test_age_of_the_last_good_poll_follows_no_jump_but_goes_on_in_the_next_process(
    engine: Engine, store: Store
) -> None:
    store.plan_sources([SOURCE])
    store.record_poll(claimed_source(store), NOTHING, 5, store_nothing)
    engine.jump_time_of_day(timedelta(hours=1))
    assert store.source_states()[0].good_poll_age_s == pytest.approx(0, abs=1)
    engine.jump_time_of_day(timedelta(hours=-1))
    engine.pass_time(7)
    engine.crash(store)
    after = engine.start()
    assert after.source_states()[0].good_poll_age_s == pytest.approx(7, abs=1)


def test_a_claim_that_is_given_back_can_be_taken_at_once(store: Store) -> None:
    store.plan_sources([SOURCE])
    lost = claimed_source(store)
    store.give_back_source(lost)
    claim = claimed_source(store)
    store.give_back_source(lost)
    assert store.claim_source(60, BOTH) is None, "the old claim ends no other"
    assert store.record_poll(claim, NOTHING, 1, store_nothing) is not None


def test_a_write_with_a_lost_claim_is_refused(engine: Engine, store: Store) -> None:
    store.plan_sources([SOURCE])
    old = claimed_source(store)
    engine.pass_time(61)
    new = claimed_source(store)
    lost = store_this(snapshot(a_run()), messages=(post("k"),))
    assert store.record_poll(old, Observation((a_run(),), "old"), 1, lambda _: lost) is None
    store.record_failed_poll(old, "late", 1)
    assert store.run(a_run().ref) is None
    assert store.outbox_depth() == 0
    assert store.source_states()[0].failures == 0
    assert store.record_poll(new, NOTHING, 1, store_nothing) is not None


def test_a_claim_is_good_for_one_result(store: Store) -> None:
    store.plan_sources([SOURCE])
    claim = claimed_source(store)
    assert store.record_poll(claim, NOTHING, 1, store_nothing) == PollChanges()
    assert store.record_poll(claim, NOTHING, 1, store_nothing) is None


def test_the_next_process_ends_claims_and_everything_is_due(engine: Engine, store: Store) -> None:
    store.plan_sources([SOURCE, OTHER])
    store.record_poll(claimed_source(store), NOTHING, 500, store_nothing)
    claim = store.claim_source(60, BOTH)
    assert claim is not None
    engine.crash(store)
    after = engine.start()
    assert after.seconds_to_due_source() == 0
    assert store.record_poll(claim, NOTHING, 1, store_nothing) is None
    keys = {claimed_source(after, SOURCE).key, claimed_source(after, OTHER).key}
    assert keys == {SOURCE, OTHER}


def test_a_source_no_longer_wanted_keeps_its_cursor(store: Store) -> None:
    store.plan_sources([SOURCE])
    store.record_poll(claimed_source(store), Observation((), "kept"), 500, store_nothing)
    store.plan_sources([])
    assert store.source_states() == ()
    assert store.seconds_to_due_source() is None
    assert store.claim_source(60, BOTH) is None
    store.plan_sources([SOURCE])
    assert claimed_source(store).cursor == "kept"


def test_planning_again_changes_nothing(store: Store) -> None:
    store.plan_sources([SOURCE])
    store.record_poll(claimed_source(store), NOTHING, 500, store_nothing)
    store.plan_sources([SOURCE])
    assert store.claim_source(60, BOTH) is None


def test_hurry_makes_a_source_due(store: Store) -> None:
    store.plan_sources([SOURCE])
    store.record_poll(claimed_source(store), NOTHING, 500, store_nothing)
    store.hurry_source(SOURCE)
    assert claimed_source(store).cursor == "c"


def test_hurry_during_a_poll_makes_the_source_due_after_it(store: Store) -> None:
    store.plan_sources([SOURCE])
    claim = claimed_source(store)
    store.hurry_source(SOURCE)
    assert store.claim_source(60, BOTH) is None
    store.record_poll(claim, NOTHING, 500, store_nothing)
    again = claimed_source(store)
    store.record_poll(again, NOTHING, 500, store_nothing)
    assert store.claim_source(60, BOTH) is None, "hurried once"


def test_a_decision_that_fails_leaves_nothing(store: Store) -> None:
    store.plan_sources([SOURCE])
    claim = claimed_source(store)

    def fail(_view: PollView) -> PollChanges:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.record_poll(claim, Observation((a_run(),), "bad"), 1, fail)
    changes = store_this(snapshot(a_run()))
    assert store.record_poll(claim, Observation((a_run(),), "good"), 1, lambda _: changes)


def test_open_runs_are_those_seen_there_and_not_over(engine: Engine, store: Store) -> None:
    running = a_run("r1", Status.RUNNING)
    waiting = a_run("r2", Status.WAITING, minute=1)
    over = a_run("r3", Status.PASSED)
    poll(store, map(snapshot, (running, waiting, over)))
    poll(store, [snapshot(a_run("r4", Status.RUNNING))], key=SourceKey("wercker", "other"))
    engine.pass_time(60)
    assert claimed_source(store).open_runs == (
        OpenRun("r1", NOON, running.created),
        OpenRun("r2", NOON, waiting.created),
    )


def test_an_unknown_word_with_an_end_is_over(engine: Engine, store: Store) -> None:
    ended = a_run("r1", Status.PASSED)
    odd = type(ended)(ended.ref, ended.pipeline, Status.UNKNOWN, finished=ended.finished)
    poll(store, [snapshot(odd), snapshot(a_run("r2", Status.UNKNOWN))])
    engine.pass_time(60)
    assert [one.run_id for one in claimed_source(store).open_runs] == ["r2"]


def test_a_run_seen_by_two_sources_is_open_on_both(engine: Engine, store: Store) -> None:
    running = a_run("r1", Status.RUNNING)
    other = SourceKey("wercker", "other")
    poll(store, [snapshot(running)])
    poll(store, observed=[running], key=other)
    engine.pass_time(60)
    assert [one.run_id for one in claimed_source(store, SOURCE).open_runs] == ["r1"]
    assert [one.run_id for one in claimed_source(store, other).open_runs] == ["r1"]


def test_an_open_run_is_given_up_after_a_week_without_change(engine: Engine, store: Store) -> None:
    poll(store, [snapshot(a_run("r1", Status.RUNNING))])
    engine.pass_time(7 * 86400 - 10)
    poll(store, [snapshot(a_run("r2", Status.RUNNING), engine.now())])
    engine.pass_time(61)
    assert [one.run_id for one in claimed_source(store).open_runs] == ["r2"]


def follow(store: Store, run: Run) -> None:
    """A command of ours led to this run."""
    command_id = store.record_command(command())
    done = Ending(command_id, CommandState.DONE, "", "", run=run, sources=[SOURCE])
    store.end_command(done)


def followed(store: Store) -> list[str]:
    """What the next poll is asked to read by itself; it is a good one."""
    store.hurry_source(SOURCE)
    claim = claimed_source(store)
    store.record_poll(claim, NOTHING, 500, store_nothing)
    return [one.run_id for one in claim.open_runs]


def test_a_run_that_we_changed_is_followed_a_while_though_it_is_over(
    engine: Engine, store: Store
) -> None:
    poll(store, [snapshot(a_run("r1"))])
    assert followed(store) == []
    follow(store, a_run("r1"))
    assert followed(store) == ["r1"]
    engine.pass_time(FOLLOWED_S)
    assert followed(store) == ["r1"], "the first good poll after that"
    assert followed(store) == []


def test_a_run_that_we_started_is_followed_before_it_was_ever_read(store: Store) -> None:
    store.plan_sources([SOURCE])
    store.record_poll(claimed_source(store), NOTHING, 500, store_nothing)
    run = a_run("new", Status.QUEUED)
    follow(store, run)
    claim = claimed_source(store)
    assert claim.open_runs == (OpenRun("new", NOON, run.created),), "and the source is due"


def test_a_run_that_we_changed_is_followed_through_bad_polls_and_restarts(
    engine: Engine, store: Store
) -> None:
    store.plan_sources([SOURCE])
    follow(store, a_run("r1"))
    engine.pass_time(FOLLOWED_S + 1)
    store.record_failed_poll(claimed_source(store), "down", 0)
    engine.crash(store)
    after = engine.start()
    assert followed(after) == ["r1"]
    engine.pass_time(FOLLOWED_S)
    assert followed(after) == ["r1"]
    assert followed(after) == []


def test_a_run_is_followed_once(store: Store) -> None:
    poll(store, [snapshot(a_run("r1", Status.RUNNING))])
    for _ in range(2):
        follow(store, a_run("r1", Status.RUNNING))
    assert followed(store) == ["r1"]
