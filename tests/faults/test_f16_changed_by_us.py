"""F16: runs that the bot itself made to move, and that no page shows which a poll reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.slack.messages import Message
from bot.playground.slack.people import BUILDS
from bot.playground.vendors.course import Outcome
from bot.slack.sender import EVENT_TYPE
from tests.fakes.stage import Player
from tests.fakes.trio import RED, Trio

NEWER = {"testery": 131, "allure": 60}
"""Runs that push an older one off the first page of 100 and of 50."""
PASSED = {"testery": {"status": "PASS", "branch": "next"}, "allure": {"status": "passed"}}
LISTS = {"testery": "/api/test-runs", "allure": "/api/launch"}


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    quick = {"BOT_POLL__MAX_INTERVAL_S": "0.2"}
    with Trio(tmp_path, BOT_ALERT_CHANNEL=BUILDS, **quick) as made:
        made.testery.quirks.rerun = "same"
        yield made


def looks(trio: Trio, instance: str) -> None:
    """Waits until a list that shows what stands now was asked for and, as the next one tells,
    taken in.
    """
    asked = lambda: len(trio.faults(instance).requests("GET", LISTS[instance]))  # noqa: E731
    known = asked()
    trio.wait(lambda: asked() >= known + 2, f"two more lists of {instance}")


def reads(trio: Trio, instance: str, ref: str) -> int:
    """How often it was read by itself."""
    path = f"{LISTS[instance]}/{ref.partition(':')[2]}"
    return len(trio.faults(instance).requests("GET", path))


def told(trio: Trio, ref: str) -> int:
    """How many alerts there were about it; the card of a command is none."""
    posts = [call.args for call in trio.slack.calls("chat.postMessage") if ref in call.args["text"]]
    return sum(one.get("metadata", {}).get("event_type") == EVENT_TYPE for one in posts)


def far_back(trio: Trio, instance: str) -> tuple[str, Message]:
    """A run that failed and was told, and is on no page any more that a quiet poll reads."""
    looks(trio, instance)
    trio.catch_up()
    ref = trio.adds(instance, age_s=35.0, **RED[instance])
    trio.clock.advance(10)
    alert = trio.waits_for(ref)
    trio.clock.advance(40)  # a run that ends now began after it
    newer = [trio.adds(instance, age_s=35.0, **PASSED[instance]) for _ in range(NEWER[instance])]
    trio.clock.advance(10)
    known = "SELECT 1 FROM runs WHERE is_over = 1"
    trio.wait(lambda: len(trio.query(known)) == 1 + len(newer), "all to be known", 30)
    looks(trio, instance)
    return ref, alert


def will_fail(trio: Trio, instance: str) -> None:
    """The next run or repetition."""
    red = RED[instance]
    end = Outcome(red["status"], 20.0, 1.0, failed=red["failed"])
    (trio.testery if instance == "testery" else trio.allure).script(end)


def retried(trio: Trio, instance: str, alert: Message) -> None:
    will_fail(trio, instance)
    olivia: Player = trio.person()
    assert "— done" in olivia.settled(olivia.press_answer(alert, "Retry")).visible


@pytest.mark.parametrize("instance", NEWER)
def test_f16_a_run_that_we_repeated_far_back_is_told_when_it_fails_again(
    trio: Trio, instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And costs nothing any more after that."""
    monkeypatch.setattr("bot.store.sqlite.sources.FOLLOWED_S", 0.5)
    ref, alert = far_back(trio, instance)
    before = reads(trio, instance, ref)
    looks(trio, instance)
    assert reads(trio, instance, ref) == before
    retried(trio, instance, alert)
    looks(trio, instance)
    trio.clock.advance(40)
    trio.wait(lambda: told(trio, ref) == 2, "the second failure")
    followed = lambda: trio.query("SELECT 1 FROM followed")  # noqa: E731
    trio.wait(lambda: not followed(), "the end of it")
    looks(trio, instance)
    trio.clock.advance(100)  # an end may be looked at again for as long as it is fresh
    looks(trio, instance)
    after = len(trio.faults(instance).received)
    looks(trio, instance)
    lists = trio.faults(instance).received[after:]
    assert {one.path for one in lists} == {LISTS[instance]}
    assert told(trio, ref) == 2


@pytest.mark.parametrize("instance", NEWER)
def test_f16_it_is_told_though_the_bot_was_restarted_before_it_could_look(
    trio: Trio, instance: str
) -> None:
    ref, alert = far_back(trio, instance)
    away = trio.break_down(instance, method="GET", path=LISTS[instance], status=503)
    retried(trio, instance, alert)
    trio.restarts()
    away.times = 0
    trio.clock.advance(40)
    trio.wait(lambda: told(trio, ref) == 2, "the second failure")


def test_f16_it_is_told_though_it_is_unknown_whether_it_was_repeated(trio: Trio) -> None:
    ref, alert = far_back(trio, "testery")
    will_fail(trio, "testery")
    trio.break_down("testery", method="POST|PUT|PATCH", drop_after=True, times=1)
    olivia = trio.person()
    assert "— unknown" in olivia.settled(olivia.press_answer(alert, "Retry")).visible
    trio.clock.advance(40)
    trio.wait(lambda: told(trio, ref) == 2, "the second failure")
