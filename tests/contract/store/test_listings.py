from dataclasses import replace

from bot.domain.audit import CommandState
from bot.domain.chat import Posted
from bot.domain.endings import Ending
from bot.domain.runs import RunRef
from bot.domain.store import Store
from tests.fakes.store_engines import Engine
from tests.fakes.store_samples import a_run, command

ONE, TWO = RunRef("wercker", "r1"), RunRef("testery", "2")


def test_a_listing_is_kept_in_order_per_person_and_channel(store: Store) -> None:
    store.save_listing("C1", "U1", [ONE, TWO])
    assert store.listing("C1", "U1", 60) == (ONE, TWO)
    assert store.listing("C1", "U2", 60) == ()
    assert store.listing("C2", "U1", 60) == ()


def test_the_newest_listing_replaces_the_one_before(store: Store) -> None:
    store.save_listing("C1", "U1", [ONE, TWO])
    store.save_listing("C1", "U1", [TWO])
    assert store.listing("C1", "U1", 60) == (TWO,)


def test_a_listing_grows_old(engine: Engine, store: Store) -> None:
    store.save_listing("C1", "U1", [ONE])
    engine.pass_time(60)
    assert store.listing("C1", "U1", 60) == (ONE,)
    engine.pass_time(1)
    assert store.listing("C1", "U1", 60) == ()


def test_a_card_tells_its_run(store: Store) -> None:
    for ref in (ONE, TWO):
        command_id, run = store.record_command(command()), replace(a_run(), ref=ref)
        card = Posted("C1", "1.1")
        store.end_command(Ending(command_id, CommandState.DONE, "", "", run=run, card=card))
    assert store.card_run("C1", "1.1") == TWO
    assert store.card_run("C2", "1.1") is None
    assert store.card_run("C1", "1.2") is None
