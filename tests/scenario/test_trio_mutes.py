"""What failed in Testery, env0 and Allure TestOps: on the card, and what wakes a mute up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.slack.messages import Message
from bot.playground.slack.people import BUILDS
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import SHOP
from tests.fakes.trio import RED, Trio

NAMED = ("testery", "allure")
OTHER = {"testery": "test_login", "allure": "Search"}
RESULTS = {"testery": r"/api/test-runs/\d+/results", "allure": "/api/testresult/__search"}


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    """Everything is watched."""
    with Trio(tmp_path, BOT_ALERT_CHANNEL=BUILDS) as made:
        yield made


def fails(trio: Trio, instance: str, *names: str) -> str:
    """A run that failed now in these tests."""
    trio.polls_twice(instance)
    trio.catch_up()
    failed = names or RED[instance]["failed"]
    ref = trio.adds(instance, RED[instance]["status"], age_s=32.0, failed=failed)
    trio.clock.advance(10)  # Allure TestOps closes a launch a little after its jobs end
    return ref


def read(trio: Trio, ref: str) -> None:
    """Waits until the end of a run is decided upon."""
    instance, _, run_id = ref.partition(":")
    decided = lambda: [row["run_id"] for row in trio.query("SELECT run_id FROM decisions")]  # noqa: E731
    trio.wait(lambda: run_id in decided(), f"a decision about {ref}")
    trio.polls_twice(instance)


def asked(trio: Trio, instance: str) -> int:
    return len(trio.faults(instance).requests("GET", RESULTS[instance]))


def told_of(trio: Trio, ref: str, card: Message) -> list[Message]:
    """The messages about the run besides the card, which is edited."""
    return [m for m in trio.told() if ref in m.visible and m.ts != card.ts]


def plain(message: Message) -> str:
    return message.visible.replace("`", "")


@pytest.mark.parametrize(
    ("instance", "name"),
    [("testery", "test_refund"), ("allure", "Login"), ("env0", "tests")],
)
def test_a_card_names_what_failed(trio: Trio, instance: str, name: str) -> None:
    card = trio.waits_for(fails(trio, instance))
    shown = next(line for line in card.visible.splitlines() if "what failed" in line)
    assert name in shown


def test_a_card_names_a_few_of_many(trio: Trio) -> None:
    ref = fails(trio, "testery", *(f"test_{n}" for n in range(9)))
    shown = plain(trio.waits_for(ref))
    assert "what failed: test_0, test_1, test_2, test_3, test_4 and 4 more" in shown


@pytest.mark.parametrize("instance", NAMED)
def test_a_mute_stays_quiet_until_another_test_fails(trio: Trio, instance: str) -> None:
    name = RED[instance]["failed"][0]
    card = trio.waits_for(fails(trio, instance))
    muted = plain(trio.person().press_answer(card, "Mute 2 h"))
    assert f"kept quiet: {name}" in muted
    assert "It wakes up when something else fails." in muted

    quiet = fails(trio, instance)
    read(trio, quiet)
    assert told_of(trio, quiet, card) == []

    loud = fails(trio, instance, name, OTHER[instance])
    reply = trio.waits_for("otherwise than what is muted")
    assert loud in reply.visible
    assert OTHER[instance] in reply.visible
    assert told_of(trio, quiet, card) == []


@pytest.mark.parametrize("instance", NAMED)
def test_a_part_of_what_is_muted_is_kept_quiet(trio: Trio, instance: str) -> None:
    name = RED[instance]["failed"][0]
    card = trio.waits_for(fails(trio, instance, name, OTHER[instance]))
    trio.person().press_answer(card, "Mute 2 h")
    quiet = fails(trio, instance, OTHER[instance])
    read(trio, quiet)
    assert told_of(trio, quiet, card) == []


@pytest.mark.parametrize("instance", NAMED)
def test_a_failure_is_told_though_its_results_cannot_be_had(trio: Trio, instance: str) -> None:
    """They are asked for three times."""
    trio.break_down(instance, path=RESULTS[instance], status=500)
    ref = fails(trio, instance)
    card = trio.waits_for(ref)
    trio.wait(lambda: asked(trio, instance) == 3, "the last try")
    trio.polls_twice(instance)
    assert asked(trio, instance) == 3
    assert "what failed" not in card.visible
    assert [m.ts for m in trio.told() if ref in m.visible] == [card.ts]


@pytest.mark.parametrize("instance", NAMED)
def test_what_failed_shows_on_the_card_once_it_is_known(trio: Trio, instance: str) -> None:
    fault = trio.break_down(instance, path=RESULTS[instance], status=500)
    fault.times = 1
    ref = fails(trio, instance)
    card = trio.waits_for(ref)
    olivia = trio.person()
    trio.wait(lambda: "what failed" in olivia.again(card).visible, "the name on the card")
    trio.polls_twice(instance)
    assert [m.ts for m in trio.told() if ref in m.visible] == [card.ts]
    assert asked(trio, instance) == 2


def test_a_mute_wakes_up_once_it_is_known_what_else_failed(trio: Trio) -> None:
    card = trio.waits_for(fails(trio, "testery"))
    trio.person().press_answer(card, "Mute 2 h")
    fault = trio.break_down("testery", path=RESULTS["testery"], status=500)
    fault.times = 1
    loud = fails(trio, "testery", "test_login")
    told = trio.waits_for("it is known now what failed, otherwise than what is muted")
    assert loud in told.visible
    trio.polls_twice("testery")
    assert [m.ts for m in told_of(trio, loud, card)] == [told.ts]


def test_a_quiet_poll_is_one_request_and_a_storm_costs_a_few(trio: Trio) -> None:
    trio.polls_twice("testery")
    trio.catch_up()
    made = [trio.adds("testery", "FAIL", age_s=32.0, failed=(f"test_{n}",)) for n in range(30)]
    trio.clock.advance(10)
    trio.wait(lambda: asked(trio, "testery") >= len(made), "the results of all")
    trio.polls_twice("testery")
    paths = [r.path for r in trio.faults("testery").received]
    of_results = [path for path in paths if path.endswith("/results")]
    assert len(of_results) == len(set(of_results)) == len(made)
    assert longest_row(paths, "/results") <= 5
    known = len(paths)
    trio.wait(lambda: trio.polls("testery") >= known + 4, "more polls")
    later = [r.path for r in trio.faults("testery").received[known:]]
    assert set(later) == {"/api/test-runs"}


def longest_row(paths: list[str], end: str) -> int:
    """How many in a row end so."""
    longest = row = 0
    for path in paths:
        row = row + 1 if path.endswith(end) else 0
        longest = max(longest, row)
    return longest


def test_a_mute_of_what_a_vendor_does_not_name_promises_nothing(room: Newsroom) -> None:
    olivia = room.person()
    olivia.asks("/watch debci:testing/amd64/hello")
    run = room.debci.add_run("hello")
    room.polls_twice("debci")
    room.catch_up()
    room.debci.finish(run.run_id, "fail")
    card = room.waits_for(f"debci:{run.run_id}")
    muted = plain(olivia.press_answer(card, "Mute 2 h"))
    assert "debci did not tell what failed, so it stays quiet until it ends or is unmuted." in muted
    assert "wakes" not in muted
    assert "End it: /watch unmute debci:testing/amd64/hello" in muted


def test_a_mute_of_what_is_not_red_says_what_it_will_keep_quiet(room: Newsroom) -> None:
    muted = room.person().asks(f"/watch mute wercker:{SHOP} 2h deploy day")
    assert "The first failure is kept quiet" in muted.visible
