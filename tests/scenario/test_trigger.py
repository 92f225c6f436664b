"""`/trigger`: what is sent to the vendor, and what the channel sees of it."""

import json
import re
from urllib.parse import parse_qs

import pytest

from bot.playground.slack.people import BUILDS, MEMBER, OPERATOR
from bot.playground.vendors.debci_rules import Rejected
from tests.fakes.stage import ENTRIES, SHOP, Entry, Player, Stage

BUILD = f"wercker:{SHOP}"
HELLO = "debci:unstable/amd64/hello"


def debci_form(stage: Stage) -> tuple[dict[str, object], dict[str, str]]:
    """The one item of the only request that was sent to debci, and the fields beside it."""
    (change,) = stage.changes("debci")
    fields = {name: values[0] for name, values in parse_qs(change.body.decode()).items()}
    (item,) = json.loads(fields.pop("tests"))
    return item, fields


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_parameter_of_wercker_arrives_as_typed(
    stage: Stage, olivia: Player, entry: Entry
) -> None:
    source = stage.wercker.add_run(SHOP, age_s=500)
    olivia.acts(
        f"/trigger {BUILD} branch=master commitHash=c0ffee message='new image' tag=v2.1 "
        f"sourceRunId={source.id} env.IMAGE=2.1 env.B='two words' env.A=$IMAGE reason=because",
        entry,
    )

    assert stage.body() == {
        "pipelineId": stage.wercker.pipeline(SHOP).id,
        "branch": "master",
        "commitHash": "c0ffee",
        "message": "new image",
        "tag": "v2.1",
        "sourceRunId": source.id,
        "envVars": [
            {"key": "IMAGE", "value": "2.1"},
            {"key": "B", "value": "two words"},
            {"key": "A", "value": "$IMAGE"},
        ],
    }


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("", {}),
        ("topic", {"branch": "topic"}),
        ("topic message=", {"branch": "topic"}),
        ("--branch topic", {"branch": "topic"}),
        ('branch=main message="a \\"b\\" & <c>"', {"branch": "main", "message": 'a "b" & <c>'}),
    ],
)
def test_what_is_left_out_is_not_sent(
    stage: Stage, olivia: Player, typed: str, sent: dict[str, str]
) -> None:
    olivia.acts(f"/trigger {BUILD} {typed}")

    assert stage.body() == {"pipelineId": stage.wercker.pipeline(SHOP).id, **sent}


def test_a_pipeline_by_its_id(stage: Stage, olivia: Player) -> None:
    pipeline = stage.wercker.pipeline(SHOP)
    olivia.acts(f"/trigger wercker:{pipeline.id}")

    assert stage.body() == {"pipelineId": pipeline.id}


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_parameter_of_debci_arrives(stage: Stage, olivia: Player, entry: Entry) -> None:
    card = olivia.acts(
        f"/trigger {HELLO} priority=7 pin-packages=src:foo,unstable;bar,baz,experimental "
        "is_private=true trigger='new base' extra-apt-sources=example-extra",
        entry,
    )

    item, fields = debci_form(stage)
    trigger = str(item.pop("trigger"))
    assert item == {
        "package": "hello",
        "pin-packages": [["src:foo", "unstable"], ["bar", "baz", "experimental"]],
        "is_private": True,
        "extra-apt-sources": ["example-extra"],
    }
    assert fields == {"priority": "7"}
    assert re.fullmatch(rf"new base slack/{OPERATOR}/\w{{12}}", trigger)
    assert stage.debci.run(1).trigger == trigger
    assert "○ queued  debci:1  unstable/amd64/hello" in card.text


def test_the_debci_run_is_found_by_its_trigger_text(stage: Stage, olivia: Player) -> None:
    """Others request the same package at the same time."""
    for _ in range(3):
        stage.debci.add_run("hello", "unstable", trigger="somebody else's")
    card = olivia.acts(f"/trigger {HELLO}")

    (ours,) = [r for r in stage.debci.runs if OPERATOR in (r.trigger or "")]
    assert f"debci:{ours.run_id} " in card.text
    assert debci_form(stage)[0].keys() == {"package", "trigger"}


