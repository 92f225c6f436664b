"""An edit is one message however often it is made: the newest body wins, none is lost."""

import pytest

from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import claimed_message, edit, post, reply, send, text_of


@pytest.fixture
def posted(store: Store) -> Store:
    """With a root that was sent."""
    store.enqueue([post("root")])
    send(store, "17.5")
    return store


def test_a_newer_edit_replaces_a_waiting_one_and_keeps_its_place(posted: Store) -> None:
    posted.enqueue([edit("e", "root", "one"), reply("r", "root"), edit("e", "root", "two")])
    assert posted.outbox_depth() == 2
    claim = claimed_message(posted)
    assert (text_of(claim), claim.root_ts) == ("two", "17.5")


def test_an_edit_that_was_sent_is_due_again_with_a_newer_body(posted: Store) -> None:
    posted.enqueue([edit("e", "root", "one")])
    assert send(posted) == "e"
    posted.enqueue([edit("e", "root", "two")])
    claim = claimed_message(posted)
    assert (text_of(claim), claim.attempts, claim.is_ambiguous) == ("two", 0, False)


def test_an_edit_that_died_is_due_again_with_a_newer_body(posted: Store) -> None:
    posted.enqueue([edit("e", "root", "one")])
    posted.settle_dead(claimed_message(posted), "invalid_blocks")
    posted.enqueue([edit("e", "root", "two")])
    assert text_of(claimed_message(posted)) == "two"


def test_a_newer_body_waits_for_the_one_being_sent(posted: Store) -> None:
    posted.enqueue([edit("e", "root", "one"), reply("r", "root")])
    claim = claimed_message(posted)
    posted.enqueue([edit("e", "root", "two"), edit("e", "root", "three")])
    assert posted.claim_message(60) is None
    assert posted.outbox_depth() == 2
    assert posted.settle_sent(claim, "17.5", 0)
    assert send(posted) == "r", "edits that come fast starve nobody"
    assert text_of(claimed_message(posted)) == "three"


@pytest.mark.parametrize("is_ambiguous", [False, True])
def test_a_newer_body_takes_the_place_of_one_that_must_wait(
    posted: Store, *, is_ambiguous: bool
) -> None:
    posted.enqueue([edit("e", "root", "one")])
    claim = claimed_message(posted)
    posted.enqueue([edit("e", "root", "two")])
    posted.settle_later(claim, 0, is_ambiguous=is_ambiguous)
    again = claimed_message(posted)
    assert (text_of(again), again.is_ambiguous) == ("two", False)
    posted.settle_sent(again, "17.5", 0)
    assert posted.outbox_depth() == 0


def test_a_newer_body_outlives_the_death_of_the_older(posted: Store) -> None:
    posted.enqueue([edit("e", "root", "one")])
    claim = claimed_message(posted)
    posted.enqueue([edit("e", "root", "two")])
    posted.settle_dead(claim, "invalid_blocks")
    assert text_of(claimed_message(posted)) == "two"


def test_a_newer_body_outlives_a_lost_claim(engine: Engine, posted: Store) -> None:
    posted.enqueue([edit("e", "root", "one")])
    old = claimed_message(posted)
    posted.enqueue([edit("e", "root", "two")])
    engine.pass_time(60)
    again = claimed_message(posted)
    assert (text_of(again), again.is_ambiguous) == ("two", False)
    assert not posted.settle_sent(old, "17.5", 0)


def test_a_newer_body_outlives_a_crash(engine: Engine, posted: Store) -> None:
    posted.enqueue([edit("e", "root", "one")])
    claimed_message(posted)
    posted.enqueue([edit("e", "root", "two")])
    engine.crash(posted)
    again = claimed_message(engine.start())
    assert (text_of(again), again.is_ambiguous) == ("two", False)


def test_an_edit_that_was_ambiguous_is_not_so_with_a_newer_body(posted: Store) -> None:
    posted.enqueue([edit("e", "root", "one")])
    posted.settle_later(claimed_message(posted), 0, is_ambiguous=True)
    posted.enqueue([edit("e", "root", "two")])
    assert not claimed_message(posted).is_ambiguous


def test_an_old_claim_settles_no_newer_edit(posted: Store) -> None:
    posted.enqueue([edit("e", "root", "one")])
    old = claimed_message(posted)
    posted.settle_sent(old, "17.5", 0)
    posted.enqueue([edit("e", "root", "two")])
    new = claimed_message(posted)
    assert not posted.settle_sent(old, "17.5", 0)
    assert posted.settle_sent(new, "17.5", 0)


def test_an_edit_with_the_key_of_another_message_changes_nothing(posted: Store) -> None:
    posted.enqueue([post("a", text="as posted"), edit("a", "root", "not this")])
    assert text_of(claimed_message(posted)) == "as posted"
