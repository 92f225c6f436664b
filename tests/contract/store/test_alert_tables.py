"""Mutes, decisions, blindness and first looks: what a restart must not forget."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.decisions import Decision, Treatment
from bot.domain.mutes import KnownFailure, Mute
from bot.domain.pipelines import Pattern
from bot.domain.polls import SourceKey
from bot.domain.sights import Blindness
from bot.domain.store import Store
from bot.domain.transitions import Reason
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import NOON, SHOP, SOURCE, a_run, a_watch, poll, post, snapshot

MUTE = Mute(
    "C1",
    Pattern("wercker", "acme/*"),
    NOON + timedelta(hours=2),
    "U1",
    "main",
    "deploy \u202e",
    (
        KnownFailure(SHOP, "main", frozenset({"test_a", "ü, \u202e"}), is_awake=True),
        KnownFailure(SHOP, None, frozenset()),
    ),
)


def test_a_mute_comes_back_and_is_replaced(engine: Engine, store: Store) -> None:
    store.set_mute(MUTE)
    longer = replace(MUTE, until=NOON + timedelta(days=1), because="")
    store.set_mute(longer)
    store.set_mute(replace(MUTE, branch=None, channel="C2"))
    engine.stop(store)
    again = engine.start()
    assert again.mutes("C1") == (longer,)
    assert len(again.mutes()) == 2


def test_a_mute_is_removed_by_channel_pattern_and_branch(store: Store) -> None:
    others = (
        replace(MUTE, branch=None),
        replace(MUTE, branch=""),
        replace(MUTE, channel="C2"),
        replace(MUTE, pattern=Pattern("wercker", "other")),
    )
    for mute in (MUTE, *others):
        store.set_mute(mute)
    assert store.remove_mutes([replace(MUTE, known=(), because="another"), MUTE]) == 1
    assert store.mutes() == others


def test_a_decision_stays_with_its_run(store: Store) -> None:
    run = a_run()
    first = Decision(
        "C1", run.ref, 1, 7, Reason.TURNED_FAILING, Treatment.CARD, NOON, "card C1 \u202e"
    )
    second = replace(
        first, attempt=2, treatment=Treatment.MUTED, message_key=None, mute=replace(MUTE, known=())
    )
    poll(store, [snapshot(run)], decisions=(second, first), mutes=(MUTE,))
    assert store.decisions(run.ref, "C1") == (first, second)
    assert store.decisions(run.ref, "C2") == ()
    assert store.mutes() == (MUTE,)


def test_a_poll_sees_mutes_and_durations(store: Store) -> None:
    runs = [a_run(f"r{n}", minute=n) for n in range(3)]
    poll(store, map(snapshot, runs))
    store.set_mute(MUTE)
    view = poll(store)
    assert view.mutes == (MUTE,)
    assert view.durations(runs[0]) == (timedelta(seconds=30),) * 3
    assert view.asked_by(runs[0].ref) is None


def test_blindness_is_kept_until_it_ends(engine: Engine, store: Store) -> None:
    whole = Blindness(SourceKey("wercker", ""), NOON, "no answer", ("C1", "C2"))
    part = Blindness(SourceKey("wercker", "acme"), NOON, "gone", ())
    store.save_blindness(whole, [post("blind")])
    store.save_blindness(part, [])
    store.save_blindness(replace(whole, channels=("C1",)), [post("blind")])
    engine.stop(store)
    again = engine.start()
    assert again.blindnesses() == (replace(whole, channels=("C1",)), part)
    assert again.outbox_depth() == 1
    again.end_blindness(whole.key, [post("back")])
    assert again.blindnesses() == (part,)
    assert again.outbox_depth() == 2


def test_a_watch_is_introduced_once(engine: Engine, store: Store) -> None:
    watch, other = store.add_watch(a_watch()), store.add_watch(a_watch("C2"))
    assert store.newcomers() == (watch, other)
    store.introduce([watch], [post("first")])
    store.add_watch(a_watch())
    engine.stop(store)
    assert engine.start().newcomers() == (other,)


def test_failures_seen_since(store: Store) -> None:
    later = NOON + timedelta(minutes=5)
    old, new = snapshot(a_run("old")), snapshot(a_run("new"), later)
    poll(store, [new, old])
    assert store.failures_seen(later) == (new,)
    assert store.failures_seen(NOON) == (old, new)


def test_a_source_tells_how_long_it_has_not_been_seen(engine: Engine, store: Store) -> None:
    store.plan_sources([SOURCE])
    engine.pass_time(40)
    (state,) = store.source_states()
    assert (state.sight_age_s, state.good_poll, state.is_refused) == (40, None, False)
    claim = store.claim_source(60, [SOURCE.instance])
    assert claim is not None
    store.record_failed_poll(claim, "refused", 1, is_refused=True)
    assert store.source_states()[0].is_refused
    poll(store)
    (state,) = store.source_states()
    assert (state.sight_age_s, state.is_refused) == (0, False)
    engine.pass_time(40)
    engine.stop(store)
    (state,) = engine.start().source_states()
    assert state.sight_age_s == 0
