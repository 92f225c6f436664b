"""`/abort`: what is stopped, what is not, and how it is told."""

import pytest

from bot.playground.slack.people import MEMBER, OPERATOR, SECOND_OPERATOR
from bot.playground.vendors.debci_model import NEVER
from tests.fakes.stage import ENTRIES, SHOP, Entry, Player, Stage
from tests.scenario.conftest import SetUp


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_run_under_way_is_stopped(stage: Stage, olivia: Player, entry: Entry) -> None:
    run = stage.wercker.add_run(SHOP, "topic", status="running", age_s=50)
    card = olivia.acts(f"/abort wercker:{run.id} wrong branch", entry)

    (sent,) = stage.changes()
    assert (sent.method, sent.path) == ("PUT", f"/api/v3/runs/{run.id}/abort")
    assert sent.body == b"{}"
    assert stage.wercker.state(run.id) == ("finished", "aborted")
    assert card.text.startswith(f"⊘ aborted  wercker:{run.id}  acme/shop/build @topic after 49 s")
    assert f"by <@{OPERATOR}>: wrong branch" in card.text
    assert card.controls == ["Retry", "Open"]
    (posted,) = stage.slack.calls("chat.postMessage")
    assert f"<@{OPERATOR}> asked to abort wercker:{run.id} — sending" in posted.args["text"]


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("result", ["passed", "failed", "aborted"])
def test_a_run_that_is_over_stays_as_it_is(
    stage: Stage, olivia: Player, entry: Entry, result: str
) -> None:
    run = stage.wercker.add_run(SHOP, result=result, age_s=50)
    answer = olivia.asks(f"/abort wercker:{run.id}", entry)

    assert f"wercker:{run.id} is already over: {result}" in answer.text
    assert "Nothing was sent" in answer.text
    assert stage.changes() == []
    assert stage.slack.calls("chat.postMessage") == [] or entry == "message"


@pytest.mark.parametrize("entry", ENTRIES)
def test_debci_is_not_asked_at_all(stage: Stage, olivia: Player, entry: Entry) -> None:
    run = stage.debci.add_run("hello", outcome=NEVER, age_s=50)
    answer = olivia.asks(f"/abort debci:{run.run_id}", entry)

    assert "debci has no abort: a run ends by itself" in answer.text
    assert stage.faults("debci").received == []


@pytest.mark.parametrize("way", ["#1", "url", "debci:testing/amd64/hello@last"])
def test_debci_refuses_however_the_run_is_named(stage: Stage, olivia: Player, way: str) -> None:
    run = stage.debci.add_run("hello", outcome=NEVER, age_s=50)
    olivia.asks("/runs")
    url = f"{stage.url('debci')}/packages/h/hello/testing/amd64/{run.run_id}/"
    before = len(stage.faults("debci").received)

    answer = olivia.asks(f"/abort {url if way == 'url' else way}")

    assert "debci has no abort" in answer.text
    assert stage.changes() == []
    assert way.endswith("@last") or len(stage.faults("debci").received) == before


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_line_of_a_listing_is_confirmed_by_its_name(
    stage: Stage, olivia: Player, entry: Entry
) -> None:
    run = stage.wercker.add_run(SHOP, "topic", status="running", age_s=50)
    olivia.asks("/runs", entry)
    question = olivia.asks("/abort #1 wrong branch", entry)

    assert f"Abort wercker:{run.id}?" in question.text
    assert "pipeline acme/shop/build · branch topic · started" in question.text
    assert "Nothing was sent yet." in question.text
    assert stage.changes() == []

    card = olivia.settled(
        olivia.after(lambda: olivia.presses(question, "Abort"), entry, "the confirmation")
    )
    assert f"⊘ aborted  wercker:{run.id}" in card.text
    assert "wrong branch" in card.text
    assert len(stage.changes()) == 1
    asked, pressed = stage.audit()
    assert (asked["state"], asked["outcome"]) == ("refused", "asked to confirm first")
    assert (pressed["origin"], pressed["state"]) == ("button", "done")
    assert "wrong branch" in pressed["text"]


