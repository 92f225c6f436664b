"""Buttons on run cards and alerts: signed, read again before acting, pressed twice."""

import copy
import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.access import Verb
from bot.domain.runs import RunRef
from bot.playground.slack.messages import Message
from bot.playground.slack.people import (
    BUILDS,
    CI_ALERTS,
    MEMBER,
    OPERATOR,
    OPERATORS_GROUP,
    SECOND_OPERATOR,
)
from bot.playground.vendors.debci_model import Outcome
from bot.playground.vendors.wercker_model import failed, passed
from bot.slack.values import RunPress, Signer
from tests.fakes.stage import SHOP, Player, Stage
from tests.scenario.conftest import SetUp


@pytest.fixture
def stage(set_up: SetUp) -> Stage:
    return set_up(BOT_OPERATORS=OPERATORS_GROUP)


@pytest.fixture
def sam(stage: Stage) -> Player:
    return stage.person(SECOND_OPERATOR)


def test_retry_on_a_run_that_was_looked_at(stage: Stage, olivia: Player) -> None:
    run = stage.debci.add_run("hello", outcome=Outcome("fail"), age_s=50)
    shown = olivia.asks(f"/runs debci:{run.run_id}")

    card = olivia.settled(olivia.press_answer(shown, "Retry"))

    assert f"<@{OPERATOR}> asked to retry debci:{run.run_id} — done" in card.text
    assert [r.path for r in stage.changes()] == [f"/api/v1/retry/{run.run_id}"]


