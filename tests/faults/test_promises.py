"""The six promises of the README, each broken down to what would show it broken.

Promises 1, 2 and 4 are proved at length by test_model and test_kill; what stands here goes
through every point at which the process can die once, in an order that is always the same.
"""

import urllib.request
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

import pytest

from bot.domain.replies import ChannelNotice
from bot.domain.statuses import Status
from bot.playground.slack.people import BUILDS, MEMBER
from tests.fakes.model_world import CHANGES, FAILURES, MORTAL_VERBS, World
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import DEBCI_KEY, SHOP, WERCKER_TOKEN

Open = Callable[..., Newsroom]
DEATHS = [f"{when} {verb}" for verb in MORTAL_VERBS for when in ("before", "after")]
MISHAPS = ["lost", "dropped", "429", "die before", "die after"]
PAIRS = list(zip(DEATHS, cycle(MISHAPS), strict=False))
SECRETS = (WERCKER_TOKEN, DEBCI_KEY, "xoxb-sample-bot-token", "xapp-sample-app-token",
           "sample-signing-secret")  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.poll()
    yield made
    made.close()


def live_through(world: World, death: str, mishap: str) -> None:
    """Failures, a repetition and a fix, while the process dies and Slack misbehaves."""
    vendor = world.vendors[1]
    for pipeline in ("p0", "p1"):
        world.clock.advance(1)
        run_id = vendor.start(pipeline, "main")
        for _ in range(2):
            vendor.end(run_id, Status.FAILED)
            world.deaths.append(death)
            world.slack.plan.append(mishap)
            world.clock.advance(61)
            world.poll()
            world.poll()  # the first one may have been the end of a process
            world.send(3)
            vendor.repeat(run_id)
            world.clock.advance(61)
            world.poll()
        vendor.end(run_id, Status.PASSED)
    world.heal_and_drain()


@pytest.mark.parametrize(("death", "mishap"), PAIRS)
def test_promise_1_every_failure_that_was_seen_is_posted(
    world: World, death: str, mishap: str
) -> None:
    live_through(world, death, mishap)
    for channel in (CHANGES, FAILURES):
        assert len(world.truth(channel).must) == 4
        assert not world.truth(channel).must - world.told(channel).keys()


@pytest.mark.parametrize(("death", "mishap"), PAIRS)
def test_promise_2_each_failure_is_posted_once(world: World, death: str, mishap: str) -> None:
    live_through(world, death, mishap)
    for channel in (CHANGES, FAILURES):
        assert set(world.told(channel).values()) == {1}


@pytest.mark.parametrize("death", ["", "before save_blindness", "after save_blindness",
                                   "before end_blindness", "after end_blindness"])  # fmt: skip
def test_promise_3_no_silence_is_sold_as_green(world: World, death: str) -> None:
    vendor = world.vendors[0]
    vendor.is_down = True
    world.deaths.append(death)
    for _ in range(8):
        world.clock.advance(61)
        world.poll()
        world.send(9)
    vendor.end(vendor.start("p0", "main"), Status.FAILED)
    assert [text.split()[0] for text in notices(world)] == ["blind:"] * 2
    world.heal_and_drain()
    assert ["1 failure found since" in text for text in notices(world)] == [True] * 2
    assert all(text.startswith("back: ") for text in notices(world))


def notices(world: World) -> list[str]:
    """As they stand now in the two channels that watch."""
    shown = [one.body for c in (CHANGES, FAILURES) for one in world.slack.channels.get(c, [])]
    return [body.text for body in shown if isinstance(body, ChannelNotice)]


def test_promise_4_a_command_whose_answer_is_lost_is_sent_once(newsroom: Open) -> None:
    room = newsroom()
    room.break_down("wercker", method="POST", drop_after=True, times=1)
    card = room.person().acts(f"/trigger wercker:{SHOP}")
    assert "unknown" in card.text
    room.restarts()
    assert "help for" in room.person().asks("/runs help").text
    assert len(room.changes()) == 1


def test_promise_4_what_a_restart_interrupts_is_reported_and_not_repeated(newsroom: Open) -> None:
    room = newsroom()
    room.break_down("wercker", method="POST", hang=True)
    card = room.person().asks(f"/trigger wercker:{SHOP}")
    room.wait(room.changes, "the request")
    (row,) = room.audit()
    assert row["state"] == "accepted"
    store = room.bot._store
    room.bot._pool.close()
    store._connections.close()  # from here on nothing of the old process is written
    room.stop_bot()
    room.start_bot()
    told = room.waits_for("A restart interrupted")
    assert "unknown whether it arrived" in told.visible
    room.wait(lambda: "— sending" not in room.person().again(card).visible, "the end of the card")
    assert "— unknown" in room.person().again(card).visible
    assert [row["state"] for row in room.audit()] == ["interrupted"]
    assert len(room.changes()) == 1


def test_promise_5_no_change_without_a_recorded_and_allowed_person(newsroom: Open) -> None:
    room = newsroom()
    refused = room.person(MEMBER).asks(f"/trigger wercker:{SHOP}")
    assert "may not" in refused.visible or "not allowed" in refused.visible
    assert room.changes() == []
    room.break_down("wercker", method="POST", delay_s=1.0, times=1)
    room.person().does(f"/trigger wercker:{SHOP}")
    room.wait(room.changes, "the request")
    assert [(row["user_id"], row["state"]) for row in room.audit()] == [
        (MEMBER, "denied"),
        (room.person().user, "accepted"),
    ]
    room.wait(lambda: room.audit()[-1]["state"] == "done", "the end")


def test_promise_6_secrets_and_raw_payloads_stay_where_they_are(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    payload = [{"key": "KEY", "value": "canary-payload"}]
    run = room.ends("failed", env=payload)
    room.waits_for(run.id)
    olivia = room.person()
    olivia.asks(f"/runs wercker:{run.id}")
    olivia.acts(f"/trigger wercker:{SHOP} env.TOKEN=canary-typed")
    room.break_down("wercker", status=401, body=f"bad {WERCKER_TOKEN} canary-payload".encode())
    olivia.asks(f"/runs wercker:{run.id}")
    room.waits_for("blind")
    metrics = f"http://127.0.0.1:{room.bot.port}/metrics"
    with urllib.request.urlopen(metrics, timeout=5) as reply:
        places = {"metrics": reply.read().decode()}
    places |= {
        "Slack": "\n".join(m.visible + m.text for m in room.told()),
        "log": room.log.text,
        "database": room.stored_bytes().decode(errors="replace"),
    }
    for name, text in places.items():
        for secret in (*SECRETS, "canary-payload", "canary-typed"):
            assert secret not in text, f"{secret} is in {name}"
