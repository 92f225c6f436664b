"""env0's provider over real sockets: against the stand-in, and against odd answers."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import (
    BuildContext,
    Capability,
    Observation,
    OpenRun,
    RetryRequest,
    Started,
    TriggerRequest,
    Variable,
    is_able,
)
from bot.domain.runs import Counts, Run
from bot.domain.statuses import Status
from bot.playground.clock import ManualClock
from bot.playground.faults import Fault, Received
from bot.playground.server import Server
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.env0_http import GATEWAY
from bot.playground.vendors.env0_model import SECRET, ModuleTest
from bot.providers import env0_polls
from bot.providers.env0 import SPEC, Env0Provider
from tests.fakes.net import RealClock, StillClock, within

RECORDED = Path(__file__).parents[1] / "recorded" / "env0"
KEY_ID, KEY_SECRET = "canary-id-4711", "canary-secret-4711"
BASIC = b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ANY_ID = "00000000-aaaa-bbbb-cccc-000000000000"
JSON = {"Content-Type": "application/json; charset=utf-8"}
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
RED = Outcome("FAILURE", 100, 10, failed=("has_a_default_route",), note="Test assertion failed")
GREEN = Outcome("SUCCESS", run_s=100, queue_s=10)
ENDLESS = Outcome("SUCCESS", run_s=1e6, queue_s=10)


def recorded(name: str) -> bytes:
    return (RECORDED / f"{name}.json").read_bytes()


def file_of(test: str, run: ModuleTest) -> str:
    return next(check.file for check in run.checks() if check.name == test)


class Bench:
    """A stand-in, a provider connected to it, and what travelled between them. Waits of the
    provider move the stand-in's clock and take no time.
    """

    def __init__(self, standin: Env0Standin, clock: ManualClock, url: str) -> None:
        self.standin, self.clock, self.url = standin, clock, url
        self.waits: list[float] = []
        self.provider = self.build()

    def build(self, **settings: Any) -> Env0Provider:
        values = {
            "api_key_id": KEY_ID, "api_key_secret": KEY_SECRET, "base_url": self.url,
            "web_url": self.url, "requests_per_minute": 6000, **settings,
        }  # fmt: skip
        context = BuildContext("env0", SPEC.settings.model_validate(values), RealClock())
        return Env0Provider(context, self._wait)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.advance(seconds)

    def sent(self, act: Callable[[], object]) -> list[str]:
        """The requests that `act` makes, as `GET path`, in order."""
        before = len(self.standin.faults.received)
        act()
        return [f"{r.method} {r.path}" for r in self.standin.faults.received[before:]]

    def changes(self) -> list[Received]:
        return self.standin.faults.requests("POST|PUT|DELETE|PATCH")

    def answer(self, path: str, body: Any, status: int = 200, **more: Any) -> Fault:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = more.pop("headers", JSON)
        fault = Fault(path=path, status=status, body=content, headers=headers, **more)
        return self.standin.faults.add(fault)

    def get(self, run: ModuleTest) -> Run:
        return self.provider.get(run.id, within(10))

    def over(self, outcome: Outcome = RED, module: str = "vpc", **more: Any) -> ModuleTest:
        run = self.standin.add_run(module, outcome, **more)
        self.clock.advance(200)
        return run

    def observe(self, source: str = "vpc", cursor: str = "", *open_ids: str) -> Observation:
        opened = tuple(OpenRun(run_id, LONG_AGO, None) for run_id in open_ids)
        return self.provider.observe(source, cursor, opened, within(15))

    def trigger(
        self, key: str = "vpc", *env: Variable, provider: Env0Provider | None = None, **typed: str
    ) -> Started:
        model = SPEC.trigger.model_validate(typed)
        request = TriggerRequest(key, model, env, "mark-1", "U1")
        return (provider or self.provider).trigger(request, within(14))

    def retry(self, run: Run, *env: Variable, scope: Any = "all", **typed: str) -> Started:
        request = RetryRequest(run, scope, typed, env, "mark-1", "U1")
        return self.provider.retry(request, within(14))

    def abort(self, run: ModuleTest) -> Run:
        return self.provider.abort(self.get(run), within(10))


@pytest.fixture
def bench(caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    """At the end of every test no secret is in any log line."""
    caplog.set_level(0)
    clock = ManualClock()
    standin = Env0Standin(clock, KEY_ID, KEY_SECRET)
    standin.quirks.large_plan = 2000
    standin.add_module("vpc")
    standin.add_module("dns", test_enabled=False)
    with Server(standin.app) as server:
        yield Bench(standin, clock, server.url)
    assert is_clean(caplog.text)


def raised(act: Callable[[], object]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        act()
    error = caught.value
    told = [error, error.detail, error.known, error.__context__, error.__cause__, vars(error)]
    assert is_clean(repr(told) + str(error))
    return error


def is_clean(text: str) -> bool:
    return not any(secret in text for secret in (SECRET, KEY_SECRET, BASIC))


class TestReads:
    def test_capabilities_are_kept(self, bench: Bench) -> None:
        for capability in Capability:
            assert is_able(bench.provider, capability) is (capability in SPEC.capabilities)

    def test_the_key_goes_as_basic(self, bench: Bench) -> None:
        bench.provider.check(within(10))
        first = bench.standin.faults.received[0]
        assert first.headers["Authorization"] == f"Basic {BASIC}"
        assert first.headers["Accept"] == "application/json"

    def test_a_run_from_queued_to_failed(self, bench: Bench) -> None:
        """By one poll each; the same run under the same key, with its module's id as alias."""
        made = bench.standin.add_run("vpc", RED)
        cursor, words = "", []
        for seconds in (0, 30, 170):
            bench.clock.advance(seconds)
            seen = bench.observe("vpc", cursor, made.id)
            cursor = seen.cursor
            words.append(seen.runs[0].status)
        assert words == [Status.QUEUED, Status.RUNNING, Status.FAILED]
        run = seen.runs[0]
        assert str(run.pipeline) == "env0:vpc"
        assert run.aliases == (made.module.id, "vpc/aws")
        assert (run.branch, run.author) == ("main", "Sam Sample")
        assert run.counts == Counts(4, 3, 1, 0)
        assert run.title == "Test assertion failed"
        assert run == bench.get(made)

    @pytest.mark.parametrize("fields", ["full", "minimal"])
    def test_no_secret_is_in_any_result(self, bench: Bench, fields: str) -> None:
        """The variables of every run and deployment hold them."""
        bench.standin.quirks.fields = fields
        run = bench.over(pr_number="7")
        provider, soon = bench.provider, within(10)
        told: list[object] = [
            provider, vars(provider), provider.get(run.id, soon), bench.observe("*"),
            provider.recent("*", 5, soon), provider.steps(run.id, soon),
            provider.tests(run.id, soon), provider.log(run.id, None, soon), provider.check(soon),
            provider.pipelines(soon), bench.retry(bench.get(run), blueprintRevision="dev"),
        ]  # fmt: skip
        assert is_clean(repr(told))
        assert "ppppp" not in repr(told)

    @pytest.mark.parametrize("direction", ["newest", "oldest", "shuffled"])
    def test_recent_is_sorted_whatever_the_order(self, bench: Bench, direction: str) -> None:
        bench.standin.quirks.order = direction
        now = bench.clock.time()
        for number in range(8):
            bench.standin.add_run("vpc", GREEN, at_s=now - 1000 * number)
        runs = bench.provider.recent("vpc", 5, within(10))
        assert [run.ref.run_id for run in runs] == [run.id for run in bench.standin.runs[:5]]

    def test_recent_of_many_modules(self, bench: Bench) -> None:
        """Merged, newest first; modules whose tests are off only by name."""
        now = bench.clock.time()
        bench.standin.add_module("iam")
        for number in range(9):
            module = ("vpc", "iam", "dns")[number % 3]
            bench.standin.add_run(module, GREEN, at_s=now - 1000 * number)
        keys = [run.pipeline.key for run in bench.provider.recent("*", 4, within(10))]
        assert keys == ["vpc", "iam", "vpc", "iam"]
        assert len(bench.provider.recent("dns", 9, within(10))) == 3
        assert len(bench.provider.recent("i*", 9, within(10))) == 3
        assert bench.provider.recent("x*", 9, within(10)) == ()
        assert bench.provider.recent("../x", 9, within(10)) == ()

    def test_recent_leaves_out_what_cannot_be_read(self, bench: Bench) -> None:
        iam = bench.standin.add_module("iam")
        bench.standin.add_run("vpc", GREEN)
        bench.answer(f"/module/{iam.id}/tests", b"{}", 500)
        assert len(bench.provider.recent("*", 9, within(10))) == 1
        assert raised(lambda: bench.provider.recent("iam", 9, within(10))).kind is Kind.UNAVAILABLE

    def test_no_parameter_goes_with_the_run_list(self, bench: Bench) -> None:
        """The vendor's schemas forbid unknown ones."""
        bench.provider.recent("vpc", 3, within(10))
        (asked,) = bench.standin.faults.requests("GET", "/module/.*/tests")
        assert asked.query == {}

    def test_pipelines(self, bench: Bench) -> None:
        dns, vpc = bench.provider.pipelines(within(10))
        assert (vpc.ref.key, vpc.title) == ("vpc", "vpc (aws)")
        assert dns.title == "dns (aws), tests are off"
        for key in ("vpc", vpc.aliases[0], "vpc/aws", "VPC"):
            assert bench.provider.find_pipeline(key, within(10)) == vpc

    def test_no_such_pipeline(self, bench: Bench) -> None:
        for key in ("vcp", ANY_ID, "../vpc", "a b", "", "vpc\n"):
            error = raised(lambda key=key: bench.provider.find_pipeline(key, within(10)))  # type: ignore[misc]
            assert error.kind is Kind.NOT_FOUND
            assert error.known == ("dns", "vpc")

    def test_two_modules_of_one_name_are_not_guessed(self, bench: Bench) -> None:
        bench.standin.add_module("vpc", "google")
        error = raised(lambda: bench.provider.find_pipeline("vpc", within(10)))
        assert error.known == ("vpc/aws", "vpc/google")
        found = bench.provider.find_pipeline("vpc/google", within(10))
        assert found.ref.key == "vpc/google"
        assert raised(lambda: bench.trigger("vpc")).kind is Kind.NOT_FOUND
        assert bench.changes() == []

    def test_deleted_modules_are_no_pipelines(self, bench: Bench) -> None:
        bench.standin.add_module("old", deleted=True)
        assert (
            raised(lambda: bench.provider.find_pipeline("old", within(10))).kind is Kind.NOT_FOUND
        )

    def test_a_new_module_is_found_at_once(self, bench: Bench) -> None:
        bench.provider.pipelines(within(10))
        bench.standin.add_module("iam")
        assert bench.provider.find_pipeline("iam", within(10)).ref.key == "iam"

    def test_a_run_of_a_deleted_module(self, bench: Bench) -> None:
        """Is shown under the module's id; the list is not asked for it again and again."""
        run = bench.over(module=bench.standin.add_module("old", deleted=True).name)
        assert bench.get(run).pipeline.key == run.module.id
        assert bench.sent(lambda: bench.get(run)) == [f"GET /module/tests/{run.id}"]

    def test_a_run_that_does_not_tell_its_module(self, bench: Bench) -> None:
        """Is placed by its environment, which is looked for once."""
        bench.standin.quirks.fields = "minimal"
        bench.standin.add_module("iam")
        run = bench.standin.add_run("iam")
        assert bench.get(run).pipeline.key == "iam"
        assert bench.sent(lambda: bench.get(run)) == [f"GET /module/tests/{run.id}"]

    def test_a_run_without_a_home(self, bench: Bench) -> None:
        bench.standin.quirks.fields = "minimal"
        run = bench.standin.add_run("dns")
        bench.answer("/module/(?!tests/).*/tests", b"[]")
        assert bench.get(run).pipeline.key == run.module.environment_id
        assert bench.sent(lambda: bench.get(run)) == [f"GET /module/tests/{run.id}"]

    def test_a_reply_without_its_id(self, bench: Bench) -> None:
        """`id` may be absent: the run is the one that was asked for."""
        run = bench.over()
        bench.standin.quirks.absent = {"id"}
        assert bench.get(run).ref.run_id == run.id

    def test_a_run_of_another_organization(self, bench: Bench) -> None:
        """Is not there for us, although the key may read it."""
        other = bench.standin.add_organization("Other")
        bench.standin.add_module("theirs", organization_id=other["id"])
        run = bench.standin.add_run("theirs")
        provider = bench.build(organization_id=bench.standin.organizations[0]["id"])
        assert raised(lambda: provider.get(run.id, within(10))).kind is Kind.NOT_FOUND

    @pytest.mark.parametrize(
        "run_id",
        ["", ".", "..", "../../modules", "a/b", "x?y=zzzzzz", "x#yzzzzzz", "a\r\nX: yyyy", "%2e%2e",
         "1" * 5000, "short", "١٢٣٤٥٦٧٨", "a\ud800bcdefgh", f"{ANY_ID}\n"],
    )  # fmt: skip
    def test_hostile_ids_are_not_sent(self, bench: Bench, run_id: str) -> None:
        provider = bench.provider
        acts: list[Callable[[], object]] = [
            lambda: provider.get(run_id, within(10)),
            lambda: provider.steps(run_id, within(10)),
            lambda: provider.tests(run_id, within(10)),
            lambda: provider.log(run_id, None, within(10)),
        ]
        for act in acts:
            assert raised(act).kind is Kind.NOT_FOUND
        assert bench.standin.faults.received == []

    def test_page_of_a_run(self, bench: Bench) -> None:
        """The link leads to a page; pasting it finds the run, also in a new process, where only
        the deployment in it is known.
        """
        run = bench.over()
        url = bench.get(run).url
        assert url is not None
        assert run.deployment_id in url
        assert bench.provider.run_id_in(url) == run.id
        fresh = bench.build()
        given = fresh.run_id_in(f"{url}?x=1")
        assert given == run.deployment_id
        assert fresh.get(given, within(10)).ref.run_id == run.id
        assert fresh.steps(given, within(10))
        assert fresh.run_id_in(url) == run.id

    def test_link_of_a_sparse_run(self, bench: Bench) -> None:
        """The project is asked for once; without the right to it there is no link."""
        bench.standin.quirks.fields = "minimal"
        run = bench.over()
        assert bench.get(run).url
        assert len(bench.standin.faults.requests("GET", "/projects/.*")) == 1
        bench.get(run)
        assert len(bench.standin.faults.requests("GET", "/projects/.*")) == 1
        provider = bench.build()
        bench.answer("/projects/.*", {"message": "Forbidden"}, 403)
        assert provider.get(run.id, within(10)).url is None

    def test_threads_share_one_provider(self, bench: Bench) -> None:
        for _ in range(20):
            bench.standin.add_run("vpc", GREEN)
        with ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(bench.observe, "*") for _ in range(16)]
        assert len({job.result().runs for job in jobs}) == 1


