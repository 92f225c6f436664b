"""`/trigger`, `/abort` and `/retry` with Testery, env0 and Allure TestOps."""

import json
from typing import Any

import pytest

from bot.playground.slack.people import OPERATOR
from tests.fakes.trio import CHECKOUT, INSTANCES, RED, VPC, WEB, Trio, open_trio

TYPED = "canary-that-was-typed"
TARGETS = {"testery": f"testery:{CHECKOUT}", "env0": f"env0:{VPC}", "allure": f"allure:37/{WEB}"}
CLOSED = "The launch was closed; a build that its CI has begun goes on there."

trio = pytest.fixture(open_trio)


def sent(trio: Trio) -> list[tuple[str, str, Any]]:
    """Every change so far: method, path and body."""
    return [(r.method, r.path, json.loads(r.body or b"null")) for r in trio.changes()]


# /trigger


def test_the_parameters_of_testery_arrive_as_typed(trio: Trio) -> None:
    card = trio.person().acts(
        f"/trigger {TARGETS['testery']} main ref=c0ffee includeTags=smoke,login testFilters=a.* "
        f"testSuiteId=Full runners=3 latestDeploy=true variables=A=b=c,secure:K={TYPED} "
        f"env.DB={TYPED}"
    )

    ((method, path, body),) = sent(trio)
    assert (method, path) == ("POST", "/api/test-run-requests-build")
    assert body == {
        "project": "checkout",
        "environment": "staging",
        "branch": "main",
        "ref": "c0ffee",
        "includeTags": ["smoke", "login"],
        "testFilters": ["Regex: a.*"],
        "testSuiteId": 1231,
        "runners": 3,
        "latestDeploy": True,
        "variables": [
            {"key": "A", "value": "b=c", "encrypted": False},
            {"key": "K", "value": TYPED, "encrypted": True},
            {"key": "DB", "value": TYPED, "encrypted": False},
        ],
    }
    assert f"○ queued  testery:{trio.testery.runs[-1].id}  {CHECKOUT} @main" in card.text
    assert card.controls == ["Abort", "Open"]


def test_an_environment_of_testery_as_a_parameter(trio: Trio) -> None:
    olivia = trio.person()
    needed = olivia.acts("/trigger testery:checkout")
    assert "needs an environment to run in" in needed.text
    assert "staging, qa" in needed.text
    assert sent(trio) == []

    olivia.acts("/trigger testery:checkout environment=qa")
    assert sent(trio)[0][2] == {"project": "checkout", "environment": "qa"}


def test_the_parameters_of_env0_arrive_as_typed(trio: Trio) -> None:
    trio.adds("env0", "SUCCESS")
    card = trio.person().acts(f"/trigger {TARGETS['env0']} topic comment='new subnets'")

    ((method, path, body),) = sent(trio)
    environment = trio.env0.module(VPC).environment_id
    assert (method, path) == ("POST", f"/environments/{environment}/deployments")
    remark = body.pop("comment")
    assert body == {
        "deploymentType": "moduleTest",
        "blueprintRevision": "topic",
        "triggerName": "user",
    }
    assert remark.startswith(f"new subnets: requested from chat by {OPERATOR} (")
    assert f"○ queued  env0:{trio.env0.runs[-1].id}  {VPC} @topic" in card.text


def test_env0_starts_only_what_it_can(trio: Trio) -> None:
    olivia = trio.person()

    assert "no test run yet" in olivia.acts(f"/trigger {TARGETS['env0']}").text
    assert "are off in env0; nothing was sent" in olivia.acts("/trigger env0:dns").text
    assert sent(trio) == []


def test_the_parameters_of_allure_arrive_as_typed(trio: Trio) -> None:
    number = next(iter(trio.job.parameters))
    card = trio.person().acts(
        f"/trigger {TARGETS['allure']} launchName='Smoke main' tags=smoke,nightly "
        f"links=https://example.com/1 parameters={number}=firefox env.STAND={TYPED}"
    )

    ((method, path, body),) = sent(trio)
    assert (method, path) == ("POST", f"/api/job/{trio.job.id}/run")
    assert body == {
        "launchName": "Smoke main",
        "tags": [{"name": "smoke"}, {"name": "nightly"}],
        "links": [{"url": "https://example.com/1"}],
        "parameters": [{"id": number, "value": "firefox"}],
        "envVarValueSets": [{"values": [{"name": TYPED, "variable": {"name": "STAND"}}]}],
    }
    assert f"○ queued  allure:{trio.allure.runs[-1].id}  37/{WEB}" in card.text


