"""`/runs` when a provider does not answer, or not as it should."""

import re
import time

import pytest

from tests.fakes.stage import SHOP, Player, Stage

HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize("hanging", ["wercker", "debci"])
def test_an_answer_within_three_seconds_though_one_hangs(
    stage: Stage, olivia: Player, hanging: str
) -> None:
    run = stage.wercker.add_run(SHOP, age_s=60)
    other = stage.debci.add_run("hello", age_s=50)
    stage.break_down(hanging, hang=True)
    started = time.monotonic()

    text = olivia.asks("/runs").text

    assert time.monotonic() - started < 3.0
    shown, missing = (f"debci:{other.run_id}", f"wercker:{run.id}")
    if hanging == "debci":
        shown, missing = missing, shown
    assert shown in text
    assert missing not in text
    assert f"no answer from {hanging}" in text


@pytest.mark.parametrize("command", ["/runs providers", "/runs pipelines", "/runs failing"])
def test_every_list_names_who_hangs(stage: Stage, olivia: Player, command: str) -> None:
    stage.break_down("wercker", hang=True)
    started = time.monotonic()

    text = olivia.asks(command).text

    assert time.monotonic() - started < 3.0
    assert "wercker" in text


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"status": 401, "body": b'{"statusCode": 401}'}, "refused the token"),
        ({"status": 500, "body": b"oops"}, ""),
        ({"status": 200, "body": b"<html>hello</html>", "headers": HTML}, "no Wercker API"),
        ({"status": 200, "body": b'{"not": "a list"}'}, "has not the documented form"),
        ({"status": 200, "body": b"\x00\xff"}, ""),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "no Wercker API"),
        ({"drop_before": True}, ""),
    ],
)
def test_a_broken_provider_costs_nobody_else(
    stage: Stage, olivia: Player, fault: dict[str, object], why: str
) -> None:
    other = stage.debci.add_run("hello", age_s=50)
    stage.break_down("wercker", **fault)

    text = olivia.asks("/runs").text

    assert f"debci:{other.run_id}" in text
    assert re.search("no (answer|data) from wercker: ", text)
    assert why in text
    assert "oops" not in text
    assert "hello</html>" not in text


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 403, "body": b"Invalid key\n"},
        {"status": 500, "body": b"<h1>Internal Server Error</h1>"},
        {"status": 200, "body": b"[]"},
    ],
)
def test_a_broken_debci(stage: Stage, olivia: Player, fault: dict[str, object]) -> None:
    run = stage.wercker.add_run(SHOP, age_s=60)
    stage.break_down("debci", **fault)

    text = olivia.asks("/runs").text

    assert f"wercker:{run.id}" in text
    assert re.search("no (answer|data) from debci", text)


def test_what_was_polled_is_shown_with_its_age_when_the_vendor_is_away(stage: Stage) -> None:
    olivia = stage.person()
    olivia.asks("/watch wercker:*")
    run = stage.wercker.add_run(SHOP, age_s=60)
    stage.wait(lambda: stage.query("SELECT 1 FROM runs"), "a polled run")
    stage.break_down("wercker", status=503)
    failed = "SELECT 1 FROM sources WHERE failures > 0"
    stage.wait(lambda: stage.query(failed), "a failed poll")

    text = olivia.asks("/runs provider=wercker").text

    assert f"wercker:{run.id}" in text
    assert "no answer from wercker" in text


def test_a_run_of_a_vendor_that_is_away_is_no_unknown_run(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, age_s=60)
    stage.break_down("wercker", status=500)

    for name in (f"wercker:{run.id}", run.id):
        problem = olivia.asks(f"/runs {name}").text
        assert "no run" not in problem
        assert "Wercker" in problem


def test_a_number_is_asked_back_while_one_of_its_vendors_is_away(
    stage: Stage, olivia: Player
) -> None:
    """A mutation never guesses: the pipeline could be the silent vendor's."""
    stage.break_down("wercker", status=500)

    question = olivia.asks("/trigger unstable/amd64/hello")

    assert "which one?" in question.text
    assert "debci:unstable/amd64/hello" in question.text
    assert stage.changes() == []


def test_a_run_without_its_steps_when_these_do_not_come(stage: Stage, olivia: Player) -> None:
    run = stage.wercker.add_run(SHOP, age_s=60)
    stage.break_down("wercker", path=".*/steps", status=500)

    answer = olivia.asks(f"/runs wercker:{run.id}")

    assert answer.text.startswith(f"✔ passed  wercker:{run.id}")
    assert "⚠" in answer.text


def test_a_provider_that_never_returns_holds_up_nobody(stage: Stage, olivia: Player) -> None:
    """More questions than it has desks: those that wait are let go as well."""
    stage.break_down("wercker", hang=True)
    for _ in range(6):
        olivia.does("/runs provider=wercker")
    started = time.monotonic()

    text = olivia.after(lambda: olivia.does("/runs provider=debci")).text

    assert time.monotonic() - started < 3.0
    assert "debci" in text
