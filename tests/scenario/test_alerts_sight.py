"""What a channel is told about the bot's own sight: the first look, and blindness."""

from collections.abc import Callable

from bot.playground.slack.people import BUILDS, CI_ALERTS
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import CATALOG, SHOP

Open = Callable[..., Newsroom]


def test_old_failures_are_one_line(newsroom: Open) -> None:
    room = newsroom()
    for number in range(15):
        room.wercker.add_run(SHOP, result="failed", age_s=600 - number)
    room.wercker.add_run(CATALOG, result="failed", age_s=600)
    room.wercker.add_run(CATALOG, result="passed", age_s=500)
    room.stop_bot()
    room.use(BOT_ALERT_CHANNEL=BUILDS)
    room.start_bot()
    line = room.waits_for("older failures")
    assert "16 older failures are not posted; 1 pipeline red now" in line.visible
    room.restarts()
    room.polls_twice()
    assert [m.ts for m in room.told()] == [line.ts]


def test_old_failures_that_were_fixed_are_nothing_red(newsroom: Open) -> None:
    room = newsroom()
    room.wercker.add_run(SHOP, result="failed", age_s=600)
    room.wercker.add_run(SHOP, result="passed", age_s=500)
    room.stop_bot()
    room.use(BOT_ALERT_CHANNEL=BUILDS)
    room.start_bot()
    line = room.waits_for("1 older failure is not posted")
    assert line.visible.endswith("nothing is red now.")


def test_no_first_line_without_old_failures(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.wait(
        lambda: room.query("SELECT 1 FROM watches WHERE is_introduced = 1"), "the introduction"
    )
    assert room.told() == []


def test_a_provider_out_of_sight_and_back(room: Newsroom) -> None:
    room.polls_twice()
    down = room.break_down("wercker", status=503)
    card = room.waits_for("blind")
    assert "I cannot see wercker" in card.visible.splitlines()[0]
    assert "nothing there is assumed green" in card.visible
    room.restarts()
    lost = room.ends("failed")
    assert len([m for m in room.told() if "blind" in m.visible]) == 1
    down.times = 0
    room.waits_for(lost.id)
    back = room.waits_for("back: I see wercker again")
    assert back.ts == card.ts
    assert "1 failure found since" in back.visible


def test_nothing_was_missed(room: Newsroom) -> None:
    room.polls_twice()
    down = room.break_down("wercker", status=503)
    room.waits_for("blind")
    down.times = 0
    assert "nothing was missed" in room.waits_for("back: I see wercker again").visible


def test_a_refused_token_is_told_at_once(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS, BOT_POLL__MAX_INTERVAL_S="60")
    room.polls_twice()
    room.break_down("wercker", status=401)
    shown = room.waits_for("blind").visible
    assert "I cannot see wercker" in shown
    assert "refused the token" in shown
    listed = room.person().asks("/runs").visible
    assert "no data from wercker: Wercker refused the token" in listed
    known = room.person().asks("/runs providers").visible
    assert "✖ credential refused  wercker" in known


def test_what_nobody_asked_for_is_not_told_as_not_done(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.polls_twice()
    room.break_down("wercker", status=503)
    shown = room.waits_for("I cannot see wercker").visible
    assert "Why: Wercker is not working right now.\n" in shown
    assert "nothing was done" not in shown


def test_a_blip_is_no_blindness(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS, BOT_POLL__MAX_INTERVAL_S="60")
    room.polls_twice()
    room.break_down("wercker", status=503, times=3)
    room.wait(lambda: "poll.failed" in room.log.text, "a failed poll")
    run = room.ends("failed")
    room.waits_for(run.id)
    assert not [m for m in room.told() if "blind" in m.visible]


def test_one_application_that_is_gone_is_told_by_its_name(newsroom: Open) -> None:
    room = newsroom()
    room.person().asks("/watch wercker:acme/shop/*")
    room.person(channel=CI_ALERTS).asks("/watch wercker:acme/catalog/*")
    room.polls_twice()
    gone = next(a for a in room.wercker.applications if a.name == "catalog")
    room.wercker.applications.remove(gone)
    card = room.waits_for("blind", CI_ALERTS)
    assert "acme/catalog" in card.visible
    assert room.told(BUILDS) == []


def test_every_watching_channel_is_told_and_no_other(newsroom: Open) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS)
    room.person(channel=CI_ALERTS).asks("/watch debci:testing/amd64/hello")
    room.polls_twice()
    room.polls_twice("debci")
    room.break_down("debci", status=503)
    room.waits_for("I cannot see debci", CI_ALERTS)
    room.break_down("wercker", status=503)
    room.waits_for("I cannot see wercker", BUILDS)
    assert not [m for m in room.told(CI_ALERTS) if "wercker" in m.visible]


def test_the_interval_adapts_and_backs_off(newsroom: Open) -> None:
    room = newsroom(
        BOT_ALERT_CHANNEL=BUILDS,
        BOT_POLL__MAX_INTERVAL_S="30",
        BOT_POLL__MIN_INTERVAL_S="0.2",
        BOT_PROVIDERS__WERCKER__APPLICATIONS="acme/shop",
    )
    room.wait(lambda: room.query("SELECT 1 FROM sources WHERE good_poll IS NOT NULL"), "a poll")
    room.break_down("wercker", status=503)
    failures = "SELECT max(failures) AS n FROM sources"
    room.wait(lambda: room.query(failures)[0]["n"] >= 3, "three failed polls in a row")
    assert room.polls() <= 60


def test_retry_after_is_honoured(newsroom: Open) -> None:
    room = newsroom(
        BOT_ALERT_CHANNEL=BUILDS,
        BOT_PROVIDERS__WERCKER__APPLICATIONS="acme/shop",
    )
    room.polls_twice()
    room.break_down("wercker", status=429, headers={"Retry-After": "600"})
    room.wait(lambda: "poll.failed" in room.log.text, "the refusal")
    asked = room.polls()
    other = room.debci.add_run("hello")
    room.person().asks("/watch debci:testing/amd64/hello")
    room.polls_twice("debci")
    room.polls_twice("debci")
    assert other.run_id
    assert room.polls() - asked <= 1
