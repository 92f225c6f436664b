"""Who may do what: one decision for every way in, recorded before the vendor is asked."""

import itertools
from dataclasses import replace

import pytest

from bot.playground.faults import Fault
from bot.playground.slack.people import (
    BUILDS,
    GUEST,
    MEMBER,
    OPERATOR,
    OPERATORS_GROUP,
    SECOND_OPERATOR,
    SHARED,
    STRANGER,
)
from bot.playground.vendors.debci_model import Outcome
from bot.services.commands import BUDGET
from tests.fakes.stage import ENTRIES, SHOP, Entry, Player, Stage
from tests.scenario.conftest import SetUp

WAYS = [*ENTRIES, "button"]
TARGET = f"/trigger wercker:{SHOP}"


def do(player: Player, way: str) -> str:
    """Asks for a new run by one of the ways in, and returns what is said to it."""
    stage = player.stage
    if way in ENTRIES:
        return player.settled(player.asks(TARGET, way)).text  # type: ignore[arg-type]
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = player.asks(f"/runs wercker:{run.id}")
    return player.settled(player.press_answer(shown, "Retry")).text


def join(stage: Stage, user: str, channel: str = BUILDS) -> Player:
    stage.slack.channel(channel).members.add(user)
    return stage.person(user, channel)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("operators", [None, ""])
def test_without_operators_nobody_may_and_is_told_how_to_grant_it(
    set_up: SetUp, way: str, operators: str | None
) -> None:
    stage = set_up(BOT_OPERATORS=operators)
    answer = do(stage.person(), way)

    assert "BOT_OPERATORS is not set" in answer
    assert f"BOT_OPERATORS={OPERATOR}" in answer
    assert stage.changes() == []
    assert [row["state"] for row in stage.audit()] == ["denied"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("operators", "user", "rule"),
    [
        (OPERATOR, OPERATOR, f"operator {OPERATOR}"),
        (f" {MEMBER} , {OPERATOR} ", OPERATOR, f"operator {OPERATOR}"),
        (OPERATORS_GROUP, SECOND_OPERATOR, f"operator group {OPERATORS_GROUP}"),
        ("*", MEMBER, "every full member"),
    ],
)
def test_allowed(set_up: SetUp, way: str, operators: str, user: str, rule: str) -> None:
    stage = set_up(BOT_OPERATORS=operators)
    answer = do(stage.person(user), way)

    assert f"<@{user}> asked to" in answer
    assert "— done" in answer
    (row,) = stage.audit()
    assert (row["state"], row["rule"], row["user_id"], row["channel"], row["origin"]) == (
        "done",
        rule,
        user,
        stage.slack.dm(user) if way == "message" else BUILDS,
        way,
    )


