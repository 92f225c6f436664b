"""Alerts, end to end: what a channel sees when runs fail, and what it never sees."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.playground.slack.people import BUILDS, CI_ALERTS
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import CATALOG, SHOP

Open = Callable[..., Newsroom]


def test_a_failure_is_posted_once_with_its_buttons_and_its_page(room: Newsroom) -> None:
    room.polls_twice()
    run = room.ends("failed")
    card = room.waits_for(f"wercker:{run.id}")
    room.polls_twice()
    (only,) = room.told()
    assert only.ts == card.ts
    first_line = card.visible.splitlines()[0]
    assert "failed" in first_line
    assert SHOP in first_line
    assert card.controls[:2] == ["Retry", "Mute 2 h"]
    assert run.id in str(card.blocks)
    assert "http" in str(card.blocks)
    assert card.metadata


def test_what_failed_before_the_watch_is_not_posted(newsroom: Open, tmp_path: Path) -> None:
    stage = Newsroom(tmp_path, BOT_ALERT_CHANNEL=BUILDS)
    stage.wercker.add_run(SHOP, result="failed", age_s=600)
    with stage:
        stage.polls_twice()
        run = stage.ends("failed", CATALOG)
        stage.waits_for(f"wercker:{run.id}")
        assert not [m for m in stage.told() if SHOP in m.text.splitlines()[0]]


def test_nothing_is_repeated_after_a_restart(room: Newsroom) -> None:
    room.polls_twice()
    first = room.ends("failed")
    room.waits_for(first.id)
    room.restarts()
    room.polls_twice()
    second = room.ends("failed", CATALOG)
    room.waits_for(second.id)
    assert len([m for m in room.told() if m.thread_ts is None]) == 2


@pytest.mark.parametrize("result", ["aborted", "unknown", "passed"])
def test_only_failures_are_failures(room: Newsroom, result: str) -> None:
    room.polls_twice()
    room.ends(result)  # type: ignore[arg-type]
    room.polls_twice()
    room.ends("failed", CATALOG)
    room.waits_for(CATALOG)
    assert len(room.told()) == 1


def test_a_run_that_started_and_failed_between_two_polls(room: Newsroom) -> None:
    room.polls_twice()
    run = room.begins()
    room.wercker.finish(run.id, "failed")
    assert "failed" in room.waits_for(run.id).text


def test_two_channels_are_told_once_each(newsroom: Open) -> None:
    watches = f'[{{"channel": "{CI_ALERTS}", "pipeline": "wercker:{SHOP}", "branch": "main"}}]'
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS, BOT_WATCHES=watches)
    room.polls_twice()
    run = room.ends("failed")
    room.waits_for(run.id)
    room.waits_for(run.id, CI_ALERTS)
    other = room.ends("failed", branch="feature")
    room.waits_for(other.id)
    assert len(room.told(CI_ALERTS)) == 1
    assert len(room.told(BUILDS)) == 2


@pytest.mark.parametrize("pattern", ["*", "wercker:*", "wercker:acme/shop/*", f"wercker:{SHOP}"])
def test_watch_by_command(newsroom: Open, pattern: str) -> None:
    room = newsroom()
    room.person().asks(f"/watch {pattern}")
    room.polls_twice()
    run = room.ends("failed")
    assert "failed" in room.waits_for(run.id).text


def test_no_watch_no_alert_and_no_poll(newsroom: Open) -> None:
    room = newsroom()
    room.ends("failed")
    olivia = room.person()
    assert olivia.sees_nothing_new()
    assert room.told() == []
    assert not room.query("SELECT * FROM sources WHERE is_wanted = 1")


def test_an_open_run_is_followed_when_it_left_the_first_page(room: Newsroom) -> None:
    run = room.begins()
    room.wait(
        lambda: run.id in str(room.query("SELECT run_id FROM runs WHERE is_over = 0")),
        "the run to be known",
    )
    for _ in range(25):
        room.ends("passed", CATALOG)
        room.wercker.add_run(SHOP, age_s=1)
    room.polls_twice()
    room.catch_up()
    room.wercker.finish(run.id, "failed")
    assert "failed" in room.waits_for(run.id).text


def test_private_runs_of_debci_are_never_told(newsroom: Open) -> None:
    room = newsroom()
    room.person().asks("/watch debci:testing/amd64/hello")
    secret = room.debci.add_run("hello", is_private=True)
    public = room.debci.add_run("hello")
    room.polls_twice("debci")
    room.catch_up()
    room.debci.finish(secret.run_id, "fail")
    room.debci.finish(public.run_id, "fail")
    room.waits_for(f"debci:{public.run_id}")
    room.polls_twice("debci")
    assert f"debci:{secret.run_id}" not in "".join(m.visible for m in room.told())
    assert len(room.told()) == 1


def test_in_an_alerts_thread_no_run_is_named(room: Newsroom) -> None:
    room.polls_twice()
    run = room.ends("failed")
    card = room.waits_for(f"wercker:{run.id}")
    room.wait(lambda: room.query("SELECT 1 FROM cards"), "the card to be known")
    told = room.person().acts("/retry", "mention", thread_ts=card.ts)
    assert f"asked to retry wercker:{run.id}" in told.text
    assert told.thread_ts == card.ts
