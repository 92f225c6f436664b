"""`/retry`: natively with debci, as a new run with Wercker, and no secret ever shown."""

import json

import pytest

from bot.playground.slack.people import OPERATOR
from bot.playground.vendors.debci_model import NEVER, Outcome
from tests.fakes.stage import DEPLOY, ENTRIES, SHOP, Entry, Player, Stage

SECRET = "canary-of-a-variable"
VARIABLES = [{"key": "IMAGE", "value": "2.1"}, {"key": "PASS", "value": SECRET}]


@pytest.mark.parametrize("entry", ENTRIES)
def test_debci_repeats_by_itself_and_the_new_run_is_found(
    stage: Stage, olivia: Player, entry: Entry
) -> None:
    old = stage.debci.add_run("hello", outcome=Outcome("fail"), trigger="nightly", age_s=50)
    stage.debci.add_run("hello", outcome=NEVER, trigger="somebody else's", age_s=20)
    card = olivia.acts(f"/retry debci:{old.run_id}", entry)

    (sent,) = stage.changes()
    assert (sent.method, sent.path, sent.body) == ("POST", f"/api/v1/retry/{old.run_id}", b"")
    assert card.text.startswith(f"✔ <@{OPERATOR}> asked to retry debci:{old.run_id} — done")
    assert "○ queued  debci:3  testing/amd64/hello" in card.text
    assert card.controls == ["Open"], "debci has no abort"


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_plain_run_of_wercker_is_started_anew(stage: Stage, olivia: Player, entry: Entry) -> None:
    old = stage.wercker.add_run(
        SHOP, "topic", result="failed", age_s=50, env=VARIABLES, message="fix\r\nit"
    )
    card = olivia.acts(f"/retry wercker:{old.id}", entry)

    assert stage.body() == {
        "pipelineId": old.pipeline.id,
        "branch": "topic",
        "commitHash": old.commit_hash,
        "message": "fix\r\nit",
        "envVars": VARIABLES,
    }
    new = stage.wercker.runs[-1]
    assert new.id != old.id
    assert f"○ queued  wercker:{new.id}  acme/shop/build @topic" in card.text
    assert card.controls == ["Abort", "Open"]


def test_a_chained_run_of_wercker_is_repeated_from_its_source(stage: Stage, olivia: Player) -> None:
    source = stage.wercker.add_run(SHOP, age_s=100)
    old = stage.wercker.add_run(
        DEPLOY, result="failed", age_s=50, source=source, env=VARIABLES, message="deploy"
    )
    olivia.acts(f"/retry wercker:{old.id}")

    assert stage.body() == {
        "pipelineId": old.pipeline.id,
        "sourceRunId": source.id,
        "message": "deploy",
        "envVars": VARIABLES,
    }


def test_typed_values_replace_those_of_the_old_run(stage: Stage, olivia: Player) -> None:
    old = stage.wercker.add_run(SHOP, "topic", age_s=50, env=VARIABLES, message="old")
    olivia.acts(f"/retry wercker:{old.id} branch=main message=new env.PASS=other env.MORE=x")

    assert stage.body() == {
        "pipelineId": old.pipeline.id,
        "branch": "main",
        "message": "new",
        "envVars": [
            {"key": "IMAGE", "value": "2.1"},
            {"key": "PASS", "value": "other"},
            {"key": "MORE", "value": "x"},
        ],
    }


def test_values_of_variables_are_shown_and_kept_nowhere(stage: Stage, olivia: Player) -> None:
    """Neither those of the vendor nor those that somebody types."""
    typed = "canary-that-was-typed"
    old = stage.wercker.add_run(SHOP, result="failed", age_s=50, env=VARIABLES)
    olivia.asks("/watch wercker:*")
    stage.wait(lambda: stage.query("SELECT 1 FROM runs"), "a polled run")
    olivia.asks(f"/runs wercker:{old.id}")
    olivia.asks(f"/retry wercker:{old.id} env.X={typed} dry")
    olivia.acts(f"/retry wercker:{old.id} env.X={typed}")
    olivia.acts(f'/trigger wercker:{SHOP} env.Y="{typed} {typed}"')
    olivia.asks(f"/trigger wercker:{SHOP} env.Y={typed} nonsense=1")
    olivia.asks(f"/trigger debci:unstable/amd64/hello env.Y={typed}")
    stage.break_down("wercker", method="POST", status=400, body=f'{{"message":"{typed}"}}'.encode())
    olivia.acts(f"/trigger wercker:{SHOP} env.Y={typed}")

    sent = b"".join(change.body for change in stage.changes())
    assert SECRET.encode() in sent
    assert typed.encode() in sent
    stage.stop_bot()
    for canary in (SECRET, typed):
        assert canary not in stage.posted()
        assert canary not in stage.log.text
        assert canary.encode() not in stage.stored_bytes()


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("instance", ["wercker", "debci"])
def test_a_part_cannot_be_repeated_and_all_of_it_is_offered(
    stage: Stage, olivia: Player, entry: Entry, instance: str
) -> None:
    ref = _failed_run(stage, instance)
    answer = olivia.asks(f"/retry {ref} failed", entry)

    assert "cannot repeat a part of a run" in answer.text
    assert answer.controls == [f"/retry {ref}"]
    assert stage.changes() == []


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_run_that_is_not_over_is_not_repeated(stage: Stage, olivia: Player, entry: Entry) -> None:
    running = stage.wercker.add_run(SHOP, status="running", age_s=50)
    pending = stage.debci.add_run("hello", outcome=NEVER, age_s=50)

    for ref, status in (
        (f"wercker:{running.id}", "running"),
        (f"debci:{pending.run_id}", "queued"),
    ):
        answer = olivia.asks(f"/retry {ref}", entry)
        assert f"{ref} is not over yet: {status}. Nothing was sent." in answer.text
    assert stage.changes() == []


