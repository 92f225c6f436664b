"""Digests as people meet them: what is red in them, where each failure is, what comes after."""

from collections.abc import Callable
from typing import Literal, cast

import pytest

from bot.playground.faults import Fault
from bot.playground.slack.messages import Message
from bot.playground.slack.people import BUILDS
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import CATALOG, SHOP

Open = Callable[..., Newsroom]
Result = Literal["failed", "passed"]
Calm = Callable[[float], None]
POST = "/api/chat.postMessage"
LIMIT_S = 30
STEPS_A_POLL = 4
"""Of no more runs in one poll can it be relied on that their steps are looked at."""
NEVER_S, SOON_S = 600.0, 0.5


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> Calm:
    """Sets how long nothing must come until a storm is over; never, at first. However slow the
    machine is, what is posted counts as posted within a minute.
    """

    def after(seconds: float) -> None:
        monkeypatch.setattr("bot.domain.digests.CALM_S", seconds)

    after(NEVER_S)
    monkeypatch.setattr("bot.domain.digests.STORM_S", NEVER_S)
    return after


@pytest.fixture
def room(newsroom: Open, calm: Calm) -> Newsroom:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    return room


def ended(room: Newsroom, result: Result, branches: str, pipeline: str = SHOP) -> list[str]:
    """Runs that end while Slack takes nothing, so that all that is said of them waits."""
    busy = Fault(path=POST, status=429, headers={"Retry-After": "1"})
    room.slack.faults.add(busy)
    found: list[str] = []
    for branch in branches.split():
        found.append(room.ends(result, pipeline, branch=branch).id)
        if len(found) % STEPS_A_POLL == 0:
            decided(room, found)
    decided(room, found)
    busy.times = 0
    return found


def decided(room: Newsroom, ids: list[str]) -> None:
    query = "SELECT run_id FROM decisions"
    room.wait(lambda: {row["run_id"] for row in room.query(query)} >= set(ids), "decisions")


def digests(room: Newsroom) -> list[Message]:
    return [m for m in room.told() if "Show all" in m.controls]


def digest(room: Newsroom, *words: str) -> Message:
    """The newest digest, once it says all these words."""

    def seen() -> Message | None:
        return next((m for m in digests(room)[-1:] if all(w in m.visible for w in words)), None)

    try:
        return cast("Message", room.wait(seen, f"a digest that says {words}", LIMIT_S))
    except AssertionError as error:
        shown = "\n---\n".join(m.visible for m in room.told())
        raise AssertionError(f"{error}; there is:\n{shown}") from None


def line(message: Message, words: str) -> str:
    return next(one for one in message.visible.splitlines() if words in one)


def listed(room: Newsroom, message: Message) -> list[str]:
    """The lines of runs behind its button."""
    answer = room.person().press_answer(message, "Show all")
    return [one for one in answer.visible.splitlines() if "wercker:" in one]


def top_level(room: Newsroom) -> list[Message]:
    return [m for m in room.told() if not m.is_reply]


def cards(room: Newsroom, count: int) -> None:
    """Waits for so many red cards."""
    room.wait(lambda: sum("Mute 2 h" in m.controls for m in room.told()) == count, "cards", LIMIT_S)


def calls(room: Newsroom, words: str) -> int:
    """How many messages were posted that say so; edits call nobody."""
    sent = [c for c in room.slack.calls("chat.postMessage") if c.reply["ok"]]
    return sum(words in c.args["text"] for c in sent)


def test_a_group_shows_what_is_red_and_is_green_when_all_of_it_is(room: Newsroom) -> None:
    red = ended(room, "failed", "b0 b1 b2 b3 b4") + ended(room, "failed", "b0 b1", CATALOG)
    before = digest(room, "7 failing runs in 2 pipelines")
    assert line(before, SHOP).startswith("5 \u00d7 ✖ failed")
    assert "5 branches" in line(before, SHOP)
    newest_fix, _ = ended(room, "passed", "b4 b1")
    part = line(digest(room, "3 of 5 branches still red"), SHOP)
    assert "✔" not in part
    assert red[3] in part, "the newest run of a branch that is red"
    ended(room, "passed", "b0 b2 b3")
    after = digest(room, "✔ 5 of 7 that turned red are green again")
    assert line(after, SHOP).startswith(f"✔ fixed by wercker:{newest_fix} · 5 \u00d7 ✖ failed")
    assert line(after, CATALOG).startswith("2 \u00d7 ✖ failed")
    assert after.visible.index(CATALOG) < after.visible.index(SHOP), "what is red comes first"
    assert "7 failing runs" in after.visible
    assert "first failure test" in line(after, "in common"), "of the failures"
    assert "<!date^" in line(after, CATALOG)
    assert len(top_level(room)) == 1


def test_every_failure_stays_listed_with_its_own_run_and_link(room: Newsroom) -> None:
    red = ended(room, "failed", "b0 b1 b2 b3 b4 b5 b6")
    digest(room, "7 failing runs")
    again = ended(room, "failed", "b0")
    (fix,) = ended(room, "passed", "b0")
    shown = digest(room, "8 failing runs", "✔ 1 of 7 that turned red is green again")
    lines = listed(room, shown)
    assert len(lines) == 8
    for one in red + again:
        (of_run,) = [found for found in lines if f"|wercker:{one}>" in found]
        assert "✖ failed" in of_run
        assert "<!date^" in of_run
        assert (f"✔ fixed by wercker:{fix}" in of_run) == (one in {red[0], again[0]})


