"""Episodes: one live card from the first failure to the fix, and quiet where it is asked for."""

from collections.abc import Callable

import pytest

from bot.playground.slack.messages import Message
from bot.playground.slack.people import BUILDS, OPERATOR, SECOND_OPERATOR
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import CATALOG, SHOP

Open = Callable[..., Newsroom]
WATCH = f"/watch wercker:{SHOP}"


def card_of(room: Newsroom) -> Message:
    """The newest card: the newest message of the channel that is no reply."""
    return [m for m in room.told() if not m.is_reply][-1]


def replies(room: Newsroom) -> list[Message]:
    return [m for m in room.told() if m.is_reply]


def first_line(message: Message) -> str:
    return message.visible.splitlines()[0]


def test_an_episode_from_first_failure_to_fix(room: Newsroom) -> None:
    green = room.ends("passed")
    room.polls_twice()
    first = room.ends("failed")
    card = room.waits_for(first.id)
    second = room.ends("failed")
    room.waits_for("2 failing runs")
    fix = room.ends("passed")
    fixed = room.waits_for("✔ fixed")
    room.wait(lambda: len(replies(room)) == 2, "two replies")
    room.wait(lambda: "fixed" in first_line(card_of(room)), "the card to be fixed")
    again, closing = replies(room)
    assert second.id in again.visible
    assert again.thread_ts == closing.thread_ts == card.ts
    assert "fixed after 2 failing runs" in closing.visible
    assert fix.id in closing.visible
    assert fixed.visible
    shown = card_of(room)
    assert shown.ts == card.ts
    assert "after 2 failing runs" in first_line(shown)
    assert {green.id, first.id} <= set(
        shown.visible.replace(":", " ").replace("|", " ").split()
    ) or (first.id in shown.visible)


def test_the_card_says_what_a_person_needs_at_night(room: Newsroom) -> None:
    green = room.ends("passed", commit_hash="a" * 40)
    room.polls_twice()
    red = room.ends("failed", commit_hash="b" * 40)
    card = room.waits_for(red.id)
    assert first_line(card).startswith("✖ failed")
    for words in (
        SHOP,
        "@main",
        f"wercker:{green.id}",
        "a" * 40,
        "b" * 40,
        "what failed: test",
        "started by",
        "not enough history",
        "1 of the last 2 passed",
    ):
        assert words in card.visible, words
    assert card.controls == ["Retry", "Mute 2 h", "Open", "Why?"]
    assert card.text.splitlines()[0].startswith("✖ failed")


def test_the_same_commit_as_the_last_green_run_is_said(room: Newsroom) -> None:
    room.ends("passed")
    room.polls_twice()
    red = room.ends("failed")
    assert "same commit as the last green run" in room.waits_for(red.id).visible


def test_a_retry_shows_on_the_card_while_it_runs(room: Newsroom) -> None:
    room.polls_twice()
    red = room.ends("failed")
    card = room.waits_for(red.id)
    again = room.begins()
    room.wait(lambda: "running again" in first_line(card_of(room)), "the card to say so")
    assert again.id in card_of(room).visible
    assert card_of(room).controls[0] == "Abort"
    room.wercker.finish(again.id, "passed")
    room.wait(lambda: "fixed" in first_line(card_of(room)), "the fix")
    assert card_of(room).ts == card.ts


@pytest.mark.parametrize("thread", ["quiet", "broadcast", "off"])
def test_where_news_of_an_open_card_goes(newsroom: Open, thread: str) -> None:
    room = newsroom()
    room.person().asks(f"{WATCH} thread={thread}")
    room.polls_twice()
    room.ends("failed")
    room.waits_for("failed")
    room.ends("failed")
    room.waits_for("2 failing runs")
    room.polls_twice()
    told = replies(room)
    assert [m.broadcast for m in told] == {
        "quiet": [False],
        "broadcast": [True],
        "off": [],
    }[thread]


def test_on_failures_posts_each_failure_and_no_fix(newsroom: Open) -> None:
    room = newsroom()
    room.person().asks(f"{WATCH} on=failures")
    room.polls_twice()
    runs = [room.ends("failed"), room.ends("failed"), room.ends("passed")]
    room.waits_for(runs[1].id)
    room.polls_twice()
    assert [any(r.id in m.visible for m in room.told()) for r in runs] == [True, True, False]
    assert not replies(room)


