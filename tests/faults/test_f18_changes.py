"""Promise 4 beside a database that is busy, and a Slack that is away, when the vendor answers."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import product

import pytest

from bot.playground.faults import Fault
from bot.playground.slack.messages import Message
from bot.playground.slack.people import SECOND_OPERATOR
from bot.store.sqlite import SqliteStore
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import SHOP, Player

Open = Callable[..., Newsroom]
WAIT_S = 0.3
LIES = ("nothing was written", "nothing was sent", "nothing was done")
ANSWERS = {
    "done": ({}, "— done", "done"),
    "refused": ({"status": 422}, "— refused", "refused"),
    "lost": ({"drop_after": True}, "— unknown", "unknown"),
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store gives up soon, so that a test need not lock it for long."""
    monkeypatch.setattr("bot.runtime.bot.SqliteStore", partial(SqliteStore, wait_s=WAIT_S))


class Locker:
    """Another process with the write lock, from the moment that it is called."""

    def __init__(self, room: Newsroom) -> None:
        self._other = sqlite3.connect(room.database, isolation_level=None, check_same_thread=False)

    def __call__(self) -> None:
        self._other.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        self._other.close()


@pytest.fixture
def room(newsroom: Open) -> Newsroom:
    return newsroom()


@pytest.fixture
def locker(room: Newsroom) -> Iterator[Locker]:
    with closing(Locker(room)) as made:
        yield made


def asked(room: Newsroom, verb: str) -> str:
    if verb == "trigger":
        return f"/trigger wercker:{SHOP}"
    run = room.begins() if verb == "abort" else room.ends("failed")
    return f"/{verb} wercker:{run.id}"


def is_over(room: Newsroom, state: str) -> bool:
    return [row["state"] for row in room.audit()] == [state]


def says(olivia: Player, card: Message, words: str) -> bool:
    return words in olivia.again(card).visible


@pytest.mark.parametrize(
    ("verb", "answer"),
    [pair for pair in product(("trigger", "abort", "retry"), ANSWERS) if pair != ("abort", "lost")],
)
def test_f18_what_a_vendor_answered_is_told_at_once_and_written_once_it_can_be(
    room: Newsroom, locker: Locker, verb: str, answer: str
) -> None:
    fault, words, state = ANSWERS[answer]
    olivia = room.person()
    room.break_down("wercker", method="POST|PUT", then=locker, **fault)  # type: ignore[arg-type]
    card = olivia.settled(olivia.asks(asked(room, verb)))
    assert ("⊘ aborted" if (verb, answer) == ("abort", "done") else words) in card.visible
    room.wait(lambda: "ledger.owed" in room.log.events(), "a write that failed")
    assert is_over(room, "accepted")
    locker.close()
    room.wait(lambda: is_over(room, state), f"the audit to say {state}")
    assert not [lie for lie in LIES if lie in room.posted()]
    assert len(room.changes()) == 1
    assert olivia.sees_nothing_new()


def test_f18_a_press_waits_until_it_is_known_what_the_last_one_did(
    room: Newsroom, locker: Locker
) -> None:
    olivia, run = room.person(), room.ends("failed")
    shown = olivia.asks(f"/runs wercker:{run.id}")
    room.break_down("wercker", method="POST", then=locker)
    card = olivia.settled(olivia.press_answer(shown, "Retry"))
    assert "— done" in card.visible
    locker.close()
    told = olivia.press_answer(shown, "Retry")
    assert "already — done" in told.visible
    assert len(room.changes()) == 1


def test_f18_what_could_not_be_written_before_the_end_is_reported_as_interrupted(
    room: Newsroom, locker: Locker
) -> None:
    olivia = room.person()
    room.break_down("wercker", method="POST", then=locker, times=1)
    card = olivia.settled(olivia.asks(asked(room, "retry")))
    assert "— done" in card.visible
    room.stop_bot()
    assert "ledger.lost" in room.log.events()
    locker.close()
    room.start_bot()
    assert "unknown whether it arrived" in room.waits_for("A restart interrupted").visible
    room.wait(lambda: says(olivia, card, "— unknown"), "the card to say what is known")
    assert is_over(room, "interrupted")
    assert len(room.changes()) == 1