@pytest.mark.usefixtures("calm")
def test_failures_that_had_no_message_are_listed_too(newsroom: Open) -> None:
    """Where threads are off, a card tells of further failures by its count alone."""
    room = newsroom()
    room.person().asks("/watch wercker:* thread=off")
    room.polls_twice()
    red = ended(room, "failed", "b0 b1 b2 b3 b4 b5")
    for _ in range(3):
        red += ended(room, "failed", "b0")
    shown = digest(room, "9 failing runs", "9 \u00d7")
    lines = listed(room, shown)
    assert [sum(one in found for found in lines) for one in red] == [1] * 9


def test_why_tells_what_became_of_the_message(room: Newsroom, calm: Calm) -> None:
    red = ended(room, "failed", "b0 b1 b2 b3 b4 b5")
    digest(room, "6 failing runs")
    olivia = room.person()
    assert "told in a digest" in (why := olivia.asks(f"/watch why wercker:{red[0]}").visible)
    assert "a card was posted" not in why
    ended(room, "passed", "b0 b1 b2 b3")
    calm(SOON_S)
    cards(room, 2)
    said = olivia.asks(f"/watch why wercker:{red[5]}").visible
    assert "told in a digest, and its card was posted when it was calm" in said


def test_why_tells_that_slack_refused_it(room: Newsroom) -> None:
    refusal = b'{"ok":false,"error":"invalid_blocks"}'
    kind = {"Content-Type": "application/json"}
    room.slack.faults.add(Fault(path=POST, status=200, body=refusal, times=2, headers=kind))
    run = room.ends("failed")
    room.wait(lambda: "slack_refused_message" in room.bot.unready(), "a refusal")
    why = room.person().asks(f"/watch why wercker:{run.id}").visible
    assert "Slack refused it" in why
    assert "invalid_blocks" in why
    assert "reached Slack" not in why


def test_nobody_is_called_twice_and_the_digest_follows_the_cards(
    newsroom: Open, calm: Calm
) -> None:
    room = newsroom()
    room.person().asks("/watch wercker:* mention=@sam")
    room.polls_twice()
    red = ended(room, "failed", "b0 b1 b2 b3 b4 b5")
    digest(room, "6 failing runs", "<@")
    who = line(digest(room), "6 failing runs").partition(" · ")[2]
    ended(room, "passed", "b0 b1 b2")
    digest(room, "3 of 6")
    calm(SOON_S)
    cards(room, 3)
    digest(room, "What is still red has a card of its own")
    assert who.startswith("<@")
    assert calls(room, who) == 1
    ended(room, "passed", "b5")
    digest(room, "✔ 4 of 6 that turned red are green again", "2 of 6 branches still red")
    assert len(room.alerts(red[5])) <= 2, "the digest and its card"


def test_a_digest_of_one_becomes_its_card(room: Newsroom, calm: Calm) -> None:
    for number in range(5):
        room.waits_for(room.ends("failed", branch=f"b{number}").id)
    red = room.ends("failed", branch="b5")
    shown = digest(room, "1 failing run in 1 pipeline", red.id)
    calm(SOON_S)
    room.wait(lambda: "Retry" in at(room, shown).controls, "the card")
    assert at(room, shown).visible.startswith("✖ failed")
    assert len(room.told()) == 6
    again = room.ends("failed", branch="b5")
    reply = room.waits_for(again.id)
    assert reply.thread_ts == shown.ts
    room.ends("passed", branch="b5")
    room.wait(lambda: at(room, shown).visible.startswith("✔ fixed"), "that the card is fixed")
    assert len(top_level(room)) == 6


def at(room: Newsroom, message: Message) -> Message:
    return next(m for m in room.told() if m.ts == message.ts)


def test_many_fixes_of_what_a_digest_told_are_told_by_its_edit(room: Newsroom, calm: Calm) -> None:
    branches = "b0 b1 b2 b3 b4 b5 b6"
    ended(room, "failed", f"{branches} c0 c1 c2 c3 c4 c5")
    calm(SOON_S)
    digest(room, "calm now. 13 are still red: news of that comes in this thread")
    calm(NEVER_S)
    fixes = ended(room, "passed", branches)
    shown = digest(room, "✔ 7 of 13 that turned red are green again", "6 are still red")
    assert "without failing" not in shown.visible
    assert len(top_level(room)) == 1
    why = room.person().asks(f"/watch why wercker:{fixes[6]}").visible
    assert "told in a digest" in why or "a reply" in why


def test_many_fixes_of_cards_are_told_as_fixed(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.domain.digests.STORM", 50)
    branches = "b0 b1 b2 b3 b4 b5"
    for branch in branches.split():
        room.waits_for(room.ends("failed", branch=branch).id)
    monkeypatch.setattr("bot.domain.digests.STORM", 5)
    ended(room, "passed", branches)
    shown = digest(room, "✔ 6 fixed, nothing failed")
    assert "6 \u00d7 ✔ fixed  <" in line(shown, SHOP)


def test_what_nobody_watches_any_more_gets_no_card(newsroom: Open, calm: Calm) -> None:
    room = newsroom()
    olivia = room.person()
    for name in (SHOP, CATALOG):
        olivia.asks(f"/watch wercker:{name}")
    room.polls_twice()
    ended(room, "failed", "b0 b1 b2 b3")
    ended(room, "failed", "b0 b1", CATALOG)
    digest(room, "6 failing runs in 2 pipelines")
    olivia.asks("/watch off 1")
    room.wait(lambda: len(room.query("SELECT 1 FROM episodes")) == 2, "the end of four episodes")
    calm(SOON_S)
    shown = digest(room, "What is still red has a card of its own")
    assert "6 failing runs in 2 pipelines" in shown.visible
    cards(room, 2)
    assert all(CATALOG in m.text.splitlines()[0] for m in top_level(room)[1:])
    assert len(top_level(room)) == 3
