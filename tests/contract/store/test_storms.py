"""What is folded into a digest, what stays traceable, and what gets a card when it calms."""

from datetime import timedelta

import pytest

from bot.domain.digests import CALM_S, MOST_CARDS, STORM, Digest
from bot.domain.outbox import Form, NewMessage, OutboxClaim
from bot.domain.pipelines import PipelineRef
from bot.domain.replies import AlertCard, AlertReply
from bot.domain.statuses import Status
from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import a_run, claimed_message, post, send

MANY = STORM + 1


def pipeline(number: int) -> PipelineRef:
    return PipelineRef("wercker", f"acme/app-{number}/build")


def card(number: int, channel: str = "C1", *, failures: int = 1) -> NewMessage:
    return NewMessage(channel, f"card {number}", Form.POST, card_body(number, failures=failures))


def card_body(number: int, *, failures: int = 1, is_fixed: bool = False) -> AlertCard:
    status = Status.PASSED if is_fixed else Status.FAILED
    run = a_run(f"r{number}", status, pipeline=pipeline(number))
    return AlertCard(run.pipeline, run.branch, run, "news", failures=failures, is_fixed=is_fixed)


def fixed(number: int) -> NewMessage:
    key = f"edit card {number}"
    return NewMessage("C1", key, Form.EDIT, card_body(number, is_fixed=True), f"card {number}")


def failed_again(number: int, run_id: str = "again") -> NewMessage:
    body = AlertReply(a_run(run_id, pipeline=pipeline(number)), "failed again")
    return NewMessage("C1", f"reply {run_id}", Form.REPLY, body, f"card {number}")


def digest_of(claim: OutboxClaim) -> Digest:
    assert isinstance(claim.message.body, Digest), claim.message
    return claim.message.body


def start_storm(store: Store, count: int = MANY) -> Digest:
    store.enqueue(card(number) for number in range(count))
    claim = claimed_message(store)
    assert store.settle_sent(claim, "7.5", 0)
    return digest_of(claim)


def calm(engine: Engine) -> None:
    engine.pass_time(CALM_S)


def test_as_many_as_bearable_come_one_by_one(store: Store) -> None:
    store.enqueue(card(number) for number in range(STORM))
    assert [send(store) for _ in range(STORM)] == [f"card {number}" for number in range(STORM)]


def test_more_become_one_message_that_counts_all(store: Store) -> None:
    digest = start_storm(store)
    assert (digest.total, digest.pipelines, digest.red) == (MANY, MANY, MANY)
    assert store.claim_message(60) is None
    assert store.outbox_depth() == 0


def test_those_shown_within_the_minute_count_too(engine: Engine, store: Store) -> None:
    for number in range(STORM):
        store.enqueue([card(number)])
        send(store)
        engine.pass_time(5)
    store.enqueue([card(STORM)])
    assert digest_of(claimed_message(store)).total == 1


def test_a_slow_stream_is_no_storm(engine: Engine, store: Store) -> None:
    for number in range(3 * MANY):
        store.enqueue([card(number)])
        assert send(store) == f"card {number}"
        engine.pass_time(12.5)


def test_other_channels_and_notices_are_not_folded(store: Store) -> None:
    store.enqueue([*(card(number) for number in range(MANY)), post("notice"), card(99, "C2")])
    claims = [claimed_message(store) for _ in range(2)]
    assert {claim.message.key for claim in claims} == {"notice", "card 99"}
    store.settle_sent(claims[0], "1.0", 0)
    digest_of(claimed_message(store))


def test_what_was_perhaps_sent_is_not_folded(store: Store) -> None:
    store.enqueue([card(0)])
    store.settle_later(claimed_message(store), 0, is_ambiguous=True)
    store.enqueue(card(number) for number in range(1, 1 + MANY))
    first = claimed_message(store)
    assert (first.message.key, first.is_ambiguous) == ("card 0", True)
    store.settle_sent(first, "1.0", 0)
    assert digest_of(claimed_message(store)).total == MANY


def test_a_digest_grows_by_edits_of_its_message(store: Store) -> None:
    start_storm(store)
    store.enqueue([card(50), failed_again(0)])
    claim = claimed_message(store)
    assert (claim.message.form, claim.root_ts) == (Form.EDIT, "7.5")
    assert digest_of(claim).total == MANY + 2
    store.settle_sent(claim, "7.5", 0)
    assert store.claim_message(60) is None


def test_a_digest_not_yet_tried_grows_in_place(store: Store) -> None:
    store.enqueue(card(number) for number in range(MANY))
    store.settle_later(claimed_message(store), 0, is_ambiguous=False)
    store.enqueue([card(50)])
    claim = claimed_message(store)
    assert (claim.message.form, digest_of(claim).total) == (Form.POST, MANY + 1)


def test_a_digest_takes_everything_up_until_it_is_posted(engine: Engine, store: Store) -> None:
    """Slack is away for two hours: one digest per channel is what comes after."""
    for number in range(40):
        store.enqueue([card(number)])
        claim = store.claim_message(60)
        if claim is not None:
            store.settle_later(claim, 60, is_ambiguous=False)
        engine.pass_time(180)
    claims = [claimed_message(store)]
    store.settle_sent(claims[0], "7.5", 0)
    assert digest_of(claims[0]).total == 40
    edit = claimed_message(store)
    assert (digest_of(edit).total, digest_of(edit).is_calm) == (40, True)
    store.settle_sent(edit, "7.5", 0)
    assert store.claim_message(60) is None


