"""The Allure TestOps stand-in: jobs, starting and repeating, results, the table of statuses."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.playground.vendors.allure_model import Launch
from bot.playground.vendors.course import Outcome
from tests.fakes.allure_stage import AllureStage
from tests.fakes.likeness import differences, recorded

RED = Outcome("failed", run_s=100, queue_s=10, failed=("Login",), broken=("Refund to voucher",))
GREEN = Outcome("passed", run_s=100, queue_s=10)
ONLY_RED = {"rql": 'status in ["failed", "broken", "unknown"]'}
CASES = recorded("allure-testops", "status-cases")


@pytest.fixture
def stage() -> Iterator[AllureStage]:
    with AllureStage.open() as made:
        yield made


def like(reply: Any, name: str) -> list[str]:
    return differences(reply, recorded("allure-testops", name))


def finished(stage: AllureStage, outcome: Outcome = RED) -> Launch:
    launch = stage.allure.add_run("web-regression", outcome)
    stage.clock.advance(200)
    return launch


def test_jobs_look_as_recorded(stage: AllureStage) -> None:
    jobs = stage.get(f"/job?projectId={stage.project}")
    assert like(jobs, "jobs-page") == []
    assert [job["name"] for job in jobs["content"]] == ["web-regression", "payments-api"]
    assert like(stage.get(f"/job/{stage.web.id}"), "job") == []
    suggested = stage.get(f"/job/suggest?projectId={stage.project}&query=REGR")
    assert like(suggested, "job-suggest-page") == []
    assert [job["id"] for job in suggested["content"]] == [stage.web.id]
    assert stage.send("GET", "/api/job/1").status_code == 404


def test_a_job_by_its_external_id(stage: AllureStage) -> None:
    job = stage.allure.add_job(stage.project, "nightly", external_id="acme/nightly")
    path = f"/job?projectId={stage.project}&externalId="
    assert stage.get(f"{path}acme/nightly")["id"] == job.id
    assert stage.send("GET", f"/api{path}nope").status_code == 404


def test_a_started_job_answers_202_with_a_scheduled_launch(stage: AllureStage) -> None:
    body = recorded("allure-testops", "job-run-request")
    body["parameters"] = [{"id": min(stage.web.parameters), "value": "firefox"}]
    reply = stage.post(f"/job/{stage.web.id}/run", body)
    assert reply.status_code == 202
    assert like(reply.json(), "job-run-response-202") == []
    assert (reply.json()["external"], reply.json()["autoclose"]) == (False, True)
    assert stage.job_states(reply.json()["id"]) == [("scheduled", None)]


def test_a_started_job_takes_the_scripted_outcome(stage: AllureStage) -> None:
    stage.allure.script(RED, pipeline="web-regression")
    launches = [_start(stage, job) for job in (stage.api.id, stage.web.id)]
    stage.clock.advance(200)
    assert [stage.job_states(x) for x in launches] == [
        [("finished", "passed")],
        [("finished", "failed")],
    ]


def _start(stage: AllureStage, job_id: int) -> int:
    return int(stage.post(f"/job/{job_id}/run", {"launchName": "x"}).json()["id"])


def test_environment_values_of_a_new_launch(stage: AllureStage) -> None:
    values = [{"name": "main", "variable": {"name": "Branch"}}]
    body = {"launchName": "x", "envVarValueSets": [{"values": values}]}
    launch = stage.post(f"/job/{stage.web.id}/run", body).json()["id"]
    shown = stage.get(f"/launch/{launch}/env")
    assert [(v["variable"]["name"], v["name"]) for v in shown] == [("Branch", "main")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"launchName": ""},
        {"launchName": "x" * 256},
        {"launchName": "x", "tags": ["chat-ops"]},
        {"launchName": "x", "tags": [{}]},
        {"launchName": "x", "parameters": [{"id": 1, "value": "firefox"}]},
        {"launchName": "x", "parameters": [{"name": "browser", "value": "firefox"}]},
        {"launchName": "x", "projectId": 37},
        [],
    ],
)
def test_refused_bodies(stage: AllureStage, body: Any) -> None:
    assert stage.post(f"/job/{stage.web.id}/run", body).status_code == 400
    assert stage.allure.launches == []


def test_a_one_way_job_cannot_be_started(stage: AllureStage) -> None:
    job = stage.allure.add_job(stage.project, "one-way", runnable=False)
    reply = stage.post(f"/job/{job.id}/run", {"launchName": "x"})
    assert (reply.status_code, reply.json()["status"]) == (400, 400)


def test_a_test_plan_answers_200_and_starts_its_jobs(stage: AllureStage) -> None:
    plan = stage.allure.add_test_plan(stage.project, stage.web, stage.api)
    body = recorded("allure-testops", "testplan-run-request")
    reply = stage.post(f"/testplan/{plan}/run", body)
    assert reply.status_code == 200
    assert like(reply.json(), "job-run-response-202") == []
    assert stage.job_states(reply.json()["id"]) == [("scheduled", None)] * 2
    assert stage.post(f"/testplan/{plan}/run", body | {"parameters": []}).status_code == 400
    assert stage.post("/testplan/1/run", body).status_code == 404


def test_a_job_run_looks_as_recorded(stage: AllureStage) -> None:
    launch = finished(stage)
    assert like(stage.get(f"/jobrun/{launch.job_runs[0].id}"), "jobrun") == []
    assert stage.send("GET", "/api/jobrun/1").status_code == 404


def rerun(stage: AllureStage, launch: Launch, body: Any) -> requests.Response:
    return stage.post(f"/jobrun/{launch.job_runs[0].id}/rerun", body)


def reopen(stage: AllureStage, launch: Launch) -> None:
    stage.post(f"/launch/{launch.id}/reopen")
    stage.clock.advance(3)


def test_a_rerun_needs_an_open_launch(stage: AllureStage) -> None:
    launch = finished(stage)
    refused = rerun(stage, launch, ONLY_RED)
    assert refused.status_code == 409
    assert "launch is closed" in refused.json()["message"].lower()
    reopen(stage, launch)
    accepted = rerun(stage, launch, recorded("allure-testops", "jobrun-rerun-request"))
    assert (accepted.status_code, accepted.content) == (202, b"")


def test_a_rerun_of_what_is_red_moves_the_launch_again(stage: AllureStage) -> None:
    launch = finished(stage)
    reopen(stage, launch)
    rerun(stage, launch, ONLY_RED)
    assert stage.job_states(launch.id) == [("finished", "failed"), ("scheduled", None)]
    assert stage.counts(launch.id) == {"passed": 3, "failed": 1, "broken": 1}
    assert [check.name for check in launch.job_runs[-1].checks()] == ["Refund to voucher", "Login"]
    stage.clock.advance(200)
    assert stage.counts(launch.id) == {"passed": 5}
    assert stage.is_closed(launch.id)


def test_a_rerun_can_fail_again(stage: AllureStage) -> None:
    launch = finished(stage)
    reopen(stage, launch)
    stage.allure.script(Outcome("failed", failed=("Login",)))
    rerun(stage, launch, ONLY_RED)
    stage.clock.advance(200)
    assert stage.counts(launch.id) == {"passed": 4, "failed": 1}


def test_a_rerun_without_a_query_repeats_everything(stage: AllureStage) -> None:
    launch = finished(stage)
    reopen(stage, launch)
    assert rerun(stage, launch, {}).status_code == 202
    assert len(launch.job_runs[-1].checks()) == 5


@pytest.mark.parametrize(
    "body",
    [None, [], {"query": "x"}, {"rql": "status in [failed]"}, {"rql": "status in 'failed'"}],
)
def test_refused_reruns(stage: AllureStage, body: Any) -> None:
    launch = finished(stage)
    reopen(stage, launch)
    assert rerun(stage, launch, body).status_code == 400
    assert len(launch.job_runs) == 1


def test_a_moving_job_run_is_not_repeated(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", RED)
    assert rerun(stage, launch, {}).status_code == 409


def test_quirk_rerun_keeps_old(stage: AllureStage) -> None:
    launch = finished(stage)
    reopen(stage, launch)
    stage.allure.quirks.rerun_keeps_old = False
    rerun(stage, launch, ONLY_RED)
    assert stage.job_states(launch.id) == [("scheduled", None)]
    assert stage.counts(launch.id) == {"passed": 3, "failed": 1, "broken": 1}


def test_a_script_can_start_more_in_a_finished_launch(stage: AllureStage) -> None:
    launch = finished(stage, GREEN)
    stage.allure.reopen(launch)
    stage.clock.advance(3)
    stage.allure.start(launch, stage.api, Outcome("failed", failed=("Login",)))
    assert stage.job_states(launch.id)[-1] == ("scheduled", None)
    stage.clock.advance(200)
    assert stage.counts(launch.id) == {"passed": 9, "failed": 1}


def test_results_look_as_recorded(stage: AllureStage) -> None:
    launch = finished(stage)
    flat = stage.get(f"/v2/launch/{launch.id}/test-result/flat")
    assert like(flat, "testresults-flat-page") == []
    names = [row["name"] for row in flat["content"]]
    assert names == sorted(names)
    assert flat["size"] == 100
    found = _search(stage, f'launch = {launch.id} and (status = "failed" or status = "broken")')
    assert like(found, "testresults-search-page") == []
    assert [row["status"] for row in found["content"]] == ["failed", "broken"]
    full = stage.get(f"/testresult/{found['content'][0]['id']}")
    assert like(full, "testresult") == []
    assert stage.send("GET", "/api/testresult/1").status_code == 404


def _search(stage: AllureStage, rql: str) -> Any:
    params = {"projectId": str(stage.project), "rql": rql}
    return stage.send("GET", "/api/testresult/__search", params=params).json()


def test_unresolved_leaves_out_what_is_muted_or_known(stage: AllureStage) -> None:
    launch = finished(stage)
    path = f"/launch/{launch.id}/unresolved"
    assert like(stage.get(path), "testresults-unresolved-page") == []
    assert _names(stage.get(path)) == ["Login", "Refund to voucher"]
    launch.muted.add("Login")
    assert _names(stage.get(path)) == ["Refund to voucher"]
    launch.known.add("Refund to voucher")
    assert _names(stage.get(path)) == []
    assert stage.get(f"/launch/{launch.id}/defect")["totalElements"] == 1


def _names(page: Any) -> list[str]:
    return [row["name"] for row in page["content"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["case"]))
def test_every_case_of_the_status_table_can_be_shown(
    stage: AllureStage, case: dict[str, Any]
) -> None:
    launch = stage.allure.add_launch(
        stage.project,
        "x",
        at_s=stage.clock.time() - 60,
        closed=case["closed"],
        statistic=case["statistic"],
        ready=case["ready"],
    )
    jobs = {0: stage.web, 1: stage.api}
    for index, job in enumerate(case["jobs"]):
        which = stage.web if "job" in job else jobs[index]
        stage.allure.add_job_run(launch, which, job["stage"], job["status"])
    assert stage.is_closed(launch.id) == case["closed"]
    assert stage.counts(launch.id) == case["statistic"]
    wanted = [(job["stage"], job["status"]) for job in case["jobs"]]
    assert stage.job_states(launch.id) == wanted
    if case["ready"] is not None:
        assert stage.get(f"/launch/{launch.id}/progress") == {"ready": case["ready"]}


ONE_RED = Outcome("failed", run_s=100, queue_s=10, failed=("Login",))
DERIVED = {
    "just triggered": (GREEN, 0),
    "build running": (GREEN, 60),
    "build running, failures already seen": (ONE_RED, 105),
    "server still processes results": (GREEN, 111),
    "open, jobs done, red": (ONE_RED, 113),
    "closed, red": (RED, 200),
    "closed, only broken": (Outcome("failed", broken=("Login",)), 200),
    "CI refused to start": (Outcome("run_failure", run_s=1, queue_s=0), 2),
    "build red, tests green": (Outcome("failed"), 200),
    "build red, no results": (Outcome("failed", tests=False), 200),
    "green": (Outcome("passed", skipped=("Login",)), 200),
    "green, open, all jobs done": (GREEN, 113),
    "green with job status unknown": (Outcome("unknown"), 200),
}


@pytest.mark.parametrize("name", DERIVED)
def test_cases_of_the_status_table_come_about_by_themselves(stage: AllureStage, name: str) -> None:
    case = next(case for case in CASES if case["case"] == name)
    outcome, seconds = DERIVED[name]
    launch = stage.allure.add_run("web-regression", outcome)
    stage.clock.advance(seconds)
    assert stage.is_closed(launch.id) == case["closed"]
    assert stage.job_states(launch.id) == [(j["stage"], j["status"]) for j in case["jobs"]]
    assert set(stage.counts(launch.id)) == set(case["statistic"])
    if case["ready"] is not None:
        assert stage.get(f"/launch/{launch.id}/progress") == {"ready": case["ready"]}
