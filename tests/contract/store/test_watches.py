from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.episodes import Episode
from bot.domain.outbox import NewMessage
from bot.domain.pipelines import Pattern
from bot.domain.store import Store
from bot.domain.watches import Filter, Preset, ThreadMode, Watch
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import NOON, a_watch, episode, poll, post, send

MAIN = Filter("branch", ("main", "release/*"))
NOT_BOT = Filter("by", ("bot",), is_negated=True)

FULL = Watch(
    "C1",
    Pattern("wercker", "acme/*"),
    "U1",
    NOON,
    (MAIN, NOT_BOT),
    Preset.ALL,
    ThreadMode.BROADCAST,
    "<!subteam^S1>",
    "archived \u202e",
    tells_overdue=False,
)


def test_a_watch_comes_back_with_its_id(store: Store) -> None:
    stored = store.add_watch(FULL)
    assert stored.watch_id > 0
    assert stored == replace(FULL, watch_id=stored.watch_id)
    assert store.watches() == (stored,)


def test_the_same_watch_is_replaced_but_keeps_id_and_since(store: Store) -> None:
    first = store.add_watch(FULL)
    later = replace(
        FULL, since=NOON + timedelta(days=1), preset=Preset.FAILURES, made_by="U2", mention=None
    )
    second = store.add_watch(later)
    assert second == replace(later, since=NOON, watch_id=first.watch_id)
    assert store.watches() == (second,)


def test_filters_in_another_order_are_the_same_watch(store: Store) -> None:
    first = store.add_watch(FULL)
    turned = (NOT_BOT, Filter("branch", ("release/*", "main")))
    second = store.add_watch(replace(FULL, filters=turned))
    assert second.watch_id == first.watch_id
    assert second.filters == turned


def test_other_channel_pattern_filters_or_kind_of_maker_is_another_watch(store: Store) -> None:
    others = [
        FULL,
        replace(FULL, channel="C2"),
        replace(FULL, pattern=Pattern("wercker", "*")),
        replace(FULL, filters=(MAIN,)),
        replace(FULL, filters=(replace(MAIN, is_negated=True), NOT_BOT)),
        replace(FULL, made_by="settings"),
    ]
    assert len({store.add_watch(one).watch_id for one in others}) == len(others)
    assert [one.channel for one in store.watches("C2")] == ["C2"]
    assert len(store.watches("C1")) == len(others) - 1


def test_removing_says_whether_there_was_one(store: Store) -> None:
    stored = store.add_watch(FULL)
    assert store.remove_watch(stored.watch_id)
    assert not store.remove_watch(stored.watch_id)
    assert store.watches() == ()


def test_settings_watches_become_equal_to_the_settings(store: Store) -> None:
    own = store.add_watch(a_watch(pattern="testery:*"))
    a, b, c = (a_watch(pattern=f"wercker:{name}", made_by="settings") for name in "abc")
    store.sync_settings_watches([a, b])
    kept = {str(one.pattern): one for one in store.watches()}["wercker:b"]
    store.sync_settings_watches([replace(b, since=NOON + timedelta(days=1), preset=Preset.ALL), c])
    after = {str(one.pattern): one for one in store.watches()}
    assert set(after) == {"testery:*", "wercker:b", "wercker:c"}
    assert after["wercker:b"] == replace(kept, preset=Preset.ALL)
    assert after["testery:*"] == own


def test_syncing_resumes_a_settings_watch_and_no_other(engine: Engine, store: Store) -> None:
    store.sync_settings_watches([a_watch(made_by="settings")])
    store.add_watch(a_watch(pattern="testery:*"))
    store.introduce(store.newcomers(), [])
    store.suspend_channel("C1", "archived")
    engine.pass_time(60)
    store.sync_settings_watches([a_watch(made_by="settings")])
    resumed, own = store.watches()
    assert (resumed.suspended_because, own.suspended_because) == (None, "archived")
    assert resumed.since == engine.clock.now()
    assert store.newcomers() == (resumed,)


