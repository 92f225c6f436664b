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
    ages = [30.0 - 0.2 * number for number in range(NEWER[instance])]
    newer = [trio.adds(instance, age_s=age_s, **PASSED[instance]) for age_s in ages]
    trio.clock.advance(45)
    known = "SELECT 1 FROM runs WHERE is_over = 1"
    trio.wait(lambda: len(trio.query(known)) == 1 + len(newer), "all to be known", 30)
    unsent = "SELECT 1 FROM outbox WHERE state IN ('waiting', 'sending')"
    trio.wait(lambda: not trio.query(unsent), "all to be told")
    if instance == "testery":  # its list keeps a run at the place where it was first made
        trio.break_down(instance, path=LISTS[instance], is_cache=True)
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
    trio: Trio, instance: str
) -> None:
    ref, alert = far_back(trio, instance)
    retried(trio, instance, alert)
    looks(trio, instance)
    trio.clock.advance(40)
    trio.wait(lambda: told(trio, ref) == 2, "the second failure")
    looks(trio, instance)
    assert told(trio, ref) == 2


def test_f16_a_run_that_we_repeated_costs_nothing_any_more_after_a_while(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Allure TestOps has a memory of its own, for launches that it was asked to reopen."""
    monkeypatch.setattr("bot.store.sqlite.sources.FOLLOWED_S", 0.5)
    ref, alert = far_back(trio, "testery")
    retried(trio, "testery", alert)
    trio.clock.advance(40)
    trio.wait(lambda: told(trio, ref) == 2, "the second failure")
    trio.wait(lambda: not trio.query("SELECT 1 FROM followed"), "the end of it")
    looks(trio, "testery")
    before = len(trio.faults("testery").received)
    looks(trio, "testery")
    quiet = trio.faults("testery").received[before:]
    assert {(one.path, one.query["page"]) for one in quiet} == {(LISTS["testery"], "0")}


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
