"""Opening, closing, forgetting."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain.audit import CommandState
from bot.domain.chat import Posted
from bot.domain.digests import CALM_S, STORM, Digest
from bot.domain.endings import Ending
from bot.domain.errors import StoreError
from bot.domain.outbox import Form, NewMessage
from bot.domain.pipelines import PipelineRef
from bot.domain.replies import AlertCard
from bot.domain.runs import RunRef
from bot.domain.statuses import Status
from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import (
    NOON,
    a_run,
    claimed_message,
    command,
    edit,
    episode,
    poll,
    post,
    reply,
    send,
    snapshot,
)

DAY_S = 86400
RUN = RunRef("wercker", "r1")


def test_an_open_store_is_writable_and_a_closed_one_refuses(engine: Engine, store: Store) -> None:
    assert store.is_writable()
    engine.stop(store)
    assert not store.is_writable()
    with pytest.raises(StoreError):
        store.is_first_time("late")
    with pytest.raises(StoreError):
        store.watches()


def test_closing_twice_and_opening_again_is_fine(engine: Engine, store: Store) -> None:
    store.is_first_time("a")
    store.close()
    store.close()
    store.open()
    assert not store.is_first_time("a")


def test_message_ids_of_a_database_keep_their_beginning(engine: Engine, store: Store) -> None:
    store.enqueue([post("a")])
    first = claimed_message(store).message_id
    engine.stop(store)
    assert claimed_message(engine.start()).message_id == first


def end(store: Store, command_id: int) -> None:
    """A command that was done, and has a card about a run."""
    card = Posted("C1", "1.1")
    store.accept_command(command_id, str(RUN), card)
    done = Ending(command_id, CommandState.DONE, str(RUN), "done", run=a_run(), card=card)
    store.end_command(done)


def test_what_is_over_and_old_is_forgotten(engine: Engine, store: Store) -> None:
    store.is_first_time("trigger:1")
    done = store.record_command(command())
    end(store, done)
    store.save_listing("C1", "U1", [RUN])
    poll(store, [snapshot(a_run())], messages=(post("a"),))
    send(store)
    engine.pass_time(31 * DAY_S)
    store.clean(30)
    assert store.is_first_time("trigger:1")
    assert store.commands(9) == ()
    assert store.card_run("C1", "1.1") is None
    assert store.listing("C1", "U1", 90 * DAY_S) == ()
    assert store.run(RUN) is None
    assert store.message_ts("a") is None


def test_what_is_young_is_kept(engine: Engine, store: Store) -> None:
    store.is_first_time("trigger:1")
    end(store, store.record_command(command()))
    store.save_listing("C1", "U1", [RUN])
    poll(store, [snapshot(a_run())], messages=(post("a"),))
    send(store)
    engine.pass_time(29 * DAY_S)
    store.clean(30)
    assert not store.is_first_time("trigger:1")
    assert len(store.commands(9)) == 1
    assert store.card_run("C1", "1.1") == RUN
    assert store.listing("C1", "U1", 90 * DAY_S) == (RUN,)
    assert store.run(RUN) is not None
    assert store.message_ts("a") is not None


def test_what_is_not_over_is_kept_however_old(engine: Engine, store: Store) -> None:
    store.record_command(command())
    poll(store, [snapshot(a_run("r1", Status.RUNNING))], messages=(post("a"),))
    engine.pass_time(99 * DAY_S)
    store.clean(30)
    assert len(store.commands(9)) == 1
    assert store.run(RUN) is not None
    assert store.outbox_depth() == 1


def test_a_run_that_its_vendor_still_shows_is_kept(engine: Engine, store: Store) -> None:
    """Else it would be new at the next poll, and posted a second time."""
    poll(store, [snapshot(a_run())])
    for _ in range(4):
        engine.pass_time(10 * DAY_S)
        poll(store, observed=[a_run()])
    store.clean(30)
    assert store.run(RUN) == a_run()


def news(number: int) -> NewMessage:
    run = a_run(f"r{number}", pipeline=PipelineRef("wercker", f"acme/app-{number}/build"))
    return NewMessage("C1", f"card {number}", Form.POST, AlertCard(run.pipeline, None, run, "news"))


@pytest.mark.parametrize(("away_s", "is_storm"), [(20.0, True), (120.0, False)])
def test_what_an_earlier_process_posted_keeps_its_age(
    engine: Engine,
    store: Store,
    away_s: float,
    is_storm: bool,  # noqa: FBT001
) -> None:
    """Whatever the clock of that machine said: it may have been up for longer, or less long."""
    engine.pass_time(10 * DAY_S)
    for number in range(STORM):
        store.enqueue([news(number)])
        send(store)
    engine.crash(store)
    engine.pass_time(away_s)
    after = engine.start()
    after.enqueue([news(STORM)])
    assert isinstance(claimed_message(after).message.body, Digest) is is_storm


def test_a_storm_of_an_earlier_process_calms_in_time(engine: Engine, store: Store) -> None:
    engine.pass_time(10 * DAY_S)
    store.enqueue(news(number) for number in range(STORM + 1))
    send(store)
    engine.crash(store)
    after = engine.start()
    engine.pass_time(CALM_S)
    calmed = claimed_message(after).message
    assert isinstance(calmed.body, Digest)
    assert calmed.form is Form.EDIT


def test_the_card_of_an_open_episode_is_kept(engine: Engine, store: Store) -> None:
    """Else its edits and replies would have no message to go to."""
    poll(store, episodes=(episode("card:1"),), messages=(post("card:1"), post("other")))
    send(store, "1.1")
    send(store, "1.2")
    engine.pass_time(31 * DAY_S)
    store.clean(30)
    assert store.message_ts("card:1") == ("C1", "1.1")
    assert store.message_ts("other") is None
    store.enqueue([edit("e", "card:1")])
    assert claimed_message(store).root_ts == "1.1"


def test_the_card_that_a_waiting_reply_belongs_to_is_kept(engine: Engine, store: Store) -> None:
    store.enqueue([post("card:1"), reply("r", "card:1")])
    send(store, "1.1")
    engine.pass_time(31 * DAY_S)
    store.clean(30)
    assert claimed_message(store).root_ts == "1.1"


def test_a_fixed_episode_is_forgotten_with_its_card(engine: Engine, store: Store) -> None:
    poll(store, episodes=(episode("card:1"),), messages=(post("card:1"),))
    send(store)
    poll(store, episodes=(replace(episode("card:1"), fixed_at=NOON),))
    engine.pass_time(31 * DAY_S)
    store.clean(30)
    assert store.message_ts("card:1") is None


WRITES: dict[str, Callable[[Store], object]] = {
    "is_first_time": lambda store: store.is_first_time("k"),
    "record_command": lambda store: store.record_command(command()),
    "claim_action": lambda store: store.claim_action("k", 1, 1),
    "claim_message": lambda store: store.claim_message(1),
    "claim_source": lambda store: store.claim_source(1, ["wercker"]),
    "enqueue": lambda store: store.enqueue([post("a")]),
    "clean": lambda store: store.clean(30),
}


@pytest.mark.parametrize("verb", WRITES)
def test_no_verb_works_after_the_end(engine: Engine, store: Store, verb: str) -> None:
    engine.stop(store)
    with pytest.raises(StoreError):
        WRITES[verb](store)
