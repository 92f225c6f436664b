"""`/runs`: what people see of the runs of both providers."""

import re

import pytest

from bot.playground.slack.people import BUILDS, MEMBER, OPERATOR
from bot.playground.vendors.debci_model import Outcome
from tests.fakes.stage import CATALOG, ENTRIES, SHOP, Entry, Player, Stage


class Past:
    """Four runs, oldest first: a failed, an errored and a passed one, and one under way."""

    def __init__(self, stage: Stage) -> None:
        failed = stage.wercker.add_run(SHOP, result="failed", age_s=400)
        errored = stage.debci.add_run("hello", outcome=Outcome("tmpfail"), age_s=300)
        passed = stage.wercker.add_run(CATALOG, "topic", age_s=200)
        running = stage.wercker.add_run(SHOP, "topic", status="running", age_s=100)
        self.failed, self.errored = f"wercker:{failed.id}", f"debci:{errored.run_id}"
        self.passed, self.running = f"wercker:{passed.id}", f"wercker:{running.id}"
        self.every = [self.running, self.passed, self.errored, self.failed]


@pytest.fixture
def past(stage: Stage) -> Past:
    return Past(stage)


def refs(text: str) -> list[str]:
    """The runs that a listing shows, in order."""
    return re.findall(r"^\d+\. .*?((?:wercker|debci):\w+)", text, re.MULTILINE)


@pytest.mark.parametrize("entry", ENTRIES)
def test_all_providers_in_one_list_newest_first(olivia: Player, past: Past, entry: Entry) -> None:
    answer = olivia.asks("/runs", entry)

    assert refs(answer.text) == past.every
    assert answer.text.splitlines()[-1] == "4 shown · 4 looked at · oldest data 0 s"
    words = ["● running", "✔ passed", "⚠ error", "✖ failed"]
    for line, word, ref in zip(answer.visible.splitlines(), words, past.every, strict=False):
        assert line[3:].startswith(word)
        assert f"|{ref}>" in line


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_answer_to_a_question_is_for_the_asker_alone(
    stage: Stage, olivia: Player, past: Past, entry: Entry
) -> None:
    del past
    olivia.asks("/runs", entry)

    others = stage.person(MEMBER)
    assert entry == "message" or others.screen() == []


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("failing", "errored failed"),
        ("running", "running"),
        ("mine", ""),
        ("status=passed,failed", "passed failed"),
        ("status!=passed,failed", "running errored"),
        ("status=red", "failed"),
        ("branch=topic", "running passed"),
        ("branch!=topic", "errored failed"),
        ("by=robin-sample", "running passed failed"),
        ("by!=robin-sample", "errored"),
        ("provider=debci", "errored"),
        ("provider!=debci", "running passed failed"),
        ("pipeline=acme/shop/*", "running failed"),
        ("pipeline=wercker:acme/shop/build", "running failed"),
        ("pipeline=wercker:*", "running passed failed"),
        ("pipeline=testing/amd64/hello", "errored"),
        ("since=1d", "running passed errored failed"),
        ("since=10m", ""),
        ("limit=2", "running passed"),
        ("failing branch=main limit=5", "failed"),
        ("status=failed --branch main", "failed"),
    ],
)
def test_views_and_filters(olivia: Player, past: Past, asked: str, shown: str) -> None:
    answer = olivia.asks(f"/runs {asked}")

    assert refs(answer.text) == [getattr(past, name) for name in shown.split()]
    if not shown:
        assert answer.text.startswith("ⓘ no ")
        assert re.search(r"\d looked at; oldest data 0 s", answer.text)


def test_a_name_that_only_one_vendor_has_makes_no_noise_at_the_other(
    olivia: Player, past: Past
) -> None:
    answer = olivia.asks("/runs pipeline=testing/*")

    assert refs(answer.text) == [past.errored]
    assert "no answer" not in answer.text


def test_a_pipeline_that_its_vendor_does_not_have_is_said(olivia: Player) -> None:
    answer = olivia.asks("/runs pipeline=wercker:acme/nothing/build")

    assert "no answer from wercker" in answer.text


def test_mine_are_those_that_i_started(olivia: Player, past: Past) -> None:
    del past
    card = olivia.acts(f"/trigger wercker:{SHOP}")

    assert refs(olivia.asks("/runs mine").text) == re.findall(r"wercker:\w{24}", card.text)