@pytest.mark.parametrize("entry", ENTRIES)
def test_one_card_in_the_channel_that_names_the_requester_and_is_edited_in_place(
    stage: Stage, olivia: Player, entry: Entry
) -> None:
    card = olivia.acts(f"/trigger {BUILD} main reason='hot fix'", entry)

    (posted,) = stage.slack.calls("chat.postMessage")
    edits = stage.slack.calls("chat.update")
    assert posted.args["channel"] == olivia.where(entry)
    assert f"<@{OPERATOR}> asked to trigger {BUILD} — sending" in posted.args["text"]
    assert {edit.args["ts"] for edit in edits} == {posted.reply["ts"]} == {card.ts}
    assert card.text.splitlines()[0] == f"✔ <@{OPERATOR}> asked to trigger {BUILD} — done"
    assert "reason: hot fix" in card.text
    run = stage.wercker.runs[-1]
    assert f"○ queued  wercker:{run.id}  acme/shop/build @main" in card.text
    assert card.controls == ["Abort", "Open"]
    assert card.ephemeral_for is None
    assert olivia.screen(entry)[-1].ts == card.ts, "nothing but the card was said"
    if entry != "message":
        assert [m.ts for m in stage.person(MEMBER).screen()] == [card.ts]


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    ("command", "lines"),
    [
        (
            f"{BUILD} topic message=m env.IMAGE=canary-value env.Z=canary-other dry",
            ["branch = topic", "message = m", "env.IMAGE = •••", "env.Z = •••"],
        ),
        (f"{HELLO} priority=3 trigger=t dry", ["priority = 3", "trigger = t"]),
    ],
)
def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(
    stage: Stage, olivia: Player, entry: Entry, command: str, lines: list[str]
) -> None:
    answer = olivia.asks(f"/trigger {command}", entry)

    shown = [line.strip() for line in answer.text.splitlines()]
    assert [line.partition("  (")[0] for line in shown[2:-1]] == lines
    assert shown[-1] == "Nothing was sent."
    assert stage.changes() == []
    assert stage.audit() == []
    assert "canary-value" not in answer.text
    assert answer.ephemeral_for == OPERATOR or entry == "message"


def test_a_dry_run_is_for_everybody(stage: Stage) -> None:
    answer = stage.person(MEMBER).asks(f"/trigger {BUILD} dry")

    assert "Nothing was sent." in answer.text


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (f"{BUILD} brnch=main", 'no parameter "brnch". Did you mean branch?'),
        (f"{BUILD} priority=3", "branch, commitHash, message, tag, sourceRunId"),
        (f"{BUILD} commitHash=c0ffee", "commitHash needs branch"),
        (f"{BUILD} sourceRunId=x", "sourceRunId: "),
        (f"{BUILD} main topic", '"topic" is a second bare word'),
        (f"{BUILD} main branch=topic", "both the branch"),
        (f"{BUILD} branch=a branch=b", "branch is given twice"),
        (f"{BUILD} branch!=a", "is for filters"),
        (f"{BUILD} env.1=x", "cannot be the name of a variable"),
        (f"{HELLO} main", 'debci takes no bare word; what is "main"?'),
        (f"{HELLO} priority=70", "priority: "),
        (f"{HELLO} priority=many", "1 to 10"),
        (f"{HELLO} is_private=maybe", "is_private: "),
        (f"{HELLO} pin-packages=foo", "pin-packages: "),
        (f"{HELLO} env.X=1", "debci takes no env"),
        ("debci:unstable/amd64", "suite/arch"),
        ("debci:unstable/amd64/Hello", "package name"),
        ("wercker:acme/shop", "no pipeline"),
        ("wercker:acme/nothing/build", "no pipeline"),
        ("nothing", 'no pipeline "nothing" in wercker, debci'),
        ("nothing:build", 'no provider "nothing"; configured: wercker, debci'),
        ("branch=main", "trigger which pipeline?"),
        (f"{BUILD}@last", "is a run, and trigger takes a pipeline"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_sent(
    stage: Stage, olivia: Player, typed: str, problem: str
) -> None:
    answer = olivia.asks(f"/trigger {typed}")

    assert answer.text.startswith("✖ I read:")
    assert problem in answer.text
    assert stage.changes() == []
    assert answer.ephemeral_for == OPERATOR


@pytest.mark.parametrize("typed", [f"{BUILD} brnch=main", f"{HELLO} priority=70", "nothing"])
def test_a_dry_run_is_checked_as_the_real_one(stage: Stage, olivia: Player, typed: str) -> None:
    dry, real = (olivia.asks(f"/trigger {typed}{more}").text for more in (" dry", ""))

    assert dry.replace(" dry", "") == real
    assert stage.changes() == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("wercker:acme/shop/biuld main", "/trigger wercker:acme/shop/build main"),
        ("acme/shop/biuld main", "/trigger wercker:acme/shop/build main"),
        ("werker:acme/shop/build env.A=1 x=2", "/trigger wercker:acme/shop/build env.A=••• x=2"),
    ],
)
def test_a_misspelt_name_is_a_question_and_never_a_guess(
    stage: Stage, olivia: Player, typed: str, offered: str
) -> None:
    """A bare key of three parts would do for debci, and is not simply sent there."""
    question = olivia.asks(f"/trigger {typed}")

    assert offered in question.text
    if question.controls:
        told = olivia.press_answer(question, question.controls[0])
        assert "send the command yourself" in told.text
    assert stage.changes() == []


