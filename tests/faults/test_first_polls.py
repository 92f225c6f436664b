"""What failed before the first good poll, runs that are dated ahead, and names that cannot be
had, through the composed bot.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from bot.playground.faults import Fault
from bot.playground.slack.people import BUILDS
from bot.playground.vendors.debci_model import Outcome as DebciOutcome
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import SHOP
from tests.fakes.trio import CHECKOUT, RED, Trio

Open = Callable[..., Newsroom]
YEAR_S = 365 * 86_400.0
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    with Trio(tmp_path) as made:
        yield made


def watch(room: Newsroom, pattern: str) -> None:
    room.use(BOT_WATCHES=json.dumps([{"channel": BUILDS, "pipeline": pattern}]))
    room.restarts()


def blind_from_the_start(room: Newsroom, pattern: str) -> Fault:
    """A watch is made while the service is down."""
    down = room.break_down(pattern.split(":", maxsplit=1)[0], status=500)
    watch(room, pattern)
    room.waits_for("blind")
    return down


def tells_all(room: Newsroom, run_ids: Iterable[str]) -> None:
    """Waits until each of these failures was told of, by itself, in a thread or on a card."""
    wanted = set(run_ids)
    query = "SELECT run_id FROM decisions WHERE message_key IS NOT NULL"

    def told() -> set[str]:
        return {row["run_id"] for row in room.query(query)}

    try:
        room.wait(lambda: wanted <= told(), "all failures")
    except AssertionError:
        left = wanted - told()
        raise AssertionError(f"{len(left)} of {len(wanted)} were never told") from None


def fail_unseen(room: Newsroom, count: int) -> set[str]:
    """So many runs of Wercker, all between two polls."""
    down = room.break_down("wercker", status=500)
    room.clock.advance(20)  # a run that ends now began after the poll before
    made = {room.ends("failed").id for _ in range(count)}
    down.times = 0
    return made


def test_all_that_failed_before_the_first_good_poll_of_wercker_is_told(newsroom: Open) -> None:
    """And a run that was under way then, and fails later."""
    room = newsroom()
    slow = room.begins(branch="slow")
    down = blind_from_the_start(room, f"wercker:{SHOP}")
    room.clock.advance(20)  # a run that ends now began after it
    made = {room.ends("failed").id for _ in range(35)}
    down.times = 0
    assert "35 failures found since" in room.waits_for("back: I see wercker again").visible
    tells_all(room, made)
    room.wercker.finish(slow.id, "failed")
    tells_all(room, {slow.id})


def test_all_that_failed_before_the_first_good_poll_of_testery_is_told(trio: Trio) -> None:
    down = blind_from_the_start(trio, f"testery:{CHECKOUT}")
    trio.catch_up()
    trio.clock.advance(60)
    ages = [59.0 - number / 10 for number in range(130)]
    made = [trio.adds("testery", age_s=age_s, **RED["testery"]) for age_s in ages]
    down.times = 0
    assert "130 failures found since" in trio.waits_for("back: I see testery again").visible
    tells_all(trio, [name.split(":")[1] for name in made])


def test_a_run_of_wercker_dated_ahead_hides_no_failure(newsroom: Open) -> None:
    room = newsroom()
    room.catch_up()
    room.ends("passed", created=room.clock.time() + YEAR_S)
    watch(room, f"wercker:{SHOP}")
    room.polls_twice()
    tells_all(room, fail_unseen(room, 45))


def test_a_run_of_debci_dated_ahead_hides_no_failure(newsroom: Open) -> None:
    room = newsroom()
    room.catch_up()
    room.debci.add_run("future", outcome=DebciOutcome("pass", 1.0), age_s=-YEAR_S)
    watch(room, "debci:*")
    room.polls_twice("debci")
    room.catch_up()
    run = room.debci.add_run("hello", outcome=DebciOutcome("fail", 1.0))
    room.clock.advance(2)
    tells_all(room, {str(run.run_id)})


@pytest.mark.parametrize(
    "answer",
    [{"status": 404}, {"body": b"[]"}, {"body": b'[7, {"id": NaN, "key": "checkout"}]'}],
    ids=["404", "empty", "odd"],
)
def test_names_that_testery_does_not_tell_make_no_watch_deaf(
    trio: Trio, answer: dict[str, object]
) -> None:
    """It is told that nothing is seen, and once it is, what failed."""
    bad = trio.break_down(
        "testery", **{"path": "/api/projects", "status": 200, "headers": JSON, **answer}
    )
    watch(trio, f"testery:{CHECKOUT}")
    trio.polls_twice("testery")
    trio.catch_up()
    trio.clock.advance(60)
    first = trio.adds("testery", age_s=40.0, **RED["testery"])
    assert "I cannot see testery" in trio.waits_for("blind").visible
    bad.times = 0
    tells_all(trio, {first.split(":")[1]})
    later = trio.adds("testery", age_s=39.0, **RED["testery"])
    tells_all(trio, {later.split(":")[1]})
