"""Acknowledgements: in time under load, and once for what comes twice."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.playground.faults import Fault
from bot.playground.slack.people import BUILDS, OPERATOR
from tests.fakes.stage import ENTRIES, SHOP, Entry, Player, Stage
from tests.scenario.conftest import SetUp

NO_RESPONSE_URL = {"path": "/(commands|actions)/.*"}


def test_acks_are_quick_while_twelve_provider_calls_are_under_way(
    stage: Stage, olivia: Player
) -> None:
    run = stage.wercker.add_run(SHOP, age_s=50)
    other = stage.debci.add_run("hello", age_s=50)
    stage.break_down("wercker", delay_s=2.0)
    stage.break_down("debci", delay_s=2.0)
    commands = [f"/runs wercker:{run.id}", f"/runs debci:{other.run_id}", "/runs"] * 4

    with ThreadPoolExecutor(12) as senders:
        outcomes = list(senders.map(olivia.does, commands))
    outcomes += [olivia.does("/runs help") for _ in range(5)]
    outcomes += [olivia.does("runs help", "mention")]

    assert [outcome.acked_s for outcome in outcomes if outcome.acked_s >= 1.0] == []


def test_a_full_pool_is_said_at_once_and_recovers(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.runtime.bot.COMMAND_WORKERS", 2)
    monkeypatch.setattr("bot.runtime.bot.COMMAND_BACKLOG", 2)
    stage = set_up()
    olivia = stage.person()
    slow = stage.break_down("wercker", delay_s=1.0)
    for _ in range(4):
        olivia.does("/runs provider=wercker")

    told = olivia.does(f"/trigger wercker:{SHOP}")

    assert told.acked_s < 1.0
    assert told.answer is not None
    assert "I am busy, so nothing was done" in told.answer.text
    assert stage.changes() == []
    (row,) = stage.audit()
    assert (row["state"], row["outcome"]) == ("refused", "the pool was full")
    assert "help for /runs" in olivia.does("/runs help").answer.text  # type: ignore[union-attr]

    stage.wait(lambda: len(olivia.screen()) >= 6, "the answers that were under way")
    slow.times = 0
    assert "— done" in olivia.acts(f"/trigger wercker:{SHOP}").text


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_locked_database_means_busy_and_nothing_done(
    stage: Stage, olivia: Player, entry: Entry
) -> None:
    locker = sqlite3.connect(stage.database, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    try:
        answer = olivia.asks(f"/trigger wercker:{SHOP}", entry)
        acked_s = stage.slack.envelopes[-1].acked_s if stage.transport == "socket" else 0.0
        assert acked_s is not None
        assert acked_s < 1.5
        assert "I am busy, so nothing was done" in answer.text
        assert stage.changes() == []
    finally:
        locker.rollback()
        locker.close()
    assert stage.audit() == []
    assert "— done" in olivia.acts(f"/trigger wercker:{SHOP}", entry).text


def test_a_busy_answer_comes_within_a_second_and_a_half(stage: Stage, olivia: Player) -> None:
    locker = sqlite3.connect(stage.database, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    try:
        outcome = olivia.does(f"/abort wercker:{'0' * 24}")
        assert outcome.acked_s < 1.5
        assert outcome.answer is not None
        assert "nothing was done" in outcome.answer.text
    finally:
        locker.rollback()
        locker.close()


def test_reading_goes_on_while_the_database_is_locked(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, age_s=50)
    locker = sqlite3.connect(stage.database, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    try:
        started = time.monotonic()
        answer = olivia.asks("/runs")
        assert time.monotonic() - started < 3.0
        assert f"wercker:{run.id}" in answer.text
        assert "do not stand for these lines" in answer.text
    finally:
        locker.rollback()
        locker.close()


@pytest.mark.parametrize("entry", ENTRIES)
def test_f27_what_is_delivered_twice_is_answered_and_done_once(
    stage: Stage, olivia: Player, entry: Entry
) -> None:
    known = {m.ts for m in olivia.screen(entry)}
    outcome = olivia.does(f"/trigger wercker:{SHOP}", entry)
    stage.wait(stage.changes, "the request")

    for _ in range(3):
        assert not stage.slack.repeat(outcome).error

    assert olivia.sees_nothing_new(entry) or len(olivia.screen(entry)) == len(known) + 2
    assert len(stage.changes()) == 1
    assert len(stage.audit()) == 1
    assert len(stage.slack.calls("chat.update")) == 1


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_question_that_is_delivered_twice_is_answered_once(
    stage: Stage, olivia: Player, entry: Entry
) -> None:
    known = len(olivia.screen(entry))
    outcome = olivia.does("/runs", entry)
    assert not stage.slack.repeat(outcome).error
    stage.wait(lambda: len(olivia.screen(entry)) > known, "an answer")

    assert olivia.sees_nothing_new(entry)
    assert len(olivia.screen(entry)) == known + 2


def test_an_envelope_that_is_sent_twice(stage: Stage, olivia: Player) -> None:
    if stage.transport == "http":
        pytest.skip("envelopes are Socket Mode's")
    card = olivia.acts(f"/trigger wercker:{SHOP}")
    stage.slack.repeat_envelope(stage.slack.envelopes[-1].id)
    stage.wait(lambda: stage.slack.envelopes[-1].acks == 2, "a second ack")

    assert olivia.sees_nothing_new()
    assert len(stage.changes()) == 1
    assert "— done" in olivia.again(card).text


def test_a_new_socket_after_slack_closed_the_old_one(stage: Stage, olivia: Player) -> None:
    if stage.transport == "http":
        pytest.skip("connections are Socket Mode's")
    stage.slack.disconnect(close_after_s=1.0)  # Slack says so before it closes
    stage.slack.wait_connected()
    stage.wait(lambda: not stage.bot.unready(), "readiness")

    assert "help for" in olivia.asks("/runs help").text


@pytest.mark.parametrize("fault", [{"status": 404}, {"status": 500}, {"drop_before": True}])
def test_an_answer_finds_its_way_without_the_response_url(
    stage: Stage, olivia: Player, fault: dict[str, object]
) -> None:
    run = stage.wercker.add_run(SHOP, age_s=50)
    stage.slack.faults.add(Fault(**NO_RESPONSE_URL, **fault))  # type: ignore[arg-type]

    answer = olivia.asks("/runs")

    assert f"wercker:{run.id}" in answer.text
    assert answer.ephemeral_for == OPERATOR
    (call,) = stage.slack.calls("chat.postEphemeral")
    assert call.args["user"] == OPERATOR
    assert len(stage.slack.faults.requests("POST", NO_RESPONSE_URL["path"])) == 1


def test_an_answer_comes_as_a_direct_message_where_the_bot_is_no_member(stage: Stage) -> None:
    stage.slack.faults.add(Fault(**NO_RESPONSE_URL, status=404))  # type: ignore[arg-type]
    stage.slack.faults.add(Fault(path="/api/chat.postEphemeral", status=500))
    olivia = stage.person(channel="C0GENERAL1")
    before = len(olivia.screen("message"))

    olivia.does("/runs providers")
    stage.wait(lambda: len(olivia.screen("message")) > before, "a direct message")

    assert "reachable  wercker" in olivia.screen("message")[-1].text


def test_an_answer_that_has_no_way_left_is_given_up(stage: Stage, olivia: Player) -> None:
    stage.slack.faults.add(Fault(**NO_RESPONSE_URL, status=404))  # type: ignore[arg-type]
    broken = stage.slack.faults.add(Fault(path="/api/chat.*", status=500))
    olivia.does("/runs providers")
    stage.wait(lambda: "answer.lost" in stage.log.events(), "a log line")

    assert len(stage.slack.faults.requests("POST", "/api/chat.*")) == 2
    assert stage.slack.url not in stage.log.text
    broken.times = 0
    assert "reachable" in olivia.asks("/runs providers").text


def test_a_deed_is_done_and_told_though_the_card_cannot_be_posted(
    stage: Stage, olivia: Player
) -> None:
    stage.slack.faults.add(Fault(path="/api/chat.postMessage", status=500))
    olivia.does(f"/trigger wercker:{SHOP}")
    stage.wait(lambda: any("— done" in m.text for m in olivia.screen()), "the end")

    assert len(stage.changes()) == 1
    assert stage.audit()[0]["state"] == "done"


def test_an_edit_that_fails_once_is_made_up_for(stage: Stage, olivia: Player) -> None:
    stage.slack.faults.add(Fault(path="/api/chat.update", status=500, times=1))
    card = olivia.acts(f"/trigger wercker:{SHOP}")

    assert "— done" in card.text


def test_a_card_that_somebody_deleted(stage: Stage, olivia: Player) -> None:
    stage.break_down("wercker", method="POST", delay_s=0.3)
    card = olivia.asks(f"/trigger wercker:{SHOP}")
    stage.slack.delete_message(card)

    stage.wait(lambda: any("— done" in m.text for m in olivia.screen()), "the end")
    assert all(m.ephemeral_for for m in stage.slack.messages(BUILDS, OPERATOR) if "done" in m.text)
