from bot.domain.runs import RunRef
from bot.domain.store import Store
from tests.fakes.store_engines import Engine

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
    store.save_card("C1", "1.1", ONE)
    store.save_card("C1", "1.1", TWO)
    assert store.card_run("C1", "1.1") == TWO
    assert store.card_run("C2", "1.1") is None
    assert store.card_run("C1", "1.2") is None
