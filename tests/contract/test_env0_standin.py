"""The env0 stand-in answers as the vendor page and the recorded examples say."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.env0_model import SECRET, ModuleTest
from tests.fakes.likeness import differences, recorded

KEY = ("sample-id", "sample-key")
RED = Outcome(
    "FAILURE", run_s=100, queue_s=10, failed=("has_a_default_route",), note="Test assertion failed"
)
GREEN = Outcome("SUCCESS", run_s=100, queue_s=10)
BODY = {"deploymentType": "moduleTest", "blueprintRevision": "abc123", "triggerName": "user"}


class Stage:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.env0 = Env0Standin(self.clock, *KEY)
        self.vpc = self.env0.add_module("vpc")
        self.dns = self.env0.add_module("dns", test_enabled=False)
        self.server = Server(self.env0.app)

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        return requests.request(method, self.server.url + path, auth=KEY, timeout=5, **more)

    def get(self, path: str) -> Any:
        reply = self.send("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def runs(self) -> Any:
        return self.get(f"/module/{self.vpc.id}/tests")

    def run(self, run: ModuleTest) -> Any:
        return self.get(f"/module/tests/{run.id}")

    def trigger(self, body: Any = None) -> requests.Response:
        path = f"/environments/{self.vpc.environment_id}/deployments"
        return self.send("POST", path, json=BODY if body is None else body)

    def steps(self, run: ModuleTest) -> dict[str, str]:
        steps = self.get(f"/deployments/{run.deployment_id}/steps")
        steps.sort(key=lambda step: step["order"])
        return {step["name"]: step["status"] for step in steps}


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    with made.server:
        yield made


def recorded_run(name: str) -> Any:
    return recorded("env0", f"module-test-run-{name}")


def test_a_run_moves_and_looks_as_recorded_at_every_stage(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", GREEN)
    wanted = ("queued", "in-progress", "success")
    seen = []
    for seconds, name in zip((0, 50, 60), wanted, strict=True):
        stage.clock.advance(seconds)
        reply = stage.run(run)
        # recorded for a failure only
        allowed = {"$.testFilesResults is unknown"} if name == "success" else set()
        assert set(differences(reply, recorded_run(name))) <= allowed
        seen.append(reply["status"])
    assert seen == ["QUEUED", "IN_PROGRESS", "SUCCESS"]
    assert reply["testSummary"] == {"passed": 4, "failed": 0, "skipped": 0, "errored": 0}


def test_a_failure_from_a_pull_request_looks_as_recorded(stage: Stage) -> None:
    outcome = Outcome("FAILURE", failed=("has_a_default_route",))
    more = {"person": None, "git_user": "octo-dev", "pr_number": "482"}
    run = stage.env0.add_run("vpc", outcome, revision="3f9c2d17", **more)
    stage.clock.advance(100)
    reply = stage.run(run)
    files = reply.pop("testFilesResults")
    wanted = recorded_run("failure")
    assert {str(kind) for kind in files.values()} == {
        str(kind) for kind in wanted.pop("testFilesResults").values()
    }
    assert differences(reply, wanted) == []
    assert reply["testSummary"] == {"passed": 3, "failed": 1, "skipped": 0, "errored": 0}
    assert files["tests/routes.tftest.hcl"] == {"status": "fail"}


def test_times_are_absent_before_they_happen_or_null(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", GREEN)
    assert not {"startedAt", "finishedAt", "prNumber", "error"} & set(stage.run(run))
    stage.env0.quirks.nulls = True
    reply = stage.run(run)
    assert (reply["startedAt"], reply["prNumber"]) == (None, None)
    assert reply["createdAt"] == "2025-06-15T15:06:40.000Z"


def test_the_error_is_an_object_with_a_message(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", RED)
    stage.clock.advance(200)
    assert stage.run(run)["error"] == {"message": "Test assertion failed"}


def test_broken_tests_are_counted_as_errored(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", Outcome("FAILURE", broken=("has_a_default_route",)))
    stage.clock.advance(200)
    assert stage.run(run)["testSummary"] == {"passed": 3, "failed": 0, "skipped": 0, "errored": 1}


@pytest.mark.parametrize(
    "case", recorded("env0", "status-cases"), ids=lambda case: str(case["raw"])
)
def test_every_status_word_can_be_shown(stage: Stage, case: dict[str, Any]) -> None:
    run = stage.env0.add_run("vpc", Outcome(str(case["raw"]), run_s=0, queue_s=0))
    if case["raw"] is None:
        stage.env0.quirks.null = {"status"}
    reply = stage.run(run)
    assert reply["status"] == case["raw"]
    assert ("finishedAt" in reply) == case["terminal"]


def test_the_list_is_a_bare_array_in_no_order(stage: Stage) -> None:
    now = stage.clock.time()
    for index in range(6):
        stage.env0.add_run("vpc", GREEN, at_s=now - 1000 * index)
    times = [run["createdAt"] for run in stage.runs()]
    assert len(times) == 6
    assert times not in (sorted(times), sorted(times, reverse=True))
    for order, wanted in (("newest", sorted(times, reverse=True)), ("oldest", sorted(times))):
        stage.env0.quirks.order = order
        assert [run["createdAt"] for run in stage.runs()] == wanted


def test_the_run_list_refuses_parameters(stage: Stage) -> None:
    path = f"/module/{stage.vpc.id}/tests?limit=5"
    reply = stage.send("GET", path)
    assert (reply.status_code, reply.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    stage.env0.quirks.strict_query = False
    assert stage.get(path) == []


def test_quirk_fields_absent_and_null(stage: Stage) -> None:
    run = stage.env0.add_run("vpc")
    stage.env0.quirks.fields = "minimal"
    assert set(stage.run(run)) == set(recorded_run("minimal"))
    stage.env0.quirks.fields = "full"
    stage.env0.quirks.absent, stage.env0.quirks.null = {"id"}, {"status"}
    reply = stage.run(run)
    assert "id" not in reply
    assert reply["status"] is None


def test_the_variables_hold_secrets(stage: Stage) -> None:
    stage.env0.quirks.large_plan = 5000
    variables = stage.run(stage.env0.add_run("vpc"))["customEnv0EnvironmentVariables"]
    assert variables["oidcToken"] == variables["vcsAccessToken"] == SECRET
    assert len(variables["tfPlanJson"]) == 5000


def test_a_deployment_log_has_recorded_fields_and_holds_secrets_too(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", RED)
    stage.clock.advance(200)
    log = stage.get(f"/environments/deployments/{run.deployment_id}")
    newer = {"startedByUser", "comment"}
    assert set(log) - newer <= set(recorded("env0", "recorded-deployment-log"))
    assert log["customEnv0EnvironmentVariables"]["oidcToken"] == SECRET
    assert (log["type"], log["error"]["message"]) == ("moduleTest", "Test assertion failed")


@pytest.mark.parametrize("revision", ["abc123", None])
def test_trigger_in_three_steps(stage: Stage, revision: str | None) -> None:
    stage.env0.add_run("vpc", GREEN)
    body = BODY if revision else {"deploymentType": "moduleTest"}
    reply = stage.trigger(body)
    assert reply.status_code == 200
    allowed = {"$.comment is missing"}
    assert set(differences(reply.json(), recorded("env0", "trigger-response"))) <= allowed
    deployment = reply.json()["id"]
    assert stage.get(f"/environments/deployments/{deployment}")["status"] == "QUEUED"
    assert deployment not in [run["deploymentLogId"] for run in stage.runs()]
    stage.clock.advance(2)
    found = [run for run in stage.runs() if run["deploymentLogId"] == deployment]
    assert [run["blueprintRevision"] for run in found] == [revision or "main"]
    assert found[0]["id"] != deployment
    assert stage.get(f"/module/tests/{found[0]['id']}")["deploymentLogId"] == deployment


def test_a_started_run_is_unknown_for_a_moment(stage: Stage) -> None:
    stage.env0.add_run("vpc", GREEN)
    stage.env0.quirks.log_appear_s = 1
    deployment = stage.trigger().json()["id"]
    path = f"/environments/deployments/{deployment}"
    assert stage.send("GET", path).status_code == 404
    assert stage.send("GET", f"/module/tests/{stage.env0.runs[-1].id}").status_code == 404
    stage.clock.advance(1)
    assert stage.get(path)["id"] == deployment


def test_quirk_trigger_reply_id(stage: Stage) -> None:
    stage.env0.add_run("vpc", GREEN)
    stage.env0.quirks.trigger_reply = "id"
    wanted = recorded("env0", "trigger-response-id-only")
    assert differences(stage.trigger().json(), wanted) == []


def test_the_recorded_request_is_accepted_and_takes_the_script(stage: Stage) -> None:
    stage.env0.add_run("vpc", GREEN)
    stage.env0.script(RED, pipeline="vpc")
    assert stage.trigger(recorded("env0", "trigger-request")).status_code == 200
    run = stage.env0.runs[-1]
    stage.clock.advance(200)
    assert (run.comment, stage.run(run)["status"]) == ("requested from chat by @dana", "FAILURE")


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"deploymentType": "x"}, 400, "must be equal to one of the allowed values"),
        ({"blueprintRevision": "main"}, 400, "/body/deploymentType"),
        (BODY | {"branch": "main"}, 400, "additional properties"),
        (BODY | {"blueprintRevision": 3}, 400, "/body/blueprintRevision"),
        (BODY | {"deploymentType": "deploy"}, 422, "Unprocessable"),
        ([], 400, "/body"),
    ],
)
def test_refusals_are_plain_text(stage: Stage, body: Any, status: int, text: str) -> None:
    stage.env0.add_run("vpc", GREEN)
    reply = stage.trigger(body)
    assert (reply.status_code, reply.headers["Content-Type"].split(";")[0]) == (
        status,
        "text/plain",
    )
    assert text in reply.text
    assert len(stage.env0.runs) == 1


def test_no_environment_before_the_first_run_and_none_for_disabled_modules(stage: Stage) -> None:
    assert stage.trigger().status_code == 404
    stage.env0.add_run("dns", GREEN)
    path = f"/environments/{stage.dns.environment_id}/deployments"
    assert stage.send("POST", path, json=BODY).status_code == 422


def test_direct_trigger_is_absent_unless_switched_on(stage: Stage) -> None:
    path = f"/module/{stage.vpc.id}/tests"
    absent = stage.send("POST", path, json={"blueprintRevision": "main"})
    assert absent.status_code == 403
    assert "'Credential'" in absent.json()["message"]
    stage.env0.quirks.direct_trigger = True
    reply = stage.send("POST", path, json={"blueprintRevision": "main"})
    assert (reply.status_code, reply.json()["status"]) == (200, "QUEUED")


def test_cancel_while_queued_only(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", GREEN)
    path = f"/environments/deployments/{run.deployment_id}"
    assert stage.send("POST", f"{path}/abort", json={}).status_code == 422
    reply = stage.send("PUT", f"{path}/cancel")
    assert (reply.status_code, reply.json()) == (200, {"id": run.deployment_id})
    assert stage.run(run)["status"] == "CANCELLED"
    assert "startedAt" not in stage.run(run)
    assert stage.send("PUT", f"{path}/cancel").status_code == 422


def test_abort_while_running_goes_through_aborting(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", GREEN)
    stage.clock.advance(50)
    path = f"/environments/deployments/{run.deployment_id}"
    assert stage.send("PUT", f"{path}/cancel").status_code == 422
    reply = stage.send("POST", f"{path}/abort", json={})
    assert (reply.status_code, reply.json()) == (200, recorded("env0", "abort-response"))
    assert stage.run(run)["status"] == "ABORTING"
    assert stage.send("POST", f"{path}/abort", json={}).status_code == 422
    stage.clock.advance(5)
    assert stage.run(run)["status"] == "ABORTED"
    assert stage.steps(run)["opentofu:test"] == "CANCELLED"


@pytest.mark.parametrize(
    ("form", "content"), [("null", b"null"), ("empty", b""), ("object", b"{}")]
)
def test_quirk_abort_reply(stage: Stage, form: str, content: bytes) -> None:
    stage.env0.quirks.abort_reply = form
    run = stage.env0.add_run("vpc", GREEN)
    stage.clock.advance(50)
    path = f"/environments/deployments/{run.deployment_id}/abort"
    assert stage.send("POST", path, json={}).content == content


def test_a_run_that_waits_for_a_person_can_be_cancelled(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", Outcome("WAITING_FOR_USER", run_s=10, queue_s=0))
    stage.clock.advance(60)
    assert stage.steps(run)["opentofu:test"] == "WAITING_FOR_USER"
    assert "finishedAt" not in stage.run(run)
    path = f"/environments/deployments/{run.deployment_id}/cancel"
    assert stage.send("PUT", path).status_code == 200
    reply = stage.run(run)
    assert (reply["status"], reply["finishedAt"]) == ("CANCELLED", "2025-06-15T15:07:40.000Z")


def test_steps_look_as_recorded_and_stop_where_the_run_failed(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", RED)
    states = []
    for seconds in (0, 15, 20, 200):
        stage.clock.advance(seconds)
        states.append(list(stage.steps(run).values()))
    assert states == [
        ["NOT_STARTED"] * 4,
        ["IN_PROGRESS"] + ["NOT_STARTED"] * 3,
        ["SUCCESS", "SUCCESS", "IN_PROGRESS", "NOT_STARTED"],
        ["SUCCESS", "SUCCESS", "FAIL", "NOT_STARTED"],
    ]
    steps = sorted(
        stage.get(f"/deployments/{run.deployment_id}/steps"), key=lambda step: step["order"]
    )
    wanted = recorded("env0", "deployment-steps")
    assert differences(steps[:3], wanted[:3]) == []
    assert differences(steps[3:], wanted[3:]) == []


@pytest.mark.parametrize(
    ("word", "step"), [("TIMEOUT", "TIMEOUT"), ("INTERNAL_FAILURE", "FAIL"), ("SUCCESS", "SUCCESS")]
)
def test_the_test_step_tells_how_it_ended(stage: Stage, word: str, step: str) -> None:
    run = stage.env0.add_run("vpc", Outcome(word, run_s=10))
    stage.clock.advance(100)
    assert stage.steps(run)["opentofu:test"] == step
    log = stage.get(f"/environments/deployments/{run.deployment_id}")
    assert ("stoppedByTimeoutReason" in log) == (word == "TIMEOUT")


def test_logs_come_in_pages_with_both_forms_of_time(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", RED)
    stage.clock.advance(200)
    path = f"/deployments/{run.deployment_id}/steps/opentofu%3Atest/log"
    first = stage.get(path)
    assert differences(first["events"][:1], recorded("env0", "step-log-page-1")["events"][:1]) == []
    assert isinstance(first["events"][1]["timestamp"], str)
    assert first["hasMoreLogs"] is True
    second = stage.get(f"{path}?startTime={first['nextStartTime']}")
    assert (second["hasMoreLogs"], "nextStartTime" in second) == (False, False)
    messages = [event["message"] for page in (first, second) for event in page["events"]]
    assert len(messages) == len(set(messages)) == 6
    assert messages[-1] == "\x1b[31mError: Test assertion failed\x1b[0m"
    stage.env0.quirks.next_as_text = True
    assert stage.get(path)["nextStartTime"] == str(first["nextStartTime"])


def test_the_order_of_steps_is_in_a_field_and_not_in_the_place(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", GREEN)
    orders = [step["order"] for step in stage.get(f"/deployments/{run.deployment_id}/steps")]
    assert orders != sorted(orders)


def test_no_log_of_a_step_that_has_not_begun(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", GREEN)
    path = f"/deployments/{run.deployment_id}/steps/cleanup/log"
    assert stage.send("GET", path).status_code == 404


def test_deployments_of_an_environment_are_filtered_and_paged(stage: Stage) -> None:
    now = stage.clock.time()
    runs = [stage.env0.add_run("vpc", GREEN, at_s=now - 1000 * i) for i in range(4)]
    path = f"/environments/{stage.vpc.environment_id}/deployments"
    ids = [run.deployment_id for run in runs]
    assert [item["id"] for item in stage.get(path)] == ids
    assert [item["id"] for item in stage.get(f"{path}?limit=2&offset=1")] == ids[1:3]
    assert [item["id"] for item in stage.get(f"{path}?statuses=QUEUED,FAILURE")] == ids[:1]
    assert stage.get(f"{path}?deploymentTypes=deploy") == []
    assert stage.send("GET", f"{path}?limit=101").status_code == 400


def test_modules_organizations_and_the_testing_project_look_as_recorded(stage: Stage) -> None:
    organizations = stage.get("/organizations")
    assert differences(organizations, recorded("env0", "organizations")) == []
    wanted = organizations[0]["id"]
    modules = stage.get(f"/modules?organizationId={wanted}")
    assert differences(modules, recorded("env0", "modules-list")) == []
    assert [m["moduleTestEnabled"] for m in modules] == [True, False]
    module = stage.get(f"/modules/{stage.vpc.id}")
    assert differences(module, recorded("env0", "module")) == []
    project = stage.get(f"/projects/modules/testing/{wanted}")
    assert differences(project, recorded("env0", "module-testing-project")) == []
    variables = stage.run(stage.env0.add_run("vpc"))["customEnv0EnvironmentVariables"]
    assert variables["projectId"] == project["id"]


def test_several_organizations(stage: Stage) -> None:
    other = stage.env0.add_organization("Acme Labs")
    stage.env0.add_module("vpc", "gcp", organization_id=other["id"])
    assert len(stage.get("/organizations")) == 2
    found = stage.get(f"/modules?organizationId={other['id']}")
    assert [module["moduleProvider"] for module in found] == ["gcp"]
    assert stage.send("GET", "/modules").status_code == 400
    assert stage.send("GET", "/modules?organizationId=nope").status_code == 403


@pytest.mark.parametrize("auth", [None, ("sample-id", "wrong"), ("wrong", "sample-key")])
def test_401_for_a_wrong_key(stage: Stage, auth: tuple[str, str] | None) -> None:
    reply = requests.get(f"{stage.server.url}/organizations", auth=auth, timeout=5)
    assert (reply.status_code, reply.json()) == (401, recorded("env0", "errors")[0]["body"])


@pytest.mark.parametrize("path", ["/module//tests", "/nothing", "/module/tests/"])
def test_the_gateway_echoes_the_key_for_an_unknown_path(stage: Stage, path: str) -> None:
    reply = stage.send("GET", path)
    wanted = recorded("env0", "errors")[2]["body"]["message"]
    sent = reply.request.headers["Authorization"]
    assert reply.status_code == 403
    assert reply.json()["message"] == wanted.replace("Basic <redacted>", sent)


def test_unknown_ids_are_404_in_plain_text(stage: Stage) -> None:
    for path in ("/module/nope/tests", "/module/tests/nope", "/modules/nope"):
        reply = stage.send("GET", path)
        assert (reply.status_code, reply.text) == (404, "Not Found")


def test_the_rate_limit_counts_by_method_and_address(stage: Stage) -> None:
    stage.env0.quirks.rate_limit, stage.env0.quirks.retry_after = 2, 7
    codes = [stage.send("GET", "/organizations").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = stage.send("GET", "/organizations")
    assert (refused.json(), refused.headers["Retry-After"]) == (
        {"message": "Too Many Requests"},
        "7",
    )
    assert stage.send("GET", f"/modules/{stage.vpc.id}").status_code == 200
    stage.clock.advance(61)
    assert stage.send("GET", "/organizations").status_code == 200


def test_finish_ends_a_run_now(stage: Stage) -> None:
    runs = [stage.env0.add_run("vpc", GREEN) for _ in range(3)]
    stage.clock.advance(30)
    stage.env0.finish(runs[0], "SUCCESS")
    stage.env0.finish(runs[1], "FAILURE", "has_a_default_route")
    stage.env0.finish(runs[2], "ABORTED")
    assert [stage.run(run)["status"] for run in runs] == ["SUCCESS", "FAILURE", "ABORTED"]
    assert stage.run(runs[1])["testSummary"]["failed"] == 1


def test_the_page_for_people_needs_no_key(stage: Stage) -> None:
    run = stage.env0.add_run("vpc", RED)
    stage.clock.advance(200)
    project = stage.env0.project_id(stage.vpc.organization_id)
    path = f"environments/{stage.vpc.environment_id}/deployments/{run.deployment_id}"
    reply = requests.get(f"{stage.server.url}/p/{project}/{path}", timeout=5)
    assert (reply.status_code, "FAILURE" in reply.text) == (200, True)
    assert SECRET not in reply.text
    assert requests.get(f"{stage.server.url}/p/other/{path}", timeout=5).status_code == 404