def test_suspending_returns_the_active_ones_and_is_undone(engine: Engine, store: Store) -> None:
    a = store.add_watch(a_watch(pattern="wercker:a"))
    b = store.add_watch(a_watch(pattern="wercker:b"))
    other = store.add_watch(a_watch("C2"))
    began = engine.clock.now()
    suspended = tuple(
        replace(one, suspended_because="archived", quiet_since=began) for one in (a, b)
    )
    assert store.suspend_channel("C1", "archived") == suspended
    assert store.suspend_channel("C1", "kicked") == ()
    assert store.watches() == (*suspended, other)
    engine.pass_time(60)
    resumed = tuple(
        replace(one, suspended_because=None, since=engine.clock.now()) for one in suspended
    )
    assert store.resume_channel("C1") == resumed
    assert store.resume_channel("C1") == ()
    assert store.watches() == (*resumed, other)


def test_a_watch_that_could_post_nothing_has_been_quiet_all_the_time(
    engine: Engine, store: Store
) -> None:
    store.add_watch(a_watch())
    began = engine.clock.now()
    for _ in range(2):
        store.suspend_channel("C1", "archived")
        engine.pass_time(60)
        (watch,) = store.resume_channel("C1")
        assert watch.quiet_since == began
    store.enqueue([post("a")])
    claim = store.claim_message(60)
    assert claim is not None
    store.settle_sent(claim, "1.0", 0)
    engine.pass_time(60)
    (watch,) = store.suspend_channel("C1", "archived")
    assert watch.quiet_since == engine.clock.now()


def test_a_suspended_watch_is_not_seen_by_polls(store: Store) -> None:
    store.add_watch(a_watch("C1"))
    other = store.add_watch(a_watch("C2"))
    store.suspend_channel("C1", "archived")
    assert poll(store).watches == (other,)


def farewell(one: Episode) -> NewMessage:
    return post(f"bye {one.card_key}", one.key.channel)


def test_what_no_watch_follows_is_forgotten_with_its_farewell(engine: Engine, store: Store) -> None:
    watch = store.add_watch(a_watch("C1"))
    store.add_watch(a_watch("C2"))
    told, elsewhere = episode("card:1"), episode("card:2", channel="C2")
    held = replace(episode("card:3", branch="b"), is_told=False)
    fixed = episode("card:4", branch="c", fixed_at=NOON)
    poll(store, episodes=(told, elsewhere, held, fixed))
    assert store.close_unwatched(farewell) == 0

    store.remove_watch(watch.watch_id)
    assert store.close_unwatched(farewell, "C2") == 0
    assert store.close_unwatched(farewell) == 2
    engine.stop(store)
    again = engine.start()
    assert again.open_episodes("C1") == ()
    assert again.open_episodes("C2") == (elsewhere,)
    assert send(again) == "bye card:1"
    assert again.outbox_depth() == 0


@pytest.mark.parametrize(
    "other",
    [
        replace(a_watch(), preset=Preset.FAILURES),
        replace(a_watch(), preset=Preset.ALL),
        replace(a_watch(), filters=(Filter("branch", ("release/*",)),)),
        a_watch(pattern="testery:*"),
    ],
)
def test_another_watch_that_posts_no_such_card_does_not_follow(store: Store, other: Watch) -> None:
    store.add_watch(other)
    poll(store, episodes=(episode(),))
    assert store.close_unwatched(farewell, "C1") == 1


def test_a_suspended_watch_follows_still(store: Store) -> None:
    store.add_watch(a_watch())
    poll(store, episodes=(episode(),))
    store.suspend_channel("C1", "archived")
    assert store.close_unwatched(farewell) == 0


def test_watches_outlive_the_process(engine: Engine, store: Store) -> None:
    stored = store.add_watch(FULL)
    engine.stop(store)
    assert engine.start().watches() == (stored,)
