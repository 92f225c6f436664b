import pytest

from bot.domain.outbox import Form
from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import (
    claimed_message,
    edit,
    post,
    reply,
    send,
)


def test_an_empty_outbox_has_nothing_to_do(store: Store) -> None:
    store.enqueue([])
    assert store.claim_message(60) is None
    assert store.seconds_to_due_message() is None
    assert store.outbox_depth() == 0


def test_a_message_is_claimed_as_it_was_put_in(store: Store) -> None:
    store.enqueue([post("a")])
    assert store.seconds_to_due_message() == 0
    claim = claimed_message(store)
    assert claim.message == post("a")
    assert (claim.attempts, claim.is_ambiguous, claim.root_ts) == (0, False, None)


def test_a_key_is_unique_for_ever(store: Store) -> None:
    store.enqueue([post("a"), post("a", text="again")])
    send(store)
    store.enqueue([post("a", text="later")])
    assert store.claim_message(60) is None
    assert store.outbox_depth() == 0


def test_a_channel_has_one_message_under_way_and_keeps_its_order(store: Store) -> None:
    store.enqueue([post("a1", "C1"), post("a2", "C1"), post("b1", "C2")])
    first = claimed_message(store)
    second = claimed_message(store)
    assert (first.message.key, second.message.key) == ("a1", "b1")
    assert store.claim_message(60) is None
    store.settle_sent(first, "1.0", 0)
    assert claimed_message(store).message.key == "a2"


def test_a_sent_message_has_its_timestamp_and_its_channel_pauses(
    engine: Engine, store: Store
) -> None:
    store.enqueue([post("a1"), post("a2"), post("b1", "C2")])
    assert store.message_ts("a1") is None
    assert store.settle_sent(claimed_message(store), "17.5", 2)
    assert store.message_ts("a1") == ("C1", "17.5")
    assert store.outbox_depth() == 2
    assert send(store) == "b1"
    assert store.claim_message(60) is None
    assert store.seconds_to_due_message() == pytest.approx(2, abs=1)
    engine.pass_time(2)
    assert claimed_message(store).message.key == "a2"


def test_later_keeps_the_message_first_in_its_channel(engine: Engine, store: Store) -> None:
    store.enqueue([post("a1"), post("a2"), post("b1", "C2")])
    assert store.settle_later(claimed_message(store), 30, is_ambiguous=False)
    assert send(store) == "b1"
    assert store.claim_message(60) is None
    engine.pass_time(30)
    again = claimed_message(store)
    assert (again.message.key, again.attempts, again.is_ambiguous) == ("a1", 1, False)


def test_ambiguity_is_told_to_the_next_try(store: Store) -> None:
    store.enqueue([post("a")])
    store.settle_later(claimed_message(store), 0, is_ambiguous=True)
    again = claimed_message(store)
    assert again.is_ambiguous
    store.settle_later(again, 0, is_ambiguous=False)
    assert not claimed_message(store).is_ambiguous


def test_a_dead_message_makes_way(store: Store) -> None:
    store.enqueue([post("a"), post("b")])
    assert store.settle_dead(claimed_message(store), "invalid_blocks")
    assert store.message_ts("a") is None
    assert send(store) == "b"


def test_a_claim_that_ran_out_is_ambiguous_and_its_holder_refused(
    engine: Engine, store: Store
) -> None:
    store.enqueue([post("a")])
    old = claimed_message(store)
    engine.pass_time(59)
    assert store.claim_message(60) is None
    assert store.seconds_to_due_message() == pytest.approx(1, abs=1)
    engine.pass_time(1)
    new = claimed_message(store)
    assert new.message_id == old.message_id
    assert (new.attempts, new.is_ambiguous) == (1, True)
    assert not store.settle_sent(old, "1.0", 0)
    assert not store.settle_later(old, 0, is_ambiguous=False)
    assert not store.settle_dead(old, "late")
    assert store.settle_sent(new, "2.0", 0)
    assert store.message_ts("a") == ("C1", "2.0")


