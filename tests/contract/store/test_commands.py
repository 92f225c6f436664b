from datetime import timedelta

import pytest

from bot.domain.audit import Command, CommandState
from bot.domain.errors import StoreError
from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import NOON, command


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
    assert {one.state for one in interrupted} == {CommandState.INTERRUPTED}
    assert after.interrupt_commands() == ()
    assert {one.command_id: one.state for one in after.commands(9)}[own] is CommandState.RECEIVED


def test_nothing_is_interrupted_in_the_process_that_does_it(store: Store) -> None:
    store.record_command(command())
    assert store.interrupt_commands() == ()


def test_an_action_is_claimed_by_one(engine: Engine, store: Store) -> None:
    assert store.claim_action("abort wercker:r1", "U1", 30) is None
    assert store.claim_action("abort wercker:r1", "U2", 30) == "U1"
    assert store.claim_action("abort wercker:r1", "U1", 30) == "U1", "not even again by the same"
    assert store.claim_action("abort wercker:r2", "U2", 30) is None
    engine.pass_time(29)
    assert store.claim_action("abort wercker:r1", "U2", 30) == "U1", "a refusal prolongs nothing"
    engine.pass_time(1)
    assert store.claim_action("abort wercker:r1", "U2", 30) is None


def test_a_released_action_is_free(store: Store) -> None:
    store.claim_action("abort wercker:r1", "U1", 30)
    store.release_action("abort wercker:r1")
    store.release_action("never claimed")
    assert store.claim_action("abort wercker:r1", "U2", 30) is None


def test_a_refusal_changes_no_other_end(store: Store) -> None:
    under_way, done = (store.record_command(command(text)) for text in ("one", "two"))
    store.update_command(done, CommandState.DONE, outcome="Aborted.")
    store.settle_refused(under_way, "Too late.")
    store.settle_refused(done, "Too late.")
    newest, oldest = store.commands(2)
    assert (newest.state, newest.outcome) == (CommandState.DONE, "Aborted.")
    assert (oldest.state, oldest.outcome) == (CommandState.REFUSED, "Too late.")


def test_a_jump_of_the_time_of_day_ends_no_claim(engine: Engine, store: Store) -> None:
    store.claim_action("abort wercker:r1", "U1", 30)
    engine.jump_time_of_day(timedelta(hours=1))
    assert store.claim_action("abort wercker:r1", "U2", 30) == "U1"


@pytest.mark.parametrize("text", ["a\0b", "\u202egnp", "'; DROP TABLE commands; --", "\U0001f525"])
def test_text_is_kept_as_it_is(store: Store, text: str) -> None:
    store.record_command(command(text))
    assert store.commands(1)[0].what.text == text


def test_lone_surrogates_are_replaced(store: Store) -> None:
    store.record_command(command("a\ud800b"))
    assert store.commands(1)[0].what.text == "a\ufffdb"
