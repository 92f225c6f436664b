from datetime import timedelta

import pytest

from bot.domain.access import Verb
from bot.domain.audit import Command, CommandState
from bot.domain.chat import Posted
from bot.domain.endings import Ending, card_key
from bot.domain.errors import StoreError
from bot.domain.outbox import Form, NewMessage
from bot.domain.replies import ActionCard, ActionState
from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import NOON, a_run, claimed_message, command


def test_delivery_is_first_only_once(store: Store) -> None:
    assert store.is_first_time("trigger:1")
    assert not store.is_first_time("trigger:1")
    assert store.is_first_time("trigger:2")


def test_delivery_is_remembered_by_the_next_process(engine: Engine, store: Store) -> None:
    store.is_first_time("trigger:1")
    engine.crash(store)
    assert not engine.start().is_first_time("trigger:1")


def test_command_is_received_first_and_keeps_what_is_not_updated(store: Store) -> None:
    command_id = store.record_command(command())
    assert store.commands(1) == (Command(command_id, command(), CommandState.RECEIVED, NOON),)
    store.update_command(command_id, CommandState.ACCEPTED, target="wercker:r1", rule="operator")
    store.update_command(command_id, CommandState.DONE, outcome="Aborted.")
    after = Command(
        command_id, command(), CommandState.DONE, NOON, "wercker:r1", "Aborted.", "operator"
    )
    assert store.commands(1) == (after,)


def test_commands_come_newest_first_up_to_the_limit(store: Store) -> None:
    ids = [store.record_command(command(f"abort {n}")) for n in range(3)]
    assert [one.command_id for one in store.commands(2)] == [ids[2], ids[1]]


def test_update_of_an_unknown_command_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError):
        store.update_command(99, CommandState.DONE)


def test_commands_are_counted_by_user_and_time(engine: Engine, store: Store) -> None:
    store.record_command(command())
    engine.pass_time(60)
    since = engine.now()
    store.record_command(command())
    store.record_command(command(user_id="U2"))
    assert store.commands_since("U1", since) == 1
    assert store.commands_since("U1", since - timedelta(minutes=2)) == 2
    assert store.commands_since("U3", NOON) == 0


def test_a_restart_interrupts_what_was_under_way_once(engine: Engine, store: Store) -> None:
    received = store.record_command(command("one"))
    accepted = store.record_command(command("two"))
    store.update_command(accepted, CommandState.ACCEPTED)
    done = store.record_command(command("three"))
    store.update_command(done, CommandState.DONE)
    engine.crash(store)
    after = engine.start()
    own = after.record_command(command("of the new process"))
    interrupted = after.interrupt_commands()
    assert [one.command_id for one in interrupted] == [received, accepted]
    assert [one.state for one in interrupted] == [CommandState.RECEIVED, CommandState.ACCEPTED]
    assert {one.state for one in after.commands(4)[2:]} == {CommandState.INTERRUPTED}
    assert after.interrupt_commands() == ()
    assert {one.command_id: one.state for one in after.commands(9)}[own] is CommandState.RECEIVED


def test_nothing_is_interrupted_in_the_process_that_does_it(store: Store) -> None:
    store.record_command(command())
    assert store.interrupt_commands() == ()


def test_an_action_is_claimed_by_one(engine: Engine, store: Store) -> None:
    first, second = store.record_command(command()), store.record_command(command())
    assert store.claim_action("abort wercker:r1", first, 30) is None
    assert holder(store, second) == first
    assert store.claim_action("abort wercker:r2", second, 30) is None
    engine.pass_time(29)
    assert holder(store, second) == first, "a refusal prolongs nothing"
    engine.pass_time(1)
    assert store.claim_action("abort wercker:r1", second, 30) is None


def holder(store: Store, command_id: int) -> int | None:
    """Who has it already, where this command wants it."""
    held = store.claim_action("abort wercker:r1", command_id, 30)
    return None if held is None else held.command_id


@pytest.mark.parametrize("state", [CommandState.DONE, CommandState.UNKNOWN])
def test_an_action_that_ended_is_told_of_for_a_while(
    engine: Engine, store: Store, state: CommandState
) -> None:
    first, second = store.record_command(command()), store.record_command(command())
    store.claim_action("abort wercker:r1", first, 30)
    store.end_command(Ending(first, state, "wercker:r1", "so it is", told_for_s=60))
    engine.pass_time(59)
    held = store.claim_action("abort wercker:r1", second, 30)
    assert held is not None
    assert (held.command_id, held.state, held.outcome) == (first, state, "so it is")
    engine.pass_time(1)
    assert store.claim_action("abort wercker:r1", second, 30) is None


