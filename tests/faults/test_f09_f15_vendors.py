"""F9, F10, F11 and F15 through the composed bot: what a CI service may do to a poll."""

import json
import time
from collections.abc import Callable
from urllib.request import Request, urlopen

import pytest

from bot.playground.slack.people import BUILDS
from bot.playground.vendors.debci_model import Outcome
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import SHOP, WERCKER_TOKEN

Open = Callable[..., Newsroom]
LISTS = "/api/v3/runs"
JSON = {"Content-Type": "application/json"}
MOST_WAIT_S = 15 * 60 * 1.1  # with the jitter
USELESS = {
    "empty": b"",
    "HTML": b"<html>maintenance</html>",
    "truncated": b'[{"id": "5f',
    "of another type": b'{"runs": 3}',
    "deeply nested": b"[" * 100_000,
    "not a number": b"NaN",
    "binary": b"\x00\xff\xfe" * 1000,
    "huge": b"[" + b"1," * (6 * 2**20) + b"1]",
}


@pytest.fixture
def room(newsroom: Open) -> Newsroom:
    made = newsroom(BOT_ALERT_CHANNEL=BUILDS, BOT_PROVIDERS__WERCKER__TIMEOUT_S="1")
    made.polls_twice()
    return made


def debci_fails(room: Newsroom) -> None:
    """Tells that the others are polled and told of as ever."""
    room.catch_up()
    run = room.debci.add_run("hello", outcome=Outcome("fail", 1.0))
    room.clock.advance(2)
    room.waits_for(f"debci:{run.run_id}")


@pytest.mark.parametrize("fault", [{"hang": True}, {"drip_s": 0.2}], ids=["hangs", "drips"])
def test_f9_a_service_that_hangs_holds_up_no_other_and_is_told(
    room: Newsroom, fault: dict[str, object]
) -> None:
    slow = room.break_down("wercker", **fault)
    debci_fails(room)
    run = room.ends("failed")
    assert "cannot see wercker" in room.waits_for("blind").visible
    assert room.alerts(run.id) == []
    slow.times = 0
    room.waits_for(run.id)
    room.waits_for("back: I see wercker")
    assert len(room.alerts(run.id)) == 1


@pytest.mark.parametrize("body", USELESS.values(), ids=list(USELESS))
def test_f10_a_reply_of_no_use_costs_nothing_but_time(room: Newsroom, body: bytes) -> None:
    useless = room.break_down("wercker", path=LISTS, status=200, body=body, headers=JSON)
    run = room.ends("failed")
    room.wait(lambda: useless.times < 10**9 - 2, "such replies")
    assert room.alerts(run.id) == []
    assert "poll.failed" in room.log.events()
    useless.times = 0
    room.waits_for(run.id)
    assert len(room.alerts(run.id)) == 1


def test_f10_the_good_runs_of_a_bad_page_are_told(newsroom: Open) -> None:
    watch = {"channel": BUILDS, "pipeline": f"wercker:{SHOP}"}
    room = newsroom(BOT_WATCHES=json.dumps([watch]))
    held = room.break_down("wercker", path=LISTS, is_cache=True)
    room.polls_twice()
    run = room.ends("failed")
    query = f"applicationId={room.wercker.pipeline(SHOP).application.id}&limit=19"
    address = f"{room.url('wercker')}{LISTS}?{query}"
    asked = Request(address, headers={"Authorization": f"Bearer {WERCKER_TOKEN}"})  # noqa: S310
    with urlopen(asked, timeout=5) as reply:  # noqa: S310  # of the stand-in
        good = json.load(reply)
    no_number = float("nan")
    bad = [{"id": no_number}, {**good[0], "id": float("inf")}, [[]], {"id": "x" * 9000}]
    good[0]["progress"] = no_number
    body = json.dumps([{"id": 7}, "text", None, no_number, *good, *bad]).encode()
    room.break_down("wercker", path=LISTS, status=200, body=body, headers=JSON)
    held.times = 0
    room.waits_for(run.id)
    assert len(room.alerts(run.id)) == 1
    assert "poll.bad_items" in room.log.events()


@pytest.mark.parametrize("word", ["-5", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_f11_a_retry_after_that_makes_no_sense_pauses_nothing(room: Newsroom, word: str) -> None:
    busy = room.break_down("wercker", path=LISTS, status=429, headers={"Retry-After": word})
    run = room.ends("failed")
    room.wait(lambda: busy.times < 10**9 - 2, "such replies")
    busy.times = 0
    room.waits_for(run.id)


def test_f11_a_retry_after_of_years_is_15_minutes_and_pauses_no_other(room: Newsroom) -> None:
    room.break_down("wercker", path=LISTS, status=503, headers={"Retry-After": str(10**9)})
    room.wait(lambda: "poll.failed" in room.log.events(), "such a reply")
    debci_fails(room)
    rows = room.query("SELECT due_at FROM sources WHERE instance = 'wercker' AND failures > 0")
    waits_s = [row["due_at"] - time.monotonic() for row in rows]
    assert waits_s
    assert all(600 < one <= MOST_WAIT_S for one in waits_s)


def test_f15_a_first_start_with_500_old_failures_posts_one_line(newsroom: Open) -> None:
    room = newsroom()
    for number in range(500):
        room.debci.add_run(f"p{number}", outcome=Outcome("fail", 9.0), age_s=9000.0 - number)
    room.use(BOT_ALERT_CHANNEL=BUILDS)
    room.restarts()
    line = room.waits_for("older failures").visible
    assert "500 older failures are not posted; 500 pipelines red now" in line
    debci_fails(room)
    assert len(room.told()) == 2