def test_on_all_posts_every_run_that_ended_once(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.person().asks(f"{WATCH} on=all")
    room.polls_twice()
    runs = [room.ends("passed"), room.ends("aborted"), room.ends("failed"), room.ends("passed")]
    room.waits_for("✔ fixed")
    room.wait(lambda: len(room.told()) == 4, "four messages")
    for run in runs[:2]:
        assert len([m for m in room.told() if run.id in first_line(m)]) == 1


def test_a_person_is_called_once_and_again_for_another_step(newsroom: Open) -> None:
    room = newsroom()
    room.person().asks(f"{WATCH} mention=@sam")
    room.polls_twice()
    ids = [room.ends("failed", at_step=step).id for step in ("test", "test", "lint")]
    room.wait(lambda: len(room.told()) == 3, "a card and two replies")
    posted = [call.args["text"] for call in room.slack.calls("chat.postMessage")]
    called = [f"<@{SECOND_OPERATOR}>" in text for text in posted]
    assert [one in text for one, text in zip(ids, posted, strict=True)] == [True] * 3
    assert called == [True, False, True]


def test_who_had_the_run_started_is_not_called(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(f"{WATCH} mention=@olivia")
    room.polls_twice()
    room.catch_up()
    olivia.acts(f"/trigger wercker:{SHOP} main")
    started = room.wercker.runs[-1]
    room.clock.advance(2)
    room.wercker.finish(started.id, "failed")
    assert f"<@{OPERATOR}>" not in room.waits_for("what failed: ").visible


def test_a_mute_is_kept_until_another_step_fails(room: Newsroom) -> None:
    room.polls_twice()
    room.ends("failed", at_step="test")
    card = room.waits_for("failed")
    olivia = room.person()
    muted = olivia.press_answer(card, "Mute 2 h")
    assert "muted until" in first_line(muted)
    assert SHOP in first_line(muted)
    assert [row["verb"] for row in room.audit()] == ["mute"]
    quiet = room.ends("failed", at_step="test")
    room.wait(lambda: "2 failing runs" in card_of_first(room).visible, "the card's edit")
    room.polls_twice()
    assert not [m for m in replies(room) if quiet.id in m.visible]
    loud = room.ends("failed", at_step="lint")
    reply = room.waits_for(loud.id, count=1)
    assert "otherwise than what is muted" in room.waits_for("otherwise").visible
    assert reply.visible
    assert "muted" in olivia.asks(f"/watch why wercker:{quiet.id}").visible


def card_of_first(room: Newsroom) -> Message:
    return room.told()[0]


def test_a_mute_by_command_is_listed_and_ends(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(WATCH)
    olivia.asks(f"/watch mute wercker:{SHOP} 2h deploy day")
    listed = olivia.asks("/watch list").visible
    assert "muted until" in listed
    assert "deploy day" in listed
    room.polls_twice()
    quiet = room.ends("failed")
    room.polls_twice()
    assert not [m for m in room.told() if quiet.id in m.visible]
    olivia.asks(f"/watch unmute wercker:{SHOP}")
    assert "● active" in olivia.asks("/watch list").visible
    assert "failed while it was muted; the mute is over" in room.waits_for(quiet.id).visible
    loud = room.ends("failed")
    assert "failed" in room.waits_for(loud.id).text


def test_a_member_may_not_mute(room: Newsroom) -> None:
    room.polls_twice()
    room.ends("failed")
    card = room.waits_for("failed")
    sam = room.person(SECOND_OPERATOR)
    assert "you may not mute" in sam.press_answer(card, "Mute 2 h").visible
    assert room.query("SELECT * FROM mutes") == []


def test_why_and_test_and_history(room: Newsroom) -> None:
    room.ends("passed")
    room.polls_twice()
    red = room.ends("failed")
    room.waits_for(red.id)
    green = room.ends("passed", CATALOG)
    olivia = room.person()
    why = olivia.asks(f"/watch why wercker:{red.id}").visible
    assert "a card was posted" in why
    assert "watch 1" in why
    room.wait(lambda: green.id in str(room.query("SELECT run_id FROM runs")), "the poll")
    quiet = olivia.asks(f"/watch why wercker:{green.id}").visible
    assert "nothing was posted: nothing was red" in quiet
    tested = olivia.asks("/watch test 1").visible
    assert "would have posted 1 message about 3 stored runs" in tested
    assert red.id in tested
    history = olivia.asks(f"/runs history wercker:{SHOP}").visible
    assert "1 of 2 passed" in history


def test_a_run_that_takes_too_long_is_told_once(room: Newsroom) -> None:
    for number in range(20):
        room.wercker.add_run(SHOP, age_s=3000 - number)
    room.polls_twice()
    room.wait(lambda: len(room.query("SELECT 1 FROM runs")) == 20, "the history")
    slow = room.wercker.add_run(SHOP, status="running", age_s=200)
    overdue = room.waits_for("⚠ overdue")
    assert slow.id in first_line(overdue)
    assert overdue.controls[0] == "Abort"
    room.restarts()
    room.polls_twice()
    assert len([m for m in room.told() if "overdue" in m.visible]) == 1
    room.wercker.finish(slow.id, "passed")
    ended = room.waits_for("was overdue; it took")
    assert (ended.ts, first_line(ended)[0]) == (overdue.ts, "✔")
    assert "Abort" not in ended.controls


def test_overdue_can_be_switched_off(newsroom: Open) -> None:
    room = newsroom()
    room.person().asks(f"{WATCH} overdue=off")
    for number in range(20):
        room.wercker.add_run(SHOP, age_s=3000 - number)
    room.polls_twice()
    slow = room.wercker.add_run(SHOP, status="running", age_s=200)
    room.wait(
        lambda: slow.id in str(room.query("SELECT run_id FROM runs WHERE is_overdue = 1")),
        "the decision",
    )
    room.polls_twice()
    assert room.told() == []
