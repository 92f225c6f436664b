"""Watches and mutes as people handle them: options, lists, mutes, reasons, rehearsals, ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.playground.slack.messages import Message
from bot.playground.slack.people import BUILDS, OPERATOR, SECOND_OPERATOR
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import CATALOG, SHOP

Open = Callable[..., Newsroom]
NAME = f"wercker:{SHOP}"
WATCH = f"/watch {NAME}"


def watch_of(room: Newsroom) -> dict[str, object]:
    (row,) = room.query("SELECT preset, thread, mention, tells_overdue FROM watches")
    return row


def is_shared(answer: Message) -> bool:
    return answer.ephemeral_for is None


def turns_red(room: Newsroom, pipeline: str = SHOP) -> Message:
    """The card of a pipeline that was green."""
    room.ends("passed", pipeline)
    room.polls_twice()
    return room.waits_for(room.ends("failed", pipeline).id)


# Setting a watch again


def test_options_that_are_not_typed_again_stay(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(f"{WATCH} thread=broadcast mention=@sam overdue=off on=all")
    full = {"preset": "all", "thread": "broadcast", "mention": SECOND_OPERATOR, "tells_overdue": 0}
    assert watch_of(room) == full

    again = olivia.asks(WATCH).text
    assert watch_of(room) == full
    assert "this watch is here already" in again
    assert f"on=all · thread=broadcast · overdue=off · mention <@{SECOND_OPERATOR}>" in again

    other = olivia.asks(f"{WATCH} on=failures mention=none").text
    assert watch_of(room) == full | {"preset": "failures", "mention": None}
    assert "now: on=failures · thread=broadcast · overdue=off" in other
    assert f"was: on=all · thread=broadcast · overdue=off · mention <@{SECOND_OPERATOR}>" in other


def test_other_filters_are_another_watch_and_their_order_is_none(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(f"{WATCH} branch=main,dev by!=bot on=all")
    assert "here already" in olivia.asks(f"{WATCH} by!=bot branch=dev,main").text
    assert watch_of(room)["preset"] == "all"
    assert "I will post here" in olivia.asks(f"{WATCH} branch=main").text


def test_a_watch_of_the_settings_is_not_changed_by_a_command(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    answer = room.person().asks("/watch * on=all").text
    assert "I will post here when any pipeline ends" in answer
    rows = room.query("SELECT preset, is_from_settings FROM watches ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [("changes", 1), ("all", 0)]


def test_how_it_stands_right_now(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    assert "no such run is known yet" in olivia.asks(WATCH).text
    room.begins()
    assert "Right now: running for " in olivia.asks(f"{WATCH} mention=here").text
    assert (
        "I will mention everybody who is active here"
        in olivia.asks(f"/watch wercker:{CATALOG} mention=here").text
    )


# Mutes


def test_a_mute_ends_where_it_was_told_and_one_branch_alone(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    for branch in ("b1", "b2"):
        olivia.asks(f"/watch mute {NAME} 2h branch={branch}")
    other = olivia.asks(f"/watch unmute {NAME} branch=b3")
    assert f"{NAME} on b3 is not muted by itself here" in other.text
    assert f"[/watch unmute {NAME} branch=b1]" in other.text
    one = olivia.asks(f"/watch unmute {NAME} branch=b1")
    assert is_shared(one)
    assert one.text.startswith(f"✔ no longer muted  {NAME} on b1 · by <@{OPERATOR}>")
    assert [row["branch_key"] for row in room.query("SELECT * FROM mutes")] == ["=b2"]
    olivia.asks(f"/watch mute {NAME} 2h")
    rest = olivia.asks(f"/watch unmute {NAME}")
    assert "on b2" in rest.text
    assert room.query("SELECT * FROM mutes") == []


def test_a_mute_of_every_branch_is_not_ended_for_one(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(f"/watch mute {NAME} 2h")
    answer = olivia.asks(f"/watch unmute {NAME} branch=main").text
    assert "is not muted by itself" in answer
    assert f"[/watch unmute {NAME}]" in answer
    assert len(room.query("SELECT * FROM mutes")) == 1


def test_the_list_tells_for_what_a_mute_woke(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(WATCH)
    turns_red(room)
    olivia.asks(f"/watch mute {NAME} 2h deploy day")
    loud = room.ends("failed", at_step="lint")
    room.wait(lambda: [m for m in room.told() if m.is_reply and loud.id in m.text], "the reply")
    (line, *_) = olivia.asks("/watch list").text.splitlines()
    assert "‖ muted until <!date^" in line
    assert f"deploy day · not for what fails otherwise since: {NAME} on main (lint)" in line


def test_why_a_muted_run_was_not_posted(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(WATCH)
    room.ends("passed", commit_hash="a" * 40)
    room.polls_twice()
    olivia.asks(f"/watch mute {NAME} 2h deploy day")
    quiet = room.ends("failed", commit_hash="b" * 40)
    room.wait(lambda: room.query("SELECT 1 FROM decisions WHERE mute IS NOT NULL"), "the decision")
    olivia.asks(f"/watch unmute {NAME}")
    answer = olivia.asks(f"/watch why wercker:{quiet.id}")
    verdict, green, changed = answer.text.splitlines()[1:4]
    assert verdict.startswith("<!date^")
    assert f"nothing was posted: it is muted by <@{OPERATOR}> until <!date^" in verdict
    assert verdict.endswith(": deploy day")
    assert "UTC ·" not in verdict
    assert green.startswith("last green: ✔ passed  wercker:")
    assert "commit aaaaaaaaaa ·" in green
    assert changed == "changed since: commit aaaaaaaaaa → bbbbbbbbbb"
    assert answer.visible.splitlines()[2].count("<http") == 1


def test_what_is_red_here_can_be_muted_while_its_vendor_is_away(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    card = turns_red(room)
    room.break_down("wercker", status=503)
    muted = room.person().press_answer(card, "Mute 2 h")
    assert is_shared(muted)
    assert muted.text.startswith("‖ muted until")


def test_a_thread_needs_a_name_to_mute(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    card = turns_red(room)
    answer = room.person().asks("/watch mute 2h", "mention", thread_ts=card.ts).text
    assert "mute what? Name the pipeline" in answer
    assert "mute 2h 2h" not in answer


# Rehearsals and lists


def test_a_rehearsal_shows_what_would_be_posted(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(WATCH)
    turns_red(room)
    room.ends("passed")
    room.waits_for("✔ fixed")
    answer = olivia.asks("/watch test 1")
    head, reply, card = answer.visible.splitlines()[:3]
    assert "would have posted 2 messages about 3 stored runs" in head
    assert reply.startswith("reply: ✔ fixed  <http")
    assert card.startswith("card: ✖ failed  <http")
    assert card.endswith((" ago", "just now"))
    assert "poll" not in answer.visible


@pytest.mark.parametrize("verb", ["test", "off"])
@pytest.mark.parametrize(("count", "says"), [(0, "none"), (2, "2")])
def test_a_number_that_is_not_in_the_list(newsroom: Open, verb: str, count: int, says: str) -> None:
    room = newsroom()
    olivia = room.person()
    for name in (SHOP, CATALOG)[:count]:
        olivia.asks(f"/watch wercker:{name}")
    answer = olivia.asks(f"/watch {verb} 9").text
    assert f"there is no watch 9 here; this channel has {says}: `/watch list`." in answer


def test_a_watch_whose_provider_is_out_of_sight_is_not_active(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(WATCH)
    olivia.asks("/watch debci:testing/amd64/hello")
    room.polls_twice()
    room.break_down("wercker", status=503)
    room.waits_for("I cannot see wercker")
    blind, well = olivia.asks("/watch list").text.splitlines()[:2]
    assert blind.startswith("1. ⚠ blind: I cannot see wercker since <!date^")
    assert well.startswith("2. ● active  debci")


def test_help_offers_only_what_a_watch_can_have(newsroom: Open) -> None:
    olivia = newsroom().person()
    told = olivia.asks("/watch help").text
    assert "filters: branch, status, provider, pipeline, by, env; " in told
    assert "since" in olivia.asks("/runs help").text


# The end of a watch


def test_cards_say_when_nobody_watches_any_more(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(WATCH)
    card = turns_red(room)
    known = len(room.told())

    olivia.asks("/watch off 1")
    room.waits_for("ⓘ no longer watched here")
    last = olivia.again(card)
    assert last.visible.startswith(f"ⓘ no longer watched here  {NAME} on main")
    assert "Mute 2 h" not in last.controls
    assert len(room.told()) == known
    assert room.query("SELECT * FROM episodes") == []

    olivia.asks(WATCH)
    room.polls_twice()
    later = room.ends("failed")
    fresh = room.waits_for(later.id)
    assert fresh.ts != card.ts
    assert not fresh.is_reply
    assert olivia.again(card).visible == last.visible


def test_a_card_that_another_watch_goes_on_with_stays(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(WATCH)
    olivia.asks("/watch wercker:acme/*")
    olivia.asks(f"/watch wercker:{CATALOG}")
    card = turns_red(room)
    olivia.asks(f"/watch off {NAME}")
    room.ends("failed")
    room.waits_for("2 failing runs")
    assert olivia.again(card).visible.startswith("✖ failed")


def test_a_watch_that_posts_no_cards_goes_on_with_none(newsroom: Open) -> None:
    room = newsroom()
    olivia = room.person()
    olivia.asks(WATCH)
    turns_red(room)
    olivia.asks(f"{WATCH} on=failures")
    room.waits_for("ⓘ no longer watched here")


def test_cards_of_a_watch_that_left_the_settings(newsroom: Open, tmp_path: Path) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    card = turns_red(room)
    assert card.visible.startswith("✖ failed")
    room.use(BOT_ALERT_CHANNEL=None)
    room.restarts()
    room.waits_for("ⓘ no longer watched here")
