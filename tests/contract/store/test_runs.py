from dataclasses import replace
from datetime import timedelta

from bot.domain.pipelines import Pattern, PipelineRef
from bot.domain.runs import RunRef
from bot.domain.statuses import Status
from bot.domain.store import Store
from tests.fakes.store_samples import NOON, SHOP, a_run, poll, snapshot

OTHER = PipelineRef("testery", "checkout/staging")


def found(store: Store, pattern: str, limit: int = 10) -> list[str]:
    return [run.ref.run_id for run in store.runs(Pattern.parse(pattern), limit)]


def stored(store: Store) -> None:
    runs = (
        a_run("r1", minute=1),
        a_run("r3", Status.RUNNING, minute=3, aliases=("pipeline-id", "acme/shop")),
        a_run("t2", pipeline=OTHER, minute=2),
    )
    poll(store, map(snapshot, runs))


def test_a_run_is_found_by_its_ref(store: Store) -> None:
    stored(store)
    assert store.run(RunRef("wercker", "r1")) == a_run("r1", minute=1)
    assert store.run(RunRef("testery", "r1")) is None


def test_a_run_is_kept_with_what_it_was_started_with(store: Store) -> None:
    tagged = replace(a_run("r1"), parameters=(("includeTags", "smoke,login"), ("copies", "2")))
    poll(store, [snapshot(tagged), snapshot(a_run("r2"))])
    assert store.run(tagged.ref) == tagged
    assert [run.parameters for run in store.runs(Pattern("*", "*"), 2)] == [(), tagged.parameters]
    again = replace(tagged, parameters=(("includeTags", "none"),))
    poll(store, [snapshot(again)])
    assert store.run(tagged.ref) == again


def test_a_run_is_kept_with_what_failed_in_it(store: Store) -> None:
    red = replace(a_run("r1"), failing=("test_a, b", 'Ünlü "x" \ud800'), failed_step="test_a, b")
    poll(store, [snapshot(red), snapshot(a_run("r2"))])
    kept = store.run(red.ref)
    assert kept is not None
    assert kept.failing == ("test_a, b", 'Ünlü "x" \ufffd')
    assert kept.failed_step == "test_a, b"
    assert store.run(RunRef("wercker", "r2")) == a_run("r2")
    poll(store, [snapshot(a_run("r1"))])
    assert store.run(red.ref) == a_run("r1")


def test_runs_are_listed_newest_first_up_to_the_limit(store: Store) -> None:
    stored(store)
    assert found(store, "*") == ["r3", "t2", "r1"]
    assert found(store, "*", limit=2) == ["r3", "t2"]


def test_runs_are_found_by_pipeline_glob_and_alias(store: Store) -> None:
    stored(store)
    assert found(store, f"wercker:{SHOP.key}") == ["r3", "r1"]
    assert found(store, "testery:check*/stag*") == ["t2"]
    assert found(store, "pipeline-id") == ["r3"]
    assert found(store, "*:acme/sho?") == ["r3"]
    assert found(store, "wercker:Acme/*") == []


def test_a_run_without_times_is_listed_by_when_it_was_seen(store: Store) -> None:
    bare = type(a_run())(RunRef("wercker", "bare"), SHOP, Status.QUEUED)
    poll(store, [snapshot(bare, NOON + timedelta(minutes=2)), snapshot(a_run("r1", minute=1))])
    poll(store, [snapshot(a_run("r3", minute=3))])
    assert found(store, "*") == ["r3", "bare", "r1"]
