"""The Testery stand-in answers as the vendor page and the recorded examples say."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.playground.clock import ManualClock
from bot.playground.faults import Fault
from bot.playground.server import Server
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.testery import TesteryStandin
from tests.fakes.likeness import differences, recorded

TOKEN = "sample-token"
CANCELED = {"status": "CANCELED"}
RED = Outcome("FAIL", run_s=100, queue_s=10, failed=("test_login_bad_password",))


class Stage:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.testery = TesteryStandin(self.clock, TOKEN)
        self.testery.add_project("web")
        self.testery.add_project("api")
        self.testery.add_environment("qa", "QA", pipeline_stage_id=3)
        self.testery.add_environment("dev", archived=True)
        self.testery.add_test_plan("nightly")
        self.server = Server(self.testery.app)

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return requests.request(method, self.server.url + path, headers=headers, timeout=5, **more)

    def get(self, path: str) -> Any:
        reply = self.send("GET", f"/api{path}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    def post(self, path: str, body: Any) -> requests.Response:
        return self.send("POST", f"/api{path}", json=body)

    def ids(self, query: str) -> list[int]:
        return [run["id"] for run in self.get(f"/test-runs{query}")]


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    with made.server:
        yield made


def recorded_run(name: str) -> Any:
    return recorded("testery", f"test-run-get-{name}")


def test_a_run_moves_and_looks_as_recorded_at_every_stage(stage: Stage) -> None:
    request = {"ref": "a" * 40, "branch": "main", "buildId": "23"}
    run = stage.testery.add_run("web", "qa", RED, **request)
    seen = []
    for seconds, name in ((0, "submitted"), (6, "queued"), (50, "running"), (60, "fail")):
        stage.clock.advance(seconds)
        reply = stage.get(f"/test-runs/{run.id}")
        assert differences(reply, recorded_run(f"{name}.made-up")) == []
        seen.append((reply["status"], reply["complete"], reply["ended"]))
    assert seen == [
        ("SUBMITTED", False, False),
        ("QUEUED", False, False),
        ("RUNNING", False, False),
        ("FAIL", True, True),
    ]


def test_times_are_null_before_they_happen(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", RED)
    assert _times(stage.get(f"/test-runs/{run.id}")) == ("2025-06-15 15:06:40+0000", None, None)
    stage.clock.advance(200)
    assert _times(stage.get(f"/test-runs/{run.id}")) == (
        "2025-06-15 15:06:40+0000",
        "2025-06-15 15:06:50+0000",
        "2025-06-15 15:08:30+0000",
    )


def _times(run: dict[str, Any]) -> tuple[Any, Any, Any]:
    return run["createTime"], run["startTime"], run["endTime"]


def test_counts_grow_after_the_list_of_tests_is_made(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", RED)
    counts = []
    for seconds in (12, 20, 30, 60):
        stage.clock.advance(seconds)
        reply = stage.get(f"/test-runs/{run.id}")
        counts.append((reply["passCount"], reply["failCount"], reply["totalCount"]))
    assert counts == [(0, 0, 0), (1, 0, 5), (1, 1, 5), (4, 1, 5)]


def test_a_failure_without_tests_carries_its_reason(stage: Stage) -> None:
    outcome = Outcome("FAIL", note="Could not check out the tests", tests=False)
    run = stage.testery.add_run("web", "qa", outcome)
    stage.clock.advance(100)
    reply = stage.get(f"/test-runs/{run.id}")
    assert differences(reply, recorded_run("fail-no-tests.made-up")) == []
    assert (reply["failCount"], reply["totalCount"]) == (0, 0)
    assert reply["statusInfo"] == "Could not check out the tests"


def test_a_timeout_is_counted_apart_and_shown_as_fail(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", Outcome("FAIL", broken=("test_search",)))
    stage.clock.advance(100)
    reply = stage.get(f"/test-runs/{run.id}")
    assert (reply["failCount"], reply["timeoutCount"]) == (0, 1)
    assert [r["status"] for r in stage.get(f"/test-runs/{run.id}/results")].count("FAIL") == 1


def test_the_list_is_an_array_newest_first_with_and_without_a_slash(stage: Stage) -> None:
    old = stage.testery.add_run("web", "qa", at_s=stage.clock.time() - 50)
    new = stage.testery.add_run("api", "qa")
    assert stage.ids("") == [new.id, old.id] == stage.ids("/")
    wanted = recorded("testery", "test-runs-list-mixed.made-up")
    assert differences(stage.get("/test-runs"), wanted) == []


def test_pages_begin_at_0_and_offset_works_too(stage: Stage) -> None:
    runs = [stage.testery.add_run("web", "qa").id for _ in range(5)][::-1]
    assert stage.ids("?page=0&limit=2") == runs[:2]
    assert stage.ids("?page=1&limit=2") == runs[2:4]
    assert stage.ids("?page=2&limit=2") == runs[4:]
    assert stage.ids("?limit=3&offset=1") == runs[1:4]


def test_quirk_page_ignored(stage: Stage) -> None:
    runs = [stage.testery.add_run("web", "qa").id for _ in range(3)][::-1]
    stage.testery.quirks.page_ignored = True
    assert stage.ids("?page=1&limit=2") == runs[:2]


def test_quirk_fields(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", RED)
    replies = {}
    for fields in ("sparse", "seed", "recorded", "rich"):
        stage.testery.quirks.fields = fields
        replies[fields] = stage.get(f"/test-runs/{run.id}")
    assert replies["sparse"] == {"id": run.id, "status": "SUBMITTED"}
    assert differences(replies["seed"], recorded_run("pass.seed")) == []
    assert set(replies["seed"]) < set(replies["recorded"]) < set(replies["rich"])
    assert "excludedTags" in replies["rich"]


@pytest.mark.parametrize("flags", ["both", "complete", "ended", "none"])
def test_quirk_flags(stage: Stage, flags: str) -> None:
    stage.testery.quirks.flags = flags
    run = stage.testery.add_run("web", "qa")
    wanted = {"both": {"complete", "ended"}, "none": set()}.get(flags, {flags})
    assert {"complete", "ended"} & set(stage.get(f"/test-runs/{run.id}")) == wanted


def test_quirk_environment_as_object_and_words(stage: Stage) -> None:
    stage.testery.quirks.environment_as_object = True
    stage.testery.quirks.words = {"SUBMITTED": "MARINATING"}
    reply = stage.get(f"/test-runs/{stage.testery.add_run('web', 'qa').id}")
    assert reply["environment"] == {"key": "qa", "name": "QA"}
    assert reply["status"] == "MARINATING"


def test_results_and_their_details_look_as_recorded(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", RED)
    stage.clock.advance(200)
    results = stage.get(f"/test-runs/{run.id}/results")
    assert differences(results, recorded("testery", "test-run-results.made-up")) == []
    assert [r["status"] for r in results] == ["PASS", "FAIL", "PASS", "PASS", "PASS"]
    detail = stage.get(f"/test-runs/{run.id}/results/{results[1]['id']}")
    assert differences(detail, recorded("testery", "test-run-result-detail-fail.made-up")) == []
    assert "\x1b[31m" in detail["error"]
    assert stage.send("GET", f"/api/test-runs/{run.id}/results/1").status_code == 404


def test_results_not_there_yet_are_pending_and_then_not_run(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", RED)
    stage.clock.advance(55)
    assert _words(stage, run.id) == ["PASS", "FAIL", "PENDING", "PENDING", "PENDING"]
    stage.testery.cancel(run)
    assert _words(stage, run.id) == ["PASS", "FAIL", "NOT_RUN", "NOT_RUN", "NOT_RUN"]
    assert stage.get(f"/test-runs/{run.id}")["notRunCount"] == 3


def _words(stage: Stage, run_id: int) -> list[str]:
    return [result["status"] for result in stage.get(f"/test-runs/{run_id}/results")]


def test_quirk_results_named_and_nameless(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa")
    stage.clock.advance(100)
    stage.testery.quirks.results = "named"
    named = stage.get(f"/test-runs/{run.id}/results")[0]
    assert (named["name"], named["projectTest"]) == ("test_login_ok", None)
    stage.testery.quirks.results = "nameless"
    assert not {"name", "projectTest"} & set(stage.get(f"/test-runs/{run.id}/results")[0])


@pytest.mark.parametrize("name", ["minimal.cli", "branch-and-variables.cli", "all-fields.made-up"])
def test_recorded_requests_create_runs(stage: Stage, name: str) -> None:
    stage.testery.add_project("example-pytest-selenium")
    reply = stage.post("/test-run-requests-build", recorded("testery", f"create-request-{name}"))
    assert reply.status_code == 201
    assert differences(reply.json(), recorded("testery", "create-response.made-up")) == []
    assert reply.json()["status"] == "SUBMITTED"


def test_a_new_run_takes_the_scripted_outcome(stage: Stage) -> None:
    stage.testery.script(Outcome("FAIL", failed=("test_search",)), pipeline="web/qa")
    made = [_create(stage, key) for key in ("api", "web", "web")]
    stage.clock.advance(100)
    assert [stage.get(f"/test-runs/{i}")["status"] for i in made] == ["PASS", "FAIL", "PASS"]


def test_scripted_outcomes_come_in_their_order(stage: Stage) -> None:
    stage.testery.script(Outcome("FAIL", run_s=1), Outcome("PASS", run_s=1), pipeline="web")
    stage.testery.script(Outcome("CANCELED", run_s=1))
    made = [_create(stage, key) for key in ("web", "api", "web")]
    stage.clock.advance(10)
    words = [stage.get(f"/test-runs/{identity}")["status"] for identity in made]
    assert words == ["FAIL", "CANCELED", "PASS"]


def _create(stage: Stage, project: str, **more: Any) -> int:
    body = {"project": project, "environment": "qa", **more}
    return int(stage.post("/test-run-requests-build", body).json()["id"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"project": "nope", "environment": "qa"}, 404),
        ({"project": "web", "environment": "nope"}, 404),
        ({"project": "web"}, 400),
        ({"project": "web", "environment": "qa", "excludeTags": ["a"]}, 400),
        ({"project": "web", "environment": "qa", "includeTags": "a"}, 400),
        ({"project": "web", "environment": "qa", "testSuiteId": "5"}, 400),
        ({"project": "web", "environment": "qa", "testSuiteId": True}, 400),
        ({"project": "web", "environment": "qa", "testFilters": ["login.*"]}, 400),
        ({"project": "web", "environment": "qa", "variables": [{"key": "A"}]}, 400),
        (["web"], 400),
    ],
)
def test_refused_bodies(stage: Stage, body: Any, status: int) -> None:
    assert stage.post("/test-run-requests-build", body).status_code == status
    assert stage.testery.runs == []


def test_cancel_answers_200_with_the_run(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", RED)
    stage.clock.advance(5)
    reply = stage.send("PATCH", f"/api/test-runs/{run.id}", json=CANCELED)
    assert reply.status_code == 200
    assert differences(reply.json(), recorded_run("canceled.made-up")) == []
    assert (reply.json()["status"], reply.json()["startTime"]) == ("CANCELED", None)
    stage.clock.advance(500)
    assert stage.get(f"/test-runs/{run.id}")["status"] == "CANCELED"


def test_cancel_of_a_finished_run(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa")
    stage.clock.advance(100)
    refused = stage.send("PATCH", f"/api/test-runs/{run.id}", json=CANCELED)
    assert (refused.status_code, refused.json()) == (409, recorded("testery", "error-409.cli"))
    stage.testery.quirks.patch_over = 200
    reply = stage.send("PATCH", f"/api/test-runs/{run.id}", json=CANCELED)
    assert (reply.status_code, reply.json()["status"]) == (200, "PASS")


def test_quirk_cancel_reply_empty_and_other_statuses_refused(stage: Stage) -> None:
    stage.testery.quirks.cancel_reply = "empty"
    path = f"/api/test-runs/{stage.testery.add_run('web', 'qa').id}"
    assert stage.send("PATCH", path, json={"status": "PASS"}).status_code == 400
    assert stage.send("PATCH", path, json=CANCELED).content == b""


def test_rerun_under_a_new_id(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", RED, branch="main")
    stage.clock.advance(200)
    reply = stage.post(f"/test-runs/{run.id}/rerun", {})
    assert reply.status_code == 200
    assert reply.json()["id"] != run.id
    assert (reply.json()["branch"], reply.json()["status"]) == ("main", "SUBMITTED")
    assert stage.get(f"/test-runs/{run.id}")["status"] == "FAIL"


def test_rerun_under_the_same_id_moves_a_finished_run_again(stage: Stage) -> None:
    stage.testery.quirks.rerun = "same"
    run = stage.testery.add_run("web", "qa", RED)
    stage.clock.advance(200)
    assert stage.post(f"/test-runs/{run.id}/rerun", {}).json()["id"] == run.id
    assert stage.get(f"/test-runs/{run.id}")["status"] == "SUBMITTED"
    stage.clock.advance(200)
    assert stage.get(f"/test-runs/{run.id}")["status"] == "PASS"


def test_a_canceled_run_can_move_again(stage: Stage) -> None:
    stage.testery.quirks.rerun = "same"
    run = stage.testery.add_run("web", "qa", RED)
    stage.testery.cancel(run)
    stage.post(f"/test-runs/{run.id}/rerun", {})
    stage.clock.advance(200)
    assert stage.get(f"/test-runs/{run.id}")["status"] == "PASS"


@pytest.mark.parametrize("status", [404, 405, 501])
def test_quirk_rerun_absent(stage: Stage, status: int) -> None:
    stage.testery.quirks.rerun, stage.testery.quirks.rerun_absent_status = "absent", status
    run = stage.testery.add_run("web", "qa")
    stage.clock.advance(100)
    assert stage.post(f"/test-runs/{run.id}/rerun", {}).status_code == status
    assert len(stage.testery.runs) == 1


def test_quirk_rerun_reply(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa")
    assert stage.post(f"/test-runs/{run.id}/rerun", {}).status_code == 409
    stage.clock.advance(100)
    stage.testery.quirks.rerun_reply = "empty"
    assert stage.post(f"/test-runs/{run.id}/rerun", {}).content == b""
    stage.testery.quirks.rerun_reply = "no_id"
    assert "id" not in stage.post(f"/test-runs/{run.id}/rerun", {}).json()
    assert len(stage.testery.runs) == 3


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/account", "account.cli"),
        ("/projects", "projects.made-up"),
        ("/environments", "environments.made-up"),
        ("/projects/123/test-suites", "test-suites.made-up"),
        ("/test-plans", "test-plans.made-up"),
        ("/v2/scheduled-maintenances/active.json", "maintenance-none.cli"),
    ],
)
def test_look_ups_look_as_recorded(stage: Stage, path: str, name: str) -> None:
    reply = stage.get(path)
    assert reply
    assert differences(reply, recorded("testery", name)) == []


def test_quirk_user_token_and_maintenance(stage: Stage) -> None:
    assert stage.get("/users/me") is None
    stage.testery.quirks.user_token = True
    assert differences(stage.get("/users/me"), recorded("testery", "user-me.cli")) == []
    stage.testery.quirks.maintenance_until = "2026-03-02T12:00:00.000Z"
    wanted = recorded("testery", "maintenance-active.made-up")
    assert differences(stage.get("/v2/scheduled-maintenances/active.json"), wanted) == []


def test_plan_runs_answer_200_and_have_ids_of_their_own(stage: Stage) -> None:
    body = recorded("testery", "test-plan-run-request.cli")
    started = stage.post("/test-plans/9/runs", body)
    assert started.status_code == 200
    assert started.json() == recorded("testery", "test-plan-run-response.made-up")
    canceled = stage.post("/test-plans/9/runs/77/cancel", {})
    assert (canceled.status_code, canceled.json()) == (200, {"id": 77, "status": "CANCELED"})
    assert stage.post("/test-plans/8/runs", body).status_code == 404


def test_runs_of_a_deploy_and_the_old_alias(stage: Stage) -> None:
    _create(stage, "web")
    made = _create(stage, "web", deployId="42")
    assert [run["id"] for run in stage.get("/test-runs/by-deploy/42")] == [made]
    assert stage.get(f"/test-run-results/{made}")["id"] == made


@pytest.mark.parametrize("value", [None, "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_401_without_the_token(stage: Stage, value: str | None) -> None:
    headers = {"Authorization": value} if value else {}
    reply = requests.get(f"{stage.server.url}/api/test-runs", headers=headers, timeout=5)
    assert (reply.status_code, reply.json()) == (401, recorded("testery", "error-401.cli"))


def test_errors_are_json_or_plain_text(stage: Stage) -> None:
    reply = stage.send("GET", "/api/test-runs/1")
    assert (reply.status_code, reply.json()) == (404, recorded("testery", "error-404.cli"))
    assert stage.send("GET", "/api/nothing").json()["code"] == "404"
    stage.testery.quirks.plain_text_errors = True
    plain = stage.send("GET", "/api/test-runs/1")
    assert (plain.status_code, plain.text) == (404, "Resource Not Found")


def test_finish_ends_a_run_now(stage: Stage) -> None:
    runs = [stage.testery.add_run("web", "qa", RED) for _ in range(3)]
    stage.clock.advance(30)
    stage.testery.finish(runs[0], "PASS")
    stage.testery.finish(runs[1].id, "FAIL", "test_search")
    stage.testery.finish(runs[2], "CANCELED")
    shown = [stage.get(f"/test-runs/{run.id}") for run in runs]
    assert [run["status"] for run in shown] == ["PASS", "FAIL", "CANCELED"]
    assert [run["failCount"] for run in shown] == [0, 1, 0]


def test_pages_for_people_need_no_token(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", RED)
    stage.clock.advance(200)
    base = f"{stage.server.url}/acme/test-runs"
    result = stage.get(f"/test-runs/{run.id}/results")[1]["id"]
    for path in (
        "",
        f"/{run.id}",
        f"/{run.id}/tests/{result}",
        f"/{run.id}/tests/{result}/console",
    ):
        reply = requests.get(base + path, timeout=5)
        assert (reply.status_code, "<h1>" in reply.text) == (200, True)
        assert "FAIL" in reply.text
    assert (
        requests.get(f"{stage.server.url}/other/test-runs/{run.id}", timeout=5).status_code == 404
    )


def test_faults_come_before_everything_else(stage: Stage) -> None:
    stage.testery.faults.add(Fault(path="/api/test-runs.*", status=503, body=b"<html>", times=1))
    assert stage.send("GET", "/api/test-runs").status_code == 503
    assert stage.send("GET", "/api/test-runs").status_code == 200
    assert len(stage.testery.faults.requests("GET", "/api/test-runs")) == 2
