"""F13, F14, F15, F21 and F27 for alerts, through the composed bot."""

from pathlib import Path

from bot.playground.slack.people import BUILDS
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import CATALOG, SHOP


def test_f13_failures_inside_an_outage_all_appear(tmp_path: Path) -> None:
    with Newsroom(tmp_path, BOT_ALERT_CHANNEL=BUILDS) as room:
        room.polls_twice()
        down = room.break_down("wercker", status=503)
        room.waits_for("blind")
        lost = [room.ends("failed", SHOP), room.ends("failed", CATALOG), room.ends("failed", SHOP)]
        down.times = 0
        for run in lost:
            room.waits_for(run.id)
        assert "3 failures found since" in room.waits_for("back: I see wercker").visible


def test_f14_a_run_starts_and_fails_between_two_polls(tmp_path: Path) -> None:
    with Newsroom(tmp_path, BOT_ALERT_CHANNEL=BUILDS) as room:
        room.polls_twice()
        run = room.ends("failed")
        assert "started and failed since I last looked" in room.waits_for(run.id).visible


def test_f15_the_database_is_lost_with_old_failures(tmp_path: Path) -> None:
    with Newsroom(tmp_path, BOT_ALERT_CHANNEL=BUILDS) as room:
        room.polls_twice()
        run = room.ends("failed")
        room.waits_for(run.id)
        room.stop_bot()
        for file in room.database.parent.glob("bot.db*"):
            file.unlink()
        room.wercker.add_run(CATALOG, result="failed", age_s=900)
        room.start_bot()
        assert "not posted" in room.waits_for("older failure").visible
        room.polls_twice()
        assert len([m for m in room.told() if "older failure" in m.visible]) == 1


def test_f27_two_presses_of_mute_are_one(tmp_path: Path) -> None:
    with Newsroom(tmp_path, BOT_ALERT_CHANNEL=BUILDS) as room:
        room.polls_twice()
        run = room.ends("failed")
        card = room.waits_for(run.id)
        olivia = room.person()
        olivia.press_answer(card, "Mute 2 h")
        second = olivia.press_answer(card, "Mute 2 h")
        assert "already muted" in second.visible
        assert len([m for m in room.told() if "muted until" in m.visible]) == 1
        assert len(room.query("SELECT * FROM mutes")) == 1