def test_an_episode_counts_its_failures_once(store: Store) -> None:
    edit = NewMessage("C1", "edit card 0", Form.EDIT, card_body(0, failures=3), "card 0")
    more = [failed_again(0, "a"), failed_again(0, "b"), edit]
    store.enqueue([*(card(number) for number in range(MANY)), *more])
    digest = digest_of(claimed_message(store))
    assert (digest.total, digest.pipelines) == (MANY + 2, MANY)
    assert digest.groups[0].failures == 3


def test_a_fix_is_told_in_the_thread_of_the_digest_and_counted(
    engine: Engine, store: Store
) -> None:
    start_storm(store, 2 * MANY)
    calm(engine)
    assert digest_of(claimed_message(store)).is_calm
    engine.pass_time(60)
    store.enqueue([failed_again(0), fixed(1)])
    claims = []
    while (claim := store.claim_message(60)) is not None:
        store.settle_sent(claim, "8.0", 0)
        claims.append(claim)
    told = {claim.message.key: claim for claim in claims}
    assert told["reply again"].root_ts == "7.5"
    assert digest_of(told["edit digest:1"]).red == 2 * MANY - 1


def test_the_last_red_ones_get_their_cards_when_it_is_calm(engine: Engine, store: Store) -> None:
    start_storm(store, MOST_CARDS + 3)
    store.enqueue([fixed(0), fixed(1)])
    send(store, "7.5")
    assert store.claim_message(60) is None, "not while it storms"
    store.enqueue([fixed(2)])
    calm(engine)
    keys = []
    while (claim := store.claim_message(60)) is not None:
        keys.append(claim.message.key)
        store.settle_sent(claim, f"9.{len(keys)}", 0)
    assert keys.count("edit digest:1") >= 1
    cards = [key for key in keys if key.startswith("card")]
    assert cards == [f"card {number}" for number in range(3, MOST_CARDS + 3)]
    store.enqueue([fixed(3)])
    claim = claimed_message(store)
    assert claim.message.key == "edit card 3"
    assert claim.root_ts not in {None, "7.5"}, "the card lives by itself now"


def test_as_long_as_many_are_red_the_digest_stays_their_card(engine: Engine, store: Store) -> None:
    start_storm(store, MOST_CARDS + 2)
    calm(engine)
    assert send(store, "7.5") == "edit digest:1"
    assert store.claim_message(60) is None
    store.enqueue([fixed(0), fixed(1)])
    keys = [send(store, f"9.{number}") for number in range(MOST_CARDS + 1)]
    assert sorted(keys)[:MOST_CARDS] == [f"card {n}" for n in range(2, MOST_CARDS + 2)]


def test_a_crash_in_the_middle_loses_nothing_and_doubles_nothing(
    engine: Engine, store: Store
) -> None:
    store.enqueue(card(number) for number in range(MANY))
    before = claimed_message(store)
    engine.crash(store)
    after = engine.start()
    after.enqueue([card(number) for number in range(MANY + 3)])
    claim = claimed_message(after)
    assert (claim.message_id, claim.is_ambiguous) == (before.message_id, True)
    after.settle_sent(claim, "7.5", 0)
    edit = claimed_message(after)
    assert (digest_of(edit).total, edit.root_ts) == (MANY + 3, "7.5")


def test_all_that_was_folded_can_be_traced_and_shown(store: Store) -> None:
    digest = start_storm(store)
    news = store.digest_news("C1", digest.digest_id)
    assert [one.thread for one in news] == [f"card {number}" for number in range(MANY)]
    assert store.digest_news("C2", digest.digest_id) == (), "not from another channel"
    assert store.message_ts("card 0") == ("C1", "7.5")


def test_a_digest_that_is_refused_takes_no_later_failure_along(store: Store) -> None:
    store.enqueue(card(number) for number in range(MANY))
    store.settle_dead(claimed_message(store), "invalid_blocks")
    store.enqueue([failed_again(0)])
    claim = claimed_message(store)
    assert (claim.message.key, claim.message.form) == ("card 0", Form.POST)


def test_a_deleted_digest_comes_back_for_failures_it_did_not_show(store: Store) -> None:
    start_storm(store)
    store.enqueue([card(50)])
    store.settle_gone(claimed_message(store), "message_not_found")
    claim = claimed_message(store)
    assert (claim.message.form, digest_of(claim).total) == (Form.POST, MANY + 1)


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)])
def test_f21_a_clock_that_jumps_makes_no_storm_and_steals_no_claim(
    engine: Engine, store: Store, jump: timedelta
) -> None:
    store.enqueue([card(0), card(1)])
    claim = claimed_message(store)
    engine.jump_time_of_day(jump)
    assert store.claim_message(60) is None
    assert store.settle_sent(claim, "1.0", 0)
    assert send(store) == "card 1"


def test_old_digests_are_forgotten_with_what_they_hold(engine: Engine, store: Store) -> None:
    digest = start_storm(store)
    store.enqueue(fixed(number) for number in range(MANY))
    send(store, "7.5")
    calm(engine)
    send(store, "7.5")
    engine.pass_time(100 * 86400)
    for _ in range(3):
        store.clean(90)
    assert store.digest_news("C1", digest.digest_id) == ()