def test_one_run_with_its_steps_and_what_can_be_done(olivia: Player, past: Past) -> None:
    failed = olivia.asks(f"/runs {past.failed}")
    running = olivia.asks(f"/runs {past.running}")

    assert failed.text.startswith(f"✖ failed  {past.failed}  acme/shop/build @main")
    assert "✔ passed  get code" in failed.text
    assert "✖ failed  test" in failed.text
    assert "what failed: test" in failed.text.splitlines()
    assert "by robin-sample" in failed.text
    assert failed.controls == ["Retry", "Open"]
    assert running.controls == ["Abort", "Open"]


def test_one_run_of_a_vendor_without_steps(olivia: Player, past: Past) -> None:
    answer = olivia.asks(f"/runs {past.errored}")

    assert answer.text.startswith(f"⚠ error  {past.errored}  testing/amd64/hello")
    assert answer.controls == ["Retry", "Open"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_line_of_my_last_listing(olivia: Player, past: Past, entry: Entry) -> None:
    olivia.asks("/runs", entry)

    assert past.errored in olivia.asks("/runs #3", entry).text
    assert "#9 is not in your last listing" in olivia.asks("/runs #9", entry).text


def test_a_number_means_nothing_to_somebody_else(stage: Stage, olivia: Player, past: Past) -> None:
    del past
    olivia.asks("/runs")

    answer = stage.person(MEMBER).asks("/runs #1")
    assert "#1 needs a listing of yours in this channel" in answer.text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("{wercker}/acme/shop/runs/build/{id}", "failed"),
        ("{wercker}/acme/shop/runs/build/{id}?step=5fbbfff0237ec900082616df", "failed"),
        ("{debci}/packages/h/hello/testing/amd64/{id}/", "errored"),
        ("wercker:acme/shop/build@last", "running"),
        ("wercker:acme/shop/build@last-failed", "failed"),
        ("wercker:acme/catalog/build@last-green", "passed"),
        ("debci:testing/amd64/hello@last-failed", "errored"),
        ("{id}", "failed"),
        ("{id}", "errored"),
        ("`wercker:{id}`", "failed"),
    ],
)
def test_other_ways_to_name_a_run(
    stage: Stage, olivia: Player, past: Past, typed: str, meant: str
) -> None:
    ref = getattr(past, meant)
    urls = {"wercker": stage.url("wercker"), "debci": stage.url("debci")}

    answer = olivia.asks(f"/runs {typed.format(id=ref.partition(':')[2], **urls)}")

    assert ref in answer.text.splitlines()[0]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("https://elsewhere.example/runs/1", "not a run of a configured provider"),
        ("wercker:1", "not a run id of Wercker"),
        ("wercker:577a4dbc3ec144923a02b6f9", "no run wercker:577a4dbc3ec144923a02b6f9"),
        ("debci:4711", "no run debci:4711"),
        ("4711", 'no configured provider knows a run "4711"'),
        ("wercker:acme/catalog/build@last-failed", "no such run"),
        ("nightly@lats", "comes last, last-failed or last-green"),
        ('branch="x', "quote"),
        ("status=nope", "nope"),
        ("limit=many", "limit"),
        ("since=soon", '"soon" is not a duration'),
        ("brnch=main", "brnch"),
    ],
)
def test_what_cannot_be_read_is_said_in_four_parts(
    olivia: Player, past: Past, typed: str, problem: str
) -> None:
    del past
    lines = olivia.asks(f"/runs {typed}").text.splitlines()

    assert lines[0].startswith("✖ I read:")
    assert lines[1].startswith("  problem:")
    assert problem in lines[1]


@pytest.mark.parametrize(
    "ref", ["wercker:../../x", "wercker:..", "wercker:a%2f..", "wercker:x?y#z", "debci:1/../2"]
)
def test_a_path_out_of_its_place_reaches_no_vendor(stage: Stage, olivia: Player, ref: str) -> None:
    for command in (f"/runs {ref}", f"/abort {ref}", f"/retry {ref}", f"/trigger {ref}"):
        olivia.settled(olivia.asks(command))

    sent = [r.path for name in ("wercker", "debci") for r in stage.faults(name).received]
    assert not [path for path in sent if ".." in path or "%2e" in path.lower()]
    assert stage.changes() == []


def test_a_misspelt_provider_is_corrected_in_its_place(
    stage: Stage, olivia: Player, past: Past
) -> None:
    run_id = past.failed.partition(":")[2]
    problem = olivia.asks(f"/runs werker:{run_id} steps")

    assert f"/runs {past.failed} steps" in problem.text
    answer = olivia.press_answer(problem, "wercker")
    assert past.failed in answer.text
    assert "1. ✔ passed  get code" in answer.text
    assert stage.changes() == []