class TestDetails:
    def test_steps(self, bench: Bench) -> None:
        """In order, though listed otherwise; the run's error stands with the step it broke."""
        steps = bench.provider.steps(bench.over().id, within(10))
        assert [(s.step_id, s.status.value, s.has_log, s.message) for s in steps] == [
            ("git:clone", "passed", True, ""),
            ("opentofu:init", "passed", True, ""),
            ("opentofu:test", "failed", True, "Test assertion failed"),
            ("cleanup", "queued", False, ""),
        ]

    def test_the_reason_of_a_time_out(self, bench: Bench) -> None:
        run = bench.over(Outcome("TIMEOUT", 100, 10))
        messages = [step.message for step in bench.provider.steps(run.id, within(10))]
        assert "DEPLOYMENT_TIME_LIMIT_EXCEEDED" in messages
        bench.answer("/environments/deployments/.*", b"", 404)
        assert len(bench.provider.steps(run.id, within(10))) == 4

    def test_steps_that_cannot_be_read_are_left_out(self, bench: Bench) -> None:
        items = json.loads(recorded("deployment-steps"))
        items += [None, 7, {}, {"name": ""}, {"name": 7}]
        run = bench.over()
        bench.answer(f"/deployments/{run.deployment_id}/steps", items)
        assert len(bench.provider.steps(run.id, within(10))) == 4

    def test_tests(self, bench: Bench) -> None:
        results = bench.provider.tests(bench.over().id, within(10))
        assert [(r.name, r.status.value) for r in results] == [
            ("tests/routes.tftest.hcl", "failed"),
            ("tests/subnets.tftest.hcl", "passed"),
        ]
        queued = bench.standin.add_run("vpc")
        assert bench.provider.tests(queued.id, within(10)) == ()

    @pytest.mark.parametrize("next_as_text", [False, True])
    @pytest.mark.parametrize("page", [1, 2, 3, 100])
    def test_a_log_in_pages(self, bench: Bench, page: int, next_as_text: bool) -> None:  # noqa: FBT001
        """Every line once and in order, of the failed step."""
        bench.standin.quirks.log_page = page
        bench.standin.quirks.next_as_text = next_as_text
        log = bench.provider.log(bench.over().id, None, within(10))
        assert (log.title, log.is_cut) == ("opentofu:test", False)
        lines = log.text.split("\n")
        assert len(lines) == 6
        assert "Running opentofu:test" in lines[0]
        assert "Error: Test assertion failed" in lines[-1]

    def test_recorded_log(self, bench: Bench) -> None:
        run = bench.over()
        path = f"/deployments/{run.deployment_id}/steps/opentofu:test/log"
        bench.answer(path, recorded("step-log-page-1"), times=1)
        bench.answer(path, recorded("step-log-page-2"), times=1)
        log = bench.provider.log(run.id, None, within(10))
        assert [line.count("rror") for line in log.text.split("\n")] == [0, 0, 1]
        assert bench.standin.faults.received[-1].query == {"startTime": "1795162485001"}

    def test_the_step_that_is_meant(self, bench: Bench) -> None:
        run = bench.over()
        ids = [step.step_id for step in bench.provider.steps(run.id, within(10))]
        for wanted in ("git:clone", "Git:Clone", "1"):
            assert bench.provider.log(run.id, wanted, within(10)).title == ids[0]
        green = bench.over(GREEN)
        assert bench.provider.log(green.id, None, within(10)).title == "cleanup"

    def test_no_log(self, bench: Bench) -> None:
        run = bench.over()
        odd = raised(lambda: bench.provider.log(run.id, "nonsense", within(10)))
        assert (odd.kind, odd.known[0]) == (Kind.NOT_FOUND, "git:clone")
        unbegun = raised(lambda: bench.provider.log(run.id, "cleanup", within(10)))
        assert "did not begin" in unbegun.message
        queued = bench.standin.add_run("vpc")
        error = raised(lambda: bench.provider.log(queued.id, None, within(10)))
        assert "No step has begun" in error.message
        assert bench.standin.faults.requests("GET", ".*/log") == []

    @pytest.mark.parametrize(
        "page",
        [
            {"events": [], "hasMoreLogs": True},
            {"events": [], "hasMoreLogs": True, "nextStartTime": None},
            {"events": [], "hasMoreLogs": True, "nextStartTime": {"a": 1}},
            {"events": [], "hasMoreLogs": "yes", "nextStartTime": 7},
        ],
    )
    def test_a_page_that_does_not_tell_the_next(self, bench: Bench, page: Any) -> None:
        run = bench.over()
        bench.answer(".*/log", page)
        assert bench.provider.log(run.id, None, within(10)).text == ""
        assert len(bench.standin.faults.requests("GET", ".*/log")) == 1

    def test_a_log_that_never_ends(self, bench: Bench) -> None:
        """The same next page for ever, and new ones for ever: both end."""
        run = bench.over()
        event = {"eventId": "e1", "message": "line"}
        stuck = bench.answer(".*/log", {"events": [event], "hasMoreLogs": True, "nextStartTime": 7})
        assert bench.provider.log(run.id, None, within(10)).text == "line"
        assert len(bench.standin.faults.requests("GET", ".*/log")) == 2
        stuck.times = 0
        for number in range(70):
            page = {"events": [{"message": "x"}], "hasMoreLogs": True, "nextStartTime": number}
            bench.answer(".*/log", page, times=1)
        log = bench.provider.log(run.id, None, within(20))
        assert log.is_cut
        assert log.text.endswith("[the log goes on in env0]")
        assert log.text.count("x\n") == 60

    def test_a_log_that_breaks_off(self, bench: Bench) -> None:
        """What was read is shown; if nothing was read, why."""
        run = bench.over()
        bench.answer(".*/log", recorded("step-log-page-1"), times=1)
        rest = bench.answer(".*/log", b"", 500)
        log = bench.provider.log(run.id, None, within(10))
        assert log.is_cut
        assert "subnets" in log.text
        assert raised(lambda: bench.provider.log(run.id, None, within(10))).kind is Kind.UNAVAILABLE
        rest.times = 0

    def test_a_long_log_keeps_its_end(self, bench: Bench) -> None:
        run = bench.over()
        events = [None, {"message": 7}, {"message": "y" * 300_000 + "\x00the end"}]
        bench.answer(".*/log", {"events": events, "hasMoreLogs": False})
        log = bench.provider.log(run.id, None, within(10))
        assert (log.is_cut, len(log.text)) == (True, 200_000)
        assert log.text.endswith("ythe end")

    def test_our_key_in_a_log(self, bench: Bench) -> None:
        run = bench.over()
        text = f"curl -H 'Authorization: Basic {BASIC}' -u {KEY_ID}:{KEY_SECRET}"
        bench.answer(".*/log", {"events": [{"message": text}], "hasMoreLogs": False})
        assert is_clean(bench.provider.log(run.id, None, within(10)).text)