def test_a_confirmation_that_comes_too_late(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    olivia.asks("/runs")
    question = olivia.asks("/abort #1")
    stage.wercker.finish(run.id, "passed")

    answer = olivia.press_answer(question, "Abort")

    assert "already over: passed" in answer.text
    assert stage.changes() == []


@pytest.mark.parametrize("ending", ["passed", "failed"])
def test_a_run_that_ends_while_its_abort_is_on_the_way(
    stage: Stage, olivia: Player, ending: str
) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    stage.wercker.quirks.ends_before_abort = ending  # type: ignore[assignment]

    card = olivia.acts(f"/abort wercker:{run.id}")

    assert f"{ending}  wercker:{run.id}" in card.text
    assert "aborted" not in card.text
    assert len(stage.changes()) == 1


def test_a_run_that_goes_on_after_its_abort(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    stage.wercker.quirks.abort_ignored = True

    card = olivia.acts(f"/abort wercker:{run.id}")

    assert f"● running  wercker:{run.id}" in card.text
    assert "⊘" not in card.text


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"status": 400, "body": b'{"message": "no"}'}, "refused"),
        ({"status": 401}, "refused"),
        ({"status": 403}, "refused"),
        ({"status": 422, "body": b'{"message": "Unable to abort"}'}, "refused"),
        ({"status": 500}, "unknown"),
        ({"status": 200, "body": b"<html>", "headers": {"Content-Type": "text/html"}}, "unknown"),
        ({"drop_after": True}, "done"),
        ({"drop_before": True}, "unknown"),
    ],
)
def test_what_the_vendor_makes_of_it_is_told_as_it_is(
    stage: Stage, olivia: Player, fault: dict[str, object], state: str
) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    stage.break_down("wercker", method="PUT", **fault)

    card = olivia.acts(f"/abort wercker:{run.id}")

    if state == "done":
        assert "⊘ aborted" in card.text
    else:
        assert f"— {state}" in card.text
    if state == "unknown":
        assert "check" in card.text
    assert len(stage.changes()) == 1
    assert stage.audit()[0]["state"] == state


def test_a_vendor_that_hangs_is_not_waited_for_long(set_up: SetUp) -> None:
    stage = set_up(BOT_PROVIDERS__WERCKER__TIMEOUT_S="1")
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    stage.break_down("wercker", method="PUT", hang=True)

    card = stage.person().acts(f"/abort wercker:{run.id}")

    assert "— unknown" in card.text
    assert len(stage.changes()) == 1
    assert stage.audit()[0]["state"] == "unknown"


@pytest.mark.parametrize("entry", ["mention", "message"])
def test_in_the_thread_of_a_card_no_run_is_named(
    stage: Stage, olivia: Player, entry: Entry
) -> None:
    card = olivia.acts(f"/trigger wercker:{SHOP}", entry)
    answer = olivia.acts("/abort reason='not now'", entry, thread_ts=card.ts)

    assert "⊘ aborted" in answer.text
    assert answer.thread_ts == card.ts
    assert [r.method for r in stage.changes()] == ["POST", "PUT"]


def test_outside_of_a_thread_a_run_is_needed(stage: Stage, olivia: Player) -> None:
    assert "name the run" in olivia.asks("/abort").text
    assert "not a run" in olivia.asks("/abort everything").text
    assert stage.changes() == []


@pytest.mark.parametrize("typed", ["dry", "--dry"])
def test_abort_knows_no_dry_run_and_does_not_take_it_for_a_reason(
    stage: Stage, olivia: Player, typed: str
) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    answer = olivia.asks(f"/abort wercker:{run.id} {typed}")

    assert "abort has no dry run. Nothing was sent." in answer.text
    assert stage.changes() == []


def test_two_people_at_once_lead_to_one_request(set_up: SetUp) -> None:
    stage = set_up(BOT_OPERATORS=f"{OPERATOR},{SECOND_OPERATOR}")
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    stage.break_down("wercker", method="PUT", delay_s=0.5)
    olivia, sam = stage.person(), stage.person(SECOND_OPERATOR)

    first = olivia.asks(f"/abort wercker:{run.id} mine")
    stage.wait(stage.changes, "the request")
    told = sam.after(lambda: sam.does(f"/abort wercker:{run.id} no, mine"))

    assert f"<@{OPERATOR}> is aborting wercker:{run.id} right now" in told.text
    assert told.ephemeral_for == SECOND_OPERATOR
    assert "⊘ aborted" in olivia.settled(first).text
    assert len(stage.changes()) == 1
    assert [row["state"] for row in stage.audit()] == ["done", "refused"]


def test_everybody_sees_the_card(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    card = olivia.acts(f"/abort wercker:{run.id}")

    assert [m.ts for m in stage.person(MEMBER).screen()] == [card.ts]
