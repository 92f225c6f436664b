"""Wercker's provider over real sockets: against the stand-in, and against odd answers."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import (
    BuildContext,
    Capability,
    OpenRun,
    RetryRequest,
    Started,
    TriggerRequest,
    Variable,
    is_able,
)
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.playground.clock import ManualClock
from bot.playground.faults import Fault, Received
from bot.playground.server import Server
from bot.playground.vendors.wercker import PipelineSpec, WerckerStandin
from bot.playground.vendors.wercker_model import Outcome, failed, hanging, passed
from bot.providers.wercker import SPEC, WerckerProvider
from tests.fakes.net import RealClock, within

RECORDED = Path(__file__).parents[1] / "recorded" / "wercker"
CANARY = "canary-4711"
BUILD = "acme/shop/build"
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ANY_RUN = "577a4dbc3ec144923a02b6f9"


def recorded(name: str) -> bytes:
    return (RECORDED / f"{name}.json").read_bytes()


class Bench:
    """A stand-in, a provider connected to it, and what travelled between them."""

    def __init__(self, standin: WerckerStandin, url: str) -> None:
        self.standin, self.url = standin, url
        self.provider = self.build()

    def build(self, **settings: Any) -> WerckerProvider:
        values = {
            "token": self.standin.token, "base_url": self.url, "applications": "acme/shop",
            "requests_per_minute": 6000, **settings,
        }  # fmt: skip
        context = BuildContext("wercker", SPEC.settings.model_validate(values), RealClock())
        return cast("WerckerProvider", SPEC.build(context))

    def sent(self, act: Callable[[], object]) -> list[str]:
        """The requests that `act` makes, as `GET path`, in order."""
        before = len(self.standin.faults.received)
        act()
        return [f"{r.method} {r.path}" for r in self.standin.faults.received[before:]]

    def changes(self) -> list[Received]:
        return self.standin.faults.requests("POST|PUT|DELETE|PATCH")

    def answer(self, path: str, body: bytes, status: int = 200, **more: Any) -> Fault:
        headers = more.pop("headers", JSON)
        fault = Fault(path=path, status=status, body=body, headers=headers, **more)
        return self.standin.faults.add(fault)

    def trigger(self, pipeline: str = BUILD, *env: Variable, **parameters: str) -> Started:
        model = SPEC.trigger.model_validate(parameters)
        request = TriggerRequest(pipeline, model, env, "mark-1", "U1")
        return self.provider.trigger(request, within(10))

    def retry(self, run: Run, *env: Variable, **parameters: str) -> Started:
        request = RetryRequest(run, "all", parameters, env, "mark-1", "U1")
        return self.provider.retry(request, within(10))

    def get(self, run_id: str) -> Run:
        return self.provider.get(run_id, within(10))

    def finished(self, outcome: Outcome, pipeline: str = BUILD, **options: Any) -> Run:
        options["outcome"] = outcome
        made = self.standin.create(self.standin.pipeline(pipeline), "main", **options)
        self.standin.clock.advance(60)  # type: ignore[attr-defined]
        return self.get(made.id)


@pytest.fixture
def bench() -> Iterator[Bench]:
    standin = WerckerStandin(ManualClock(), token="sample-token")
    deploy = PipelineSpec("deploy", type="pipeline")
    standin.add_application("acme", "shop", ["build", deploy])
    with Server(standin.app) as server:
        yield Bench(standin, server.url)


def open_run(run_id: str) -> OpenRun:
    return OpenRun(run_id, LONG_AGO, None)


def raised(act: Callable[[], object]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        act()
    return caught.value


class TestFlows:
    def test_capabilities_are_kept(self, bench: Bench) -> None:
        for capability in Capability:
            assert is_able(bench.provider, capability) is (capability in SPEC.capabilities)

    def test_check(self, bench: Bench) -> None:
        health = bench.provider.check(within(10))
        assert (health.account, health.notes) == ("robin-sample", ())
        assert bench.build(applications="").check(within(10)).notes

    def test_check_without_a_profile_reads_an_application(self, bench: Bench) -> None:
        bench.answer("/api/v2/profile", b"", 404)
        assert "acme/shop" in bench.provider.check(within(10)).notes[-1]

    def test_wrong_token(self, bench: Bench) -> None:
        provider = bench.build(token=CANARY)
        error = raised(lambda: provider.check(within(10)))
        assert error.kind is Kind.AUTH
        assert "not visible to this token" in error.message
        assert CANARY not in repr(error) + error.detail
        assert CANARY not in repr(provider) + repr(vars(provider))

    def test_a_run_from_start_to_failure(self, bench: Bench) -> None:
        """Started, seen queued, running, failed with its step, by one poll each."""
        bench.standin.script(BUILD, failed(at_step="test"))
        bench.provider.observe("acme/shop", "", (), within(10))
        started = bench.trigger(branch="main").run
        assert started is not None
        states, cursor = [started.status], ""
        for _ in range(3):
            seen = bench.provider.observe(
                "acme/shop", cursor, (open_run(started.ref.run_id),), within(10)
            )
            cursor = seen.cursor
            states.append(seen.runs[0].status)
            bench.standin.clock.advance(8)  # type: ignore[attr-defined]
        assert states == [Status.QUEUED, Status.QUEUED, Status.RUNNING, Status.FAILED]
        assert seen.runs[0].failed_step == "test"
        assert str(seen.runs[0].pipeline) == f"wercker:{BUILD}"
        assert seen.runs[0].pipeline == started.pipeline

    def test_steps_and_log(self, bench: Bench) -> None:
        run = bench.finished(failed(at_step="test"))
        steps = bench.provider.steps(run.ref.run_id, within(10))
        assert [step.name for step in steps][:3] == [
            "get code",
            "setup environment",
            "wercker-init",
        ]
        log = bench.provider.log(run.ref.run_id, None, within(10))
        assert log.title == "test"
        assert "FAILED (failures=1)" in log.text
        for wanted in ("Setup Environment", "2", steps[1].step_id):
            assert bench.provider.log(run.ref.run_id, wanted, within(10)).title == steps[1].name
        passed_run = bench.finished(passed())
        assert bench.provider.log(passed_run.ref.run_id, None, within(10)).title == "store"

    def test_log_of_no_such_step(self, bench: Bench) -> None:
        run = bench.finished(passed())
        error = raised(lambda: bench.provider.log(run.ref.run_id, "nonsense", within(10)))
        assert error.kind is Kind.NOT_FOUND
        assert "get code" in error.known

    def test_log_address_is_not_followed(self, bench: Bench) -> None:
        """`logUrl` may name another host: the path is made from the step's id."""
        run = bench.finished(failed(at_step="test"))
        steps = json.loads(recorded("run-steps-failed.made-up"))
        for step in steps:
            step["logUrl"] = "http://127.0.0.1:1/steal"
        bench.answer(f"/api/v3/runs/{run.ref.run_id}/steps", json.dumps(steps).encode())
        bench.answer(f"/api/v3/runsteps/{steps[3]['id']}/log", b"here", headers={})
        assert bench.provider.log(run.ref.run_id, None, within(10)).text == "here"

    def test_log_of_the_first_failed_step(self, bench: Bench) -> None:
        """Although a later step ran as well, as steps after a failure do."""
        steps = json.loads(recorded("run-steps-failed.made-up"))
        steps[4] |= {"status": "finished", "result": "failed"}
        bench.answer(f"/api/v3/runs/{ANY_RUN}/steps", json.dumps(steps[::-1]).encode())
        bench.answer("/api/v3/runsteps/.*/log", b"text", headers={})
        assert bench.provider.log(ANY_RUN, None, within(10)).title == "bundle-install"

    def test_long_log_keeps_its_end(self, bench: Bench) -> None:
        run = bench.finished(failed(at_step="test"))
        bench.answer("/api/v3/runsteps/.*/log", b"x" * 300_000 + b"the end", headers={})
        log = bench.provider.log(run.ref.run_id, None, within(10))
        assert log.is_cut
        assert len(log.text) == 200_000
        assert log.text.endswith("the end")

    def test_run_page_answers(self, bench: Bench) -> None:
        """The link leads to a page for people, and pasting it finds the run again."""
        run = bench.finished(passed())
        assert run.url == f"{bench.url}/acme/shop/runs/build/{run.ref.run_id}"
        assert bench.provider.run_id_in(f"{run.url}?step=1") == run.ref.run_id

    def test_recent(self, bench: Bench) -> None:
        for number in range(30):
            pipeline = "acme/shop/deploy" if number % 3 == 0 else BUILD
            bench.standin.add_run(pipeline, age_s=3600 - number)
        runs = bench.provider.recent("*", 25, within(10))
        assert len(runs) == 25
        assert list(runs) == sorted(runs, key=lambda run: run.created or LONG_AGO, reverse=True)
        deploys = bench.provider.recent("acme/shop/de*", 8, within(10))
        assert {run.pipeline.key for run in deploys} == {"acme/shop/deploy"}
        assert len(deploys) == 8
        exact = bench.provider.recent("acme/shop/deploy", 3, within(10))
        assert exact == deploys[:3]
        assert len(bench.provider.recent("acme/shop", 12, within(10))) == 12
        assert bench.provider.recent("other*", 3, within(10)) == ()

    def test_recent_leaves_out_an_application_that_is_gone(self, bench: Bench) -> None:
        provider = bench.build(applications="acme/gone,acme/shop")
        assert provider.recent("*", 5, within(10)) == ()
        run = bench.finished(passed())
        assert provider.recent("*", 5, within(10))[0].ref == run.ref
        only = bench.build(applications="acme/gone")
        assert raised(lambda: only.recent("*", 5, within(10))).kind is Kind.NOT_FOUND

    def test_pipelines(self, bench: Bench) -> None:
        found = bench.provider.pipelines(within(10))
        assert [p.ref.key for p in found] == [BUILD, "acme/shop/deploy"]
        pipeline_id = bench.standin.pipeline(BUILD).id
        assert found[0].aliases == (pipeline_id,)
        for key in (BUILD, pipeline_id, "build", "ACME/shop/Build"):
            assert bench.provider.find_pipeline(key, within(10)).ref.key == BUILD

    def test_no_such_pipeline(self, bench: Bench) -> None:
        for key in ("acme/shop/biuld", "biuld", "f" * 24):
            error = raised(lambda key=key: bench.provider.find_pipeline(key, within(10)))  # type: ignore[misc]
            assert error.kind is Kind.NOT_FOUND
            assert error.known == (BUILD, "acme/shop/deploy")
        for key in ("acme/nope/build", "../../x", "acme//", "a/b"):
            error = raised(lambda key=key: bench.provider.find_pipeline(key, within(10)))  # type: ignore[misc]
            assert error.kind is Kind.NOT_FOUND

    def test_a_new_pipeline_is_found_at_once(self, bench: Bench) -> None:
        """Although the list of pipelines is remembered for a while."""
        bench.provider.pipelines(within(10))
        bench.answer(
            "/api/v3/applications/acme/shop/pipelines", recorded("application-pipelines.recorded")
        )
        found = bench.provider.find_pipeline("acme/shop/push-quay", within(10))
        assert found.aliases == ("583471d9dd22a501005268e5",)

    def test_two_pipelines_of_one_name_are_not_guessed(self, bench: Bench) -> None:
        bench.standin.add_application("acme", "tools", ["build"])
        provider = bench.build(applications="acme/shop,acme/tools")
        error = raised(lambda: provider.find_pipeline("build", within(10)))
        assert error.known == (BUILD, "acme/tools/build")


