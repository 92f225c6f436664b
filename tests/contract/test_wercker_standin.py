"""The Wercker stand-in against the recorded replies, and each quirk one by one."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.playground.clock import ManualClock
from bot.playground.faults import Fault
from bot.playground.server import Server
from bot.playground.vendors.wercker import PipelineSpec, WerckerStandin
from bot.playground.vendors.wercker_json import go_time
from bot.playground.vendors.wercker_model import (
    failed,
    github_user,
    hanging,
    never_started,
    passed,
)

RECORDED = Path(__file__).parents[1] / "recorded" / "wercker"
TOKEN = {"Authorization": "Bearer sample-token"}
BUILD = "AcmeRobotics/shop/build"
FORMS = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "time"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})? \+0000 UTC", "go time"),
    (r"[0-9a-f]{24}", "id"),
    (r"[0-9a-f]{40}", "commit"),
    (r"[0-9a-f]{32}", "digest"),
    (r"https?://.*", "address"),
)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def form(value: Any) -> Any:
    """Reduce a reply to its form: keys, types, and what kind of text each text is."""
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    if isinstance(value, list):
        return [form(item) for item in value]
    if isinstance(value, str):
        return next((name for rule, name in FORMS if re.fullmatch(rule, value)), "text")
    return type(value).__name__


def path_of(address: str) -> str:
    return re.sub(r"^https?://[^/]+", "", re.sub(r"[0-9a-f]{24}", "ID", address))


class Client:
    def __init__(self, server: Server) -> None:
        self._base = server.url

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        address = path if path.startswith("http") else f"{self._base}{path}"
        options = {"headers": TOKEN, "allow_redirects": False, **options}
        return requests.request(method, address, timeout=5, **options)

    def get(self, path: str, **params: Any) -> Any:
        reply = self.send("GET", f"/api/v3{path}", params=params)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def refusal(self, path: str, **params: Any) -> tuple[int, dict[str, Any]]:
        reply = self.send("GET", f"/api/v3{path}", params=params)
        return reply.status_code, reply.json()

    def post(self, body: Any, path: str = "/api/v3/runs") -> requests.Response:
        return self.send("POST", path, json=body)

    def abort(self, run_id: str) -> requests.Response:
        return self.send("PUT", f"/api/v3/runs/{run_id}/abort", json={})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_750_000_000.5)


@pytest.fixture
def wercker(clock: ManualClock) -> WerckerStandin:
    made = WerckerStandin(clock, "sample-token")
    build = PipelineSpec("build", then=("deploy",))
    made.add_application("AcmeRobotics", "shop", [build, PipelineSpec("deploy", type="pipeline")])
    return made


@pytest.fixture
def client(wercker: WerckerStandin) -> Iterator[Client]:
    with Server(wercker.app) as server:
        yield Client(server)


def pipeline_id(wercker: WerckerStandin, key: str = BUILD) -> str:
    return wercker.pipeline(key).id


# Shapes, against the recordings.


@pytest.mark.parametrize(
    ("name", "status", "result"),
    [
        ("run-get-running.recorded", "running", "unknown"),
        ("run-get-failed.recorded", "finished", "failed"),
    ],
)
def test_a_run_in_detail_has_the_recorded_form(
    client: Client, wercker: WerckerStandin, name: str, status: Any, result: Any
) -> None:
    run = wercker.add_run(BUILD, status=status, result=result)
    got, expected = client.get(f"/runs/{run.id}"), recorded(name)
    assert form(got) == form(expected)
    assert (got["status"], got["result"]) == (expected["status"], expected["result"])
    assert path_of(got["url"]) == path_of(expected["url"])


def test_a_chained_run_carries_its_source(client: Client, wercker: WerckerStandin) -> None:
    source = wercker.add_run(BUILD)
    commits = [{"_id": "595aeee73c2e150001977cb0", "commit": "c" * 40, "message": "m", "by": "R"}]
    pipeline = wercker.pipeline("AcmeRobotics/shop/deploy")
    run = wercker.create(pipeline, source=source, commits=commits * 2)
    wercker.finish(run.id, "passed")
    got, expected = client.get(f"/runs/{run.id}"), recorded("run-get-chained.recorded")
    assert form(got) == form(expected)
    assert got["message"] == expected["message"]
    assert got["sourceRun"]["id"] == source.id
    assert form(got["pipeline"]) == form(expected["pipeline"])
    assert got["pipeline"]["permissions"] == expected["pipeline"]["permissions"]


@pytest.mark.parametrize("name", ["by-application", "by-pipeline"])
def test_a_list_has_summaries_of_the_recorded_form(
    client: Client, wercker: WerckerStandin, name: str
) -> None:
    for _ in range(12):
        wercker.add_run(BUILD, result="failed")
    ids = {"by-application": "applicationId", "by-pipeline": "pipelineId"}
    owner = wercker.applications[0].id if name == "by-application" else pipeline_id(wercker)
    got = client.get("/runs", **{ids[name]: owner})
    expected = recorded(f"runs-list-{name}.recorded")
    assert form(got) == [form(got[0])] * 10
    assert len(got) == len(expected) == 10, "the observed default is 10, not the documented 20"
    assert {json.dumps(form(run), sort_keys=True) for run in expected} == {
        json.dumps(form(got[0]), sort_keys=True)
    }


def test_a_github_user_has_no_id_and_another_avatar(
    client: Client, wercker: WerckerStandin
) -> None:
    run = wercker.add_run(BUILD, user=github_user("sample-dev"))
    expected = recorded("runs-list-github-users.recorded")[1]["user"]
    got = client.get(f"/runs/{run.id}")["user"]
    assert form(got) == form(expected)
    assert (got["userId"], got["type"]) == (None, "github")


def test_the_reply_of_a_trigger_lacks_fields_and_has_the_odd_times(
    client: Client, wercker: WerckerStandin, clock: ManualClock
) -> None:
    clock.advance(0.123456)
    reply = client.post({"pipelineId": pipeline_id(wercker), "branch": "master"})
    got, expected = reply.json(), recorded("run-trigger-response.recorded")
    assert reply.status_code == 200, "not 201"
    assert reply.headers["X-Wercker-Trace-Id"]
    assert form(got) == form(expected)
    for absent in ("envVars", "progress", "startedAt", "finishedAt"):
        assert absent not in got
    assert (got["status"], got["result"]) == ("notstarted", "unknown")


def test_the_other_reply_of_a_trigger(client: Client, wercker: WerckerStandin) -> None:
    wercker.quirks.trigger_times = "iso"
    body = {
        "pipelineId": pipeline_id(wercker),
        "message": "My custom message!",
        "envVars": [{"key": "SOME_VAR", "value": "SOME VALUE"}],
    }
    got = client.post(body).json()
    expected = recorded("run-trigger-response.seed")
    expected["user"]["meta"] = {"username": "", "type": ""}
    assert form(got) == form(expected)


def test_go_times_have_fractions_of_varying_length() -> None:
    assert go_time(1_499_182_630.0) == "2017-07-04 15:37:10 +0000 UTC"
    assert go_time(1_499_182_630.73) == "2017-07-04 15:37:10.73 +0000 UTC"
    assert go_time(1_499_182_630.123456) == "2017-07-04 15:37:10.123456 +0000 UTC"


def test_an_abort_has_the_recorded_form(client: Client, wercker: WerckerStandin) -> None:
    run = wercker.add_run(BUILD, status="running")
    reply = client.abort(run.id)
    assert reply.status_code == 200
    got, expected = reply.json(), recorded("run-abort-response.recorded")
    assert form(got) == form(expected)
    assert (got["status"], got["result"]) == ("finished", "aborted")
    assert client.get(f"/runs/{run.id}") == got


def test_steps_have_the_recorded_form(client: Client, wercker: WerckerStandin) -> None:
    run = wercker.add_run(BUILD)
    got, expected = client.get(f"/runs/{run.id}/steps"), recorded("run-steps.recorded")
    assert [form(step) for step in got[:3]] == [form(step) for step in expected[:3]]
    assert [step["order"] for step in got] == list(range(1, len(got) + 1))
    assert [step["step"] for step in got[:2]] == ["get code", "setup environment"]
    assert all("step" not in step for step in got[2:])
    assert path_of(got[0]["logUrl"]) == path_of(expected[0]["logUrl"])
    assert client.get(f"/runsteps/{got[3]['id']}") == got[3]


def test_steps_behind_a_failed_one_have_not_started(
    client: Client, wercker: WerckerStandin
) -> None:
    run = wercker.add_run(BUILD, outcome=failed("install packages"))
    got, expected = client.get(f"/runs/{run.id}/steps"), recorded("run-steps-failed.made-up")
    assert [form(step) for step in got[:5]] == [form(step) for step in expected]
    results = [(step["status"], step["result"]) for step in got[:5]]
    assert results == [(step["status"], step["result"]) for step in expected]


def test_an_application_has_the_recorded_form(client: Client) -> None:
    got = client.get("/applications/AcmeRobotics/shop")
    expected = recorded("application-get.recorded")
    for shape in (got, expected):
        shape["allowedActions"] = sorted(set(shape["allowedActions"]) & {"create_run"})
    assert form(got) == form(expected)
    assert path_of(got["url"]) == "/api/v3/applications/acmerobotics/shop", "lower case"
    assert got["owner"]["meta"]["username"] == "AcmeRobotics", "as it is written"


@pytest.mark.parametrize("owner", ["AcmeRobotics", "acmerobotics"])
def test_the_case_of_an_owner_does_not_matter(client: Client, owner: str) -> None:
    assert client.get(f"/applications/{owner}/shop")["name"] == "shop"


def test_applications_of_an_owner(client: Client, wercker: WerckerStandin) -> None:
    for name in ("zebra", "aardvark"):
        wercker.add_application("AcmeRobotics", name)
    got = client.get("/applications/acmerobotics")
    assert form(got[0]) == form(recorded("applications-list.recorded")[0])
    assert [item["name"] for item in got] == ["aardvark", "shop", "zebra"]
    turned = client.get("/applications/acmerobotics", sort="nameDesc", limit=1, skip=1)
    assert [item["name"] for item in turned] == ["shop"]
    assert client.refusal("/applications/acmerobotics", limit=101)[0] == 400


def test_pipelines_of_an_application(client: Client, wercker: WerckerStandin) -> None:
    got = client.get("/applications/AcmeRobotics/shop/pipelines")
    expected = recorded("application-pipelines.recorded")
    assert form(got) == form(expected[:2])
    for mine, theirs in zip(got, expected[:2], strict=True):
        for key in ("type", "permissions", "setScmProviderStatus"):
            assert mine[key] == theirs[key]
    detail = client.get(f"/pipelines/{got[0]['id']}")
    assert detail["application"]["id"] == wercker.applications[0].id


def test_workflows_have_the_recorded_form(
    client: Client, wercker: WerckerStandin, clock: ManualClock
) -> None:
    wercker.push(BUILD)
    clock.advance(60)
    owner = wercker.applications[0].id
    listed = client.get("/workflows", applicationId=owner)
    assert form(listed[0]) == form(recorded("workflows-list.recorded")[0])
    detail = client.get(f"/workflows/{listed[0]['id']}")
    assert form(detail) == form(recorded("workflow-get.recorded"))
    assert detail["items"][1]["parentItem"] == detail["items"][0]["id"]


def test_an_item_behind_a_failed_run_never_starts(
    client: Client, wercker: WerckerStandin, clock: ManualClock
) -> None:
    wercker.push(BUILD, outcome=failed())
    clock.advance(600)
    items = client.get("/workflows", applicationId=wercker.applications[0].id)[0]["items"]
    expected = recorded("workflows-list-failed-chain.recorded")[1]["items"][:2]
    assert form(items) == form(expected)
    assert [(i["status"], i["result"]) for i in items] == [
        ("finished", "failed"),
        ("notstarted", "unknown"),
    ]


# Behaviour.


def test_a_run_moves_by_the_clock(
    client: Client, wercker: WerckerStandin, clock: ManualClock
) -> None:
    wercker.script(BUILD, failed("test", duration_s=10, queue_s=2))
    run_id = client.post({"pipelineId": pipeline_id(wercker)}).json()["id"]
    seen = []
    for _ in range(7):
        run = client.get(f"/runs/{run_id}")
        absent = tuple(key for key in ("startedAt", "finishedAt") if key not in run)
        seen.append((run["status"], run["result"], run["progress"], absent))
        clock.advance(2)
    assert seen == [
        ("notstarted", "unknown", 0, ("startedAt", "finishedAt")),
        ("running", "unknown", 0, ("finishedAt",)),
        ("running", "unknown", 14, ("finishedAt",)),
        ("running", "unknown", 28, ("finishedAt",)),
        ("running", "unknown", 42, ("finishedAt",)),
        ("running", "unknown", 57, ("finishedAt",)),
        ("finished", "failed", 71, ()),
    ]


def test_steps_move_with_their_run_and_logs_grow(
    client: Client, wercker: WerckerStandin, clock: ManualClock
) -> None:
    run = wercker.push(BUILD, outcome=failed("test", duration_s=50, queue_s=0))
    assert len(client.get(f"/runs/{run.id}/steps")) == 2, "the project's own are not known yet"
    clock.advance(42)
    step = client.get(f"/runs/{run.id}/steps")[4]
    assert (step["displayName"], step["status"]) == ("test", "running")
    assert "finishedAt" not in step
    first = client.send("GET", step["logUrl"])
    assert first.headers["Content-Type"].startswith("text/plain")
    clock.advance(5)
    second = client.send("GET", step["logUrl"])
    assert second.text.startswith(first.text)
    assert len(second.text) > len(first.text)
    clock.advance(5)
    last = client.send("GET", step["logUrl"])
    assert "AssertionError" in last.text
    assert last.text.startswith(second.text)


def test_scripted_outcomes_come_in_order_and_then_the_default(
    client: Client, wercker: WerckerStandin, clock: ManualClock
) -> None:
    wercker.script(BUILD, failed(), passed())
    body = {"pipelineId": pipeline_id(wercker)}
    ids = [client.post(body, path).json()["id"] for path in ("/api/v3/runs", "/api/v3/runs/")] + [
        client.post(body).json()["id"]
    ]
    clock.advance(60)
    assert [wercker.state(run_id)[1] for run_id in ids] == ["failed", "passed", "passed"]


def test_finish_ends_a_run_at_once(client: Client, wercker: WerckerStandin) -> None:
    running = wercker.push(BUILD, outcome=hanging())
    waiting = wercker.push(BUILD, outcome=never_started())
    for run in (running, waiting):
        wercker.finish(run.id, "failed")
        got = client.get(f"/runs/{run.id}")
        assert (got["status"], got["result"]) == ("finished", "failed")
        assert "finishedAt" in got
        broken = client.get(f"/runs/{run.id}/steps")[0]
        assert "exit code 1" in client.send("GET", broken["logUrl"]).text


def test_a_trigger_takes_what_it_is_given(client: Client, wercker: WerckerStandin) -> None:
    variables = [{"key": "B", "value": "1"}, {"key": "A", "value": "$B"}]
    body = {
        "pipelineId": pipeline_id(wercker),
        "branch": "feature",
        "commitHash": "a" * 40,
        "message": "From chat",
        "envVars": variables,
    }
    got = client.get(f"/runs/{client.post(body).json()['id']}")
    assert got["envVars"] == variables, "in the given order"
    for key in ("branch", "commitHash", "message"):
        assert got[key] == body[key]


def test_a_trigger_fills_in_the_branch_and_its_newest_commit(
    client: Client, wercker: WerckerStandin
) -> None:
    wercker.applications[0].heads["main"] = ("b" * 40, "Newest")
    got = client.post({"pipelineId": pipeline_id(wercker)}).json()
    assert (got["branch"], got["commitHash"], got["message"]) == ("main", "b" * 40, "Newest")


def test_a_trigger_from_a_source_run(client: Client, wercker: WerckerStandin) -> None:
    source = wercker.add_run(BUILD, branch="feature")
    deploy = pipeline_id(wercker, "AcmeRobotics/shop/deploy")
    got = client.post({"pipelineId": deploy, "sourceRunId": source.id}).json()
    detail = client.get(f"/runs/{got['id']}")
    assert (detail["branch"], detail["commitHash"]) == ("feature", source.commit_hash)
    assert detail["sourceRun"]["id"] == source.id
    assert client.get("/runs", pipelineId=deploy, sourceRun=source.id)[0]["id"] == got["id"]
    refused = client.post({"pipelineId": deploy, "sourceRunId": "0" * 24})
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("extra", "path"),
    [
        ({"pipelineId": ""}, "pipelineId"),
        ({"branch": ""}, "branch"),
        ({"message": None}, "message"),
        ({"commitHash": "a" * 40}, "commitHash"),
        ({"envVars": {"A": "1"}}, "envVars"),
        ({"envVars": [{"name": "A", "value": "1"}]}, "envVars.0"),
        ({"variables": []}, "variables"),
    ],
)
def test_a_trigger_with_a_wrong_field_is_refused(
    client: Client, wercker: WerckerStandin, extra: dict[str, Any], path: str
) -> None:
    reply = client.post({"pipelineId": pipeline_id(wercker), **extra})
    assert reply.status_code == 400
    assert reply.json()["details"][0]["path"] == path
    assert wercker.runs == []


def test_a_trigger_without_or_with_an_unknown_pipeline(client: Client) -> None:
    assert client.post({}).json()["details"][0]["path"] == "pipelineId"
    assert client.post({"pipelineId": "0" * 24}).status_code == 404
    broken = client.send("POST", "/api/v3/runs", data="pipelineId=1")
    assert (broken.status_code, broken.json()["statusCode"]) == (400, 400)


def test_every_filter_selects(client: Client, wercker: WerckerStandin) -> None:
    wanted = wercker.add_run(
        BUILD,
        branch="feature",
        result="failed",
        tag="v1",
        commit_hash="c" * 40,
        user=github_user("sample-dev"),
        age_s=50,
    )
    others = [wercker.add_run(BUILD, age_s=100), wercker.add_run(BUILD, status="running")]
    by_pipeline = {"pipelineId": pipeline_id(wercker)}
    for key, value in {
        "branch": "feature",
        "result": "failed",
        "tag": "v1",
        "commit": "c" * 40,
        "author": "sample-dev",
    }.items():
        got = client.get("/runs", **by_pipeline, **{key: value})
        assert [run["id"] for run in got] == [wanted.id], key
    running = client.get("/runs", **by_pipeline, status="running")
    assert [run["id"] for run in running] == [others[1].id]
    other = pipeline_id(wercker, "AcmeRobotics/shop/deploy")
    assert client.get("/runs", pipelineId=other) == []


def test_pages_and_order(client: Client, wercker: WerckerStandin) -> None:
    runs = [wercker.add_run(BUILD, age_s=1000 - index) for index in range(25)]
    ids = [run.id for run in runs]
    by_pipeline = {"pipelineId": pipeline_id(wercker)}
    newest = client.get("/runs", **by_pipeline, limit=20)
    rest = client.get("/runs", **by_pipeline, limit=20, skip=20)
    assert [run["id"] for run in newest + rest] == ids[::-1]
    oldest = client.get("/runs", **by_pipeline, limit=3, sort="creationDateAsc")
    assert [run["id"] for run in oldest] == ids[:3]
    assert len(client.get("/runs", **by_pipeline, limit=1, skip=0)) == 1, "one client sends 0"


@pytest.mark.parametrize("key", ["status", "result"])
def test_a_wrong_word_gets_the_recorded_error(
    client: Client, wercker: WerckerStandin, key: str
) -> None:
    names = {"status": "error-400-bad-status.docs", "result": "error-400-bad-result.fixture"}
    params = {"pipelineId": pipeline_id(wercker), key: "broken"}
    assert client.refusal("/runs", **params) == (400, recorded(names[key]))


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"limit": "21"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"skip": "-1"}, "skip"),
        ({"sort": "newest"}, "sort"),
        ({"page": "2"}, "page"),
        ({"sourceRun": "x"}, "sourceRun"),
    ],
)
def test_a_wrong_parameter_is_refused_with_details(
    client: Client, wercker: WerckerStandin, params: dict[str, str], path: str
) -> None:
    status, body = client.refusal("/runs", pipelineId=pipeline_id(wercker), **params)
    assert status == body["statusCode"] == 400
    assert [detail["path"] for detail in body["details"]] == [path]
    assert set(body["details"][0]) == {"path", "message", "type", "context"}


def test_a_list_needs_an_application_or_a_pipeline(client: Client) -> None:
    assert client.refusal("/runs")[0] == 400


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, TOKEN])
def test_tokens(client: Client, wercker: WerckerStandin, headers: dict[str, str]) -> None:
    run = wercker.add_run(BUILD)
    owner, pipeline = wercker.applications[0].id, pipeline_id(wercker)
    paths = [f"/api/v3/runs/{run.id}", f"/api/v3/runs?pipelineId={pipeline}", "/api/v2/profile"]
    paths += [f"/api/v3/workflows?applicationId={owner}", f"/api/v3/runs/{run.id}/steps"]
    for path in paths:
        reply = client.send("GET", path, headers=headers)
        assert reply.status_code == (200 if headers is TOKEN else 401), path
        if headers is not TOKEN:
            assert reply.json() == recorded("error-401.docs")
            assert reply.headers["Content-Type"] == "application/json"


def test_without_a_token_a_public_application_can_be_read_only(
    client: Client, wercker: WerckerStandin
) -> None:
    wercker.add_application("acme", "open", privacy="public")
    run = wercker.add_run("acme/open/build", status="running")
    address = f"/api/v3/runs/{run.id}"
    assert client.send("GET", address, headers={}).status_code == 200
    assert client.send("PUT", f"{address}/abort", headers={}, json={}).status_code == 401
    wrong = {"Authorization": "Bearer wrong"}
    assert client.send("GET", address, headers=wrong).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/runs/" + "0" * 24, "/pipelines/" + "0" * 24, "/applications/acme/none", "/nothing"],
)
def test_what_is_not_there_is_404_in_the_documented_form(client: Client, path: str) -> None:
    status, body = client.refusal(path)
    assert status == 404
    assert form(body) == form(recorded("error-404.made-up"))
    assert (body["statusCode"], body["error"]) == (404, "Not Found")


def test_post_to_abort_is_the_mistake_of_one_client(
    client: Client, wercker: WerckerStandin
) -> None:
    run = wercker.add_run(BUILD, status="running")
    reply = client.post({}, f"/api/v3/runs/{run.id}/abort")
    assert reply.status_code in {404, 405}
    assert wercker.state(run.id) == ("running", "unknown")


def test_an_abort_needs_a_json_body(client: Client, wercker: WerckerStandin) -> None:
    run = wercker.add_run(BUILD, status="running")
    assert client.send("PUT", f"/api/v3/runs/{run.id}/abort").status_code == 400
    assert wercker.state(run.id) == ("running", "unknown")


def test_an_abort_of_a_finished_run(client: Client, wercker: WerckerStandin) -> None:
    run = wercker.add_run(BUILD, result="failed")
    refused = client.abort(run.id)
    assert (refused.status_code, refused.json()["error"]) == (422, "Unprocessable Entity")
    wercker.quirks.abort_of_finished = "unchanged"
    reply = client.abort(run.id)
    assert (reply.status_code, reply.json()["result"]) == (200, "failed")


def test_a_run_that_ends_while_its_abort_is_on_the_way(
    client: Client, wercker: WerckerStandin
) -> None:
    wercker.quirks.ends_before_abort = "passed"
    run = wercker.add_run(BUILD, status="running")
    assert client.abort(run.id).status_code == 422
    assert client.get(f"/runs/{run.id}")["result"] == "passed"


def test_a_chained_pipeline_may_need_its_source(client: Client, wercker: WerckerStandin) -> None:
    body = {"pipelineId": pipeline_id(wercker, "AcmeRobotics/shop/deploy")}
    assert client.post(body).status_code == 200
    wercker.quirks.source_needed = True
    assert client.post(body).status_code == 422
    source = wercker.add_run(BUILD)
    assert client.post({**body, "sourceRunId": source.id}).status_code == 200


@pytest.mark.parametrize("step", ["get code", "setup environment"])
def test_a_broken_machine_fails_before_the_projects_own_steps(
    client: Client, wercker: WerckerStandin, step: str
) -> None:
    run = wercker.add_run(BUILD, outcome=failed(step))
    got = client.get(f"/runs/{run.id}/steps")
    assert len(got) == 2
    assert [item["step"] for item in got if item["result"] == "failed"] == [step]


def test_a_stuck_run_goes_on_after_an_abort(client: Client, wercker: WerckerStandin) -> None:
    wercker.quirks.abort_ignored = True
    run = wercker.add_run(BUILD, status="running")
    reply = client.abort(run.id)
    assert (reply.status_code, reply.json()["status"]) == (200, "running")


def test_an_abort_before_the_start_leaves_no_start(client: Client, wercker: WerckerStandin) -> None:
    run = wercker.add_run(BUILD, status="notstarted")
    got = client.abort(run.id).json()
    assert (got["status"], got["result"]) == ("finished", "aborted")
    assert "startedAt" not in got
    assert "finishedAt" in got


def test_replies_of_later_years_have_null_progress(client: Client, wercker: WerckerStandin) -> None:
    wercker.quirks.null_progress = True
    wercker.add_run(BUILD)
    got = client.get("/runs", pipelineId=pipeline_id(wercker))[0]
    expected = recorded("runs-list-null-progress.recorded")[0]
    assert got["progress"] is expected["progress"] is None


def test_masked_variables(client: Client, wercker: WerckerStandin) -> None:
    wercker.quirks.masked_variables = True
    run = wercker.add_run(BUILD, env=[{"key": "SECRET", "value": "hush"}])
    reply = client.send("GET", f"/api/v3/runs/{run.id}")
    assert "hush" not in reply.text
    assert reply.json()["envVars"] == [{"key": "SECRET", "value": "*****"}]


def test_variables_and_sources_show_in_detail_only(client: Client, wercker: WerckerStandin) -> None:
    source = wercker.add_run(BUILD)
    run = wercker.add_run(BUILD, env=[{"key": "A", "value": "1"}], source=source, age_s=5)
    summary = client.get("/runs", pipelineId=pipeline_id(wercker))[0]
    assert summary["id"] == run.id
    detail = client.get(f"/runs/{run.id}")
    only = set(detail) - set(summary)
    assert only == {"envVars", "commits", "pullRequest", "sourceRun"}


def test_content_types_and_the_cookie(client: Client, wercker: WerckerStandin) -> None:
    path = "/api/v3/applications/acmerobotics"
    reply = client.send("GET", path)
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "Set-Cookie" in reply.headers
    wercker.quirks.charset = False
    assert client.send("GET", path).headers["Content-Type"] == "application/json"


def test_the_page_of_a_run_is_for_people(client: Client, wercker: WerckerStandin) -> None:
    run = wercker.add_run(BUILD, result="failed")
    reply = client.send("GET", f"/AcmeRobotics/shop/runs/build/{run.id}?step=1", headers={})
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/html")
    assert "failed" in reply.text
    wrong = client.send("GET", f"/AcmeRobotics/shop/runs/deploy/{run.id}", headers={})
    assert wrong.status_code == 404


def test_faults_come_before_the_work_and_requests_are_kept(
    client: Client, wercker: WerckerStandin
) -> None:
    wercker.faults.add(Fault(path="/api/v3/runs", method="POST", times=1, status=500))
    body = {"pipelineId": pipeline_id(wercker)}
    assert client.post(body).status_code == 500
    assert wercker.runs == []
    assert client.post(body).status_code == 200
    kept = wercker.faults.requests("POST", "/api/v3/runs")
    assert [json.loads(request.body) for request in kept] == [body, body]


def test_a_mistaken_script_is_told_at_once(wercker: WerckerStandin) -> None:
    wercker.script(BUILD, failed("no such step"))
    with pytest.raises(LookupError, match="no such step"):
        wercker.push(BUILD)
    with pytest.raises(LookupError):
        wercker.script("acme/none/build", passed())
