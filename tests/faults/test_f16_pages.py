"""F16 through the composed bot: pages that are old, shift, or show a run again under its id."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.playground.faults import Fault
from bot.playground.slack.people import BUILDS
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.debci_model import Outcome as DebciOutcome
from bot.playground.vendors.wercker_model import Run as WerckerRun
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import SHOP
from tests.fakes.trio import RED, Trio

Open = Callable[..., Newsroom]
LISTS = {
    "wercker": "/api/v3/runs",
    "testery": "/api/test-runs",
    "allure": "/api/launch",
    "debci": "/api/v1/test",
}
QUICK = {"BOT_POLL__MAX_INTERVAL_S": "0.2"}
ALWAYS = 10**9
PAGE = 20  # of Wercker's list


def looks(room: Newsroom, instance: str) -> None:
    """Waits until a list that shows what stands now was asked for and, as the next one tells,
    taken in.
    """
    asked = lambda: len(room.faults(instance).requests("GET", LISTS[instance]))  # noqa: E731
    known = asked()
    room.wait(lambda: asked() >= known + 2, f"two more lists of {instance}")


def keeps_page(room: Newsroom, instance: str) -> Fault:
    """The list as it stands now, to be served again later."""
    page = room.break_down(instance, path=LISTS[instance], is_cache=True)
    looks(room, instance)
    page.times = 0
    return page


def serves(room: Newsroom, instance: str, *pages: Fault) -> None:
    """Old pages, one after the other, and what stands now after each of them."""
    for page in pages:
        page.times = ALWAYS
        looks(room, instance)
        page.times = 0
        looks(room, instance)


def watching_shop(newsroom: Open) -> Newsroom:
    """One list, so that every request for one is for this."""
    watch = {"channel": BUILDS, "pipeline": f"wercker:{SHOP}"}
    room = newsroom(BOT_WATCHES=json.dumps([watch]), **QUICK)
    looks(room, "wercker")
    return room


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    with Trio(tmp_path, BOT_ALERT_CHANNEL=BUILDS, **QUICK) as made:
        yield made


def test_f16_flapping_and_old_pages_tell_each_failure_once(newsroom: Open) -> None:
    room = watching_shop(newsroom)
    first = room.begins()
    pages = [keeps_page(room, "wercker")]
    room.clock.advance(5)
    room.wercker.finish(first.id, "failed")
    room.waits_for(first.id)
    pages.append(keeps_page(room, "wercker"))
    room.clock.advance(20)  # a run that ends now began after the failure
    room.ends("passed")
    room.waits_for("✔ fixed")
    serves(room, "wercker", *pages)
    again = room.ends("failed")
    room.waits_for(again.id)
    serves(room, "wercker", *pages)
    assert [len(room.alerts(run.id)) for run in (first, again)] == [1, 1]
    cards = [m.visible.splitlines()[0] for m in room.told() if not m.is_reply]
    assert ["fixed" in card for card in cards] == [True, False]


def test_f16_a_run_that_left_the_first_page_is_told(newsroom: Open) -> None:
    room = watching_shop(newsroom)
    run = room.begins(branch="slow", age_s=300)
    looks(room, "wercker")
    for number in range(PAGE + 1):
        room.wercker.add_run(SHOP, age_s=200 - number)
    alone = lambda: room.faults("wercker").requests("GET", f"{LISTS['wercker']}/{run.id}")  # noqa: E731
    room.wait(alone, "it is read by itself")
    room.wercker.finish(run.id, "failed")
    room.waits_for(run.id)
    looks(room, "wercker")
    assert len(room.alerts(run.id)) == 1


def test_f16_runs_that_shift_while_paging_are_told_once_and_none_is_missed(
    newsroom: Open,
) -> None:
    """Three runs are made between two pages, so three of the first page show on the second too."""
    room = watching_shop(newsroom)
    held = room.break_down("wercker", path=LISTS["wercker"], is_cache=True)
    looks(room, "wercker")
    fails = lambda number: room.ends("failed", branch=f"b{number}")  # noqa: E731
    runs = [fails(n) if n in {1, 3, 4} else room.ends("passed") for n in range(PAGE + 2)]
    late: list[WerckerRun] = []

    def shift() -> None:
        late.extend([room.ends("passed"), fails(99), room.ends("passed")])

    room.break_down("wercker", path=LISTS["wercker"], times=1, then=shift)
    held.times = 0
    room.wait(lambda: late, "the first page")
    red = [run.id for run in (runs[1], runs[3], runs[4], late[1])]
    room.wait(lambda: all(room.alerts(one) for one in red), "all four")
    looks(room, "wercker")
    assert [len(room.alerts(one)) for one in red] == [1, 1, 1, 1]
    lists = room.faults("wercker").requests("GET", LISTS["wercker"])
    assert [one.query["skip"] for one in lists if "skip" in one.query] == [str(PAGE)]


def test_f16_testery_repeats_a_run_under_its_id_and_serves_old_pages(trio: Trio) -> None:
    """Each of its two failures is told, and its pass; the pages from in between tell nothing."""
    looks(trio, "testery")
    trio.catch_up()
    ref = trio.adds("testery", age_s=35.0, **RED["testery"])
    trio.waits_for(ref)
    pages = [keeps_page(trio, "testery")]
    trio.testery.quirks.rerun = "same"
    run = trio.testery.run(int(ref.partition(":")[2]))
    for end in ("FAIL", "PASS"):
        failed = RED["testery"]["failed"] if end == "FAIL" else ()
        trio.testery.script(Outcome(end, 20.0, 1.0, failed=failed))
        trio.clock.advance(5)
        trio.testery.rerun(run)
        trio.clock.advance(10)
        pages.append(keeps_page(trio, "testery"))
        trio.clock.advance(30)
        trio.wait(lambda: len(trio.alerts(ref)) == len(pages), f"the end of attempt {len(pages)}")
        serves(trio, "testery", *pages)
    assert len(trio.alerts(ref)) == 3, "a failure, a failure, a fix"
    (card,) = [m for m in trio.told() if not m.is_reply]
    assert "after 2 failing runs" in card.visible


def test_f16_allure_reopens_a_launch_while_its_lists_lag(trio: Trio) -> None:
    looks(trio, "allure")
    trio.catch_up()
    ref = trio.adds("allure", age_s=32.0, **RED["allure"])
    trio.clock.advance(10)
    trio.waits_for(ref)
    launch = trio.allure.launch(int(ref.partition(":")[2]))
    for number, (end, failed) in enumerate((("failed", ("Login",)), ("passed", ())), 2):
        trio.allure.script(Outcome(end, 20.0, 1.0, failed=failed))
        trio.clock.advance(5)
        trio.allure.reopen(launch)
        trio.allure.rerun(launch.job_runs[-1], None)
        trio.clock.advance(10)
        looks(trio, "allure")
        trio.clock.advance(40)
        trio.wait(lambda: len(trio.alerts(ref)) == number, f"the end of attempt {number}")  # noqa: B023
        for lag_s in (45.0, 0.0, 70.0, 0.0):
            trio.allure.quirks.list_lag_s = lag_s
            looks(trio, "allure")
    assert len(trio.alerts(ref)) == 3, "a failure, a failure, a fix"
    (card,) = [m for m in trio.told() if not m.is_reply]
    assert "after 2 failing runs" in card.visible


def test_f16_debci_brings_a_result_late_and_lists_it_again_and_again(newsroom: Open) -> None:
    """Of 3.12: newer runs are asked for and end before the result of an older one arrives. Polls
    do not overlap here, so only what is known to be pending brings it back.
    """
    overlap = {"BOT_PROVIDERS__DEBCI__OVERLAP_S": "0"}
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS, **QUICK, **overlap)
    room.catch_up()
    looks(room, "debci")
    late = room.debci.add_run("hello", outcome=DebciOutcome("fail", 5.0, late_by_s=40.0))
    page = keeps_page(room, "debci")
    room.clock.advance(20)
    newer = room.debci.add_run("curl", outcome=DebciOutcome("fail", 1.0))
    room.clock.advance(5)
    room.waits_for(f"debci:{newer.run_id}")
    room.debci.add_run("ruby-defaults", outcome=DebciOutcome("pass", 1.0))
    looks(room, "debci")
    assert room.alerts("hello") == []
    room.clock.advance(60)
    room.waits_for("hello")
    serves(room, "debci", page)
    told = [len(room.alerts(f"debci:{run.run_id}")) for run in (late, newer)]
    assert told == [1, 1]