class TestPolls:
    def test_a_quiet_poll_is_one_request(self, bench: Bench) -> None:
        for number in range(40):
            bench.standin.add_run(BUILD, result="failed", age_s=3600 - number)
        cursor = bench.provider.observe("acme/shop", "", (), within(10)).cursor
        sent = bench.sent(lambda: bench.provider.observe("acme/shop", cursor, (), within(10)))
        assert sent == ["GET /api/v3/runs"]
        last = bench.standin.faults.received[-1]
        assert last.query["limit"] == "20"
        assert "skip" not in last.query

    def test_first_time_is_one_page_without_steps(self, bench: Bench) -> None:
        for number in range(40):
            bench.standin.add_run(BUILD, result="failed", age_s=3600 - number)
        bench.provider.find_pipeline(BUILD, within(10))
        seen = bench.provider.observe("acme/shop", "", (), within(10))
        assert len(seen.runs) == 20
        assert len(bench.standin.faults.requests("GET", "/api/v3/runs.*")) == 1

    def test_a_burst_is_read_to_its_end(self, bench: Bench) -> None:
        """Also when it is longer than one poll reads: 250 runs, 200 of them in ten pages."""
        first = bench.standin.add_run(BUILD, age_s=7200)
        cursor = bench.provider.observe("acme/shop", "", (), within(10)).cursor
        made = {bench.standin.add_run(BUILD, age_s=3600 - n).id for n in range(250)}
        one = bench.provider.observe("acme/shop", cursor, (), within(20))
        assert len(one.runs) == 200
        two = bench.provider.observe("acme/shop", one.cursor, (), within(20))
        assert made | {first.id} == {r.ref.run_id for r in (*one.runs, *two.runs)}
        sent = bench.sent(lambda: bench.provider.observe("acme/shop", two.cursor, (), within(10)))
        assert sent == ["GET /api/v3/runs"]

    def test_runs_that_left_the_pages_are_read_one_by_one(self, bench: Bench) -> None:
        old = bench.standin.add_run(BUILD, status="running", result="unknown", age_s=7200)
        for number in range(25):
            bench.standin.add_run(BUILD, age_s=3600 - number)
        bench.standin.finish(old.id, "aborted")
        bench.provider.find_pipeline(BUILD, within(10))
        seen = bench.provider.observe("acme/shop", "", (open_run(old.id),), within(10))
        assert [r.status for r in seen.runs if r.ref.run_id == old.id] == [Status.ABORTED]

    def test_an_open_run_that_is_gone_or_odd_costs_nothing_else(self, bench: Bench) -> None:
        bench.standin.add_run(BUILD)
        gone, odd = "0" * 24, "1" * 24
        bench.answer(f"/api/v3/runs/{odd}", b"{}")
        seen = bench.provider.observe(
            "acme/shop", "", (open_run(gone), open_run(odd), open_run("../../x")), within(10)
        )
        assert (len(seen.runs), seen.bad_items) == (1, 1)

    def test_a_limit_on_open_runs_keeps_the_news(self, bench: Bench) -> None:
        """What the page showed is not lost; the next poll tells of the limit."""
        bench.standin.add_run(BUILD)
        bench.answer("/api/v3/runs/[01]+", b"", 429, headers={"Retry-After": "30"})
        opened = (open_run("0" * 24), open_run("1" * 24))
        seen = bench.provider.observe("acme/shop", "", opened, within(10))
        assert (len(seen.runs), seen.bad_items) == (1, 1)
        error = raised(lambda: bench.provider.observe("acme/shop", "", opened, within(10)))
        assert error.kind is Kind.RATE_LIMITED
        assert error.retry_after_s == pytest.approx(30, abs=2)

    def test_a_refused_token_on_open_runs_is_told(self, bench: Bench) -> None:
        bench.answer("/api/v3/runs/0+", b"", 401)
        opened = (open_run("0" * 24),)
        error = raised(lambda: bench.provider.observe("acme/shop", "", opened, within(10)))
        assert error.kind is Kind.AUTH

    def test_one_application_of_an_owner_that_is_hidden(self, bench: Bench) -> None:
        bench.standin.add_run(BUILD)
        applications = [
            {"id": "0" * 24, "name": "gone", "owner": {"meta": {"username": "Acme"}}},
            {"id": bench.standin.applications[0].id, "name": "shop", "url": "/acme/shop"},
        ]
        bench.answer("/api/v3/applications/acme", json.dumps(applications).encode())
        seen = bench.provider.observe("acme/*", "", (), within(10))
        assert [run.pipeline.key for run in seen.runs] == [BUILD]
        assert seen.bad_items == 1

    def test_failing_in_an_internal_step_is_an_error(self, bench: Bench) -> None:
        """And stays one at the next polls and after a restart, with no further request."""
        cursor = bench.provider.observe("acme/shop", "", (), within(10)).cursor
        outcome = failed(at_step="setup environment", duration_s=3)
        run = bench.standin.push(BUILD, outcome=outcome)
        bench.standin.clock.advance(10)  # type: ignore[attr-defined]
        for provider in (bench.provider, bench.provider, bench.build()):
            seen = provider.observe("acme/shop", cursor, (), within(10))
            cursor = seen.cursor
            assert seen.runs[0].status is Status.ERRORED
            assert seen.runs[0].failed_step == "setup environment"
        assert len(bench.standin.faults.requests("GET", f"/api/v3/runs/{run.id}/steps")) == 1
        assert bench.get(run.id).status is Status.ERRORED

    def test_steps_that_cannot_be_read_leave_it_failed(self, bench: Bench) -> None:
        cursor = bench.provider.observe("acme/shop", "", (), within(10)).cursor
        bench.standin.push(BUILD, outcome=failed(duration_s=3))
        bench.standin.clock.advance(10)  # type: ignore[attr-defined]
        bench.answer("/api/v3/runs/.*/steps", b"{}", 500)
        seen = bench.provider.observe("acme/shop", cursor, (), within(10))
        assert seen.runs[0].status is Status.FAILED

    def test_by_pipeline_id(self, bench: Bench) -> None:
        """The same run has the same key, whichever list it was seen in."""
        bench.standin.add_run("acme/shop/deploy")
        run = bench.standin.add_run(BUILD)
        source = bench.standin.pipeline(BUILD).id
        seen = bench.provider.observe(source, "", (), within(10))
        assert [str(r.ref) for r in seen.runs] == [f"wercker:{run.id}"]
        both = bench.provider.observe("acme/shop", "", (), within(10))
        assert seen.runs[0] in both.runs
        assert len(both.runs) == 2

    def test_all_applications_of_an_owner(self, bench: Bench) -> None:
        """Twelve of them, ten at a poll: two polls see all."""
        for number in range(11):
            name = f"app-{number}"
            bench.standin.add_application("acme", name, ["build"])
            bench.standin.add_run(f"acme/{name}/build")
        provider = bench.build(applications="")
        assert provider.sources("acme/*") == ("acme/*",)
        one = provider.observe("acme/*", "", (), within(10))
        two = provider.observe("acme/*", one.cursor, (), within(10))
        seen = {run.pipeline.key for run in (*one.runs, *two.runs)}
        assert seen == {f"acme/app-{number}/build" for number in range(11)}

    def test_bad_entries_are_counted_and_good_ones_kept(self, bench: Bench) -> None:
        entries = json.loads(recorded("runs-list-by-application.recorded"))
        good = len(entries)
        entries[1:1] = [None, 7, "x", {}, {"id": ".."}, {**entries[0], "pipeline": None}]
        bench.answer("/api/v3/runs", json.dumps(entries).encode())
        seen = bench.provider.observe("acme/shop", "", (), within(10))
        assert (len(seen.runs), seen.bad_items) == (good, 6)

    def test_variables_in_a_list_go_nowhere(self, bench: Bench) -> None:
        entries = json.loads(recorded("runs-list.seed"))
        for entry in entries:
            entry["envVars"] = [{"key": "TOKEN", "value": CANARY}]
        bench.answer("/api/v3/runs", json.dumps(entries).encode())
        assert CANARY not in repr(bench.provider.observe("acme/shop", "", (), within(10)))

    def test_threads_share_one_provider(self, bench: Bench) -> None:
        for number in range(30):
            bench.standin.add_run(BUILD, age_s=3600 - number)
        with ThreadPoolExecutor(8) as pool:
            jobs = [
                pool.submit(bench.provider.observe, "acme/shop", "", (), within(20))
                for _ in range(24)
            ]
        assert len({job.result().runs for job in jobs}) == 1