@pytest.mark.parametrize("instance", ["wercker", "debci"])
def test_a_dry_run_sends_nothing(stage: Stage, olivia: Player, instance: str) -> None:
    ref = _failed_run(stage, instance)
    answer = olivia.asks(f"/retry {ref} dry")

    assert f"run = {ref}" in answer.text
    assert "Nothing was sent." in answer.text
    assert stage.changes() == []
    assert stage.audit() == []


def test_a_dry_run_shows_each_value_once(stage: Stage, olivia: Player) -> None:
    old = stage.wercker.add_run(SHOP, "topic", age_s=50)
    text = olivia.asks(f"/retry wercker:{old.id} branch=main dry").text

    assert "branch = main  (typed)" in text
    assert "branch = topic" not in text
    assert old.commit_hash not in text, "the new branch has a commit of its own"


@pytest.mark.parametrize("instance", ["wercker", "debci"])
def test_a_line_of_a_listing_is_confirmed_by_its_name(
    stage: Stage, olivia: Player, instance: str
) -> None:
    ref = _failed_run(stage, instance)
    olivia.asks("/runs failing")
    question = olivia.asks("/retry #1")

    assert f"Retry {ref}?" in question.text
    assert stage.changes() == []
    card = olivia.settled(olivia.press_answer(question, "Retry"))
    assert f"asked to retry {ref} — done" in card.text
    assert len(stage.changes()) == 1


@pytest.mark.parametrize("entry", ["mention", "message"])
def test_in_the_thread_of_a_card_it_is_that_cards_run(
    stage: Stage, olivia: Player, entry: Entry
) -> None:
    card = olivia.acts("/trigger debci:unstable/amd64/hello", entry)
    stage.clock.advance(60)
    answer = olivia.acts("/retry", entry, thread_ts=card.ts)

    assert "asked to retry debci:1 — done" in answer.text
    assert answer.thread_ts == card.ts
    assert [r.path for r in stage.changes()][-1] == "/api/v1/retry/1"


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("debci:4711", "no run debci:4711"),
        ("wercker:577a4dbc3ec144923a02b6f9", "no run wercker:"),
        ("nothing:1", 'no provider "nothing"'),
        ("", "name the run"),
        ("debci:1 failed all", "all or failed, not both"),
        ("debci:1 twice", "one word too many"),
        ("debci:1 brnch=x", 'no parameter "brnch"'),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_sent(
    stage: Stage, olivia: Player, typed: str, problem: str
) -> None:
    stage.debci.add_run("hello", outcome=Outcome("fail"), age_s=50)
    assert problem in olivia.asks(f"/retry {typed}").text
    assert stage.changes() == []


@pytest.mark.parametrize("instance", ["wercker", "debci"])
def test_a_lost_answer_is_not_asked_again(stage: Stage, olivia: Player, instance: str) -> None:
    ref = _failed_run(stage, instance)
    stage.break_down(instance, method="POST", status=500)
    card = olivia.acts(f"/retry {ref}")

    assert "— unknown" in card.text
    assert len(stage.changes()) == 1


def test_wercker_does_not_tell_a_masked_value(stage: Stage, olivia: Player) -> None:
    old = stage.wercker.add_run(SHOP, age_s=50, env=VARIABLES)
    stage.wercker.quirks.masked_variables = True
    card = olivia.acts(f"/retry wercker:{old.id}")

    assert "envVars" not in stage.body()
    assert "does not show the value of IMAGE, PASS" in card.text


def test_a_rejected_package_is_refused(stage: Stage, olivia: Player) -> None:
    old = stage.debci.add_run("hello", outcome=Outcome("fail"), age_s=50)
    stage.break_down(
        "debci", method="POST", status=403, body=b"Package hello is in the REJECT list"
    )
    card = olivia.acts(f"/retry debci:{old.run_id}")

    assert "— refused" in card.text
    assert "REJECT list" in card.text


def _failed_run(stage: Stage, instance: str) -> str:
    if instance == "wercker":
        return f"wercker:{stage.wercker.add_run(SHOP, result='failed', age_s=50).id}"
    return f"debci:{stage.debci.add_run('hello', outcome=Outcome('fail'), age_s=50).run_id}"


def test_a_new_run_may_be_retried_once_it_is_over(stage: Stage, olivia: Player) -> None:
    card = olivia.acts(f"/trigger wercker:{SHOP}")
    stage.clock.advance(60)
    run = stage.wercker.runs[-1]
    again = olivia.acts(f"/retry wercker:{run.id}")

    assert card.ts != again.ts
    assert json.loads(stage.changes()[-1].body)["branch"] == "main"