def test_a_claim_settles_once(store: Store) -> None:
    store.enqueue([post("a")])
    claim = claimed_message(store)
    assert store.settle_sent(claim, "1.0", 0)
    assert not store.settle_sent(claim, "2.0", 0)
    assert not store.settle_dead(claim, "no")
    assert store.message_ts("a") == ("C1", "1.0")


def test_a_crash_while_sending_is_ambiguous(engine: Engine, store: Store) -> None:
    store.enqueue([post("a1"), post("a2"), post("b1", "C2")])
    old = claimed_message(store)
    store.settle_later(claimed_message(store), 500, is_ambiguous=False)
    engine.crash(store)
    after = engine.start()
    assert not store.settle_sent(old, "1.0", 0), "the paused process wakes"
    assert after.seconds_to_due_message() == 0
    new = claimed_message(after)
    assert (new.message.key, new.is_ambiguous, new.attempts) == ("a1", True, 1)
    assert new.message_id == old.message_id
    other = claimed_message(after)
    assert (other.message.key, other.is_ambiguous) == ("b1", False), "lanes are due again"


def test_an_orderly_restart_leaves_waiting_messages_clear(engine: Engine, store: Store) -> None:
    store.enqueue([post("a")])
    engine.stop(store)
    assert not claimed_message(engine.start()).is_ambiguous


def test_message_ids_are_opaque_and_differ(store: Store) -> None:
    store.enqueue([post("a", "C1"), post("b", "C2")])
    ids = [claimed_message(store).message_id for _ in range(2)]
    assert len(set(ids)) == 2
    assert all(one.startswith("o") and "C1" not in one for one in ids)


def test_all_lanes_pause_those_of_new_channels_too(engine: Engine, store: Store) -> None:
    store.enqueue([post("a")])
    store.pause_all_lanes(30)
    store.enqueue([post("b", "C2")])
    assert store.claim_message(60) is None
    assert store.seconds_to_due_message() == pytest.approx(30, abs=1)
    engine.pass_time(30)
    assert send(store) == "a"
    assert send(store) == "b"


def test_a_pause_of_all_lanes_can_be_ended(store: Store) -> None:
    store.enqueue([post("a")])
    store.pause_all_lanes(3000)
    store.pause_all_lanes(0)
    assert send(store) == "a"


def test_a_short_pause_of_a_channel_ends_no_long_one(engine: Engine, store: Store) -> None:
    store.enqueue([post("a"), post("b")])
    claim = claimed_message(store)
    store.pause_all_lanes(30)
    store.settle_sent(claim, "1.0", 1)
    engine.pass_time(2)
    assert store.claim_message(60) is None


@pytest.mark.parametrize("form", [Form.REPLY, Form.BROADCAST, Form.EDIT])
def test_what_belongs_to_a_message_gets_its_timestamp(store: Store, form: Form) -> None:
    root = post("root")
    below = type(root)("C1", "below", form, root.body, "root")
    store.enqueue([root, below])
    assert send(store, "17.5") == "root"
    claim = claimed_message(store)
    assert (claim.message, claim.root_ts) == (below, "17.5")


def test_a_reply_waits_for_a_root_in_another_channel_and_blocks_nobody(store: Store) -> None:
    store.enqueue([post("root", "C2"), reply("below", "root"), post("other")])
    root, other = claimed_message(store), claimed_message(store)
    assert (root.message.key, other.message.key) == ("root", "other")
    store.settle_sent(other, "1.0", 0)
    assert store.claim_message(60) is None
    store.settle_sent(root, "2.0", 0)
    assert claimed_message(store).root_ts == "2.0"


def test_what_belongs_to_a_dead_message_is_dead(store: Store) -> None:
    store.enqueue([post("root"), reply("r", "root"), edit("e", "root"), post("other")])
    store.settle_dead(claimed_message(store), "invalid_blocks")
    assert store.outbox_depth() == 1
    assert send(store) == "other"
    store.enqueue([reply("late", "root"), reply("stray", "never heard of")])
    assert store.outbox_depth() == 0
    assert store.claim_message(60) is None