class TestTrigger:
    def test_body(self, bench: Bench) -> None:
        """The vendor's names, nothing empty, variables in the order typed, one request."""
        variables = (Variable("IMAGE", "2.1"), Variable("TAG", "$IMAGE"))
        started = bench.trigger(BUILD, *variables, branch="dev", message="m", tag="")
        (sent,) = bench.changes()
        assert (sent.method, sent.path) == ("POST", "/api/v3/runs")
        assert sent.headers["Content-Type"] == "application/json"
        assert json.loads(sent.body) == {
            "pipelineId": bench.standin.pipeline(BUILD).id,
            "branch": "dev",
            "message": "m",
            "envVars": [{"key": "IMAGE", "value": "2.1"}, {"key": "TAG", "value": "$IMAGE"}],
        }
        assert started.run is not None
        assert started.run.status is Status.QUEUED
        assert started.run.created is not None
        assert bench.get(started.run.ref.run_id).branch == "dev"

    def test_unknown_pipeline_sends_nothing(self, bench: Bench) -> None:
        assert raised(lambda: bench.trigger("acme/shop/biuld")).kind is Kind.NOT_FOUND
        assert bench.changes() == []

    def test_refused_value(self, bench: Bench) -> None:
        bench.answer("/api/v3/runs", recorded("error-422.made-up"), 422, method="POST")
        error = raised(lambda: bench.trigger(branch="dev"))
        assert error.kind is Kind.INVALID
        assert "Unable to process the run" in error.message

    @pytest.mark.parametrize("said", [CANARY, f"bad: {CANARY[:6]} {CANARY[6:]}"])
    def test_a_refusal_that_repeats_a_value_is_not_shown(self, bench: Bench, said: str) -> None:
        body = json.dumps({"statusCode": 400, "message": said, "details": [CANARY]}).encode()
        bench.answer("/api/v3/runs", body, 400, method="POST")
        error = raised(lambda: bench.trigger(BUILD, Variable("A", CANARY)))
        shown = f"{error!r} {error.detail} {error.__context__!r} {error.__cause__!r}"
        assert error.kind is Kind.INVALID
        assert CANARY[:6] not in shown

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(method="POST", drop_after=True),
            Fault(method="POST", status=500),
            Fault(method="POST", status=502, body=b"<html>", headers=HTML),
            Fault(method="POST", status=200, body=b"{}", headers=JSON),
            Fault(method="POST", status=200, body=b"[", headers=JSON),
            Fault(method="POST", status=200, body=b"<html>", headers=HTML),
        ],
        ids=["lost", "500", "502", "no run", "cut", "page"],
    )
    def test_a_lost_answer_is_ambiguous_and_sent_once(self, bench: Bench, fault: Fault) -> None:
        bench.provider.find_pipeline(BUILD, within(10))
        bench.standin.faults.add(fault)
        error = raised(lambda: bench.trigger(BUILD, Variable("A", CANARY)))
        assert error.kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 1
        assert CANARY not in repr(error) + error.detail

    def test_nothing_is_asked_after_the_start(self, bench: Bench) -> None:
        """So that no later failure can hide that a run was started."""
        bench.provider.find_pipeline(BUILD, within(10))
        assert bench.sent(bench.trigger)[-1] == "POST /api/v3/runs"