def test_abort_asks_by_slacks_own_dialog(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, "topic", status="running", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")

    turned_down = olivia.presses(shown, "Abort", confirm=False)
    assert turned_down.confirm is not None
    assert turned_down.confirm["text"]["text"] == (
        f"wercker:{run.id} of pipeline acme/shop/build on branch topic"
    )
    assert stage.changes() == []

    card = olivia.settled(olivia.press_answer(shown, "Abort"))
    assert card.text.startswith(f"⊘ aborted  wercker:{run.id}")
    assert [r.method for r in stage.changes()] == ["PUT"]


def test_open_leads_to_the_runs_page_and_needs_no_answer(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")
    button = next(e for b in shown.blocks for e in b.get("elements", ()) if e.get("url"))

    assert button["url"] == f"{stage.url('wercker')}/acme/shop/runs/build/{run.id}"
    olivia.presses(shown, "Open")
    assert olivia.sees_nothing_new()
    assert stage.audit() == []


def test_a_card_goes_on_by_its_buttons(stage: Stage, olivia: Player, sam: Player) -> None:
    """Triggered by one, aborted by another, retried by the first."""
    card = olivia.acts(f"/trigger wercker:{SHOP}")
    aborted = sam.settled(sam.press_answer(card, "Abort"))
    again = olivia.settled(olivia.press_answer(aborted, "Retry"))

    assert f"by <@{SECOND_OPERATOR}>" in aborted.text
    assert f"<@{OPERATOR}> asked to retry" in again.text
    assert [r.method for r in stage.changes()] == ["POST", "PUT", "POST"]
    assert [row["origin"] for row in stage.audit()] == ["slash", "button", "button"]


def test_an_alert_can_be_retried_and_tells_when_it_is_fixed(set_up: SetUp) -> None:
    stage = set_up(BOT_OPERATORS=OPERATORS_GROUP, BOT_ALERT_CHANNEL=CI_ALERTS)
    olivia = stage.person(channel=CI_ALERTS)
    stage.clock.advance(3600)
    stage.wercker.script(SHOP, failed(duration_s=5), passed(duration_s=5))
    run = stage.wercker.push(SHOP)
    stage.clock.advance(60)

    alert = stage.wait(olivia.screen, "an alert")[0]
    assert f"failed  wercker:{run.id}" in alert.text
    assert "Retry" in alert.controls
    assert "Open" in alert.controls

    card = olivia.settled(olivia.press_answer(alert, "Retry"))
    assert f"asked to retry wercker:{run.id} — done" in card.text
    stage.clock.advance(60)
    stage.wait(lambda: "fixed" in olivia.again(alert).text, "the alert to be fixed")


@pytest.mark.parametrize("same_person", [True, False], ids=["twice", "two people"])
def test_f27_two_presses_lead_to_one_request(
    stage: Stage, olivia: Player, sam: Player, same_person: object
) -> None:
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id} share")
    stage.break_down("wercker", method="POST", delay_s=0.3)
    second = olivia if same_person else sam

    card = olivia.press_answer(shown, "Retry")
    told = second.after(lambda: second.presses(shown, "Retry"))

    assert f"<@{OPERATOR}> is retrying wercker:{run.id}" in told.text
    assert told.ephemeral_for == second.user
    assert "— done" in olivia.settled(card).text
    late = second.after(lambda: second.presses(shown, "Retry"))
    assert f"<@{OPERATOR}>" in late.text
    assert len(stage.changes()) == 1


def test_a_press_and_a_command_at_once_lead_to_one_request(
    stage: Stage, olivia: Player, sam: Player
) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")
    stage.break_down("wercker", method="PUT", delay_s=0.3)

    olivia.press_answer(shown, "Abort")
    told = sam.after(lambda: sam.does(f"/abort wercker:{run.id}"))

    assert f"<@{OPERATOR}> is aborting" in told.text
    assert len(stage.changes()) == 1


def test_a_refused_retry_may_be_pressed_again(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")
    stage.break_down("wercker", method="POST", status=422, times=1)

    assert "— refused" in olivia.settled(olivia.press_answer(shown, "Retry")).text
    assert "— done" in olivia.settled(olivia.press_answer(shown, "Retry")).text


def test_a_stale_abort_says_how_the_run_ended(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")
    stage.wercker.finish(run.id, "failed")

    answer = olivia.press_answer(shown, "Abort")

    assert f"wercker:{run.id} is already over: failed" in answer.text
    assert stage.changes() == []


def test_a_run_that_is_gone(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")
    stage.wercker._runs.clear()

    assert f"no run wercker:{run.id}" in olivia.press_answer(shown, "Retry").text
    assert stage.changes() == []


# Values that are not ours, not for here, or too old: one same answer for all.


def with_value(message: Message, label: str, value: str) -> Message:
    """The message as an attacker sends it, another value behind the button."""
    forged = copy.deepcopy(message)
    for block in forged.blocks:
        for element in block.get("elements", ()):
            if element.get("text", {}).get("text") == label:
                element["value"] = value
    return forged


def value_of(message: Message, label: str) -> str:
    elements = [e for b in message.blocks for e in b.get("elements", ())]
    return str(next(e["value"] for e in elements if e["text"]["text"] == label))


def signed(stage: Stage, ref: str, channel: str, **moved: float) -> str:
    press = RunPress(Verb.RETRY, RunRef.parse(ref))
    return Signer(stage.slack.bot_token).sign(
        press, channel, datetime.now(UTC) + timedelta(**moved)
    )


FORGERIES = {
    "no value of ours": lambda *_: "retry wercker:577a4dbc3ec144923a02b6f9",
    "json": lambda *_: json.dumps({"verb": "abort", "ref": "wercker:1"}),
    "not ascii": lambda *_: "\u2713.\u2713",
    "long": lambda *_: "x" * 2000,
    "another signature": lambda _, value, __: value[:-2] + ("AA" if value[-2:] != "AA" else "BB"),
    "another payload": lambda _, value, __: "A" + value,
    "no signature": lambda _, value, __: value.partition(".")[0],
    "expired": lambda stage, _, ref: signed(stage, ref, BUILDS, seconds=-1),
    "another channel": lambda stage, _, ref: signed(stage, ref, CI_ALERTS, days=1),
    "another key": lambda _, __, ref: Signer("another secret").sign(
        RunPress(Verb.RETRY, RunRef.parse(ref)), BUILDS, datetime.now(UTC) + timedelta(days=1)
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_value_is_denied_with_one_same_text_and_audited(
    stage: Stage, olivia: Player, forgery: str
) -> None:
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    ref = f"wercker:{run.id}"
    shown = olivia.asks(f"/runs {ref}")
    value = FORGERIES[forgery](stage, value_of(shown, "Retry"), ref)
    before = len(stage.faults("wercker").received)

    answer = olivia.press_answer(with_value(shown, "Retry", value), "Retry")

    assert "this button does not work any more. Nothing was done" in answer.text
    assert ref not in answer.text
    assert len(stage.faults("wercker").received) == before
    (row,) = stage.audit()
    assert (row["state"], row["user_id"], row["origin"]) == ("denied", OPERATOR, "button")
    assert value not in json.dumps(row)


def test_our_own_value_works_where_it_was_made(stage: Stage, olivia: Player) -> None:
    """So that the forgeries above fail for the reason given and for no other."""
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")
    value = signed(stage, f"wercker:{run.id}", BUILDS, days=1)

    card = olivia.settled(olivia.press_answer(with_value(shown, "Retry", value), "Retry"))
    assert "— done" in card.text


def test_a_member_who_may_not_is_told_at_the_click(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id} share")
    max_ = stage.person(MEMBER)

    answer = max_.after(lambda: max_.presses(shown, "Retry"))

    assert "you are not among the operators" in answer.text
    assert stage.changes() == []
    assert [row["state"] for row in stage.audit()] == ["denied"]


def test_a_right_that_was_taken_away_is_gone_for_old_buttons(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")
    stage.stop_bot()
    stage._environ["BOT_OPERATORS"] = SECOND_OPERATOR
    stage.start_bot()

    answer = olivia.press_answer(shown, "Retry")

    assert "you are not among the operators" in answer.text
    assert stage.changes() == []


def test_f27_a_redelivered_press_acts_once(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")
    pressed = olivia.presses(shown, "Retry")
    stage.wait(stage.changes, "the request")

    assert not stage.slack.repeat(pressed).error
    assert olivia.asks("/runs providers")
    assert len(stage.changes()) == 1
    assert len(stage.audit()) == 1


def test_a_press_on_something_of_no_value(stage: Stage, olivia: Player) -> None:
    """Such as a button of another version of the bot: acknowledged, and nothing happens."""
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = olivia.asks(f"/runs wercker:{run.id}")

    outcome = olivia.presses(with_value(shown, "Retry", ""), "Retry")

    assert outcome.acked
    assert stage.changes() == []