@pytest.mark.parametrize("way", ["slash", "mention", "button"])
def test_everybody_in_a_channel_of_operators(set_up: SetUp, way: str) -> None:
    stage = set_up(BOT_OPERATORS=BUILDS)

    assert "— done" in do(stage.person(MEMBER), way)
    assert "you are not among the operators" in do(stage.person(MEMBER, "C0CIALERTS"), way)
    assert [row["rule"] for row in stage.audit()] == [f"operator channel {BUILDS}", "BOT_OPERATORS"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("operators", [OPERATOR, OPERATORS_GROUP, "C0CIALERTS"])
def test_a_plain_member_is_denied_and_told_how_to_get_it(
    set_up: SetUp, way: str, operators: str
) -> None:
    stage = set_up(BOT_OPERATORS=operators)
    answer = do(stage.person(MEMBER), way)

    verb = "retry" if way == "button" else "trigger"
    assert "Denied (BOT_OPERATORS)" in answer
    assert f"you may not {verb}" in answer
    assert f"add {MEMBER}" in answer
    assert stage.changes() == []
    (row,) = stage.audit()
    assert (row["state"], row["rule"], row["verb"]) == ("denied", "BOT_OPERATORS", verb)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("operators", ["*", BUILDS, GUEST])
def test_a_guest_is_denied(set_up: SetUp, way: str, operators: str) -> None:
    stage = set_up(BOT_OPERATORS=operators)
    answer = do(join(stage, GUEST), way)

    assert "Denied (no guests)" in answer
    assert stage.changes() == []
    assert [row["rule"] for row in stage.audit()] == ["no guests"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_guest_may_look(stage: Stage, entry: Entry) -> None:
    run = stage.debci.add_run("hello", outcome=Outcome("fail"), age_s=50)

    assert f"debci:{run.run_id}" in join(stage, GUEST).asks("/runs", entry).text


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("command", [TARGET, "/runs", "/runs help", "/trigger help", "/runs x"])
def test_a_stranger_is_told_nothing(set_up: SetUp, entry: Entry, command: str) -> None:
    """Somebody of another workspace, in a channel that is shared with it."""
    stage = set_up(BOT_OPERATORS=f"*,{STRANGER},{SHARED}")
    stage.debci.add_run("hello", age_s=50)
    answer = stage.person(STRANGER, SHARED).asks(command, entry)

    assert "only members of the workspace where this bot is installed" in answer.text
    assert "hello" not in answer.text
    assert stage.faults("wercker").received == []
    assert stage.faults("debci").received == []


def test_a_strangers_press_is_denied(set_up: SetUp) -> None:
    stage = set_up(BOT_OPERATORS=f"*,{STRANGER},{SHARED}")
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    shown = stage.person(OPERATOR, SHARED).asks(f"/runs wercker:{run.id} share")
    stefan = stage.person(STRANGER, SHARED)

    answer = stefan.press_answer(shown, "Retry")

    assert "only members of the workspace where this bot is installed" in answer.text
    assert stage.changes() == []


def test_a_payload_without_a_team_is_a_strangers(set_up: SetUp) -> None:
    stage = set_up(BOT_OPERATORS="*")
    outcome = stage.slack.slash(OPERATOR, BUILDS, TARGET, forged={"team_id": ""})

    assert outcome.acked
    assert "only members of the workspace" in stage.person().screen()[-1].text
    assert stage.changes() == []


@pytest.mark.parametrize("operators", ["*", OPERATORS_GROUP, BUILDS])
def test_nothing_is_granted_while_slack_does_not_say_who_it_is(
    set_up: SetUp, operators: str
) -> None:
    stage = set_up(BOT_OPERATORS=operators)
    for method in ("users.info", "usergroups.users.list"):
        stage.slack.faults.add(_failing(method))

    answer = stage.person().asks(TARGET)

    assert "Denied" in answer.text
    assert stage.changes() == []


def test_a_person_who_left_is_denied(set_up: SetUp) -> None:
    stage = set_up(BOT_OPERATORS="*")
    stage.slack.add(replace(stage.slack.person(MEMBER), deleted=True))

    assert "Denied" in stage.person(MEMBER).asks(TARGET).text


@pytest.mark.parametrize("command", ["/abort wercker:{id}", "/retry wercker:{id}", "/watch *"])
def test_every_mutation_is_decided(stage: Stage, command: str) -> None:
    run = stage.wercker.add_run(SHOP, status="running", age_s=50)
    answer = stage.person(MEMBER).asks(command.format(id=run.id))

    assert "Denied (BOT_OPERATORS)" in answer.text
    assert stage.changes() == []
    assert stage.query("SELECT 1 FROM watches") == []


def test_the_record_stands_before_the_vendor_is_asked(stage: Stage, olivia: Player) -> None:
    stage.break_down("wercker", method="POST", delay_s=0.5)
    card = olivia.asks(f"{TARGET} env.X=secret-value reason=why")
    stage.wait(stage.changes, "the request")

    (row,) = stage.audit()
    assert row["state"] == "accepted"
    assert row["target"] == f"wercker:{SHOP}"
    assert row["text"] == f"/trigger wercker:{SHOP} env.X=••• reason=why"
    olivia.settled(card)
    (row,) = stage.audit()
    assert row["state"] == "done"
    assert row["target"] == f"wercker:{stage.wercker.runs[-1].id}"


def test_too_many_mutations_within_a_minute(stage: Stage, olivia: Player) -> None:
    stage.slack.strict.rate_limit = stage.slack.strict.tier_limits = False
    for number in range(BUDGET):
        olivia.acts(f"{TARGET} b{number}")

    answer = olivia.asks(f"{TARGET} one-more")

    assert "Denied (budget)" in answer.text
    assert len(stage.changes()) == BUDGET
    assert stage.audit()[-1]["rule"] == "budget"
    assert "10 shown" in olivia.asks("/runs").text, "reading goes on"


def test_the_budget_is_each_persons_own(set_up: SetUp) -> None:
    stage = set_up(BOT_OPERATORS=OPERATORS_GROUP)
    stage.slack.strict.rate_limit = stage.slack.strict.tier_limits = False
    olivia, sam = stage.person(), stage.person(SECOND_OPERATOR)
    for number in range(BUDGET + 1):
        olivia.settled(olivia.asks(f"{TARGET} b{number}"))

    assert "— done" in sam.acts(TARGET).text


def test_every_verb_and_way_gives_the_same_denial(stage: Stage) -> None:
    """The same decision: what differs is the verb, and nothing else."""
    max_ = stage.person(MEMBER)
    run = stage.wercker.add_run(SHOP, result="failed", age_s=50)
    texts = [
        max_.asks(f"/{verb} wercker:{run.id}", entry).text.partition("problem:")[2]
        for verb, entry in itertools.product(("retry", "abort"), ("slash", "mention"))
    ]

    assert len({text.replace("abort", "retry").partition("help")[0] for text in texts}) == 1


def _failing(method: str) -> Fault:
    return Fault(path=f"/api/{method}", status=500)