class TestAbort:
    def test_abort(self, bench: Bench) -> None:
        made = bench.standin.create(bench.standin.pipeline(BUILD), "main", outcome=hanging())
        bench.standin.clock.advance(30)  # type: ignore[attr-defined]
        run = bench.get(made.id)
        after = bench.provider.abort(run, within(10))
        assert (run.status, after.status) == (Status.RUNNING, Status.ABORTED)
        assert (after.pipeline, after.url) == (run.pipeline, run.url)
        (sent,) = bench.changes()
        assert (sent.method, sent.path) == ("PUT", f"/api/v3/runs/{made.id}/abort")
        assert sent.body == b"{}"

    def test_nothing_is_sent_when_over(self, bench: Bench) -> None:
        run = bench.finished(passed())
        assert bench.provider.abort(run, within(10)).status is Status.PASSED
        assert bench.changes() == []

    def test_an_unknown_end_is_an_end(self, bench: Bench) -> None:
        """`finished` with a result that is in no table: over, so nothing is sent."""
        value = json.loads(recorded("run-get-failed.recorded")) | {"result": "exploded"}
        bench.answer(f"/api/v3/runs/{value['id']}", json.dumps(value).encode())
        run = bench.get(value["id"])
        assert bench.provider.abort(run, within(10)) == run
        assert bench.changes() == []

    def test_refused_and_then_not_readable(self, bench: Bench) -> None:
        """The refusal is told, not the failed look that followed."""
        made = bench.standin.create(bench.standin.pipeline(BUILD), "main", outcome=hanging())
        run = bench.get(made.id)
        bench.answer(".*/abort", recorded("error-422.made-up"), 422)
        bench.answer(f"/api/v3/runs/{made.id}", b"", 500)
        error = raised(lambda: bench.provider.abort(run, within(10)))
        assert "Unable to process" in error.message

    def test_ended_in_between(self, bench: Bench) -> None:
        """The vendor refuses (422): how the run ended is told."""
        made = bench.standin.create(bench.standin.pipeline(BUILD), "main", outcome=hanging())
        run = bench.get(made.id)
        bench.standin.finish(made.id, "passed")
        assert bench.provider.abort(run, within(10)).status is Status.PASSED
        assert len(bench.changes()) == 1

    def test_refused_while_going_on(self, bench: Bench) -> None:
        made = bench.standin.create(bench.standin.pipeline(BUILD), "main", outcome=hanging())
        bench.answer(".*/abort", recorded("error-422.made-up"), 422)
        run = bench.get(made.id)
        error = raised(lambda: bench.provider.abort(run, within(10)))
        assert error.kind is Kind.CONFLICT
        assert "Unable to process" in error.message

    def test_result_is_told_as_returned(self, bench: Bench) -> None:
        """After a 200 the result may not be `aborted`; a stuck run stays active."""
        bench.standin.quirks.abort_ignored = True
        made = bench.standin.create(bench.standin.pipeline(BUILD), "main", outcome=hanging())
        bench.standin.clock.advance(30)  # type: ignore[attr-defined]
        after = bench.provider.abort(bench.get(made.id), within(10))
        assert after.status is Status.RUNNING

    def test_a_lost_answer(self, bench: Bench) -> None:
        """Reading the run tells what became of it; sent once in any case."""
        made = bench.standin.create(bench.standin.pipeline(BUILD), "main", outcome=hanging())
        run = bench.get(made.id)
        fault = bench.standin.faults.add(Fault(method="PUT", drop_after=True))
        assert bench.provider.abort(run, within(10)).status is Status.ABORTED
        assert len(bench.changes()) == 1
        other = bench.standin.create(bench.standin.pipeline(BUILD), "main", outcome=hanging())
        fault.drop_after, fault.drop_before = False, True
        again = bench.get(other.id)
        assert raised(lambda: bench.provider.abort(again, within(10))).kind is Kind.AMBIGUOUS

    @pytest.mark.parametrize(
        ("status", "kind"), [(401, Kind.AUTH), (403, Kind.FORBIDDEN), (429, Kind.RATE_LIMITED)]
    )
    def test_refusals_that_say_nothing_about_the_run(
        self, bench: Bench, status: int, kind: Kind
    ) -> None:
        made = bench.standin.create(bench.standin.pipeline(BUILD), "main", outcome=hanging())
        run = bench.get(made.id)
        bench.answer(".*/abort", b"", status)
        assert raised(lambda: bench.provider.abort(run, within(10))).kind is kind


