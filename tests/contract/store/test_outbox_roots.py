"""Cards that were deleted or never posted: an unseen failure that belongs to one is not lost."""

import pytest

from bot.domain.outbox import Form, NewMessage
from bot.domain.replies import AlertCard, AlertReply
from bot.domain.statuses import Status
from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import a_run, a_watch, claimed_message, post, send


def card(failures: int = 1, *, is_fixed: bool = False) -> AlertCard:
    run = a_run(status=Status.PASSED if is_fixed else Status.FAILED)
    return AlertCard(run.pipeline, run.branch, run, "news", failures=failures, is_fixed=is_fixed)


def first(key: str = "card") -> NewMessage:
    return NewMessage("C1", key, Form.POST, card())


def edit(failures: int = 1, *, is_fixed: bool = False) -> NewMessage:
    return NewMessage("C1", "edit", Form.EDIT, card(failures, is_fixed=is_fixed), "card")


def reply(key: str, status: Status = Status.FAILED) -> NewMessage:
    return NewMessage("C1", key, Form.REPLY, AlertReply(a_run(key, status), "again"), "card")


@pytest.fixture
def posted(store: Store) -> Store:
    store.enqueue([first()])
    send(store, "1.0")
    return store


def test_a_deleted_card_is_posted_anew_for_a_new_failure(posted: Store) -> None:
    posted.enqueue([edit(2)])
    assert posted.settle_gone(claimed_message(posted), "message_not_found")
    anew = claimed_message(posted)
    assert (anew.message.key, anew.message.form, anew.root_ts) == ("card", Form.POST, None)
    posted.settle_sent(anew, "2.0", 0)
    posted.enqueue([reply("r2"), edit(3)])
    assert [claimed_message(posted).root_ts] == ["2.0"], "all that follows belongs to the new one"


def test_a_reply_to_a_deleted_card_becomes_the_new_one(posted: Store) -> None:
    posted.enqueue([reply("r1"), edit(2)])
    posted.settle_gone(claimed_message(posted), "cannot_reply_to_message")
    assert send(posted, "2.0") == "card"
    claim = claimed_message(posted)
    assert (claim.message.form, claim.root_ts) == (Form.EDIT, "2.0")


@pytest.mark.parametrize("failures", [0, 1])
def test_a_deleted_card_stays_away_when_nothing_new_failed(posted: Store, failures: int) -> None:
    posted.enqueue([reply("fixed", Status.PASSED), edit(failures, is_fixed=True)])
    posted.settle_gone(claimed_message(posted), "message_not_found")
    assert posted.claim_message(60) is None
    assert posted.outbox_depth() == 0


def test_a_failure_told_in_the_thread_is_not_told_again(posted: Store) -> None:
    posted.enqueue([reply("r1"), edit(2)])
    assert send(posted) == "r1"
    posted.settle_gone(claimed_message(posted), "message_not_found")
    assert posted.claim_message(60) is None


def test_failures_after_a_refused_card_start_a_new_one(store: Store) -> None:
    store.enqueue([first()])
    store.settle_dead(claimed_message(store), "invalid_blocks")
    store.enqueue([reply("r1"), edit(2)])
    assert send(store, "2.0") == "card"
    assert claimed_message(store).root_ts == "2.0"


def test_failures_that_wait_for_a_card_outlive_its_refusal(store: Store) -> None:
    store.enqueue([first(), reply("r1")])
    store.settle_dead(claimed_message(store), "invalid_blocks")
    assert claimed_message(store).message.key == "card"


def test_a_late_settle_of_a_deleted_message_is_refused(engine: Engine, posted: Store) -> None:
    posted.enqueue([edit(2)])
    old = claimed_message(posted)
    engine.pass_time(60)
    claimed_message(posted)
    assert not posted.settle_gone(old, "message_not_found")
    assert not posted.settle_channel_refused(old, "is_archived", lambda _watches: [])


def test_a_refused_channel_takes_its_messages_along_and_its_watches_wait(store: Store) -> None:
    store.add_watch(a_watch("C1"))
    store.add_watch(a_watch("C2"))
    store.enqueue([first(), post("more"), post("other", "C2")])
    claim = claimed_message(store)
    told = lambda watches: [post(f"told {w.channel}", w.made_by) for w in watches]  # noqa: E731
    assert store.settle_channel_refused(claim, "Slack says is_archived", told)
    assert {send(store), send(store)} == {"other", "told C1"}
    assert store.claim_message(60) is None
    states = {watch.channel: watch.suspended_because for watch in store.watches()}
    assert states == {"C1": "Slack says is_archived", "C2": None}


def test_edits_keep_their_distance_and_hold_nothing_else_up(engine: Engine, posted: Store) -> None:
    posted.enqueue([first("other card")])
    send(posted, "1.1")
    posted.enqueue([edit(2), NewMessage("C1", "edit 2", Form.EDIT, card(2), "other card")])
    one = posted.claim_message(60, 5.0)
    assert one is not None
    posted.settle_sent(one, "1.0", 0)
    assert posted.claim_message(60, 5.0) is None
    assert posted.seconds_to_due_message() == pytest.approx(5)
    posted.enqueue([post("news")])
    assert posted.seconds_to_due_message() == 0
    assert send(posted) == "news"
    engine.pass_time(5)
    assert send(posted) == "edit 2"


def test_what_a_message_shows_is_kept_and_in_doubt_while_it_is_edited(posted: Store) -> None:
    posted.enqueue([edit(1)])
    claim = claimed_message(posted)
    assert (claim.rendering, claim.root_id != claim.message_id) == ("", True)
    posted.settle_sent(claim, "1.0", 0, rendering="as rendered")
    posted.enqueue([edit(1)])
    claim = claimed_message(posted)
    assert claim.rendering == "as rendered"
    posted.settle_later(claim, 0, is_ambiguous=True)
    assert claimed_message(posted).rendering == ""


def test_looks_are_counted_from_the_last_try_on(engine: Engine, store: Store) -> None:
    store.enqueue([post("a")])
    for looks in (0, 1):
        store.settle_later(claimed_message(store), 0, is_ambiguous=True, looks=looks)
    claim = claimed_message(store)
    assert (claim.looks, claim.attempts) == (1, 2)
    assert claim.first_try == engine.now().timestamp()
    engine.crash(store)
    assert claimed_message(engine.start()).looks == 0, "it may have been sent meanwhile"