def test_a_pipeline_that_may_be_in_two_places_is_asked_back(olivia: Player, past: Past) -> None:
    question = olivia.asks("/runs acme/shop/build@last-failed")

    assert question.controls == ["wercker:acme/shop/build", "debci:acme/shop/build"]
    answer = olivia.press_answer(question, "wercker:acme/shop/build")
    assert past.failed in answer.text.splitlines()[0]


def test_the_log_of_the_first_failed_step(olivia: Player, past: Past) -> None:
    answer = olivia.asks(f"/runs {past.failed} log")

    assert f"log of {past.failed}: test, 14 lines" in answer.text
    assert "AssertionError: Decimal('41.90')" in answer.visible


@pytest.mark.parametrize(
    ("step", "head"),
    [('"setup environment" 2', "setup environment, last 2 lines"), ("test 1", "last 1 line")],
)
def test_the_end_of_the_log_of_a_step(olivia: Player, past: Past, step: str, head: str) -> None:
    assert head in olivia.asks(f"/runs {past.failed} log {step}").text


def test_the_log_of_a_debci_run(olivia: Player, past: Past) -> None:
    answer = olivia.asks(f"/runs {past.errored} log 3")

    assert f"log of {past.errored}" in answer.text
    assert "autopkgtest: finished" in answer.text


def test_steps_and_what_a_vendor_has_instead_of_them(olivia: Player, past: Past) -> None:
    assert "5. ✖ failed  test" in olivia.asks(f"/runs {past.failed} steps").text
    assert "debci tells no steps" in olivia.asks(f"/runs {past.errored} steps").text
    assert "Wercker knows steps, not tests" in olivia.asks(f"/runs {past.failed} tests").text


def test_providers(olivia: Player) -> None:
    text = olivia.asks("/runs providers").text

    assert "✔ reachable  wercker  Wercker · as robin-sample" in text
    assert "✔ reachable  debci  debci · as ci-bot" in text
    assert "debci has no abort" in text


def test_pipelines(olivia: Player, past: Past) -> None:
    del past
    every = olivia.asks("/runs pipelines").text
    some = olivia.asks("/runs pipelines acme/s*").text

    assert re.findall(r"^(?:wercker|debci):\S+", every, re.MULTILINE) == [
        "debci:testing/amd64/hello",
        "wercker:acme/catalog/build",
        "wercker:acme/shop/build",
        "wercker:acme/shop/deploy",
    ]
    assert "2 pipelines like" in some
    assert "catalog" not in some


@pytest.mark.parametrize("entry", ["slash", "mention"])
def test_share_shows_it_to_the_channel(
    stage: Stage, olivia: Player, past: Past, entry: Entry
) -> None:
    olivia.asks("/runs failing share", entry)

    (seen,) = stage.person(MEMBER).screen()
    assert refs(seen.text) == [past.errored, past.failed]


def test_share_where_the_bot_is_no_member(stage: Stage, past: Past) -> None:
    """A public channel takes posts from bots that were never invited."""
    stage.person(OPERATOR, "C0GENERAL1").asks("/runs failing share")

    (seen,) = stage.person(MEMBER, "C0GENERAL1").screen()
    assert refs(seen.text) == [past.errored, past.failed]


def test_a_private_run_is_not_shared(stage: Stage, olivia: Player) -> None:
    secret = stage.debci.add_run("hidden", is_private=True, age_s=60)

    assert f"debci:{secret.run_id}" in olivia.asks("/runs").text
    assert "private" in olivia.asks(f"/runs debci:{secret.run_id} share").text
    olivia.asks("/runs share")
    assert all("hidden" not in m.text for m in stage.slack.messages(BUILDS))


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("topic", ["runs", "trigger", "abort", "retry", "watch"])
def test_help(stage: Stage, olivia: Player, entry: Entry, topic: str) -> None:
    answer = olivia.asks(f"/{topic} help", entry)

    assert f"help for /{topic}" in answer.text
    assert stage.faults("wercker").received == []
    if topic == "trigger":
        assert "sourceRunId=" in answer.text
        assert "pin-packages=" in answer.text


def test_the_bot_says_what_it_can_when_it_is_only_mentioned(olivia: Player) -> None:
    assert "help for /runs" in olivia.asks("", "mention").text


def test_a_word_that_is_no_command(olivia: Player) -> None:
    assert '"deploy" is not a command' in olivia.asks("deploy everything", "message").text


def test_a_slash_command_that_is_not_ours(stage: Stage, olivia: Player) -> None:
    """Slack sends it when somebody added it to the app by hand."""
    outcome = stage.slack.slash(OPERATOR, BUILDS, "/deploy now")

    assert outcome.acked
    assert olivia.screen()[-1].text == "I know /runs, /trigger, /abort, /retry, /watch."