class TestPolls:
    def test_a_quiet_poll_is_one_request(self, bench: Bench) -> None:
        for _ in range(40):
            bench.standin.add_run("vpc", GREEN)
        bench.clock.advance(9000)
        cursor = bench.observe().cursor
        sent = bench.sent(lambda: bench.observe("vpc", cursor))
        assert sent == [f"GET /module/{bench.standin.module('vpc').id}/tests"]

    def test_red_test_files_are_named_and_cost_nothing(self, bench: Bench) -> None:
        cursor = bench.observe().cursor
        red = bench.over()
        path = f"GET /module/{bench.standin.module('vpc').id}/tests"
        assert bench.sent(lambda: bench.observe("vpc", cursor)) == [path]
        (run,) = bench.observe("vpc", cursor).runs
        assert run.failing == (file_of("has_a_default_route", red),)

    def test_recorded_files_name_what_failed(self, bench: Bench) -> None:
        bench.answer("/module/(?!tests/).*/tests", b"[%s]" % recorded("module-test-run-failure"))
        (run,) = bench.observe().runs
        assert run.failing == ("tests/subnets.tftest.hcl",)
        assert run.failed_step == "tests/subnets.tftest.hcl"

    def test_without_a_red_file_the_failed_step_is_named_once(self, bench: Bench) -> None:
        """Also in a new process: that it was asked for is in the cursor."""
        cursor = bench.observe().cursor
        red = bench.over(Outcome("TIMEOUT", 100, 10, tests=False))
        bench.answer(f"/deployments/{red.deployment_id}/steps", recorded("deployment-steps"))
        seen = bench.observe("vpc", cursor)
        assert [run.failing for run in seen.runs] == [("opentofu:test",)]
        bench.provider = bench.build()
        sent = bench.sent(lambda: bench.observe("vpc", seen.cursor))
        assert not [line for line in sent if line.endswith("/steps")]

    def test_a_storm_costs_five_lists_of_steps_a_poll(self, bench: Bench) -> None:
        cursor = bench.observe().cursor
        for _ in range(12):
            bench.standin.add_run("vpc", Outcome("TIMEOUT", 100, 10, tests=False))
        bench.clock.advance(200)
        counts = []
        for _ in range(4):
            before = len(bench.standin.faults.requests("GET", ".*/steps"))
            seen = bench.observe("vpc", cursor)
            cursor = seen.cursor
            assert len(seen.runs) == 12
            counts.append(len(bench.standin.faults.requests("GET", ".*/steps")) - before)
        assert counts == [5, 5, 2, 0]

    def test_names_that_come_late_are_of_runs_that_are_no_news_any_more(self, bench: Bench) -> None:
        cursor = bench.observe().cursor
        red = bench.over(Outcome("TIMEOUT", 100, 10, tests=False))
        fault = bench.answer("/deployments/.*/steps", b"no", 500)
        seen = bench.observe("vpc", cursor)
        assert [(run.status, run.failing) for run in seen.runs] == [(Status.ERRORED, ())]
        bench.clock.advance(2 * 3600)
        bench.over(GREEN)
        moved = bench.observe("vpc", seen.cursor)
        fault.times = 0
        late = bench.observe("vpc", moved.cursor)
        named = {run.ref.run_id: run.failing for run in late.runs}
        assert named[red.id] == ("opentofu:test",)
        seen = bench.observe("vpc", late.cursor)
        assert red.id not in {run.ref.run_id for run in seen.runs}

    def test_a_glob_costs_one_request_a_module(self, bench: Bench) -> None:
        """Those whose tests are off cost none."""
        bench.standin.add_module("iam")
        cursor = bench.observe("*").cursor
        sent = bench.sent(lambda: bench.observe("*", cursor))
        ids = [bench.standin.module(name).id for name in ("iam", "vpc")]
        assert sorted(sent) == sorted(f"GET /module/{one}/tests" for one in ids)

    def test_many_modules_have_their_turn(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(env0_polls, "MODULES_A_POLL", 4)
        for number in range(9):
            bench.standin.add_run(bench.standin.add_module(f"m{number}"), GREEN)
        cursor, seen = "", set[str]()
        for _ in range(3):
            observed = bench.observe("m*", cursor)
            cursor = observed.cursor
            assert len(observed.runs) == 4
            seen |= {run.pipeline.key for run in observed.runs}
        assert seen == {f"m{number}" for number in range(9)}

    def test_open_runs_of_modules_that_wait_are_read_by_id(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(env0_polls, "MODULES_A_POLL", 1)
        first, second = (bench.standin.add_run(bench.standin.add_module(n), RED) for n in "ab")
        bench.clock.advance(200)
        seen = bench.observe("[ab]", "", first.id, second.id)
        assert {run.ref.run_id for run in seen.runs} == {first.id, second.id}
        assert {run.status for run in seen.runs} == {Status.FAILED}

    def test_an_open_run_that_left_the_list(self, bench: Bench) -> None:
        run = bench.over()
        bench.answer("/module/(?!tests/).*/tests", b"[]")
        seen = bench.observe("vpc", "", run.id)
        assert [(r.ref.run_id, r.status) for r in seen.runs] == [(run.id, Status.FAILED)]

    def test_an_open_run_that_is_gone_or_odd_costs_nothing_else(self, bench: Bench) -> None:
        bench.standin.add_run("vpc")
        odd = ANY_ID.replace("0", "1")
        bench.answer(f"/module/tests/{odd}", b"{}")
        seen = bench.observe("vpc", "", ANY_ID, odd, "../../x")
        assert (len(seen.runs), seen.bad_items) == (1, 1)

    def test_a_limit_on_open_runs_keeps_the_news(self, bench: Bench) -> None:
        bench.standin.add_run("vpc")
        bench.answer("/module/tests/.*", b"", 429, headers={"Retry-After": "30"})
        ids = (ANY_ID, ANY_ID.replace("0", "1"))
        seen = bench.observe("vpc", "", *ids)
        assert (len(seen.runs), seen.bad_items) == (1, 1)
        error = raised(lambda: bench.observe("vpc", "", *ids))
        assert error.kind is Kind.RATE_LIMITED
        assert error.retry_after_s == pytest.approx(30, abs=2)

    def test_a_refused_key_on_open_runs_is_told(self, bench: Bench) -> None:
        bench.answer("/module/tests/.*", {"message": "Unauthorized"}, 401)
        assert raised(lambda: bench.observe("vpc", "", ANY_ID)).kind is Kind.AUTH

    def test_bad_entries_are_counted_and_good_ones_kept(self, bench: Bench) -> None:
        """Among them runs without an id, which nobody could ask for again."""
        entries = json.loads(recorded("module-test-runs-list"))
        good = len(entries)
        nameless = {key: value for key, value in entries[0].items() if key != "id"}
        entries[1:1] = [None, 7, "x", [], {}, {"id": ".."}, nameless, {**nameless, "id": ".."}]
        bench.answer("/module/(?!tests/).*/tests", entries)
        seen = bench.observe()
        assert (len(seen.runs), seen.bad_items) == (good, 8)
        assert {run.status for run in seen.runs} >= {Status.QUEUED, Status.FAILED, Status.PASSED}

    def test_one_module_that_cannot_be_read(self, bench: Bench) -> None:
        """Costs the others nothing, and is counted."""
        iam = bench.standin.add_module("iam")
        bench.standin.add_run("vpc")
        for body, status in ((b"{", 200), (b"", 403), (b"", 404), (b"", 500)):
            fault = bench.answer(f"/module/{iam.id}/tests", body, status)
            seen = bench.observe("*")
            assert (len(seen.runs), seen.bad_items) == (1, 1)
            fault.times = 0

    def test_the_key_is_refused_halfway(self, bench: Bench) -> None:
        """Is told, and not counted as one bad entry."""
        iam = bench.standin.add_module("iam")
        bench.standin.add_run("vpc")
        bench.answer(f"/module/{iam.id}/tests", b"", 401)
        assert raised(lambda: bench.observe("*")).kind is Kind.AUTH

    def test_a_budget_that_ends_within_a_batch(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The modules that were not asked come first at the next poll."""
        monkeypatch.setattr(env0_polls, "MODULES_A_POLL", 3)
        modules = [bench.standin.add_module(f"m{number}") for number in range(6)]
        bench.observe("m*")
        limit = bench.answer(f"/module/({modules[1].id}|{modules[2].id})/tests", b"", 429)
        cursor = bench.observe("m*").cursor
        limit.times = 0
        assert env0_polls.Cursor.read(cursor).turn == 1

    def test_nothing_can_be_read(self, bench: Bench) -> None:
        bench.standin.add_module("iam")
        bench.answer("/module/(?!tests/).*/tests", b"", 500)
        assert raised(lambda: bench.observe("*")).kind is Kind.UNAVAILABLE

    def test_a_module_made_anew_is_found(self, bench: Bench) -> None:
        """A list by a remembered id that is gone forgets the id."""
        bench.observe()
        old = bench.standin.modules.pop(0)
        new = bench.standin.add_module("vpc")
        bench.standin.add_run(new)
        assert old.id != new.id
        assert raised(bench.observe).kind is Kind.NOT_FOUND
        assert len(bench.observe().runs) == 1

    def test_no_such_module(self, bench: Bench) -> None:
        assert raised(lambda: bench.observe("vcp")).kind is Kind.NOT_FOUND
        assert bench.observe("x*").runs == ()

    def test_cursors_of_others(self, bench: Bench) -> None:
        bench.standin.add_run("vpc")
        for cursor in ("", "nonsense", "[]", '{"marks": 7}'):
            assert len(bench.observe("vpc", cursor).runs) == 1

    def test_a_run_listed_late_is_news(self, bench: Bench) -> None:
        """A started run is missing for a while, and shows up behind newer ones."""
        bench.over(GREEN)
        late = bench.standin.start(bench.standin.module("vpc"), None, None)
        late.appears_s = bench.clock.time() + 600
        bench.clock.advance(60)
        bench.standin.add_run("vpc", GREEN)
        cursor = bench.observe().cursor
        bench.clock.advance(600)
        ids = [run.ref.run_id for run in bench.observe("vpc", cursor).runs]
        assert late.id in ids


class TestTrigger:
    def test_three_steps_and_discovery(self, bench: Bench) -> None:
        """The module, its list, one start; then the list until the run is there."""
        old = bench.over(GREEN)
        bench.provider.find_pipeline("vpc", within(10))
        started: list[Started] = []
        sent = bench.sent(lambda: started.append(bench.trigger(blueprintRevision="abc123")))
        listing = f"GET /module/{old.module.id}/tests"
        assert sent == [
            f"GET /modules/{old.module.id}", listing,
            f"POST /environments/{old.module.environment_id}/deployments",
            listing, listing, listing,
        ]  # fmt: skip
        run = started[0].run
        assert run is not None
        assert run.ref.run_id == bench.standin.runs[-1].id != bench.standin.runs[-1].deployment_id
        assert (run.branch, str(run.pipeline), started[0].note) == ("abc123", "env0:vpc", "")
        assert bench.waits == [0.5, 1.0, 1.5]

    @pytest.mark.parametrize("reply", ["full", "id"])
    def test_body(self, bench: Bench, reply: str) -> None:
        bench.over(GREEN)
        bench.standin.quirks.trigger_reply = reply
        assert bench.trigger(blueprintRevision=" dev ", comment="new zone").run
        (sent,) = bench.changes()
        assert sent.headers["Content-Type"] == "application/json"
        assert json.loads(sent.body) == {
            "deploymentType": "moduleTest",
            "blueprintRevision": "dev",
            "triggerName": "user",
            "comment": "new zone: requested from chat by U1 (mark-1)",
        }

    def test_without_a_revision(self, bench: Bench) -> None:
        bench.over(GREEN)
        run = bench.trigger().run
        assert "blueprintRevision" not in json.loads(bench.changes()[0].body)
        assert run is not None
        assert run.branch == "main"

    def test_the_environment_is_that_of_the_newest_run(self, bench: Bench) -> None:
        entries = json.loads(recorded("module-test-runs-list"))
        newest = max(entries, key=lambda entry: entry["createdAt"])
        environment_id = ANY_ID.replace("a", "d")
        newest["environmentId"] = environment_id
        bench.answer("/module/(?!tests/).*/tests", sorted(entries, key=lambda e: e["createdAt"]))
        bench.answer(f"/environments/{environment_id}/deployments", recorded("trigger-response"))
        started = bench.trigger()
        (sent,) = bench.changes()
        assert sent.path == f"/environments/{environment_id}/deployments"
        assert started.run is not None
        assert started.run.ref.run_id == newest["id"]

    def test_tests_are_off(self, bench: Bench) -> None:
        bench.standin.add_run("dns")
        error = raised(lambda: bench.trigger("dns"))
        assert error.kind is Kind.CONFLICT
        assert "Tests of module dns are off" in error.message
        assert bench.changes() == []

    def test_switched_off_since_the_list_was_read(self, bench: Bench) -> None:
        """The module is asked for anew, not remembered."""
        bench.over(GREEN)
        bench.provider.pipelines(within(10))
        bench.standin.module("vpc").test_enabled = False
        assert raised(bench.trigger).kind is Kind.CONFLICT
        bench.standin.module("vpc").deleted = True
        assert raised(bench.trigger).kind is Kind.NOT_FOUND
        assert bench.changes() == []

    def test_the_first_test_is_not_ours(self, bench: Bench) -> None:
        error = raised(bench.trigger)
        assert error.kind is Kind.CONFLICT
        assert "by a commit or in env0" in error.message
        assert bench.changes() == []

    def test_no_variables(self, bench: Bench) -> None:
        bench.over(GREEN)
        error = raised(lambda: bench.trigger("vpc", Variable("A", SECRET)))
        assert error.kind is Kind.INVALID
        assert bench.standin.faults.received == []

    def test_not_listed_in_time(self, bench: Bench) -> None:
        """After ten seconds of looking: accepted, with the deployment and how it stands; by that
        id the run is found as soon as it is there.
        """
        bench.over(GREEN)
        bench.standin.quirks.appear_s = 60
        bench.standin.script(ENDLESS)
        started = bench.trigger()
        made = bench.standin.runs[-1]
        assert started.run is None
        assert f"{made.deployment_id}, IN_PROGRESS" in started.note or "QUEUED" in started.note
        assert "not listed yet" in started.note
        assert sum(bench.waits) == 10
        assert len(bench.changes()) == 1
        error = raised(lambda: bench.provider.get(made.deployment_id, within(10)))
        assert error.kind is Kind.NOT_FOUND
        bench.clock.advance(60)
        assert bench.provider.get(made.deployment_id, within(10)).ref.run_id == made.id

    def test_not_even_the_deployment_is_known(self, bench: Bench) -> None:
        bench.over(GREEN)
        bench.standin.quirks.appear_s = bench.standin.quirks.log_appear_s = 60
        started = bench.trigger()
        assert started.run is None
        assert bench.standin.runs[-1].deployment_id in started.note

    def test_looking_ends_with_the_deadline(self, bench: Bench) -> None:
        """On a clock that only the waits move: 5 seconds are enough for two looks."""
        bench.over(GREEN)
        bench.standin.quirks.appear_s = 60
        clock = StillClock()
        values = {"api_key_id": KEY_ID, "api_key_secret": KEY_SECRET, "base_url": bench.url}
        context = BuildContext("env0", SPEC.settings.model_validate(values), clock)
        provider = Env0Provider(context, clock.wait)
        request = TriggerRequest("vpc", SPEC.trigger(), (), "mark-1", "U1")
        started = provider.trigger(request, Deadline.after(clock, 3.0))
        assert started.run is None
        assert clock.waits == [0.5, 1.0]

    @pytest.mark.parametrize(
        ("status", "looks"), [(500, 6), (404, 6), (429, 1), (401, 1), (403, 1)]
    )
    def test_looking_fails(self, bench: Bench, status: int, looks: int) -> None:
        """That the start was accepted is told all the same; there is no second one."""
        old = bench.over(GREEN)
        path = f"/module/{old.module.id}/tests"
        bench.standin.faults.add(Fault(path=path, times=1))
        bench.answer(path, b"", status)
        started = bench.trigger()
        assert started.run is None
        assert "accepted" in started.note
        assert "could not be looked up" in started.note
        assert len(bench.waits) == looks
        assert len(bench.changes()) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(method="POST", drop_after=True),
            Fault(method="POST", drop_before=True),
            Fault(method="POST", status=500),
            Fault(method="POST", status=504, body=b'{"message": "Endpoint request timed out"}'),
            Fault(method="POST", status=302, headers={"Location": "/elsewhere"}),
            Fault(method="POST", status=200, body=b"", headers=JSON),
            Fault(method="POST", status=200, body=b"{}", headers=JSON),
            Fault(method="POST", status=200, body=b'{"id": ".."}', headers=JSON),
            Fault(method="POST", status=200, body=b"[", headers=JSON),
            Fault(method="POST", status=200, body=b"<html>", headers=HTML),
        ],
        ids=["lost", "dropped", "500", "504", "302", "empty", "no id", "odd id", "cut", "page"],
    )
    def test_a_lost_answer_is_ambiguous_and_sent_once(self, bench: Bench, fault: Fault) -> None:
        bench.over(GREEN)
        bench.standin.faults.add(fault)
        error = raised(bench.trigger)
        assert error.kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 1
        assert bench.waits == []

    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (400, b"/body/blueprintRevision must be string", Kind.INVALID),
            (401, b'{"message": "Unauthorized"}', Kind.AUTH),
            (402, b'{"message": "Payment Required"}', Kind.FORBIDDEN),
            (403, b'{"message": "Forbidden"}', Kind.FORBIDDEN),
            (404, b"Not Found", Kind.NOT_FOUND),
            (422, b"Unprocessable Entity", Kind.INVALID),
            (429, b"", Kind.RATE_LIMITED),
        ],
    )
    def test_refusals(self, bench: Bench, status: int, body: bytes, kind: Kind) -> None:
        bench.over(GREEN)
        bench.answer(".*", body, status, method="POST", headers=PLAIN)
        assert raised(bench.trigger).kind is kind
        assert len(bench.changes()) == 1

    def test_direct(self, bench: Bench) -> None:
        """The undocumented call, where somebody has switched it on: no earlier run is needed."""
        provider = bench.build(direct_trigger="true")
        bench.standin.quirks.direct_trigger = True
        run = bench.trigger(provider=provider, blueprintRevision="dev").run
        (sent,) = bench.changes()
        assert sent.path == f"/module/{bench.standin.module('vpc').id}/tests"
        assert json.loads(sent.body) == {"blueprintRevision": "dev"}
        assert run is not None
        assert run.ref.run_id == bench.standin.runs[-1].id
        bench.standin.quirks.absent = {"id"}
        started = bench.trigger(provider=provider)
        assert json.loads(bench.changes()[-1].body) == {}
        assert bench.standin.runs[-1].deployment_id in started.note

    def test_direct_where_there_is_none(self, bench: Bench) -> None:
        provider = bench.build(direct_trigger="true")
        error = raised(lambda: bench.trigger(provider=provider))
        assert error.kind is Kind.UNSUPPORTED
        assert "DIRECT_TRIGGER" in error.message
        bench.answer(".*", b"{}", method="POST")
        assert raised(lambda: bench.trigger(provider=provider)).kind is Kind.AMBIGUOUS


class TestAbort:
    @pytest.mark.parametrize("word", ["QUEUED", "CREATING"])
    def test_what_waits_is_cancelled(self, bench: Bench, word: str) -> None:
        run = bench.standin.add_run("vpc", GREEN)
        run.queued_word = word
        after = bench.abort(run)
        (sent,) = bench.changes()
        path = f"/environments/deployments/{run.deployment_id}/cancel"
        assert (sent.method, sent.path, sent.body) == ("PUT", path, b"")
        assert (after.status, after.raw_status) == (Status.ABORTED, "CANCELLED")

    def test_what_waits_for_a_person_is_cancelled(self, bench: Bench) -> None:
        run = bench.over(Outcome("WAITING_FOR_USER", run_s=10, queue_s=0))
        assert bench.get(run).status is Status.WAITING
        assert bench.abort(run).raw_status == "CANCELLED"
        assert bench.changes()[0].method == "PUT"

    @pytest.mark.parametrize("form", ["null", "empty", "object"])
    def test_what_runs_is_aborted(self, bench: Bench, form: str) -> None:
        """Any 2xx will do. It is aborting for a while, which is told."""
        bench.standin.quirks.abort_reply = form
        run = bench.standin.add_run("vpc", GREEN)
        bench.clock.advance(50)
        after = bench.abort(run)
        (sent,) = bench.changes()
        path = f"/environments/deployments/{run.deployment_id}/abort"
        assert (sent.method, sent.path, sent.body) == ("POST", path, b"{}")
        assert (after.status, after.raw_status, after.title) == (
            Status.RUNNING, "ABORTING", "aborting",
        )  # fmt: skip
        bench.clock.advance(5)
        assert bench.get(run).status is Status.ABORTED

    def test_the_status_is_read_anew(self, bench: Bench) -> None:
        """Queued when it was looked at, running when the person pressed."""
        run = bench.standin.add_run("vpc", GREEN)
        seen = bench.get(run)
        bench.clock.advance(50)
        assert bench.provider.abort(seen, within(10)).raw_status == "ABORTING"
        assert bench.changes()[0].path.endswith("/abort")

    def test_nothing_is_sent_twice(self, bench: Bench) -> None:
        run = bench.standin.add_run("vpc", GREEN)
        bench.clock.advance(50)
        bench.abort(run)
        assert bench.abort(run).raw_status == "ABORTING"
        assert len(bench.changes()) == 1

    @pytest.mark.parametrize(
        "word",
        ["SUCCESS", "FAILURE", "TIMEOUT", "INTERNAL_FAILURE", "CANCELLED", "ABORTED", "SKIPPED"],
    )
    def test_nothing_is_sent_when_over(self, bench: Bench, word: str) -> None:
        run = bench.over(Outcome(word))
        assert bench.abort(run).raw_status == word
        assert bench.changes() == []

    @pytest.mark.parametrize("word", ["NEVER_DEPLOYED", "SPROUTING"])
    def test_no_call_fits_an_unknown_word(self, bench: Bench, word: str) -> None:
        run = bench.over(Outcome(word))
        error = raised(lambda: bench.abort(run))
        assert error.kind is Kind.CONFLICT
        assert word in error.message
        assert bench.changes() == []

    def test_ended_in_between(self, bench: Bench) -> None:
        """The vendor refuses (422): how the run ended is told."""
        run = bench.standin.add_run("vpc", GREEN)
        reply = recorded("module-test-run-queued").replace(
            b"4857c7eb-9ba9-403e-ac97-68c1c58a4d04", run.deployment_id.encode()
        )
        stale = json.loads(reply) | {"organizationId": run.module.organization_id, "id": run.id}
        seen = bench.get(run)
        bench.clock.advance(500)
        bench.answer(f"/module/tests/{run.id}", stale, times=1)
        assert bench.provider.abort(seen, within(10)).status is Status.PASSED
        assert len(bench.changes()) == 1

    def test_refused_while_going_on(self, bench: Bench) -> None:
        run = bench.standin.add_run("vpc", ENDLESS)
        bench.answer(".*/cancel", b"Unprocessable Entity", 422, headers=PLAIN)
        error = raised(lambda: bench.abort(run))
        assert error.kind is Kind.CONFLICT
        assert "Unprocessable" in error.message
        assert len(bench.changes()) == 1

    def test_a_lost_answer(self, bench: Bench) -> None:
        """The run is read again: stopped or stopping is told, else it is open; sent once."""
        run = bench.standin.add_run("vpc", GREEN)
        bench.clock.advance(50)
        seen = bench.get(run)
        fault = bench.standin.faults.add(Fault(method="POST", drop_after=True))
        assert bench.provider.abort(seen, within(10)).raw_status == "ABORTING"
        assert len(bench.changes()) == 1
        other = bench.standin.add_run("vpc", ENDLESS)
        bench.clock.advance(50)
        fault.drop_after, fault.drop_before = False, True
        assert raised(lambda: bench.abort(other)).kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 2

    def test_accepted_and_then_not_readable(self, bench: Bench) -> None:
        """That it was accepted is not hidden by a failed look."""
        run = bench.standin.add_run("vpc", GREEN)
        path = f"/module/tests/{run.id}"
        bench.standin.faults.add(Fault(path=path, times=2))
        bench.answer(path, b"", 500)
        assert bench.abort(run).ref.run_id == run.id
        assert len(bench.changes()) == 1

    @pytest.mark.parametrize(
        ("status", "kind"), [(401, Kind.AUTH), (403, Kind.FORBIDDEN), (429, Kind.RATE_LIMITED)]
    )
    def test_refusals_that_say_nothing_about_the_run(
        self, bench: Bench, status: int, kind: Kind
    ) -> None:
        run = bench.standin.add_run("vpc", GREEN)
        bench.answer(".*/cancel", b"", status)
        assert raised(lambda: bench.abort(run)).kind is kind


class TestRetry:
    def test_same_revision_in_its_own_environment(self, bench: Bench) -> None:
        old = bench.over(RED, revision="v1.2.0")
        bench.over(GREEN, revision="main")
        started = bench.retry(bench.get(old))
        (sent,) = bench.changes()
        assert sent.path == f"/environments/{old.module.environment_id}/deployments"
        assert json.loads(sent.body)["blueprintRevision"] == "v1.2.0"
        assert started.run is not None
        assert started.run.ref.run_id == bench.standin.runs[-1].id != old.id
        assert (started.run.branch, started.note) == ("v1.2.0", "")

    def test_a_lost_pull_request_is_told(self, bench: Bench) -> None:
        run = bench.over(RED, pr_number="482", person=None, git_user="octo-dev", revision="abc1234")
        assert "pull request #482" in bench.retry(bench.get(run)).note
        bench.standin.quirks.appear_s = 60
        note = bench.retry(bench.get(run)).note
        assert "not listed yet" in note
        assert "pull request #482" in note

    def test_typed_values(self, bench: Bench) -> None:
        bench.retry(bench.get(bench.over()), blueprintRevision="dev", comment="again")
        body = json.loads(bench.changes()[0].body)
        assert body["blueprintRevision"] == "dev"
        assert body["comment"].startswith("again: ")

    def test_revision_of_the_commit(self, bench: Bench) -> None:
        run = bench.over(RED, revision="abc1234")
        bench.standin.quirks.absent = {"blueprintRevision"}
        bench.retry(bench.get(run))
        assert json.loads(bench.changes()[0].body)["blueprintRevision"] == "abc1234"

    def test_no_revision(self, bench: Bench) -> None:
        run = bench.over()
        bench.standin.quirks.fields = "minimal"
        error = raised(lambda: bench.retry(bench.get(run)))
        assert error.kind is Kind.CONFLICT
        assert "which revision" in error.message
        assert bench.changes() == []

    def test_not_over(self, bench: Bench) -> None:
        seen = bench.get(bench.standin.add_run("vpc", ENDLESS))
        assert raised(lambda: bench.retry(seen)).kind is Kind.CONFLICT
        assert bench.changes() == []

    def test_tests_are_off_by_now(self, bench: Bench) -> None:
        seen = bench.get(bench.over())
        bench.standin.module("vpc").test_enabled = False
        assert raised(lambda: bench.retry(seen)).kind is Kind.CONFLICT
        assert bench.changes() == []

    def test_a_run_without_a_home_is_repeated_all_the_same(self, bench: Bench) -> None:
        """Its own environment is enough; only looking for the new run is not possible."""
        seen = bench.get(bench.over())
        bench.standin.quirks.absent = {"moduleId"}
        provider = bench.build()
        bench.answer("/module/(?!tests/).*/tests", b"[]")
        request = RetryRequest(seen, "all", {}, (), "mark-1", "U1")
        started = provider.retry(request, within(14))
        assert started.run is None
        assert bench.standin.runs[-1].deployment_id in started.note
        assert len(bench.changes()) == 1

    def test_refusals(self, bench: Bench) -> None:
        seen = bench.get(bench.over())
        part = raised(lambda: bench.retry(seen, scope="failed"))
        variables = raised(lambda: bench.retry(seen, Variable("A", SECRET)))
        unknown = raised(lambda: bench.retry(seen, branch="x"))
        assert [e.kind for e in (part, variables, unknown)] == [
            Kind.UNSUPPORTED, Kind.INVALID, Kind.INVALID,
        ]  # fmt: skip
        assert bench.changes() == []

    def test_a_lost_answer(self, bench: Bench) -> None:
        seen = bench.get(bench.over())
        bench.standin.faults.add(Fault(method="POST", drop_after=True))
        assert raised(lambda: bench.retry(seen)).kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 1


class TestCheck:
    def test_all_well(self, bench: Bench) -> None:
        health = bench.provider.check(within(10))
        assert health.account == "Acme"
        assert health.notes == (
            f"organization {bench.standin.organizations[0]['id']}",
            "2 modules, tests are on in 1",
            "whether the key may start and stop tests shows only when it tries",
        )

    def test_rights_that_are_missing(self, bench: Bench) -> None:
        """Are notes: the key itself is good."""
        for path in ("/modules", "/projects/.*"):
            bench.answer(path, {"message": "Forbidden"}, 403)
        notes = bench.provider.check(within(10)).notes
        assert "cannot list modules: env0 does not allow that" in notes[1]
        assert "cannot read the project" in notes[2]

    @pytest.mark.parametrize("wrong", [{"api_key_id": "other"}, {"api_key_secret": "other"}])
    def test_wrong_key(self, bench: Bench, wrong: dict[str, str]) -> None:
        provider = bench.build(**wrong)
        assert raised(lambda: provider.check(within(10))).kind is Kind.AUTH

    def test_several_organizations(self, bench: Bench) -> None:
        other = bench.standin.add_organization("Other")
        for act in (bench.provider.check, bench.provider.pipelines):
            error = raised(lambda act=act: act(within(10)))  # type: ignore[misc]
            assert error.kind is Kind.INVALID
            assert f"Other ({other['id']})" in error.message
        provider = bench.build(organization_id=other["id"])
        assert provider.check(within(10)).account == "Other"
        assert provider.pipelines(within(10)) == ()

    def test_not_our_organization(self, bench: Bench) -> None:
        provider = bench.build(organization_id=ANY_ID)
        error = raised(lambda: provider.check(within(10)))
        assert (error.kind, "Acme" in error.message) == (Kind.FORBIDDEN, True)
        bench.standin.organizations.clear()
        assert raised(lambda: bench.provider.check(within(10))).kind is Kind.FORBIDDEN

    def test_the_organization_is_asked_for_once(self, bench: Bench) -> None:
        bench.observe()
        bench.provider.pipelines(within(10))
        assert len(bench.standin.faults.requests("GET", "/organizations")) == 1
        provider = bench.build(organization_id=bench.standin.organizations[0]["id"])
        sent = bench.sent(lambda: provider.pipelines(within(10)))
        assert sent == ["GET /modules"]


class TestErrors:
    @pytest.mark.parametrize("case", json.loads(recorded("errors")), ids=lambda c: c["origin"][:20])
    def test_recorded(self, bench: Bench, case: dict[str, Any]) -> None:
        """Every recorded error, plain text or JSON."""
        body = case["body"]
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        bench.answer(
            ".*", content, case["http_status"], headers={"Content-Type": case["content_type"]}
        )
        kinds = {
            400: Kind.INVALID, 401: Kind.AUTH, 402: Kind.FORBIDDEN, 404: Kind.NOT_FOUND,
            422: Kind.INVALID, 429: Kind.RATE_LIMITED, 504: Kind.UNAVAILABLE,
            403: Kind.BAD_REPLY if "Credential" in json.dumps(body) else Kind.FORBIDDEN,
        }  # fmt: skip
        error = raised(lambda: bench.provider.get(ANY_ID, within(10)))
        assert error.kind is kinds[case["http_status"]]
        assert "redacted" not in error.message
        assert ("one of the allowed values" in error.message) is (case["http_status"] == 400)

    def test_the_body_of_a_403_is_never_shown(self, bench: Bench) -> None:
        bench.answer(".*", {"message": "You shall not pass"}, 403)
        error = raised(lambda: bench.provider.get(ANY_ID, within(10)))
        assert error.kind is Kind.FORBIDDEN
        assert "pass" not in repr(error) + error.detail

    def test_the_gateway_echoes_our_key(self, bench: Bench) -> None:
        """A wrong address: said so, and nothing of the body is shown anywhere."""
        provider = bench.build(base_url=f"{bench.url}/wrong")
        acts: list[Callable[[], object]] = [
            lambda: provider.check(within(10)),
            lambda: provider.get(ANY_ID, within(10)),
            lambda: provider.observe("vpc", "", (), within(10)),
        ]
        for act in acts:
            error = raised(act)
            assert error.kind is Kind.BAD_REPLY
            assert "check BASE_URL" in error.message
            assert "Credential" not in repr(error) + error.detail
        assert bench.standin.faults.received[0].headers["Authorization"] == f"Basic {BASIC}"

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 429, 500, 503])
    @pytest.mark.parametrize("form", ["json", "text", "list", "html"])
    def test_echoes(self, bench: Bench, status: int, form: str) -> None:
        """Whatever repeats our credential, or a token, is not repeated by us."""
        escaped = BASIC.replace("/", "\\/")
        told = f"{GATEWAY}Basic {BASIC} {escaped} {KEY_SECRET} oidcToken={SECRET} {SECRET}"
        body = {
            "json": json.dumps({"message": told}), "text": told,
            "list": json.dumps([told]), "html": f"<html>{told}",
        }[form]  # fmt: skip
        bench.over(GREEN)
        bench.provider.pipelines(within(10))
        bench.answer(".*", body.encode(), status)
        raised(lambda: bench.provider.get(ANY_ID, within(10)))
        raised(lambda: bench.provider.check(within(10)))
        raised(bench.trigger)

    @pytest.mark.parametrize("body", [b"{}", b"7", b"null", b'"x"', b"[[[[", b"", b"NaN"])
    def test_odd_lists(self, bench: Bench, body: bytes) -> None:
        bench.provider.pipelines(within(10))
        bench.answer("/module/.*", body)
        assert raised(bench.observe).kind is Kind.BAD_REPLY

    @pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'{"id": ".."}', b"", b"<html>"])
    def test_odd_runs(self, bench: Bench, body: bytes) -> None:
        bench.answer("/module/tests/.*", body)
        error = raised(lambda: bench.provider.get(ANY_ID, within(10)))
        assert error.kind is Kind.BAD_REPLY

    def test_a_large_plan_among_the_variables(self, bench: Bench) -> None:
        """All runs come in one answer: twelve megabytes are read."""
        bench.standin.quirks.large_plan = 600_000
        for _ in range(20):
            bench.standin.add_run("vpc", GREEN)
        assert len(bench.observe().runs) == 20

    def test_reads_are_tried_again_and_changes_never(self, bench: Bench) -> None:
        run = bench.standin.add_run("vpc", GREEN)
        bench.answer("/module/tests/.*", b"", 504, times=1)
        assert bench.get(run).ref.run_id == run.id
        bench.answer(".*/cancel", b"", 504)
        assert raised(lambda: bench.abort(run)).kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 1

    def test_a_deadline_that_is_over(self, bench: Bench) -> None:
        assert raised(lambda: bench.provider.get(ANY_ID, within(0))).kind is Kind.UNAVAILABLE
        assert bench.standin.faults.received == []


def test_built_by_its_entry() -> None:
    values = {"api_key_id": KEY_ID, "api_key_secret": KEY_SECRET}
    context = BuildContext("env0", SPEC.settings.model_validate(values), RealClock())
    provider = cast("Env0Provider", SPEC.build(context))
    assert is_clean(repr(provider) + repr(vars(provider)) + repr(context))
