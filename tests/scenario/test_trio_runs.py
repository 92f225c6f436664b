"""`/runs` with Testery, env0 and Allure TestOps, and one list over all five services."""

import base64
import json
import re
import time

import pytest

from tests.fakes.stage import SHOP
from tests.fakes.trio import (
    ALLURE_TOKEN,
    ENV0_KEY_ID,
    ENV0_KEY_SECRET,
    INSTANCES,
    RED,
    TESTERY_TOKEN,
    Quintet,
    Trio,
    open_quintet,
    open_trio,
)

REF = re.compile(r"^\d+\. .*?((?:wercker|debci|testery|env0|allure):[\w-]+)", re.MULTILINE)
PLACES = {"testery": "checkout/staging @main", "env0": "vpc @main", "allure": "37/web-regression"}
FIRST_TESTS = {
    "testery": "✖ failed  test_refund · 0.6 s · AssertionError: test_refund: expected 200, got 503",
    "env0": "✖ failed  tests/subnets.tftest.hcl",
    "allure": "✖ failed  Login · 2.2 s · AssertionError: Login: expected 200, got 503",
}
COUNTS = {"testery": "1 of 5 failed", "env0": "1 of 4 failed", "allure": "1 of 5 failed"}

trio = pytest.fixture(open_trio)
quintet = pytest.fixture(open_quintet)


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_list_newest_first(trio: Trio, instance: str) -> None:
    old = trio.adds(instance, **RED[instance])
    new = trio.adds(instance, age_s=50)
    text = trio.person().asks(f"/runs provider={instance}").text

    assert REF.findall(text) == [new, old]
    running, failed = text.splitlines()[1:3]
    assert running.startswith("1. ● running")
    assert failed.startswith(f"2. ✖ failed  {old}")
    assert f"{PLACES[instance]} · {COUNTS[instance]}" in failed


@pytest.mark.parametrize("instance", INSTANCES)
def test_one_run_with_what_failed_in_it(trio: Trio, instance: str) -> None:
    failed, going = trio.adds(instance, **RED[instance]), trio.adds(instance, age_s=50)
    shown = trio.person().asks(f"/runs {failed}")
    other = trio.person().asks(f"/runs {going}")

    assert shown.text.startswith(f"✖ failed  {failed}  {PLACES[instance]} · {COUNTS[instance]}")
    assert FIRST_TESTS[instance] in shown.text.splitlines()
    assert shown.controls == ["Retry", "Open"]
    assert other.text.startswith(f"● running  {going}")
    assert other.controls == ["Abort", "Open"]


@pytest.mark.parametrize(
    ("instance", "count"), [("testery", "5 tests"), ("env0", "2 tests"), ("allure", "1 test")]
)
def test_tests(trio: Trio, instance: str, count: str) -> None:
    lines = trio.person().asks(f"/runs {trio.adds(instance, **RED[instance])} tests").text

    assert lines.splitlines()[1].startswith(FIRST_TESTS[instance])
    assert lines.splitlines()[-1] == count


@pytest.mark.parametrize(
    ("instance", "words"),
    [
        ("testery", "problem:  Testery knows tests, not steps: see the tests of the run."),
        ("env0", "3. ✖ failed  opentofu:test · 22 s\n4. ○ queued  cleanup"),
        ("allure", "1. ✖ failed  web-regression · 34 s"),
    ],
)
def test_steps(trio: Trio, instance: str, words: str) -> None:
    ref = trio.adds(instance, **RED[instance])

    assert words in trio.person().asks(f"/runs {ref} steps").text


@pytest.mark.parametrize(
    ("instance", "words"),
    [
        ("testery", "Testery gives no log of a run: its tests link to their consoles."),
        ("env0", ": opentofu:test, 6 lines"),
        ("allure", "Allure TestOps keeps results, not logs: the steps of a run name the CI"),
    ],
)
def test_log(trio: Trio, instance: str, words: str) -> None:
    ref = trio.adds(instance, **RED[instance])

    assert words in trio.person().asks(f"/runs {ref} log").text


def test_the_log_of_a_step_of_env0_without_colours(trio: Trio) -> None:
    ref = trio.adds("env0", **RED["env0"])
    text = trio.person().asks(f"/runs {ref} log opentofu:test 2").visible

    assert ": opentofu:test, last 2 lines" in text
    assert "Error: Test failed" in text
    assert "Running opentofu:test" not in text
    assert "\x1b" not in text


