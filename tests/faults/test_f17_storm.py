"""F17 and promise 2 in a storm, through the composed bot: what a channel and a person see."""

from collections.abc import Callable

from bot.playground.slack.messages import Message
from bot.playground.slack.people import BUILDS, OPERATOR
from tests.fakes.newsroom import Newsroom

Open = Callable[..., Newsroom]
MANY = 30


def storm(room: Newsroom, count: int = MANY) -> list[str]:
    """So many branches turn red between two polls."""
    return [room.ends("failed", branch=f"b{number}").id for number in range(count)]


def digest(room: Newsroom) -> Message | None:
    return next((m for m in room.told() if "failing run" in m.visible), None)


def total(message: Message) -> int:
    return int(message.text.split("failing run")[0].split()[-1])


def singles(room: Newsroom, ids: list[str]) -> int:
    cards = [m for m in room.told() if "failing run" not in m.visible]
    return sum(any(one in m.visible for m in cards) for one in ids)


def told_all(room: Newsroom, ids: list[str]) -> bool:
    found = digest(room)
    return found is not None and total(found) + singles(room, ids) == len(ids)


def test_f17_a_storm_becomes_one_digest_that_counts_every_failure(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    ids = storm(room)
    room.wait(lambda: told_all(room, ids), "all told", 30)
    shown = digest(room)
    assert shown is not None
    assert shown.metadata
    assert "in common: provider wercker" in shown.visible
    assert len(room.told()) <= 1 + 5
    assert not [c for c in room.slack.calls("chat.postMessage") if not c.reply["ok"]]


def test_f17_a_storm_that_goes_on_edits_its_digest(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    ids = storm(room)
    room.wait(lambda: told_all(room, ids), "all told", 30)
    before = len(room.told())
    ids += [room.ends("failed", branch=f"late{number}").id for number in range(3)]
    room.wait(lambda: told_all(room, ids), "the late ones counted", 30)
    assert len(room.told()) == before, "no message more"


def test_f17_a_storm_survives_a_restart_in_the_middle(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    ids = storm(room)
    room.wait(lambda: digest(room) or room.told(), "the first of it", 30)
    room.restarts()
    ids += [room.ends("failed", branch="late").id]
    room.wait(lambda: told_all(room, ids), "all told", 30)
    assert sum("failing run" in m.visible for m in room.told()) == 1


def test_show_all_lists_everything_to_the_one_who_pressed(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    ids = storm(room)
    room.wait(lambda: told_all(room, ids), "all told", 30)
    shown = digest(room)
    assert shown is not None
    olivia = room.person()
    answer = olivia.press_answer(shown, "Show all")
    assert answer.ephemeral_for == OPERATOR
    listed = sum(one in answer.visible for one in ids)
    assert listed == total(shown) == int(answer.text.split()[0])