class TestRetry:
    ENV = ({"key": "TOKEN", "value": CANARY}, {"key": "B", "value": "$TOKEN"})

    def test_plain(self, bench: Bench) -> None:
        """The detailed run is read, since summaries lack variables; then one request."""
        old = bench.finished(failed(), env=self.ENV, message="again")
        started = bench.retry(old)
        (sent,) = bench.changes()
        assert json.loads(sent.body) == {
            "pipelineId": bench.standin.pipeline(BUILD).id,
            "branch": "main",
            "commitHash": old.commit,
            "message": "again",
            "envVars": list(self.ENV),
        }
        assert started.run is not None
        assert started.run.ref != old.ref
        assert started.run.status is Status.QUEUED
        assert CANARY not in repr(started) + repr(old)

    def test_chained(self, bench: Bench) -> None:
        first = bench.finished(passed())
        source = bench.standin.run(first.ref.run_id)
        old = bench.finished(failed(), "acme/shop/deploy", source=source, env=self.ENV)
        bench.retry(old)
        (sent,) = bench.changes()
        assert json.loads(sent.body) == {
            "pipelineId": bench.standin.pipeline("acme/shop/deploy").id,
            "sourceRunId": source.id,
            "message": old.title,
            "envVars": list(self.ENV),
        }

    @pytest.mark.parametrize(
        ("reply", "request_name"),
        [
            ("run-get-failed.recorded", "run-retry-request.made-up"),
            ("run-get-chained.recorded", "run-retry-chained-request.made-up"),
        ],
    )
    def test_recorded(self, bench: Bench, reply: str, request_name: str) -> None:
        """The example bodies, from the recorded runs, byte for byte the same JSON."""
        run_id = json.loads(recorded(reply))["id"]
        bench.answer(f"/api/v3/runs/{run_id}", recorded(reply))
        bench.answer("/api/v3/runs/.*/steps", recorded("run-steps-failed.made-up"))
        bench.answer("/api/v3/runs", recorded("run-trigger-response.recorded"), method="POST")
        started = bench.retry(bench.get(run_id))
        assert json.loads(bench.changes()[0].body) == json.loads(recorded(request_name))
        assert started.run is not None
        assert started.run.created == datetime(2017, 7, 4, 15, 27, 10, 149242, UTC)

    def test_typed_values(self, bench: Bench) -> None:
        old = bench.finished(failed(), env=self.ENV)
        bench.retry(old, Variable("TOKEN", "new"), message="once more")
        body = json.loads(bench.changes()[0].body)
        assert body["message"] == "once more"
        assert body["envVars"] == [{"key": "TOKEN", "value": "new"}, self.ENV[1]]

    def test_masked_variables_are_told(self, bench: Bench) -> None:
        bench.standin.quirks.masked_variables = True
        started = bench.retry(bench.finished(failed(), env=self.ENV))
        assert "envVars" not in json.loads(bench.changes()[0].body)
        assert "TOKEN, B" in started.note

    def test_not_over(self, bench: Bench) -> None:
        made = bench.standin.create(bench.standin.pipeline(BUILD), "main", outcome=hanging())
        run = bench.get(made.id)
        assert raised(lambda: bench.retry(run)).kind is Kind.CONFLICT
        assert bench.changes() == []

    def test_a_part(self, bench: Bench) -> None:
        run = bench.finished(failed())
        request = RetryRequest(run, "failed", {}, (), "mark-1", "U1")
        error = raised(lambda: bench.provider.retry(request, within(10)))
        assert error.kind is Kind.UNSUPPORTED
        assert bench.changes() == []

    def test_a_refusal_shows_no_old_value(self, bench: Bench) -> None:
        old = bench.finished(failed(), env=self.ENV)
        body = json.dumps({"message": f"cannot use {CANARY}"}).encode()
        bench.answer("/api/v3/runs", body, 422, method="POST")
        error = raised(lambda: bench.retry(old))
        assert CANARY not in f"{error!r} {error.detail} {error.__context__!r}"


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (400, recorded("error-400-bad-status.docs"), Kind.INVALID, "must be one of notstarted"),
            (400, recorded("error-400-bad-result.fixture"), Kind.INVALID, "must be one of aborted"),
            (401, recorded("error-401.docs"), Kind.AUTH, "not visible to this token"),
            (403, b'{"message": "No access"}', Kind.FORBIDDEN, "No access"),
            (404, recorded("error-404.made-up"), Kind.NOT_FOUND, "not visible to this token"),
            (422, recorded("error-422.made-up"), Kind.INVALID, "Unable to process"),
            (429, b"", Kind.RATE_LIMITED, "often"),
            (500, b'{"message": "oops"}', Kind.UNAVAILABLE, "oops"),
            (503, b"", Kind.UNAVAILABLE, "Wercker"),
            (404, b"", Kind.NOT_FOUND, "not visible to this token"),
            (400, b"not JSON", Kind.INVALID, "refused"),
            (400, b'{"message": 7}', Kind.INVALID, "refused"),
            (400, b"[]", Kind.INVALID, "refused"),
        ],
    )
    def test_codes(self, bench: Bench, status: int, body: bytes, kind: Kind, words: str) -> None:
        """Every documented code; the body may be missing or not JSON."""
        bench.answer("/api/v3/runs/.*", body, status)
        error = raised(lambda: bench.get(ANY_RUN))
        assert error.kind is kind
        assert words in error.message

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(status=200, body=b"<!doctype html><p>Sold", headers=HTML),
            Fault(status=200, body=b"OK", headers={"Content-Type": "text/plain"}),
            Fault(status=200, body=b"", headers=JSON),
            Fault(status=302, headers={"Location": "https://www.oracle.com/"}),
            Fault(status=301, headers={"Location": "/elsewhere"}),
            Fault(status=404, body=b"<html>", headers=HTML),
        ],
        ids=["page", "text", "empty", "302", "301", "404 page"],
    )
    def test_no_api_at_this_address(self, bench: Bench, fault: Fault) -> None:
        bench.standin.faults.add(fault)
        for act in (
            lambda: bench.provider.check(within(10)),
            lambda: bench.provider.observe("acme/shop", "", (), within(10)),
            lambda: bench.get(ANY_RUN),
        ):
            error = raised(act)
            assert error.kind is Kind.BAD_REPLY
            assert "no Wercker API at this address" in error.message

    @pytest.mark.parametrize("body", [b"{}", b"7", b"null", b'"x"', b"[[[[", b'{"a": NaN}'])
    def test_odd_lists(self, bench: Bench, body: bytes) -> None:
        bench.answer("/api/v3/runs", body)
        error = raised(lambda: bench.provider.observe("acme/shop", "", (), within(10)))
        assert error.kind is Kind.BAD_REPLY

    @pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'{"id": ".."}', b'{"id": 7}'])
    def test_odd_runs(self, bench: Bench, body: bytes) -> None:
        bench.answer("/api/v3/runs/.*", body)
        assert raised(lambda: bench.get(ANY_RUN)).kind is Kind.BAD_REPLY

    @pytest.mark.parametrize(
        "run_id", ["..", "../..", f"{ANY_RUN}/../x", ANY_RUN.upper(), f"{ANY_RUN}?x", "", "%2e%2e"]
    )
    def test_hostile_ids_send_nothing(self, bench: Bench, run_id: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: bench.get(run_id),
            lambda: bench.provider.steps(run_id, within(10)),
            lambda: bench.provider.log(run_id, None, within(10)),
        ]
        for call in calls:
            assert raised(call).kind is Kind.NOT_FOUND
        assert bench.standin.faults.received == []

    def test_a_page_is_not_a_log(self, bench: Bench) -> None:
        run = bench.finished(failed())
        bench.answer("/api/v3/runsteps/.*", b"<html>", headers=HTML)
        error = raised(lambda: bench.provider.log(run.ref.run_id, None, within(10)))
        assert "no Wercker API" in error.message

    def test_an_invisible_pipeline_costs_the_link_only(self, bench: Bench) -> None:
        """The run is shown under its pipeline's id, and the question is not put again."""
        made = bench.standin.add_run(BUILD)
        bench.answer("/api/v3/pipelines/.*", b"", 404)
        provider = bench.build()
        run = provider.get(made.id, within(10))
        assert (run.pipeline.key, run.url) == (made.pipeline.id, None)
        sent = bench.sent(lambda: provider.get(made.id, within(10)))
        assert sent == [f"GET /api/v3/runs/{made.id}"]

    def test_an_application_made_anew_is_found(self, bench: Bench) -> None:
        """A listing by a remembered id that is gone forgets the id."""
        bench.provider.observe("acme/shop", "", (), within(10))
        fault = bench.answer("/api/v3/runs", b"", 404)
        assert (
            raised(lambda: bench.provider.observe("acme/shop", "", (), within(10))).kind
            is Kind.NOT_FOUND
        )
        fault.times = 0
        sent = bench.sent(lambda: bench.provider.observe("acme/shop", "", (), within(10)))
        assert sent == ["GET /api/v3/applications/acme/shop", "GET /api/v3/runs"]

    def test_bearer_is_sent(self, bench: Bench) -> None:
        bench.provider.check(within(10))
        (received,) = bench.standin.faults.received
        assert received.headers["Authorization"] == "Bearer sample-token"
        assert received.path == "/api/v2/profile"
        assert "token" not in received.query
