"""The Allure TestOps stand-in: tokens, launches as they move, lists and errors."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.playground.vendors.course import Outcome
from tests.fakes.allure_stage import FORM, TOKEN, AllureStage
from tests.fakes.likeness import differences, recorded

RED = Outcome("failed", run_s=100, queue_s=10, failed=("Login",), broken=("Refund to voucher",))
GREEN = Outcome("passed", run_s=100, queue_s=10)


@pytest.fixture
def stage() -> Iterator[AllureStage]:
    with AllureStage.open() as made:
        yield made


def error(where: str, status: int) -> Any:
    rows = recorded("allure-testops", "errors")
    return next(r["body"] for r in rows if (r["where"], r["http_status"]) == (where, status))


def like(reply: Any, name: str) -> list[str]:
    return differences(reply, recorded("allure-testops", name))


@pytest.mark.parametrize("encoding", ["data", "files"])
def test_the_exchange_takes_both_form_encodings(stage: AllureStage, encoding: str) -> None:
    fields: Any = FORM
    if encoding == "files":
        fields = {key: (None, value) for key, value in FORM.items()}
    url = f"{stage.server.url}/api/uaa/oauth/token"
    reply = requests.post(url, timeout=5, **{encoding: fields})
    assert reply.status_code == 200
    assert like(reply.json(), "token-response") == []


@pytest.mark.parametrize(
    ("quirk", "name"),
    [("minimal", "token-response-minimal"), ("text", "token-response-expires-as-string")],
)
def test_quirk_token_reply(stage: AllureStage, quirk: str, name: str) -> None:
    stage.allure.quirks.token_reply = quirk
    reply = stage.exchange().json()
    allowed = {"$.refresh_token is missing", "$.jti: uuid instead of text"}
    assert set(like(reply, name)) <= allowed


def test_quirk_token_reply_without_a_token(stage: AllureStage) -> None:
    stage.allure.quirks.token_reply = "no_token"
    assert "access_token" not in stage.exchange().json()
    stage.allure.quirks.token_reply = "refresh"
    assert stage.exchange().json()["refresh_token"]
    stage.allure.quirks.token_reply = "html"
    assert stage.exchange().headers["Content-Type"].startswith("text/html")


def test_quirk_xsrf_cookie(stage: AllureStage) -> None:
    assert stage.exchange().cookies.get("XSRF-TOKEN") is None
    stage.allure.quirks.xsrf_cookie = True
    assert stage.exchange().cookies.get("XSRF-TOKEN") == "sample"


def test_refused_exchanges(stage: AllureStage) -> None:
    wrong, empty = stage.exchange(token="wrong"), stage.exchange(token="")
    assert (wrong.status_code, wrong.json()) == (401, error("token exchange", 401))
    assert (empty.status_code, empty.json()) == (400, error("token exchange", 400))
    assert stage.exchange(grant_type="password").status_code == 400


def test_a_token_expires_and_a_new_one_works(stage: AllureStage) -> None:
    assert like(stage.get("/uaa/me"), "me") == []
    stage.clock.advance(3600)
    expired = stage.send("GET", "/api/uaa/me")
    assert (expired.status_code, expired.json()) == (401, error("any call", 401))
    stage.token = stage.exchange().json()["access_token"]
    assert stage.send("GET", "/api/uaa/me").status_code == 200
    stage.allure.revoke_tokens()
    assert stage.send("GET", "/api/uaa/me").status_code == 401


def test_the_personal_token_itself_only_as_api_token(stage: AllureStage) -> None:
    url = f"{stage.server.url}/api/uaa/me"

    def code(value: str) -> int:
        return requests.get(url, headers={"Authorization": value}, timeout=5).status_code

    assert (code(f"Bearer {TOKEN}"), code(f"Api-Token {TOKEN}"), code("")) == (401, 200, 401)
    stage.allure.quirks.api_token_header = False
    assert code(f"Api-Token {TOKEN}") == 401


def test_a_launch_moves_from_queued_to_closed(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", RED)
    path, seen = f"/launch/{launch.id}", []
    for seconds in (0, 30, 80, 2, 4):
        stage.clock.advance(seconds)
        counts = sum(stage.counts(launch.id).values())
        ready, closed = stage.get(f"{path}/progress")["ready"], stage.is_closed(launch.id)
        seen.append((*stage.job_states(launch.id)[0], counts, ready, closed))
    assert seen == [
        ("scheduled", None, 0, False, False),
        ("in_progress", None, 1, False, False),
        ("finished", "failed", 5, False, False),
        ("finished", "failed", 5, True, False),
        ("finished", "failed", 5, True, True),
    ]


def test_a_launch_and_its_parts_look_as_recorded(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", RED, tags=("smoke",))
    path = f"/launch/{launch.id}"
    assert like(stage.get(path), "launch-open") == []
    assert like(stage.get(f"{path}/job"), "launch-jobs-scheduled") == []
    assert like(stage.get(f"{path}/progress"), "launch-progress-busy") == []
    assert stage.get(f"{path}/statistic") == recorded("allure-testops", "launch-statistic-empty")
    stage.clock.advance(200)
    assert like(stage.get(path), "launch-closed-failed") == []
    assert like(stage.get(f"{path}/job"), "launch-jobs-failed") == []
    assert like(stage.get(f"{path}/statistic"), "launch-statistic-failed") == []
    assert stage.counts(launch.id) == {"passed": 3, "failed": 1, "broken": 1}


def test_times_are_milliseconds_and_the_launch_is_modified_as_it_moves(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", GREEN)
    begin, dates = 1_750_000_000_000, []
    for seconds in (0, 15, 20, 500):
        stage.clock.advance(seconds)
        reply = stage.get(f"/launch/{launch.id}")
        assert reply["createdDate"] == begin
        dates.append(reply["lastModifiedDate"] - begin)
    assert dates == [0, 10_000, 30_000, 116_000]
    stage.allure.quirks.text_times = True
    assert stage.get(f"/launch/{launch.id}")["createdDate"] == "2025-06-15T15:06:40.000Z"


def test_ci_that_could_not_be_started(stage: AllureStage) -> None:
    note = "Could not start the pipeline: 401 Unauthorized"
    launch = stage.allure.add_run("web-regression", Outcome("run_failure", 5, 5, note=note))
    assert stage.job_states(launch.id) == [("scheduled", None)]
    stage.clock.advance(12)
    jobs = stage.get(f"/launch/{launch.id}/job")
    assert like(jobs, "launch-jobs-run-failure") == []
    assert (jobs[0]["errorMessage"], stage.counts(launch.id)) == (note, {})


def test_a_cancelled_build_keeps_the_results_so_far(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", GREEN)
    stage.clock.advance(55)
    stage.allure.finish(launch, "cancelled")
    assert stage.job_states(launch.id) == [("finished", "cancelled")]
    assert stage.counts(launch.id) == {"passed": 2}


def test_quirks_of_the_statistic(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", GREEN)
    stage.clock.advance(55)
    stage.allure.quirks.in_progress_results = True
    assert stage.counts(launch.id) == {"passed": 2, "in_progress": 3}
    stage.allure.quirks.zero_counts = True
    assert stage.counts(launch.id)["failed"] == 0
    stage.allure.quirks.upper_case = True
    assert "PASSED" in stage.counts(launch.id)


def test_the_list_is_sparse_or_rich(stage: AllureStage) -> None:
    stage.allure.add_run("web-regression", RED, tags=("smoke",), environment=[("Branch", "main")])
    stage.clock.advance(200)
    path = f"/launch?projectId={stage.project}"
    sparse, rich = stage.get(path), stage.get(f"{path}&preview=true")
    assert like(sparse, "launches-page-plain") == []
    finished = recorded("allure-testops", "launches-page-preview")
    del finished["content"][0]  # the first one is under way, and its job run has no status
    assert differences(rich, finished) == []
    stage.allure.quirks.preview = False
    assert stage.get(f"{path}&preview=true") == sparse
    stage.allure.quirks.list_items = "rich"
    assert stage.get(path) == rich


def test_quirk_release_id(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", RED)
    assert "releaseId" not in stage.get(f"/launch/{launch.id}")
    stage.allure.quirks.release_id = True
    assert stage.get(f"/launch/{launch.id}")["releaseId"] == 1


def test_pages_of_launches(stage: AllureStage) -> None:
    empty = stage.get(f"/launch?projectId={stage.project}")
    assert empty == recorded("allure-testops", "launches-page-empty")
    ids = [stage.allure.add_launch(stage.project, "x").id for _ in range(12)][::-1]
    path = f"/launch?projectId={stage.project}"
    first, second = stage.get(path), stage.get(f"{path}&page=1")
    assert [x["id"] for x in first["content"] + second["content"]] == ids
    assert (first["last"], second["last"], first["totalPages"]) == (False, True, 2)
    assert len(stage.get(f"{path}&size=500")["content"]) == 12
    assert stage.get(f"{path}&size=500")["size"] == 100


@pytest.mark.parametrize("sort", ["created_date,DESC", "createdDate,DESC", "id,DESC"])
def test_sorts(stage: AllureStage, sort: str) -> None:
    now = stage.clock.time()
    new, old = (stage.allure.add_launch(stage.project, "x", at_s=now - s) for s in (0, 50))
    path = f"/launch?projectId={stage.project}&sort={sort}"
    wanted = [old.id, new.id] if sort.startswith("id") else [new.id, old.id]
    assert [x["id"] for x in stage.get(path)["content"]] == wanted
    assert stage.send("GET", f"/api{path}&sort=wrong,DESC").status_code == 400


def test_search_by_query(stage: AllureStage) -> None:
    opened = stage.allure.add_launch(stage.project, 'Smoke "main"')
    stage.allure.add_launch(stage.project, "Nightly", closed=True)
    found = _search(stage, "closed = false")
    assert like(found.json(), "launches-search-open") == []
    assert [x["id"] for x in found.json()["content"]] == [opened.id]
    for rql in (r'name ~= "\"MAIN"', "createdDate < 1750000000001 and not closed = true"):
        assert [x["id"] for x in _search(stage, rql).json()["content"]] == [opened.id]


@pytest.mark.parametrize(
    "rql", ["", "closed =", "closed = maybe", "name ~= main", "(", "wrong = 1"]
)
def test_bad_queries_are_400(stage: AllureStage, rql: str) -> None:
    assert _search(stage, rql).status_code == 400


def _search(stage: AllureStage, rql: str) -> requests.Response:
    params = {"projectId": str(stage.project), "rql": rql}
    return stage.send("GET", "/api/launch/__search", params=params)


def test_quirk_lists_lag_while_a_single_launch_does_not(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", GREEN)
    stage.allure.quirks.list_lag_s = 10
    path = f"/launch?projectId={stage.project}"
    assert stage.get(path)["content"] == []
    stage.clock.advance(116)
    assert stage.get(path)["content"][0]["closed"] is False
    assert stage.is_closed(launch.id)


def test_close_freezes_the_results_and_ci_goes_on(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", GREEN)
    stage.clock.advance(55)
    assert stage.post(f"/launch/{launch.id}/close").status_code == 204
    stage.clock.advance(100)
    assert stage.is_closed(launch.id)
    assert stage.counts(launch.id) == {"passed": 2}
    assert stage.job_states(launch.id) == [("finished", "passed")]
    again = stage.post(f"/launch/{launch.id}/close")
    assert (again.status_code, again.json()) == (409, error("write to a closed launch", 409))


def test_reopen_takes_effect_later(stage: AllureStage) -> None:
    launch = stage.allure.add_launch(stage.project, "x", closed=True)
    assert stage.post(f"/launch/{launch.id}/reopen").status_code == 204
    assert stage.is_closed(launch.id)
    stage.clock.advance(3)
    assert not stage.is_closed(launch.id)


def test_hand_made_launches_stay_open(stage: AllureStage) -> None:
    launch = stage.allure.add_launch(stage.project, "Exploratory", statistic={"passed": 5})
    stage.clock.advance(3000)
    assert not stage.is_closed(launch.id)
    assert (stage.counts(launch.id), stage.job_states(launch.id)) == ({"passed": 5}, [])


def test_unknown_launches_and_projects_look_forbidden(stage: AllureStage) -> None:
    reply = stage.send("GET", "/api/launch/1")
    wanted = error("GET /api/launch/{id} with an unknown id", 403)
    assert (reply.status_code, reply.json()) == (403, wanted)
    stage.allure.quirks.unknown_launch = 404
    assert stage.send("GET", "/api/launch/1").status_code == 404
    assert stage.send("GET", "/api/launch?projectId=1").status_code == 403
    assert stage.send("GET", "/api/launch").status_code == 400
    nothing = stage.send("GET", "/api/nothing")
    assert (nothing.status_code, nothing.json()) == (404, error("any", 404))


@pytest.mark.parametrize("part", ["statistic", "job", "progress"])
def test_quirk_hidden_parts(stage: AllureStage, part: str) -> None:
    launch = stage.allure.add_run("web-regression", GREEN)
    stage.allure.quirks.hidden_parts = {part}
    assert stage.send("GET", f"/api/launch/{launch.id}/{part}").status_code == 403
    assert stage.send("GET", f"/api/launch/{launch.id}").status_code == 200


def test_quirk_prefix(stage: AllureStage) -> None:
    path = f"launch?projectId={stage.project}"
    codes = {}
    for prefix in ("/api", "/api/rs", "both"):
        stage.allure.quirks.prefix = prefix
        codes[prefix] = [
            stage.send("GET", f"{tried}/{path}").status_code for tried in ("/api", "/api/rs")
        ]
        assert stage.send("GET", "/api/uaa/me").status_code == 200
    assert codes == {"/api": [200, 404], "/api/rs": [404, 200], "both": [200, 200]}


def test_uploads_exist_only_to_be_noticed(stage: AllureStage) -> None:
    assert stage.allure.uploads == []
    for path in ("/upload/start", "/launch/upload", "/launch/1/upload/file", "/jobrun/1/upload"):
        stage.post(path)
    assert len(stage.allure.uploads) == 4


def test_pages_for_people_need_no_token(stage: AllureStage) -> None:
    launch = stage.allure.add_run("web-regression", RED, name="Smoke <main>")
    stage.clock.advance(200)
    result = stage.get(f"/v2/launch/{launch.id}/test-result/flat")["content"][0]
    for path, text in (
        (f"/launch/{launch.id}", "Smoke &lt;main&gt;"),
        (f"/launch/{launch.id}/tree/{result['id']}", result["name"]),
        (f"/ci/web-regression/{900_000 + launch.job_runs[0].id}", "finished"),
    ):
        reply = requests.get(stage.server.url + path, timeout=5)
        assert (reply.status_code, text in reply.text) == (200, True)