def test_a_test_plan_of_allure(trio: Trio) -> None:
    trio.person().acts(f"/trigger allure:37 testPlanId={trio.plan}")

    ((method, path, body),) = sent(trio)
    assert (method, path) == ("POST", f"/api/testplan/{trio.plan}/run")
    assert body == {"launchName": f"test plan {trio.plan} requested from chat"}


@pytest.mark.parametrize(
    ("instance", "typed", "problem"),
    [
        ("testery", "brnch=x", 'Testery has no parameter "brnch". Did you mean branch?'),
        ("testery", "runners=0", "runners: "),
        ("testery", "environment=qa", "differ: give one"),
        ("testery", "testSuiteId=Nothing", "suite"),
        ("env0", "brnch=x", 'env0 has no parameter "brnch".'),
        ("env0", f"env.X={TYPED}", "env0 takes no env.NAME=value."),
        ("allure", "tgs=x", 'Allure TestOps has no parameter "tgs". Did you mean tags?'),
        ("allure", "main", 'Allure TestOps takes no bare word; what is "main"?'),
        ("allure", "parameters=99=x", "The job has no parameter 99; it has: 140 (now chrome)"),
        ("allure", "links=ftp://x", "links: "),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_sent(
    trio: Trio, instance: str, typed: str, problem: str
) -> None:
    answer = trio.person().acts(f"/trigger {TARGETS[instance]} {typed}")

    assert answer.text.startswith("✖")
    assert problem in answer.text
    assert sent(trio) == []


@pytest.mark.parametrize(
    ("instance", "typed", "shown"),
    [
        ("testery", f"main env.X={TYPED}", ["branch = main  (typed)", "env.X = •••  (typed)"]),
        ("testery", f"variables=X={TYPED}", ["variables = "]),
        ("env0", "topic", ["blueprintRevision = topic  (typed)"]),
        ("allure", "tags=smoke", ["tags = smoke  (typed)"]),
    ],
)
def test_a_dry_run_sends_nothing(trio: Trio, instance: str, typed: str, shown: list[str]) -> None:
    trio.adds("env0", "SUCCESS")
    text = trio.person().asks(f"/trigger {TARGETS[instance]} {typed} dry").text

    assert all(words in text for words in shown)
    assert text.splitlines()[-1] == "Nothing was sent."
    assert TYPED not in trio.posted()
    assert sent(trio) == []


# /abort


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_run_under_way_is_stopped_as_the_vendor_can(trio: Trio, instance: str) -> None:
    ref = trio.adds(instance, age_s=50)
    run_id = ref.partition(":")[2]
    card = trio.person().acts(f"/abort {ref} wrong branch")

    deployment = trio.env0.runs[-1].deployment_id if instance == "env0" else ""
    assert (
        sent(trio)
        == {
            "testery": [("PATCH", f"/api/test-runs/{run_id}", {"status": "CANCELED"})],
            "env0": [("POST", f"/environments/deployments/{deployment}/abort", {})],
            "allure": [("POST", f"/api/launch/{run_id}/close", None)],
        }[instance]
    )
    assert "wrong branch" in card.text
    if instance == "testery":
        assert card.text.startswith(f"⊘ aborted  {ref}  {CHECKOUT} @main after ")
    else:
        assert card.text.startswith(f"✔ <@{OPERATOR}> asked to abort {ref} — done")
    assert (CLOSED in card.text) is (instance == "allure")


def test_a_waiting_test_of_env0_is_cancelled(trio: Trio) -> None:
    ref = trio.adds("env0", age_s=1)
    card = trio.person().acts(f"/abort {ref}")

    deployment = trio.env0.runs[-1].deployment_id
    assert sent(trio) == [("PUT", f"/environments/deployments/{deployment}/cancel", None)]
    assert card.text.startswith(f"⊘ aborted  {ref}")


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_run_that_is_over_stays_as_it_is(trio: Trio, instance: str) -> None:
    ref = trio.adds(instance, **RED[instance])
    answer = trio.person().asks(f"/abort {ref}")

    assert f"{ref} is already over: failed" in answer.text
    assert "Nothing was sent." in answer.text
    assert sent(trio) == []


# /retry


@pytest.mark.parametrize("kind", ["new", "same"])
def test_testery_repeats_under_a_new_id_or_its_own(trio: Trio, kind: str) -> None:
    ref = trio.adds("testery", **RED["testery"])
    trio.testery.quirks.rerun = kind
    card = trio.person().acts(f"/retry {ref}")

    assert sent(trio) == [("POST", f"/api/test-runs/{ref.partition(':')[2]}/rerun", {})]
    now = f"testery:{trio.testery.runs[-1].id}"
    assert (now == ref) is (kind == "same")
    assert card.text.startswith(f"✔ <@{OPERATOR}> asked to retry {ref} — done")
    assert f"○ queued  {now}  {CHECKOUT} @main" in card.text
    assert "This is a new run" not in card.text


def test_a_testery_without_reruns_starts_a_new_run_and_says_what_was_lost(trio: Trio) -> None:
    ref = trio.adds(
        "testery",
        **RED["testery"],
        ref="c0ffee",
        includeTags=["smoke"],
        variables=[{"key": "PASS", "value": TYPED, "encrypted": False}],
    )
    trio.testery.quirks.rerun = "absent"
    card = trio.person().acts(f"/retry {ref}")

    _, (method, path, body) = sent(trio)
    assert (method, path) == ("POST", "/api/test-run-requests-build")
    assert body == {
        "project": "checkout",
        "environment": "staging",
        "branch": "main",
        "ref": "c0ffee",
        "includeTags": ["smoke"],
        "copies": 1,
    }
    assert f"○ queued  testery:{trio.testery.runs[-1].id}" in card.text
    assert "It does not tell variables, deploy, Playwright project and status name" in card.text


def test_testery_with_other_values_is_a_new_run(trio: Trio) -> None:
    ref = trio.adds("testery", **RED["testery"], ref="c0ffee")
    card = trio.person().acts(f"/retry {ref} branch=topic env.PASS={TYPED}")

    ((_, path, body),) = sent(trio)
    assert path == "/api/test-run-requests-build"
    assert (body["branch"], "ref" in body) == ("topic", False)
    assert body["variables"] == [{"key": "PASS", "value": TYPED, "encrypted": False}]
    assert "except for those that were typed now" in card.text


def test_env0_starts_the_same_revision_in_the_same_place(trio: Trio) -> None:
    ref = trio.adds("env0", **RED["env0"], revision="c0ffee", pr_number="481")
    card = trio.person().acts(f"/retry {ref}")

    ((_, path, body),) = sent(trio)
    assert path == f"/environments/{trio.env0.module(VPC).environment_id}/deployments"
    assert body["blueprintRevision"] == "c0ffee"
    assert f"○ queued  env0:{trio.env0.runs[-1].id}" in card.text
    assert "not tied to pull request #481 any more" in card.text


@pytest.mark.parametrize(
    ("scope", "body"),
    [("", {}), (" all", {}), (" failed", {"rql": 'status in ["failed", "broken", "unknown"]'})],
)
def test_allure_repeats_in_the_same_launch(trio: Trio, scope: str, body: object) -> None:
    ref = trio.adds("allure", **RED["allure"])
    launch = trio.allure.runs[-1]
    card = trio.person().acts(f"/retry {ref}{scope}")

    assert sent(trio) == [
        ("POST", f"/api/launch/{launch.id}/reopen", None),
        ("POST", f"/api/jobrun/{launch.job_runs[0].id}/rerun", body),
    ]
    assert f"{ref}  37/{WEB}" in card.text
    assert f"The launch was reopened. Reruns accepted: {WEB}." in card.text
    assert trio.allure.uploads == []


def test_allure_with_nothing_red_to_repeat(trio: Trio) -> None:
    ref = trio.adds("allure", "passed")
    card = trio.person().acts(f"/retry {ref} failed")

    assert "no failed, broken or unknown result to repeat" in card.text
    assert sent(trio) == []


@pytest.mark.parametrize("instance", ["testery", "env0"])
def test_a_part_cannot_be_repeated_and_all_of_it_is_offered(trio: Trio, instance: str) -> None:
    ref = trio.adds(instance, **RED[instance])
    answer = trio.person().asks(f"/retry {ref} failed")

    assert "cannot repeat a part of a run" in answer.text
    assert answer.controls == [f"/retry {ref}"]
    assert sent(trio) == []


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_run_that_is_not_over_is_not_repeated(trio: Trio, instance: str) -> None:
    ref = trio.adds(instance, age_s=50)
    answer = trio.person().asks(f"/retry {ref}")

    assert f"{ref} is not over yet: running. Nothing was sent." in answer.text
    assert sent(trio) == []


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_dry_retry_sends_nothing(trio: Trio, instance: str) -> None:
    ref = trio.adds(instance, **RED[instance])
    text = trio.person().asks(f"/retry {ref} dry").text

    assert f"run = {ref}" in text
    assert text.splitlines()[-1] == "Nothing was sent."
    assert sent(trio) == []


@pytest.mark.parametrize("instance", INSTANCES)
def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(trio: Trio, instance: str) -> None:
    trio.adds("env0", "SUCCESS")
    trio.break_down(instance, method="POST", path=".*(build|deployments|/run)", drop_after=True)
    card = trio.person().acts(f"/trigger {TARGETS[instance]}")

    assert "— unknown" in card.text
    assert len(sent(trio)) == 1