def test_a_key_alone_is_enough_where_only_one_vendor_has_it(stage: Stage, olivia: Player) -> None:
    stage.debci.add_run("hello", "unstable", age_s=50)
    olivia.acts("/trigger unstable/amd64/hello")

    assert debci_form(stage)[0]["package"] == "hello"


def test_trigger_alone_tells_how(olivia: Player) -> None:
    assert "help for /trigger" in olivia.asks("/trigger").text


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 400, "body": b'{"message": "branch not found"}'}, "branch not found"),
        ({"status": 401}, "refused the token"),
        ({"status": 429, "headers": {"Retry-After": "60"}}, ""),
    ],
)
def test_a_refusal_of_the_vendor_stands_on_the_card(
    stage: Stage, olivia: Player, fault: dict[str, object], words: str
) -> None:
    stage.break_down("wercker", method="POST", **fault)
    card = olivia.acts(f"/trigger {BUILD}")

    assert "— refused" in card.text
    assert words in card.text
    assert len(stage.changes()) == 1
    (row,) = stage.audit()
    assert row["state"] == "refused"


@pytest.mark.parametrize("fault", [{"drop_after": True}, {"status": 502}, {"drop_before": True}])
def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(
    stage: Stage, olivia: Player, fault: dict[str, object]
) -> None:
    stage.break_down("wercker", method="POST", **fault)
    card = olivia.acts(f"/trigger {BUILD}")

    assert "— unknown" in card.text
    assert "check at the provider. Nothing more is sent." in card.text
    assert len(stage.changes()) == 1
    assert [row["state"] for row in stage.audit()] == ["unknown"]


def test_a_lost_answer_of_debci_is_made_up_for_by_finding_the_run(
    stage: Stage, olivia: Player
) -> None:
    stage.break_down("debci", method="POST", drop_after=True)
    card = olivia.acts(f"/trigger {HELLO}")

    assert "○ queued  debci:1" in card.text
    assert "did not confirm it" in card.text
    assert len(stage.changes()) == 1


def test_a_lost_answer_of_debci_without_a_run_is_unknown(stage: Stage, olivia: Player) -> None:
    stage.break_down("debci", method="POST", status=502)
    card = olivia.acts(f"/trigger {HELLO}")

    assert "— unknown" in card.text
    assert len(stage.changes()) == 1


@pytest.mark.parametrize("target", [BUILD, HELLO])
def test_a_vendor_that_cannot_be_reached_gets_nothing(
    stage: Stage, olivia: Player, target: str
) -> None:
    name = target.partition(":")[0]
    stage.break_down(name, drop_before=True)
    answer = olivia.settled(olivia.asks(f"/trigger {target}"))

    assert answer.text.startswith("✖")
    assert stage.changes() == []


def test_a_package_that_debci_does_not_test(stage: Stage, olivia: Player) -> None:
    stage.debci.reject_list.append(Rejected("hello"))
    card = olivia.acts(f"/trigger {HELLO}")

    assert "reject list" in card.text
    assert stage.debci.runs == []


def test_the_card_where_the_bot_was_not_invited(stage: Stage) -> None:
    card = stage.person(OPERATOR, "C0GENERAL1").acts(f"/trigger {BUILD}")

    assert [m.ts for m in stage.person(MEMBER, "C0GENERAL1").screen()] == [card.ts]


def test_the_card_waits_its_turn_in_a_busy_channel(stage: Stage, olivia: Player) -> None:
    """Slack takes one message a second and channel after a short burst."""
    stage.slack.strict.message_burst = 1
    first = olivia.acts(f"/trigger {BUILD} a")
    second = olivia.acts(f"/trigger {BUILD} b")

    assert first.ts != second.ts
    assert [m.ephemeral_for for m in stage.slack.messages(BUILDS)] == [None, None]
    assert len(stage.changes()) == 2