def test_a_refused_action_is_free(store: Store) -> None:
    first, second = store.record_command(command()), store.record_command(command())
    store.claim_action("abort wercker:r1", first, 30)
    store.end_command(Ending(first, CommandState.REFUSED, "wercker:r1", "no", told_for_s=60))
    assert holder(store, second) is None


def test_an_action_that_ended_can_be_passed_by_who_knows_of_it(store: Store) -> None:
    first, second, third = (store.record_command(command()) for _ in range(3))
    store.claim_action("abort wercker:r1", first, 30)
    store.end_command(Ending(first, CommandState.DONE, "wercker:r1", "done", told_for_s=60))
    assert store.claim_action("abort wercker:r1", second, 30, first) is None
    held = store.claim_action("abort wercker:r1", third, 30, first)
    assert held is not None
    assert held.command_id == second, "only of that one"


def test_an_ending_is_stored_as_often_as_need_be(store: Store) -> None:
    """And ends no claim of another command."""
    first, second = store.record_command(command()), store.record_command(command())
    store.claim_action("abort wercker:r1", first, 30)
    ending = Ending(first, CommandState.REFUSED, "wercker:r1", "no")
    store.end_command(ending)
    store.claim_action("abort wercker:r1", second, 30)
    store.end_command(ending)
    assert holder(store, store.record_command(command())) == second
    assert store.commands(3)[2].state is CommandState.REFUSED


def test_the_card_of_a_command_can_be_edited_later(engine: Engine, store: Store) -> None:
    command_id = store.record_command(command())
    store.accept_command(command_id, "wercker:r1", Posted("C1", "7.7"))
    engine.crash(store)
    after = engine.start()
    body = ActionCard(Verb.ABORT, "U1", "wercker:r1", ActionState.UNKNOWN)
    edit = NewMessage("C1", "e", Form.EDIT, body, card_key(command_id))
    assert after.interrupt_commands(lambda _: [edit])[0].state is CommandState.ACCEPTED
    claim = claimed_message(after)
    assert (claim.root_ts, claim.message) == ("7.7", edit)


def test_what_is_told_of_a_command_later_edits_its_card(store: Store) -> None:
    """Also where the card is known only by now."""
    command_id = store.record_command(command())
    body = ActionCard(Verb.ABORT, "U1", "wercker:r1", ActionState.DONE, run=a_run())
    edit = NewMessage("C1", "e", Form.EDIT, body, card_key(command_id))
    for _ in range(2):
        store.tell_of_command(command_id, Posted("C1", "7.7"), edit)
    assert claimed_message(store).root_ts == "7.7"
    assert store.outbox_depth() == 1


def test_a_refusal_changes_no_other_end(store: Store) -> None:
    under_way, done = (store.record_command(command(text)) for text in ("one", "two"))
    store.update_command(done, CommandState.DONE, outcome="Aborted.")
    store.settle_refused(under_way, "Too late.")
    store.settle_refused(done, "Too late.")
    newest, oldest = store.commands(2)
    assert (newest.state, newest.outcome) == (CommandState.DONE, "Aborted.")
    assert (oldest.state, oldest.outcome) == (CommandState.REFUSED, "Too late.")


def test_a_jump_of_the_time_of_day_ends_no_claim(engine: Engine, store: Store) -> None:
    first, second = store.record_command(command()), store.record_command(command())
    store.claim_action("abort wercker:r1", first, 30)
    engine.jump_time_of_day(timedelta(hours=1))
    assert holder(store, second) == first


@pytest.mark.parametrize("text", ["a\0b", "\u202egnp", "'; DROP TABLE commands; --", "\U0001f525"])
def test_text_is_kept_as_it_is(store: Store, text: str) -> None:
    store.record_command(command(text))
    assert store.commands(1)[0].what.text == text


def test_lone_surrogates_are_replaced(store: Store) -> None:
    store.record_command(command("a\ud800b"))
    assert store.commands(1)[0].what.text == "a\ufffdb"