def test_f18_what_was_owed_is_written_before_the_end(room: Newsroom, locker: Locker) -> None:
    """When the database is free again by then, however late."""
    olivia = room.person()
    room.break_down("wercker", method="POST", then=locker, times=1)
    olivia.settled(olivia.asks(asked(room, "retry")))
    (loop,) = [one for one in room.bot._supervisor._loops if one.name == "ledger"]
    loop.turn = lambda: False
    room.wait(lambda: "ledger.owed" in room.log.events(), "a write that failed")
    locker.close()
    room.stop_bot()
    assert is_over(room, "done")
    room.start_bot()


def test_f18_a_database_that_is_busy_before_the_request_lets_nothing_leave(
    room: Newsroom, locker: Locker
) -> None:
    """The card is there already, and says so; it may be asked for again."""
    olivia, command = room.person(), asked(room, "retry")
    room.slack.faults.add(Fault(path="/api/chat.postMessage", times=1, then=locker))
    card = olivia.settled(olivia.asks(command))
    assert "— refused" in card.visible
    assert "nothing was sent" in card.visible
    assert room.changes() == []
    locker.close()
    room.wait(lambda: is_over(room, "refused"), "the audit")
    assert "— done" in olivia.acts(command).visible


def test_a_card_that_cannot_be_edited_is_edited_later(room: Newsroom) -> None:
    """Who asked is told at once."""
    olivia = room.person()
    room.slack.faults.add(Fault(path="/api/chat.update", status=500, times=2))
    card = olivia.asks(asked(room, "trigger"))
    told = lambda: [m for m in olivia.screen() if m.ephemeral_for and "— done" in m.visible]  # noqa: E731
    room.wait(told, "that it is done")
    room.wait(lambda: says(olivia, card, "— done"), "the card")
    assert olivia.again(card).controls == ["Abort", "Open"]


def test_who_asked_is_told_later_where_there_is_no_card_and_no_way(room: Newsroom) -> None:
    olivia = room.person()
    room.slack.faults.add(Fault(path="/api/chat.postMessage", status=500, times=2))
    olivia.does(f"/trigger wercker:{SHOP}", "mention")
    told = lambda: [m for m in olivia.screen("message") if "— done" in m.visible]  # noqa: E731
    (message,) = room.wait(told, "a direct message")
    assert message.controls == ["Open"]
    assert len(room.changes()) == 1


def test_too_long_after_the_claim_nothing_is_sent(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may have it by then."""
    monkeypatch.setattr("bot.services.sending.SENT_WITHIN_S", 0.2)
    olivia, command = room.person(), asked(room, "retry")
    slow = room.slack.faults.add(Fault(path="/api/chat.postMessage", delay_s=0.4))
    card = olivia.settled(olivia.asks(command))
    assert "— refused" in card.visible
    assert "nothing was sent" in card.visible
    assert room.changes() == []
    assert is_over(room, "refused")
    slow.times = 0
    assert "— done" in olivia.acts(command).visible


def test_a_press_is_told_what_an_earlier_one_led_to_while_that_goes_on(newsroom: Open) -> None:
    room = newsroom(BOT_OPERATORS="*")
    olivia, sam, run = room.person(), room.person(SECOND_OPERATOR), room.ends("failed")
    shown = olivia.asks(f"/runs wercker:{run.id} share")
    olivia.settled(olivia.press_answer(shown, "Retry"))
    new = room.wercker.runs[-1]

    told = sam.after(lambda: sam.presses(shown, "Retry"))
    assert f"<@{olivia.user}> has asked to retry wercker:{run.id} already — done" in told.text
    assert f"queued  wercker:{new.id}" in told.text
    assert len(room.changes()) == 1

    room.wercker.finish(new.id, "failed")
    assert "— done" in sam.settled(sam.press_answer(shown, "Retry")).visible
    again = olivia.press_answer(shown, "Retry")
    assert f"<@{sam.user}> has asked to retry" in again.text
    assert len(room.changes()) == 2


def test_a_press_is_told_that_an_earlier_one_has_an_unknown_end(room: Newsroom) -> None:
    olivia, run = room.person(), room.ends("failed")
    shown = olivia.asks(f"/runs wercker:{run.id}")
    room.break_down("wercker", method="POST", drop_after=True, times=1)
    assert "— unknown" in olivia.settled(olivia.press_answer(shown, "Retry")).visible

    told = olivia.press_answer(shown, "Retry")
    assert "already — unknown" in told.text
    assert "Check at the provider" in told.text
    assert len(room.changes()) == 1


def test_what_is_typed_is_wanted_again(room: Newsroom) -> None:
    command = asked(room, "retry")
    for _ in range(2):
        assert "— done" in room.person().acts(command).visible
    assert len(room.changes()) == 2