def pages(trio: Trio) -> dict[str, tuple[str, str]]:
    """A run of each service, and the page of it."""
    for instance in INSTANCES:
        trio.adds(instance, **RED[instance])
    testery, env0, allure = trio.testery.runs[-1], trio.env0.runs[-1], trio.allure.runs[-1]
    project = trio.env0.project_id(env0.module.organization_id)
    environment = env0.module.environment_id
    below = f"/p/{project}/environments/{environment}/deployments/{env0.deployment_id}"
    return {
        "testery": (f"testery:{testery.id}", f"{trio.url('testery')}/acme/test-runs/{testery.id}"),
        "env0": (f"env0:{env0.id}", f"{trio.url('env0')}{below}"),
        "allure": (f"allure:{allure.id}", f"{trio.url('allure')}/launch/{allure.id}"),
    }


@pytest.mark.parametrize("more", ["", "/", "/tests/1"])
@pytest.mark.parametrize("instance", INSTANCES)
def test_a_pasted_page(trio: Trio, instance: str, more: str) -> None:
    ref, page = pages(trio)[instance]
    shown = trio.person().asks(f"/runs {page}{more}")

    assert shown.text.startswith(f"✖ failed  {ref} ")
    assert f"<{page}|{ref}>" in shown.visible


def test_an_unknown_run_is_said(trio: Trio) -> None:
    olivia = trio.person()
    nobody = "00000000-0000-4000-8000-000000000000"
    for ref in ("testery:1", f"env0:{nobody}"):
        assert f"no run {ref}" in olivia.asks(f"/runs {ref}").text
    assert "not found, or no access for this token" in olivia.asks("/runs allure:1").text


def test_providers_tell_what_they_cannot_do(trio: Trio) -> None:
    text = trio.person().asks("/runs providers").text

    assert "✔ reachable  testery  Testery · as Acme Inc (acme)" in text
    assert "✔ reachable  env0  env0 · as Acme" in text
    assert "✔ reachable  allure  Allure TestOps · as dana" in text
    assert "Abort closes the launch and freezes its results." in text
    assert "retry (as a new run)" in text


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_gateway_that_repeats_our_credentials(trio: Trio, instance: str) -> None:
    """Nor is any secret of an answer shown: the stage looks for them at the end."""
    ref = trio.adds(instance, **RED[instance])
    olivia = trio.person()
    olivia.asks(f"/runs {ref}")
    held = {
        "testery": [TESTERY_TOKEN],
        "env0": [base64.b64encode(f"{ENV0_KEY_ID}:{ENV0_KEY_SECRET}".encode()).decode()],
        "allure": [ALLURE_TOKEN, *trio.allure.tokens],
    }[instance]
    body = json.dumps({"message": f"refused header: {' '.join(held)}"}).encode()
    trio.break_down(instance, status=403, body=body)

    for command in (f"/runs {ref}", "/runs", "/runs providers"):
        assert instance in olivia.asks(command).text
    assert olivia.acts(f"/retry {ref}").text.startswith("✖")


class Everything:
    """Six runs, newest first: each service once, and a red one of Testery."""

    def __init__(self, stage: Quintet) -> None:
        self.red = stage.adds("testery", age_s=600, **RED["testery"])
        self.allure = stage.adds("allure", "passed", age_s=500)
        self.debci = f"debci:{stage.debci.add_run('hello', age_s=400).run_id}"
        self.env0 = stage.adds("env0", age_s=300, status="TIMEOUT", revision="topic")
        wercker = stage.wercker.add_run(SHOP, "topic", result="failed", age_s=200)
        self.wercker = f"wercker:{wercker.id}"
        self.testery = stage.adds("testery", age_s=100)
        self.every = ["testery", "wercker", "env0", "debci", "allure", "red"]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("", "testery wercker env0 debci allure red"),
        ("failing", "wercker env0 red"),
        ("status=failed", "wercker red"),
        ("status=running", "testery"),
        ("branch=topic", "wercker env0"),
        ("branch=main status=failed", "red"),
        ('by="Sam Sample"', "env0"),
        ("by=robin-sample", "wercker"),
        ("env=staging", "testery red"),
        ("since=7m", "testery wercker env0 debci"),
        ("provider=allure,env0", "env0 allure"),
        ("limit=3", "testery wercker env0"),
    ],
)
def test_one_list_over_five_services(quintet: Quintet, asked: str, shown: str) -> None:
    past = Everything(quintet)
    text = quintet.person().asks(f"/runs {asked}").text

    assert REF.findall(text) == [getattr(past, name) for name in shown.split()]
    assert "no answer" not in text


@pytest.mark.parametrize("hanging", ["testery", "env0", "allure"])
def test_one_that_hangs_is_named_while_the_others_show(quintet: Quintet, hanging: str) -> None:
    past = Everything(quintet)
    quintet.break_down(hanging, hang=True)
    started = time.monotonic()
    text = quintet.person().asks("/runs").text

    assert time.monotonic() - started < 3.0
    assert f"no answer from {hanging}" in text
    others = [getattr(past, name) for name in past.every]
    assert REF.findall(text) == [ref for ref in others if not ref.startswith(hanging)]
