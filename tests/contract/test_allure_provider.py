"""Allure TestOps' provider over real sockets: against the stand-in, and against odd answers."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

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
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.domain.transitions import Reason, Snapshot, compare
from bot.playground.clock import ManualClock
from bot.playground.faults import Fault, Received
from bot.playground.server import Server
from bot.playground.vendors.allure import AllureStandin
from bot.playground.vendors.allure_model import Launch
from bot.playground.vendors.course import Outcome
from bot.providers.allure import SPEC, AllureProvider
from bot.providers.allure_session import QUIET_S
from tests.fakes.net import RealClock, within

RECORDED = Path(__file__).parents[1] / "recorded" / "allure-testops"
CANARY = "canary-4711"
TOKEN = f"api-token-{CANARY}"
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
WEB, API = "37/web-regression", "37/payments-api"
RED = Outcome("failed", failed=("Refund to voucher",))
EXCHANGE = "POST /api/uaa/oauth/token"
RED_NAMES = "GET /api/testresult/__search"
FORBIDDEN_PATHS = re.compile(r".*/upload.*|.*/testresult/(?:bulk/|\d+/)(?:rerun|retry).*")
RQL = {"rql": 'status in ["failed", "broken", "unknown"]'}


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


class ShiftingClock(RealClock):
    """Real time, and as much more as a test adds; the vendor's time of day."""

    def __init__(self, standin: AllureStandin) -> None:
        self.added_s = 0.0
        self.standin = standin

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.standin.clock.time(), UTC)

    def monotonic(self) -> float:
        return super().monotonic() + self.added_s


class Bench:
    """A stand-in, a provider connected to it, and what travelled between them."""

    def __init__(self, standin: AllureStandin, url: str) -> None:
        self.standin, self.url = standin, url
        self.clock = ShiftingClock(standin)
        self.waits: list[float] = []
        self.cursor = ""
        self.open: tuple[OpenRun, ...] = ()
        self.provider = self.build()

    def settings(self, **more: Any) -> BaseModel:
        values = {
            "token": TOKEN, "base_url": self.url, "projects": "37",
            "requests_per_minute": 6000, **more,
        }  # fmt: skip
        return SPEC.settings.model_validate(values)

    def build(self, **settings: Any) -> AllureProvider:
        context = BuildContext("allure", self.settings(**settings), self.clock)
        return AllureProvider(context, self.wait)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.pass_s(seconds)

    def pass_s(self, seconds: float) -> None:
        self.standin.clock.advance(seconds)  # type: ignore[attr-defined]

    def sent(self, act: Callable[[], object]) -> list[str]:
        """The requests that `act` makes, as `GET path`, in order."""
        before = len(self.standin.faults.received)
        act()
        return [f"{r.method} {r.path}" for r in self.standin.faults.received[before:]]

    def changes(self) -> list[Received]:
        posts = self.standin.faults.requests("POST|PUT|DELETE|PATCH")
        return [r for r in posts if not r.path.startswith("/api/uaa/")]

    def changed(self) -> list[tuple[str, Any]]:
        return [(r.path, json.loads(r.body) if r.body else None) for r in self.changes()]

    def answer(self, path: str, body: Any, status: int = 200, **more: Any) -> Fault:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = more.pop("headers", JSON)
        return self.standin.faults.add(
            Fault(path=path, status=status, body=raw, headers=headers, **more)
        )

    def trigger(self, pipeline: str = WEB, *env: Variable, **parameters: str) -> Started:
        model = SPEC.trigger.model_validate(parameters)
        request = TriggerRequest(pipeline, model, env, "mark-1", "U1")
        return self.provider.trigger(request, within(10))

    def retry(self, run: Run, scope: Any = "all", **parameters: str) -> Started:
        request = RetryRequest(run, scope, parameters, (), "mark-1", "U1")
        return self.provider.retry(request, within(10))

    def get(self, launch: Launch | str) -> Run:
        run_id = launch if isinstance(launch, str) else str(launch.id)
        return self.provider.get(run_id, within(10))

    def poll(self, source: str = "37") -> Observation:
        """One poll, with what the store would hand back of the one before."""
        seen = self.provider.observe(source, self.cursor, self.open, within(10))
        self.cursor = seen.cursor
        ids = {run.ref.run_id for run in seen.runs}
        kept = [one for one in self.open if one.run_id not in ids]
        self.open = (
            *kept,
            *(open_run(run.ref.run_id) for run in seen.runs if not run.is_over),
        )
        return seen

    def finished(self, outcome: Outcome = RED, job: str = "web-regression", **more: Any) -> Launch:
        """A launch that is over and closed by now."""
        made = self.standin.add_run(job, outcome, **more)
        self.pass_s(60)
        return made

    def running(self, outcome: Outcome = RED, job: str = "web-regression") -> Launch:
        made = self.standin.add_run(job, outcome)
        self.pass_s(10)
        return made


@pytest.fixture
def bench() -> Iterator[Bench]:
    """In the end it is checked that nobody asked for an upload or for a manual rerun."""
    standin = AllureStandin(ManualClock(), TOKEN)
    project = standin.add_project("Acme shop")
    standin.add_job(project, "web-regression", parameters=("chrome", "staging"))
    standin.add_job(project, "payments-api", "jenkins")
    with Server(standin.app) as server:
        yield Bench(standin, server.url)
    assert standin.uploads == []
    assert not [r.path for r in standin.faults.received if FORBIDDEN_PATHS.fullmatch(r.path)]


def open_run(run_id: str | int) -> OpenRun:
    return OpenRun(str(run_id), LONG_AGO, None)


def raised(act: Callable[[], object]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        act()
    return caught.value


def everything_of(error: BaseException | None) -> str:
    """What a log could show of an error and of those behind it."""
    shown = ""
    while error is not None:
        shown += f"{error!r} {error!s} {error.__dict__!r} "
        error = error.__cause__ or error.__context__
    return shown


def ids(runs: tuple[Run, ...]) -> list[int]:
    return [int(run.ref.run_id) for run in runs]


class TestTokens:
    def test_exchange_and_use(self, bench: Bench) -> None:
        """Form fields as documented; then the access token, for all that follows."""
        bench.provider.check(within(10))
        bench.provider.recent("*", 5, within(10))
        exchange, *others = bench.standin.faults.received
        assert (exchange.method, exchange.path) == ("POST", "/api/uaa/oauth/token")
        assert exchange.body.decode() == f"grant_type=apitoken&scope=openid&token={TOKEN}"
        assert exchange.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert exchange.headers["Accept"] == "application/json"
        assert "Authorization" not in exchange.headers
        assert bench.standin.exchanges == 1
        (token,) = bench.standin.tokens
        assert {r.headers["Authorization"] for r in others} == {f"Bearer {token}"}
        assert all(TOKEN not in str(r.query) + r.path for r in bench.standin.faults.received)

    def test_cookies_are_not_sent(self, bench: Bench) -> None:
        bench.standin.quirks.xsrf_cookie = True
        bench.provider.check(within(10))
        assert all("Cookie" not in r.headers for r in bench.standin.faults.received)

    @pytest.mark.parametrize(
        ("form", "life_s", "useful_s"),
        [("full", 3599.0, 3539), ("text", 57599.0, 57539), ("refresh", 600.0, 540),
         ("minimal", 99.0, 3540), ("full", 40.0, 20), ("full", 100.0, 50)],
    )  # fmt: skip
    def test_early_renewal(self, bench: Bench, form: str, life_s: float, useful_s: float) -> None:
        """60 s before the end, at half of a short life, and after an hour if it is not told."""
        bench.standin.quirks.token_reply, bench.standin.quirks.jwt_life_s = form, life_s
        bench.provider.check(within(10))
        bench.clock.added_s = useful_s - 5
        assert EXCHANGE not in bench.sent(lambda: bench.provider.check(within(10)))
        bench.clock.added_s = useful_s + 1
        assert bench.sent(lambda: bench.provider.check(within(10)))[0] == EXCHANGE
        assert bench.standin.exchanges == 2

    def test_a_revoked_token_is_exchanged_and_the_read_repeated(self, bench: Bench) -> None:
        bench.provider.check(within(10))
        bench.standin.revoke_tokens()
        launch = bench.standin.add_launch(37, "x")
        sent = bench.sent(lambda: bench.get(launch))
        assert sent[:3] == [
            f"GET /api/launch/{launch.id}",
            EXCHANGE,
            f"GET /api/launch/{launch.id}",
        ]
        assert bench.standin.exchanges == 2

    @pytest.mark.parametrize("is_expired", [True, False])
    def test_ten_threads_exchange_once(self, bench: Bench, is_expired: bool) -> None:  # noqa: FBT001
        """With a token that is over by our clock, and with one that the vendor refuses."""
        bench.provider.check(within(10))
        launch = bench.standin.add_launch(37, "x")
        if is_expired:
            bench.clock.added_s = 3600
        bench.standin.revoke_tokens()
        bench.standin.faults.add(Fault(path="/api/uaa/oauth/token", delay_s=0.2))
        with ThreadPoolExecutor(10) as pool:
            runs = list(pool.map(lambda _: bench.get(launch), range(10)))
        assert len(runs) == 10
        assert bench.standin.exchanges == 2

    def test_ten_threads_with_a_wrong_token_ask_once(self, bench: Bench) -> None:
        """F12: one exchange, AUTH for all, and quiet for half a minute."""
        provider = bench.build(token=f"wrong-{CANARY}")
        bench.standin.faults.add(Fault(path="/api/uaa/oauth/token", delay_s=0.2))
        with ThreadPoolExecutor(10) as pool:
            errors = list(
                pool.map(lambda _: raised(lambda: provider.get("1", within(5))), range(10))
            )
        assert {error.kind for error in errors} == {Kind.AUTH}
        assert all(CANARY not in everything_of(error) for error in errors)
        assert [r.path for r in bench.standin.faults.received] == ["/api/uaa/oauth/token"]
        bench.clock.added_s = QUIET_S + 1
        raised(lambda: provider.get("1", within(5)))
        assert len(bench.standin.faults.received) == 2

    def test_ten_threads_share_an_exchange_that_fails(self, bench: Bench) -> None:
        """Who waited for it does not begin another one; who comes later does."""
        fault = Fault(path="/api/uaa/oauth/token", status=500, delay_s=0.5)
        bench.standin.faults.add(fault)
        with ThreadPoolExecutor(10) as pool:
            errors = list(pool.map(lambda _: raised(lambda: bench.get("1")), range(10)))
        assert {error.kind for error in errors} == {Kind.UNAVAILABLE}
        assert len(bench.standin.faults.received) == 1
        raised(lambda: bench.get("1"))
        assert len(bench.standin.faults.received) == 2

    def test_a_new_token_that_is_refused_too(self, bench: Bench) -> None:
        """Once more, then AUTH; and no storm of logins, however many ask."""
        bench.answer("/api/(launch|uaa/me).*", recorded("errors")[2]["body"], 401)
        sent = bench.sent(lambda: raised(lambda: bench.get("5")))
        assert sent == [EXCHANGE, "GET /api/launch/5", EXCHANGE, "GET /api/launch/5"]
        for _ in range(5):
            assert raised(lambda: bench.provider.check(within(5))).kind is Kind.AUTH
        assert bench.standin.exchanges == 2
        bench.standin.faults.clear()
        bench.clock.added_s = QUIET_S + 1
        bench.provider.check(within(5))
        assert bench.standin.exchanges == 3

    @pytest.mark.parametrize("entry", [0, 1])
    def test_recorded_refusals_of_the_exchange(self, bench: Bench, entry: int) -> None:
        error = recorded("errors")[entry]
        bench.answer("/api/uaa/oauth/token", error["body"], error["http_status"])
        problem = raised(lambda: bench.provider.check(within(5)))
        assert problem.kind is Kind.AUTH
        assert "API token" in problem.message

    @pytest.mark.parametrize("form", ["html", "no_token"])
    def test_an_exchange_without_a_token(self, bench: Bench, form: str) -> None:
        bench.standin.quirks.token_reply = form
        error = raised(lambda: bench.provider.check(within(5)))
        assert error.kind is Kind.BAD_REPLY
        assert "BASE_URL" in error.message

    @pytest.mark.parametrize(
        "body",
        [b"", b"[]", b"7", {"access_token": 7}, {"access_token": ""}, {"access_token": "a\r\nb: c"},
         {"access_token": "ü"}, {"access_token": "x" * 20000}, {"access_token": "a b"}],
    )  # fmt: skip
    def test_odd_tokens(self, bench: Bench, body: Any) -> None:
        bench.answer("/api/uaa/oauth/token", body)
        sent = bench.sent(lambda: raised(lambda: bench.provider.check(within(5))))
        assert sent == [EXCHANGE]

    @pytest.mark.parametrize("life", [-5, 0, "soon", None, [], True, 10**400, "inf", "nan"])
    def test_odd_lives(self, bench: Bench, life: Any) -> None:
        """An hour is assumed where nothing readable is said."""
        token = next(iter(bench.standin.tokens), "eyJ.sample.token")
        bench.standin.tokens[token] = 1e12
        body = json.dumps({"access_token": token, "expires_in": life}).encode()
        bench.answer("/api/uaa/oauth/token", body)
        assert bench.provider.check(within(5)).account == "dana"
        bench.clock.added_s = 3000
        assert EXCHANGE not in bench.sent(lambda: bench.provider.check(within(5)))

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Fault(status=500), Kind.UNAVAILABLE),
            (Fault(status=429, headers={"Retry-After": "7"}), Kind.RATE_LIMITED),
            (Fault(status=403, headers={"cf-mitigated": "challenge"}), Kind.UNAVAILABLE),
            (Fault(status=403), Kind.FORBIDDEN),
            (Fault(status=404, body=b"<html>", headers=HTML), Kind.BAD_REPLY),
            (Fault(status=302, headers={"Location": "https://elsewhere/"}), Kind.BAD_REPLY),
            (Fault(drop_before=True), Kind.UNAVAILABLE),
        ],
    )
    def test_other_ends_of_the_exchange(self, bench: Bench, fault: Fault, kind: Kind) -> None:
        fault.path = "/api/uaa/oauth/token"
        bench.standin.faults.add(fault)
        assert raised(lambda: bench.provider.check(within(5))).kind is kind
        bench.standin.faults.clear()
        if kind is not Kind.RATE_LIMITED:
            assert bench.provider.check(within(5)).account == "dana"

    def test_a_hanging_exchange_holds_nobody_beyond_the_deadline(self, bench: Bench) -> None:
        bench.standin.faults.add(Fault(path="/api/uaa/oauth/token", hang=True))
        clock = RealClock()
        begun = clock.monotonic()
        with ThreadPoolExecutor(4) as pool:
            calls = pool.map(
                lambda _: raised(lambda: bench.provider.get("1", within(0.5))), range(4)
            )
            errors = list(calls)
        assert {error.kind for error in errors} == {Kind.UNAVAILABLE}
        assert clock.monotonic() - begun < 5

    def test_the_older_prefix(self, bench: Bench) -> None:
        """Only the report service is below it."""
        bench.standin.quirks.prefix = "/api/rs"
        provider = bench.build(api_prefix="/api/rs")
        launch = bench.standin.add_launch(37, "x")
        provider.check(within(5))
        assert provider.get(str(launch.id), within(5)).title == "x"
        paths = {r.path for r in bench.standin.faults.received}
        assert {p for p in paths if not p.startswith("/api/rs/")} == {
            "/api/uaa/oauth/token",
            "/api/uaa/me",
        }
        assert raised(lambda: bench.get(launch)).kind is Kind.NOT_FOUND

    def test_no_secret_in_what_can_be_printed(self, bench: Bench) -> None:
        bench.provider.check(within(5))
        parts = list(vars(bench.provider).values())
        shown = (
            repr(bench.provider) + repr(parts) + repr([getattr(p, "__dict__", p) for p in parts])
        )
        assert CANARY not in shown
        assert "eyJ" not in shown


class TestCheck:
    def test_rights_in_words(self, bench: Bench) -> None:
        health = bench.provider.check(within(10))
        assert health.account == "dana"
        assert "Project 37: launches can be read, jobs can be read." in health.notes
        assert any("CI build: it goes on" in note for note in health.notes)

    def test_without_projects(self, bench: Bench) -> None:
        provider = bench.build(projects="")
        assert "PROJECTS is not set" in provider.check(within(10)).notes[0]
        sent = bench.sent(lambda: provider.check(within(10)))
        assert sent == ["GET /api/uaa/me"]

    @pytest.mark.parametrize(
        ("path", "status", "words"),
        [
            ("/api/launch", 403, "not found, or no access"),
            ("/api/job", 403, "jobs cannot be read, so none can be started"),
            ("/api/job", 500, "could not be seen just now"),
        ],
    )
    def test_less_rights(self, bench: Bench, path: str, status: int, words: str) -> None:
        bench.answer(path, {}, status)
        assert words in bench.provider.check(within(10)).notes[0]

    @pytest.mark.parametrize("body", [b"[]", b"7", b"{}", b'{"username": 7}'])
    def test_an_account_of_another_form(self, bench: Bench, body: bytes) -> None:
        """Only the 200 is documented."""
        bench.answer("/api/uaa/me", body)
        assert bench.provider.check(within(10)).account == ""


class TestPolls:
    @pytest.mark.parametrize("form", ["rich", "sparse"])
    def test_a_launch_from_start_to_failure(self, bench: Bench, form: str) -> None:
        """Queued, running, still running while results are processed, failed, over for good."""
        bench.standin.quirks.preview = form == "rich"
        bench.standin.quirks.processing_s = 4
        bench.poll()
        bench.standin.script(RED)
        started = bench.trigger().run
        assert started is not None
        states = [started.status]
        for _ in range(7):
            states += [run.status for run in bench.poll().runs]
            bench.pass_s(4.0)
        queued, running = Status.QUEUED, Status.RUNNING
        assert states[:2] == [queued, queued]
        assert states[2:7] == [running] * 5
        assert set(states[7:]) == {running}
        bench.pass_s(4.0)
        (over,) = bench.poll().runs
        assert (over.status, over.pipeline, over.ref) == (
            Status.FAILED,
            started.pipeline,
            started.ref,
        )
        assert over.counts.failed == 1
        assert bench.open == ()

    def test_cost_of_rich_lists(self, bench: Bench) -> None:
        """One request, also while launches move; progress only between the last job run's end
        and the verdict, and once the names of red results.
        """
        bench.finished()
        bench.poll()
        assert bench.sent(bench.poll) == ["GET /api/launch"]
        running = bench.running()
        assert bench.sent(bench.poll) == ["GET /api/launch"]
        bench.pass_s(14.5)
        progress = f"GET /api/launch/{running.id}/progress"
        assert bench.sent(bench.poll) == ["GET /api/launch", progress]
        bench.pass_s(2)
        assert bench.sent(bench.poll) == ["GET /api/launch", progress, RED_NAMES]
        assert bench.sent(bench.poll) == ["GET /api/launch"]
        bench.pass_s(60)
        assert bench.sent(bench.poll) == ["GET /api/launch"]
        assert bench.sent(bench.poll) == ["GET /api/launch"]

    def test_cost_of_sparse_lists(self, bench: Bench) -> None:
        """Closed launches and those without job runs cost nothing once they are known."""
        bench.standin.quirks.preview = False
        bench.finished()
        manual = bench.standin.add_launch(37, "by hand", statistic={"passed": 1})
        first = bench.sent(bench.poll)
        assert len(first) == 2 + 2 * 3
        assert bench.sent(bench.poll) == ["GET /api/launch"]
        assert [one.run_id for one in bench.open] == [str(manual.id)]
        running = bench.running()
        part = f"GET /api/launch/{running.id}"
        moving = [f"{part}/job", f"{part}/statistic", f"{part}/env"]
        for _ in range(2):
            assert bench.sent(bench.poll) == ["GET /api/launch", *moving]
        bench.pass_s(17)
        verdict = [f"{part}/progress", RED_NAMES]
        assert bench.sent(bench.poll) == ["GET /api/launch", *moving, *verdict]
        assert bench.sent(bench.poll) == ["GET /api/launch", f"{part}/job"]
        bench.pass_s(60)
        assert bench.sent(bench.poll) == ["GET /api/launch", *moving]
        assert bench.sent(bench.poll) == ["GET /api/launch"]

    def test_red_results_are_named_once(self, bench: Bench) -> None:
        """Also in a new process: that they were asked for is in the cursor."""
        bench.poll()
        two = Outcome("failed", 10, 1, failed=("Refund",), broken=("Login",))
        red = bench.finished(two)
        (run,) = bench.poll().runs
        assert (run.ref.run_id, run.failing) == (str(red.id), ("Login", "Refund"))
        bench.provider = bench.build()
        assert bench.sent(bench.poll) == [EXCHANGE, "GET /api/launch"]

    def test_recorded_results_name_what_failed(self, bench: Bench) -> None:
        bench.poll()
        bench.finished()
        bench.answer("/api/testresult/__search", recorded("testresults-search-page"))
        (run,) = bench.poll().runs
        assert run.failing == ("Checkout with saved card", "Refund to voucher")
        query = bench.standin.faults.requests("GET", "/api/testresult/__search")[-1].query
        assert query["rql"].startswith(f"launch = {run.ref.run_id} and (status = ")
        assert query["size"] == "100"

    def test_a_job_that_did_not_start_is_named_without_asking(self, bench: Bench) -> None:
        bench.poll()
        bench.finished(Outcome("run_failure", 10, 1, tests=False))
        before = len(bench.standin.faults.requests("GET", "/api/testresult/.*"))
        (run,) = bench.poll().runs
        assert run.failures == ("web-regression",)
        assert len(bench.standin.faults.requests("GET", "/api/testresult/.*")) == before

    @pytest.mark.parametrize("is_rich", [True, False])
    def test_names_of_closed_launches_that_come_late(self, bench: Bench, *, is_rich: bool) -> None:
        """Five at a poll; a launch that waits for its names is shown again, and then no more."""
        bench.standin.quirks.preview = is_rich
        bench.poll()
        made = [bench.finished().id for _ in range(7)]
        first, second, third = bench.poll(), bench.poll(), bench.poll()
        assert sorted(ids(first.runs)) == made
        assert sum(bool(run.failing) for run in first.runs) == 5
        assert sorted(ids(second.runs)) == made[5:]
        assert all(run.failing for run in second.runs)
        assert third.runs == ()
        assert bench.sent(bench.poll) == ["GET /api/launch"]

    @pytest.mark.parametrize("status", [500, 403, 200])
    def test_a_launch_is_told_though_its_results_cannot_be_had(
        self, bench: Bench, status: int
    ) -> None:
        bench.poll()
        red = bench.finished()
        bench.answer("/api/testresult/__search", b"<html>", status, headers=HTML)
        seen = bench.poll()
        assert ids(seen.runs) == [red.id]
        assert (seen.runs[0].status, seen.runs[0].failing) == (Status.FAILED, ())
        for _ in range(4):
            bench.poll()
        assert bench.sent(bench.poll) == ["GET /api/launch"], "not for ever"

    def test_an_ended_launch_that_stays_open_is_trusted_after_a_day(self, bench: Bench) -> None:
        bench.standin.quirks.preview = False
        left_open = bench.standin.add_launch(37, "x", at_s=1_500_000_000.0)
        bench.standin.add_job_run(left_open, bench.standin.job("payments-api"), "run_failure", None)
        bench.poll()
        assert bench.sent(bench.poll) == ["GET /api/launch"]

    def test_a_new_process_reads_no_closed_launch_again(self, bench: Bench) -> None:
        """What was read is in the cursor."""
        bench.standin.quirks.preview = False
        bench.finished()
        bench.poll()
        bench.provider = bench.build()
        assert bench.sent(bench.poll) == [EXCHANGE, "GET /api/launch"]

    def test_many_sparse_launches_have_their_turn(self, bench: Bench) -> None:
        """At most ten a poll, the newest first; the others are not forgotten."""
        bench.standin.quirks.preview = False
        made = [bench.finished(Outcome("passed", run_s=1.0, queue_s=0.0)) for _ in range(25)]
        seen = [ids(bench.poll().runs) for _ in range(4)]
        assert [len(one) for one in seen] == [10, 10, 5, 0]
        assert seen[0][0] == made[-1].id
        assert {one for part in seen for one in part} == {one.id for one in made}

    def test_sparse_launches_beyond_the_first_page_have_their_turn(self, bench: Bench) -> None:
        """Though later polls do not list them any more."""
        bench.standin.quirks.preview = False
        bench.finished()
        bench.poll()
        made = [bench.standin.add_launch(37, "x", closed=True) for _ in range(70)]
        seen = {one for _ in range(8) for one in ids(bench.poll().runs)}
        assert seen == {one.id for one in made}
        assert bench.sent(bench.poll) == ["GET /api/launch"]

    def test_what_a_short_poll_left_is_read_when_no_list_shows_it(self, bench: Bench) -> None:
        bench.standin.quirks.preview = False
        bench.finished()
        bench.poll()
        left = [bench.finished() for _ in range(5)]
        short = bench.provider.observe("37", bench.cursor, (), within(1.5))
        assert short.runs == ()
        bench.cursor = short.cursor
        made = [bench.standin.add_launch(37, "x", closed=True) for _ in range(49)]
        seen = {one for _ in range(8) for one in ids(bench.poll().runs)}
        assert seen == {one.id for one in [*left, *made]}

    def test_closed_without_another_change(self, bench: Bench) -> None:
        """A list whose `lastModifiedDate` does not move still shows that it was closed."""
        item = recorded("launch-open")
        bench.answer("/api/launch/9985/job", recorded("launch-jobs-scheduled"))
        bench.answer("/api/launch/9985/statistic", [{"status": "passed", "count": 1}])
        bench.answer("/api/launch/9985/env", [])
        bench.answer("/api/launch", {"content": [item], "last": True}, times=1)
        assert bench.poll().runs[0].status is Status.RUNNING
        bench.answer("/api/launch", {"content": [item | {"closed": True}], "last": True})
        assert "GET /api/launch/9985/statistic" in bench.sent(bench.poll)

    def test_launches_beyond_the_first_page(self, bench: Bench) -> None:
        """120 made between two polls are all seen, with pages of 50."""
        bench.finished()
        bench.poll()
        made = [bench.finished(Outcome("passed", run_s=1.0, queue_s=0.0)) for _ in range(120)]
        seen = bench.poll()
        assert set(ids(seen.runs)) == {one.id for one in made}
        pages = [r.query["page"] for r in bench.standin.faults.requests("GET", "/api/launch")[-3:]]
        assert pages == ["0", "1", "2"]

    def test_the_first_poll_reads_back_an_hour(self, bench: Bench) -> None:
        """What lies beyond ten pages has its turn at the next one."""
        at_s = bench.standin.clock.time()
        for n in range(620):
            bench.standin.add_launch(37, "x", at_s=at_s - 5.0 * n, closed=True)
        seen = set(ids(bench.poll().runs))
        assert len(seen) == 500
        assert len(seen | set(ids(bench.poll().runs))) == 620
        assert bench.sent(bench.poll) == ["GET /api/launch"]

    @pytest.mark.parametrize("form", ["rich", "sparse"])
    def test_the_first_poll_is_one_page_if_that_reaches_back_an_hour(
        self, bench: Bench, form: str
    ) -> None:
        """Launches that nobody closes are no reason to read on."""
        bench.standin.quirks.preview = form == "rich"
        for number in range(120):
            bench.standin.add_launch(37, "x", statistic={"passed": 1}, closed=number % 2 > 0)
            bench.pass_s(7200)
        assert bench.sent(bench.poll).count("GET /api/launch") == 1

    @pytest.mark.parametrize("form", ["rich", "sparse"])
    def test_the_first_poll_reads_on_while_launches_are_under_way(
        self, bench: Bench, form: str
    ) -> None:
        bench.standin.quirks.preview = form == "rich"
        endless = Outcome("failed", run_s=1e6)
        old = bench.running(endless)
        for _ in range(49):
            bench.standin.add_launch(37, "x", closed=True)
        bench.pass_s(4000)
        bench.running(endless)
        bench.poll()
        bench.standin.finish(old, "failed", "Login")
        bench.pass_s(60)
        for _ in range(10):
            if str(old.id) in {run.ref.run_id for run in bench.poll().runs}:
                break
        else:
            pytest.fail("it was never seen")

    def test_a_launch_of_next_year_hides_no_other(self, bench: Bench) -> None:
        year_s = 31_536_000
        bench.standin.quirks.list_lag_s = -2 * year_s  # it lists what is to come
        at_s = bench.standin.clock.time() + year_s
        ahead = bench.standin.add_launch(37, "x", at_s=at_s, closed=True)
        assert ids(bench.poll().runs) == [ahead.id]
        bench.pass_s(1)
        made = [bench.standin.add_launch(37, "x", closed=True) for _ in range(120)]
        assert {one.id for one in made} <= set(ids(bench.poll().runs))

    def test_a_gap_is_closed_by_the_next_polls(self, bench: Bench) -> None:
        """More than ten pages: the rest has its turn, although newer ones come meanwhile."""
        bench.finished()
        bench.poll()
        at_s = bench.standin.clock.time()
        made = [
            bench.standin.add_launch(37, "x", at_s=at_s - 0.001 * n, closed=True)
            for n in range(620)
        ]
        bench.pass_s(1)
        seen = set(ids(bench.poll().runs))
        assert len(seen) == 500
        made += [bench.standin.add_launch(37, "new", closed=True) for _ in range(30)]
        seen |= set(ids(bench.poll().runs))
        assert seen >= {one.id for one in made}
        assert '"gap":null' in bench.cursor

    def test_new_launches_between_two_pages(self, bench: Bench) -> None:
        """What moved on to the second page meanwhile counts once."""
        bench.finished()
        bench.poll()
        made = [bench.standin.add_launch(37, "x", closed=True) for _ in range(70)]
        bench.standin.faults.add(Fault(path="/api/launch", delay_s=0.3))
        with ThreadPoolExecutor(1) as pool:
            poll = pool.submit(bench.poll)
            while len(bench.standin.faults.requests("GET", "/api/launch")) < 3:
                pass
            made += [bench.standin.add_launch(37, "new", closed=True) for _ in range(5)]
            seen = ids(poll.result(timeout=10).runs)
        assert len(seen) == len(set(seen))
        seen += ids(bench.poll().runs)
        assert set(seen) == {one.id for one in made}

    def test_an_open_run_off_the_first_page(self, bench: Bench) -> None:
        running = bench.running(Outcome("failed", run_s=1000.0))
        bench.poll()
        for _ in range(60):
            bench.standin.add_launch(37, "x", closed=True)
        bench.poll()
        seen = bench.poll()
        assert ids(seen.runs) == [running.id]
        assert seen.runs[0].status is Status.RUNNING
        bench.standin.finish(running, "failed", "Login")
        bench.pass_s(60)
        assert bench.poll().runs[0].status is Status.FAILED
        assert ids(bench.poll().runs) == []

    def test_a_manual_launch_off_the_first_page_costs_one_request(self, bench: Bench) -> None:
        """It waits for a person to close it, maybe for days."""
        manual = bench.standin.add_launch(37, "by hand", statistic={"passed": 1})
        bench.poll()
        for _ in range(60):
            bench.standin.add_launch(37, "x", closed=True)
        bench.poll()
        sent = bench.sent(bench.poll)
        assert sent == ["GET /api/launch", f"GET /api/launch/{manual.id}"]
        bench.standin.close(manual)
        assert bench.poll().runs[0].status is Status.PASSED

    def test_many_open_runs_off_the_page_take_turns(self, bench: Bench) -> None:
        made = [bench.running(Outcome("failed", run_s=1e6)) for _ in range(25)]
        for _ in range(55):
            bench.standin.add_launch(37, "x", closed=True)
        bench.open = tuple(open_run(one.id) for one in made)
        bench.poll()
        first, second = set(ids(bench.poll().runs)), set(ids(bench.poll().runs))
        assert len(first) == 20
        assert first | second == {one.id for one in made}

    @pytest.mark.parametrize("status", [403, 404])
    def test_an_open_run_that_is_gone(self, bench: Bench, status: int) -> None:
        """Unknown launches are refused like forbidden ones: neither costs the others."""
        bench.standin.quirks.unknown_launch = status
        kept = bench.finished()
        bench.open = (open_run(99999),)
        seen = bench.poll()
        assert (ids(seen.runs), seen.bad_items) == ([kept.id], 0)

    def test_odd_entries_are_counted_and_left_out(self, bench: Bench) -> None:
        page = recorded("launches-page-preview")
        page["content"] += [None, 7, {}, {"id": ".."}, {"id": 0, "name": "x"}]
        bench.answer("/api/launch", page | {"last": True})
        seen = bench.poll()
        assert (len(seen.runs), seen.bad_items) == (6, 5)
        assert [str(run.status) for run in seen.runs] == [
            "running", "failed", "passed", "error", "aborted", "running",
        ]  # fmt: skip

    def test_recorded_sparse_page(self, bench: Bench) -> None:
        """With statistic, jobs and progress as recorded, for the launch that has them."""
        page = recorded("launches-page-plain")
        page["content"] = page["content"][1:2]
        bench.answer("/api/launch", page | {"last": True})
        bench.answer("/api/launch/9984/statistic", recorded("launch-statistic-failed"))
        bench.answer("/api/launch/9984/job", recorded("launch-jobs-failed"))
        bench.answer("/api/launch/9984/env", page["content"][0].get("environment", []))
        (run,) = bench.poll().runs
        assert (run.status, run.counts.failed, run.author) == (Status.FAILED, 4, "dana")
        assert run.pipeline.key == WEB

    @pytest.mark.parametrize(
        ("parts", "status"),
        [
            ({"job"}, Status.FAILED),
            ({"statistic"}, Status.ERRORED),
            ({"job", "statistic"}, Status.UNKNOWN),
            ({"progress"}, Status.FAILED),
        ],
    )
    def test_parts_that_may_not_be_read(
        self, bench: Bench, parts: set[str], status: Status
    ) -> None:
        """403 for a part does not mean that the launch is missing."""
        bench.standin.quirks.preview = False
        bench.standin.quirks.hidden_parts = parts
        launch = bench.finished()
        (run,) = bench.poll().runs
        assert run.status is status
        assert bench.get(launch).status is status
        assert run.is_over is (status is not Status.UNKNOWN)

    def test_a_part_that_fails_is_read_again(self, bench: Bench) -> None:
        bench.standin.quirks.preview = False
        launch, other = bench.finished(), bench.finished()
        fault = bench.answer(f"/api/launch/{launch.id}/statistic", {}, 500)
        seen = bench.poll()
        assert (ids(seen.runs), seen.bad_items) == ([other.id], 1)
        fault.times = 0
        assert ids(bench.poll().runs) == [launch.id]

    def test_a_rate_limit_ends_the_reading_and_loses_nothing(self, bench: Bench) -> None:
        bench.standin.quirks.preview = False
        made = [bench.finished() for _ in range(3)]
        bench.answer(f"/api/launch/{made[1].id}/statistic", {}, 429, headers={"Retry-After": "60"})
        assert ids(bench.poll().runs) == [made[2].id]
        assert raised(bench.poll).kind is Kind.RATE_LIMITED
        bench.standin.faults.clear()
        bench.provider = bench.build()
        assert set(ids(bench.poll().runs)) == {made[0].id, made[1].id}

    def test_after_a_rate_limit_nothing_more_is_asked(self, bench: Bench) -> None:
        """Also where the vendor does not say for how long."""
        bench.standin.quirks.preview = False
        made = [bench.finished() for _ in range(3)]
        bench.answer(f"/api/launch/{made[2].id}/job", {}, 429)
        sent = bench.sent(bench.poll)
        assert sent == [EXCHANGE, "GET /api/launch", f"GET /api/launch/{made[2].id}/job"]

    def test_no_time_left(self, bench: Bench) -> None:
        """What a short deadline does not allow is left for the next poll."""
        bench.standin.quirks.preview = False
        launch = bench.finished()
        seen = bench.provider.observe("37", "", (), within(1.5))
        assert seen.runs == ()
        assert ids(bench.provider.observe("37", seen.cursor, (), within(9)).runs) == [launch.id]

    def test_a_list_that_lags_turns_nothing_back(self, bench: Bench) -> None:
        """Read one by one it was over; the list still shows it running."""
        running = bench.running()
        bench.poll()
        bench.pass_s(60)
        bench.standin.quirks.list_lag_s = 50.0
        one = bench.provider.observe("37", "", (open_run(running.id),), within(10))
        assert one.runs[0].status is Status.RUNNING
        bench.answer("/api/launch", {"content": [], "last": True}, times=1)
        over = bench.provider.observe("37", one.cursor, (open_run(running.id),), within(10))
        assert over.runs[0].status is Status.FAILED
        again = bench.provider.observe("37", over.cursor, (), within(10))
        assert again.runs == ()
        bench.pass_s(60)
        after = bench.provider.observe("37", again.cursor, (), within(10))
        assert [run.status for run in after.runs] in ([], [Status.FAILED])

    def test_a_refused_token_ends_the_poll(self, bench: Bench) -> None:
        """Also if only a part of a launch tells."""
        bench.standin.quirks.preview = False
        bench.finished()
        bench.answer("/api/launch/.*/job", {}, 401)
        assert raised(bench.poll).kind is Kind.AUTH

    def test_a_failing_list_moves_no_cursor(self, bench: Bench) -> None:
        bench.finished()
        bench.poll()
        launch = bench.finished()
        fault = bench.answer("/api/launch", {}, 500)
        assert raised(bench.poll).kind is Kind.UNAVAILABLE
        fault.times = 0
        assert ids(bench.poll().runs) == [launch.id]

    def test_unknown_project(self, bench: Bench) -> None:
        error = raised(lambda: bench.poll("99"))
        assert error.kind is Kind.FORBIDDEN
        assert "not found, or no access" in error.message

    @pytest.mark.parametrize("source", ["", "..", "37/x", "x", "0", "37?x=1", "٣"])
    def test_hostile_sources_send_nothing(self, bench: Bench, source: str) -> None:
        assert raised(lambda: bench.poll(source)).kind is Kind.NOT_FOUND
        assert bench.standin.faults.received == []

    def test_times_as_text(self, bench: Bench) -> None:
        bench.standin.quirks.text_times = True
        launch = bench.finished()
        (run,) = bench.poll().runs
        assert run.created is not None
        assert run.created.timestamp() == pytest.approx(launch.created_s, abs=0.001)


class TestReopening:
    def after(self, before: Snapshot | None, run: Run) -> tuple[Snapshot, Reason]:
        now = datetime(2026, 11, 21, tzinfo=UTC)
        change = compare(before, run, now=now, runs_reopen=SPEC.runs_reopen)
        return change.snapshot, change.reason

    @pytest.mark.parametrize("keeps_old", [True, False])
    @pytest.mark.parametrize("form", ["rich", "sparse"])
    def test_failed_repeated_and_failed_again(
        self, bench: Bench, form: str, keeps_old: bool  # noqa: FBT001
    ) -> None:  # fmt: skip
        """The same launch: over, moving, over again; the domain tells both failures."""
        bench.standin.quirks.preview = form == "rich"
        bench.standin.quirks.rerun_keeps_old = keeps_old
        launch = bench.finished()
        snapshot, first = self.after(None, bench.poll().runs[0])
        bench.standin.script(RED)
        started = bench.retry(snapshot.run, "failed").run
        assert started is not None
        assert (started.ref, started.is_over) == (snapshot.run.ref, False)
        reasons = [first]
        for _ in range(12):
            for run in bench.poll().runs:
                snapshot, reason = self.after(snapshot, run)
                reasons.append(reason)
            bench.pass_s(5)
        assert reasons[0] is Reason.FIRST_SEEN_FAILING
        assert reasons.count(Reason.FAILED_AGAIN) == 1
        assert Reason.TURNED_FAILING not in reasons
        assert snapshot.attempt == 2
        assert snapshot.run.attempt == (2 if keeps_old else 1)
        assert bench.get(launch).is_over

    @pytest.mark.parametrize("keeps_old", [True, False])
    def test_repeated_between_two_polls(self, bench: Bench, keeps_old: bool) -> None:  # noqa: FBT001
        """It moved and failed again without being seen moving."""
        bench.standin.quirks.rerun_keeps_old = keeps_old
        launch = bench.finished()
        snapshot, _ = self.after(None, bench.poll().runs[0])
        bench.standin.reopen(launch)
        bench.pass_s(5)
        bench.standin.script(RED)
        bench.standin.rerun(launch.job_runs[0], None)
        bench.pass_s(60)
        (run,) = bench.poll().runs
        _, reason = self.after(snapshot, run)
        assert reason is Reason.FAILED_AGAIN

    def test_a_rerun_that_turns_it_green(self, bench: Bench) -> None:
        launch = bench.finished()
        snapshot, _ = self.after(None, bench.poll().runs[0])
        bench.standin.script(Outcome("passed"))
        bench.retry(bench.get(launch))
        bench.pass_s(60)
        (run,) = bench.poll().runs
        assert run.status is Status.PASSED
        assert self.after(snapshot, run)[1] is Reason.PASSED

    def test_an_edit_of_a_closed_launch_is_no_news(self, bench: Bench) -> None:
        """A manual launch: its only moment is its last change."""
        launch = bench.standin.add_launch(37, "x", closed=True, statistic={"failed": 1})
        snapshot, first = self.after(None, bench.poll().runs[0])
        bench.pass_s(100)
        launch.closings.append((bench.standin.clock.time(), True))  # a change, and no other end
        seen = bench.poll().runs
        assert len(seen) == 1
        assert first is Reason.FIRST_SEEN_FAILING
        assert self.after(snapshot, seen[0])[1] is Reason.STILL_THE_SAME

    def test_an_old_launch_that_we_repeated_is_followed(self, bench: Bench) -> None:
        """Although no list shows it."""
        launch = bench.finished()
        for _ in range(60):
            bench.standin.add_launch(37, "x", closed=True)
        bench.poll()
        bench.poll()
        bench.standin.script(RED)
        bench.retry(bench.get(launch))
        seen = bench.poll()
        assert ids(seen.runs) == [launch.id]
        assert not seen.runs[0].is_over


class TestDetails:
    def test_get(self, bench: Bench) -> None:
        launch = bench.finished(environment=[("Branch", "main")], name="Smoke")
        run = bench.get(launch)
        assert (run.title, run.branch, run.status) == ("Smoke", "main", Status.FAILED)
        assert (run.counts.total, run.counts.failed) == (5, 1)
        assert run.url == f"{bench.url}/launch/{launch.id}"
        sent = bench.sent(lambda: bench.get(launch))
        part = f"GET /api/launch/{launch.id}"
        assert sent == [part, f"{part}/job", f"{part}/statistic"]

    def test_the_list_and_a_single_reading_agree(self, bench: Bench) -> None:
        bench.finished(environment=[("Branch", "main")])
        (listed,) = bench.poll().runs
        assert bench.get(listed.ref.run_id) == listed

    def test_page_for_people(self, bench: Bench) -> None:
        run = bench.get(bench.finished())
        assert run.url is not None
        assert bench.provider.run_id_in(run.url) == run.ref.run_id

    def test_without_a_project(self, bench: Bench) -> None:
        """A reply that does not say where the launch belongs is of no use, if nobody said."""
        bench.answer("/api/launch/5", {"id": 5})
        bench.answer("/api/launch/5/.*", [])
        assert raised(lambda: bench.get("5")).kind is Kind.BAD_REPLY

    def test_steps(self, bench: Bench) -> None:
        launch = bench.finished(Outcome("run_failure", note="No runner"))
        (step,) = bench.provider.steps(str(launch.id), within(10))
        assert (step.name, step.status, step.raw_status) == (
            "web-regression",
            Status.ERRORED,
            "run_failure",
        )
        assert step.message.startswith("No runner CI build: https://gitlab.example.com/")

    def test_failing_results(self, bench: Bench) -> None:
        """Failed and broken ones, with their first error line; the others are not shown."""
        red = Outcome("failed", failed=("Login",), broken=("Search by name",), skipped=("Login 2",))
        launch = bench.finished(red)
        tests = bench.provider.tests(str(launch.id), within(10))
        assert [(test.name, test.status) for test in tests] == [
            ("Login", Status.FAILED),
            ("Search by name", Status.ERRORED),
        ]
        assert tests[0].error == "AssertionError: Login: expected 200, got 503"
        assert tests[0].duration_s is not None
        assert (tests[0].url or "").startswith(f"{bench.url}/launch/{launch.id}/tree/")
        search = bench.standin.faults.requests("GET", "/api/testresult/__search")[-1]
        assert search.query["rql"] == (
            f'launch = {launch.id} and (status = "failed" or status = "broken")'
        )
        assert search.query["projectId"] == "37"

    def test_many_failing_results(self, bench: Bench) -> None:
        """Twenty are shown, and five are read for their text."""
        red = Outcome("failed", failed=tuple(f"Test {n:02}" for n in range(40)))
        launch = bench.finished(red)
        before = len(bench.standin.faults.received)
        tests = bench.provider.tests(str(launch.id), within(10))
        full = bench.standin.faults.requests("GET", r"/api/testresult/\d+")
        assert (len(tests), len(full)) == (20, 5)
        assert [bool(test.error) for test in tests] == [True] * 5 + [False] * 15
        assert len(bench.standin.faults.received) - before == 8

    @pytest.mark.parametrize("status", [403, 404, 500, 429])
    def test_texts_that_cannot_be_read(self, bench: Bench, status: int) -> None:
        launch = bench.finished()
        bench.answer(r"/api/testresult/\d+", {}, status)
        (test,) = bench.provider.tests(str(launch.id), within(10))
        assert (test.name, test.error) == ("Refund to voucher", "")

    def test_recorded_results(self, bench: Bench) -> None:
        bench.answer("/api/launch/9984", recorded("launch-closed-failed"))
        bench.answer("/api/testresult/__search", recorded("testresults-search-page"))
        bench.answer("/api/testresult/880001", recorded("testresult"))
        first, second = bench.provider.tests("9984", within(10))
        assert first.error == "AssertionError: expected 'PAID' but was 'DECLINED'"
        assert (second.name, second.error) == ("Refund to voucher", "")

    def test_hidden_results_are_left_out(self, bench: Bench) -> None:
        """A retry hides what it replaced, where the server says so."""
        page = recorded("testresults-search-page")
        page["content"][1]["hidden"] = True
        bench.answer("/api/launch/9984", recorded("launch-closed-failed"))
        bench.answer("/api/testresult/__search", page)
        assert len(bench.provider.tests("9984", within(10))) == 1

    def test_recent(self, bench: Bench) -> None:
        for number in range(30):
            job = "payments-api" if number % 3 == 0 else "web-regression"
            bench.standin.add_run(job, at_s=bench.standin.clock.time() - 3600 + number)
        sent = bench.sent(lambda: bench.provider.recent("*", 25, within(5)))
        assert sent == [EXCHANGE, "GET /api/launch"]
        runs = bench.provider.recent("*", 25, within(5))
        assert ids(runs) == sorted(ids(runs), reverse=True)
        assert len(runs) == 25
        api = bench.provider.recent(API, 8, within(5))
        assert {run.pipeline.key for run in api} == {API}
        assert len(api) == 8
        assert bench.provider.recent("37/15", 8, within(5)) == api
        assert bench.provider.recent("37/pay*", 3, within(5)) == api[:3]
        assert len(bench.provider.recent("37", 12, within(5))) == 12
        assert bench.provider.recent("nothing", 3, within(5)) == ()
        assert bench.build(projects="").recent("*", 3, within(5)) == ()

    def test_recent_of_sparse_lists(self, bench: Bench) -> None:
        """Read as far as there is time; what is not read is unknown, not missing."""
        bench.standin.quirks.preview = False
        for _ in range(3):
            bench.finished()
        assert {run.status for run in bench.provider.recent("*", 9, within(5))} == {Status.FAILED}
        provider = bench.build()
        provider.check(within(5))
        bench.standin.faults.add(Fault(path="/api/launch/.*", delay_s=0.3))
        runs = provider.recent("*", 9, within(1.8))
        assert len(runs) == 3
        assert runs[0].status is Status.FAILED
        assert runs[-1].status is Status.UNKNOWN
        assert runs[-1].raw_status == "closed"
        assert provider.recent("*", 9, within(5))[0] == runs[0]

    def test_recent_answers_before_its_deadline(self, bench: Bench) -> None:
        """Else what was found would be lost to the one who waits for it."""
        bench.standin.quirks.preview = False
        bench.finished()
        bench.provider.check(within(5))
        bench.standin.faults.add(Fault(path="/api/launch/.*", hang=True))
        deadline = within(1.5)
        (run,) = bench.provider.recent("*", 9, deadline)
        assert run.status is Status.UNKNOWN
        assert deadline.remaining_s() > 0

    def test_recent_while_results_are_processed(self, bench: Bench) -> None:
        """If it cannot be asked whether they are, the launch is not shown as over."""
        launch = bench.running()
        bench.pass_s(15)
        bench.answer(f"/api/launch/{launch.id}/progress", {}, 500)
        (run,) = bench.provider.recent("*", 9, within(5))
        assert run.status is Status.RUNNING

    def test_recent_leaves_out_a_project_that_is_gone(self, bench: Bench) -> None:
        launch = bench.finished()
        provider = bench.build(projects="37,99")
        assert ids(provider.recent("*", 9, within(5))) == [launch.id]
        only = bench.build(projects="99")
        assert raised(lambda: only.recent("*", 9, within(5))).kind is Kind.FORBIDDEN


class TestPipelines:
    def test_listing(self, bench: Bench) -> None:
        found = bench.provider.pipelines(within(10))
        assert [p.ref.key for p in found] == ["37", WEB, API]
        assert found[1].aliases == ("37/14",)
        assert bench.sent(lambda: bench.provider.pipelines(within(10))) == []
        assert bench.build(projects="").pipelines(within(10)) == ()

    @pytest.mark.parametrize(
        ("key", "expected"),
        [
            ("37", "37"), (WEB, WEB), ("37/14", WEB), ("37/WEB-regression", WEB),
            ("web-regression", WEB), ("payments-api", API),
        ],
    )  # fmt: skip
    def test_find(self, bench: Bench, key: str, expected: str) -> None:
        assert bench.provider.find_pipeline(key, within(10)).ref.key == expected

    @pytest.mark.parametrize(
        "key", ["37/nope", "nope", "37/", "37/../38", "37/99", "[", "", "37/\ud800"]
    )
    def test_not_found(self, bench: Bench, key: str) -> None:
        error = raised(lambda: bench.provider.find_pipeline(key, within(10)))
        assert error.kind is Kind.NOT_FOUND
        assert {WEB, API} <= set(error.known)

    def test_no_such_project(self, bench: Bench) -> None:
        for key in ("99", "99/x"):
            error = raised(lambda key=key: bench.provider.find_pipeline(key, within(10)))  # type: ignore[misc]
            assert error.kind in {Kind.NOT_FOUND, Kind.FORBIDDEN}
            assert "no access" in error.message

    @pytest.mark.parametrize("path", ["/api/job", "/api/launch"])
    def test_a_fault_is_no_missing_project(self, bench: Bench, path: str) -> None:
        bench.answer(path, {}, 500)
        if path == "/api/launch":
            bench.answer("/api/job", {}, 403)
        error = raised(lambda: bench.provider.find_pipeline("37", within(10)))
        assert error.kind is Kind.UNAVAILABLE

    def test_a_project_whose_jobs_may_not_be_read(self, bench: Bench) -> None:
        bench.answer("/api/job", {}, 403)
        assert bench.provider.find_pipeline("37", within(10)).ref.key == "37"

    def test_a_new_job_is_found_at_once(self, bench: Bench) -> None:
        """Although the list of jobs is remembered for a while."""
        bench.provider.pipelines(within(10))
        bench.standin.add_job(37, "fresh")
        assert bench.provider.find_pipeline("37/fresh", within(10)).ref.key == "37/fresh"

    def test_two_jobs_of_one_name(self, bench: Bench) -> None:
        """Nothing is guessed; by id each is found, and its key leads back to it."""
        twin = bench.standin.add_job(37, "web-regression")
        error = raised(lambda: bench.provider.find_pipeline(WEB, within(10)))
        assert error.known == ("37/14", f"37/{twin.id}")
        found = bench.provider.find_pipeline(f"37/{twin.id}", within(10))
        assert (found.ref.key, found.aliases) == (f"37/{twin.id}", (WEB,))
        bench.trigger(found.ref.key)
        assert bench.changes()[-1].path == f"/api/job/{twin.id}/run"

    def test_more_jobs_than_a_page_holds(self, bench: Bench) -> None:
        for number in range(230):
            bench.standin.add_job(37, f"job {number}")
        assert len(bench.provider.pipelines(within(10))) == 233
        assert bench.provider.find_pipeline("37/job 229", within(10)).title == "job 229"

    def test_recorded_jobs(self, bench: Bench) -> None:
        bench.answer("/api/job", recorded("jobs-page"))
        assert [p.ref.key for p in bench.provider.pipelines(within(10))] == ["37", WEB, API]


class TestTrigger:
    @pytest.mark.parametrize("key", [WEB, "37/14"])
    def test_a_job(self, bench: Bench, key: str) -> None:
        started = bench.trigger(
            key, Variable("Branch", "main"), launchName="by hand", tags="a,b", parameters="141=qa"
        )
        assert bench.changed() == [
            (
                "/api/job/14/run",
                {
                    "launchName": "by hand",
                    "tags": [{"name": "a"}, {"name": "b"}],
                    "parameters": [{"id": 141, "value": "qa"}],
                    "envVarValueSets": [
                        {"values": [{"name": "main", "variable": {"name": "Branch"}}]}
                    ],
                },
            )
        ]
        run = started.run
        assert run is not None
        assert (run.status, run.title, run.pipeline.key) == (Status.QUEUED, "by hand", WEB)
        assert set(run.aliases) == {"37", "37/14"}
        assert bench.get(run.ref.run_id).branch == "main"

    def test_a_made_up_name(self, bench: Bench) -> None:
        """The launch name is required by the vendor, and not by us."""
        bench.trigger()
        assert bench.changed()[0][1] == {"launchName": "web-regression requested from chat"}

    def test_recorded_answer(self, bench: Bench) -> None:
        bench.answer("/api/job/14/run", recorded("job-run-response-202"), 202)
        run = bench.trigger().run
        assert run is not None
        assert (run.ref.run_id, run.status, run.pipeline.key) == ("9986", Status.QUEUED, WEB)

    def test_a_project_with_several_jobs(self, bench: Bench) -> None:
        error = raised(lambda: bench.trigger("37"))
        assert error.kind is Kind.NOT_FOUND
        assert set(error.known) == {"37/14", "37/15"}
        assert bench.changes() == []

    def test_the_only_job_of_a_project(self, bench: Bench) -> None:
        project = bench.standin.add_project("Small")
        job = bench.standin.add_job(project, "only")
        run = bench.trigger(str(project)).run
        assert bench.changes()[0].path == f"/api/job/{job.id}/run"
        assert run is not None
        assert run.pipeline.key == f"{project}/only"

    def test_a_test_plan(self, bench: Bench) -> None:
        plan = bench.standin.add_test_plan(37, *bench.standin.jobs)
        started = bench.trigger("37", testPlanId=str(plan), tags="x").run
        assert bench.changed() == [
            (
                f"/api/testplan/{plan}/run",
                {"launchName": f"test plan {plan} requested from chat", "tags": [{"name": "x"}]},
            )
        ]
        assert started is not None
        assert (started.pipeline.key, started.status) == ("37", Status.QUEUED)
        assert set(bench.get(started.ref.run_id).aliases) >= {WEB, API}

    def test_a_test_plan_of_another_project(self, bench: Bench) -> None:
        other = bench.standin.add_project("Other")
        plan = bench.standin.add_test_plan(other, bench.standin.jobs[0])
        run = bench.trigger("37", testPlanId=str(plan)).run
        assert run is not None
        assert run.pipeline.key == str(other)

    def test_a_test_plan_is_not_run_by_a_job(self, bench: Bench) -> None:
        assert raised(lambda: bench.trigger(WEB, testPlanId="60")).kind is Kind.INVALID
        assert bench.changes() == []

    def test_a_strange_parameter_sends_nothing(self, bench: Bench) -> None:
        error = raised(lambda: bench.trigger(parameters="7=x"))
        assert error.kind is Kind.INVALID
        assert "140 (now chrome), 141 (now staging)" in error.message
        assert bench.changes() == []

    @pytest.mark.parametrize("key", ["37/nope", "99/x", "../x", "", "x/y"])
    def test_no_such_job_sends_nothing(self, bench: Bench, key: str) -> None:
        assert raised(lambda: bench.trigger(key)).kind in {Kind.NOT_FOUND, Kind.FORBIDDEN}
        assert bench.changes() == []

    def test_a_one_way_job(self, bench: Bench) -> None:
        """How the service refuses is not documented: it is shown as it is."""
        bench.standin.add_job(37, "one-way", runnable=False)
        error = raised(lambda: bench.trigger("37/one-way"))
        assert error.kind is Kind.INVALID
        assert "It says: Job can not be run" in error.message

    @pytest.mark.parametrize("fault", [Fault(drop_after=True), Fault(status=502), Fault(hang=True)])
    def test_a_lost_answer(self, bench: Bench, fault: Fault) -> None:
        fault.method, fault.path = "POST", "/api/job/.*"
        bench.standin.faults.add(fault)
        model = SPEC.trigger.model_validate({})
        request = TriggerRequest(WEB, model, (), "mark-1", "U1")
        error = raised(lambda: bench.provider.trigger(request, within(1.5)))
        assert error.kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 1

    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b"[]", b"{}", b'{"id": "x"}', b"null", b'{"id": 0}']
    )
    def test_an_answer_that_shows_no_launch(self, bench: Bench, body: bytes) -> None:
        bench.answer("/api/job/14/run", body, 202)
        assert raised(bench.trigger).kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 1

    def test_a_refused_token_is_told_and_nothing_repeated(self, bench: Bench) -> None:
        """The change is sent once; the next one begins with a new token."""
        fault = bench.answer("/api/job/14/run", {"message": "Unauthorized"}, 401)
        error = raised(bench.trigger)
        assert error.kind is Kind.AUTH
        assert "nothing was done" in error.message
        assert len(bench.changes()) == 1
        fault.times = 0
        assert bench.sent(bench.trigger)[0] == EXCHANGE

    def test_an_old_token_is_tried_on_a_read_first(self, bench: Bench) -> None:
        """So that a change goes out once, although the token was revoked meanwhile."""
        plan = bench.standin.add_test_plan(37, bench.standin.jobs[0])
        bench.provider.check(within(10))
        bench.standin.revoke_tokens()
        bench.clock.added_s = 31.0
        sent = bench.sent(lambda: bench.trigger("37", testPlanId=str(plan)))
        me = "GET /api/uaa/me"
        assert sent == [me, EXCHANGE, me, f"POST /api/testplan/{plan}/run"]
        again = bench.sent(lambda: bench.trigger("37", testPlanId=str(plan)))
        assert again == [f"POST /api/testplan/{plan}/run"]

    @pytest.mark.parametrize(
        ("status", "is_sent"), [(403, True), (404, True), (500, False), (401, False)]
    )
    def test_a_token_that_cannot_be_tried(
        self, bench: Bench, status: int, is_sent: bool  # noqa: FBT001
    ) -> None:  # fmt: skip
        """Only a fault, or a refusal of the token, keeps the change from being sent."""
        plan = bench.standin.add_test_plan(37, bench.standin.jobs[0])
        bench.answer("/api/uaa/me", {}, status)
        if is_sent:
            assert bench.trigger("37", testPlanId=str(plan)).run is not None
        else:
            raised(lambda: bench.trigger("37", testPlanId=str(plan)))
        assert len(bench.changes()) == int(is_sent)

    def test_secret_values_are_not_repeated(self, bench: Bench) -> None:
        bench.answer("/api/job/14/run", {"message": f"bad value s3cret-{CANARY}"}, 400)
        error = raised(lambda: bench.trigger(WEB, Variable("PASSWORD", f"s3cret-{CANARY}")))
        assert error.kind is Kind.INVALID
        assert CANARY not in everything_of(error)


class TestAbort:
    def test_close(self, bench: Bench) -> None:
        """The launch is closed; its build is not, and that is said."""
        launch = bench.running()
        after = bench.provider.abort(bench.get(launch), within(10))
        assert bench.changed() == [(f"/api/launch/{launch.id}/close", None)]
        assert after.raw_status == "closed; its CI build goes on"
        assert launch.closed(bench.standin.clock.time())
        assert launch.is_moving(bench.standin.clock.time())
        assert after.is_over

    def test_nothing_is_sent_when_over_or_closed(self, bench: Bench) -> None:
        over = bench.get(bench.finished())
        assert bench.provider.abort(over, within(10)) == over
        launch = bench.running()
        run = bench.get(launch)
        bench.standin.close(launch)
        assert bench.provider.abort(run, within(10)).is_over
        assert bench.changes() == []

    def test_a_lost_answer(self, bench: Bench) -> None:
        """Reading the launch tells what became of it; sent once in any case."""
        launch = bench.running()
        run = bench.get(launch)
        fault = bench.standin.faults.add(Fault(method="POST", drop_after=True))
        assert bench.provider.abort(run, within(10)).is_over
        assert len(bench.changes()) == 1
        other = bench.get(bench.running())
        fault.drop_after, fault.drop_before = False, True
        assert raised(lambda: bench.provider.abort(other, within(10))).kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 2

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(401, Kind.AUTH), (403, Kind.FORBIDDEN), (409, Kind.CONFLICT), (423, Kind.UNAVAILABLE),
         (429, Kind.RATE_LIMITED), (400, Kind.INVALID), (500, Kind.AMBIGUOUS)],
    )  # fmt: skip
    def test_refusals(self, bench: Bench, status: int, kind: Kind) -> None:
        run = bench.get(bench.running())
        bench.answer("/api/launch/.*/close", {"message": "no"}, status)
        assert raised(lambda: bench.provider.abort(run, within(10))).kind is kind
        assert len(bench.changes()) == 1

    def test_closed_in_between(self, bench: Bench) -> None:
        """Refused since it was closed a moment before: what it is then is told."""
        launch = bench.running()
        run = bench.get(launch)
        bench.answer("/api/launch/.*/close", {"message": "Launch is closed"}, 409, times=1)
        bench.answer(
            f"/api/launch/{launch.id}", recorded("launch-open") | {"id": launch.id}, times=1
        )
        bench.standin.close(launch)
        assert bench.provider.abort(run, within(10)).is_over

    def test_a_lost_answer_and_then_not_readable(self, bench: Bench) -> None:
        run = bench.get(bench.running())
        lost = f"/api/launch/{run.ref.run_id}"
        bench.answer(lost, recorded("launch-open") | {"id": int(run.ref.run_id)}, times=1)
        bench.standin.faults.add(Fault(method="POST", drop_after=True))
        bench.answer(lost, {}, 500)
        assert raised(lambda: bench.provider.abort(run, within(10))).kind is Kind.AMBIGUOUS

    def test_closed_and_then_not_readable(self, bench: Bench) -> None:
        launch = bench.running()
        run = bench.get(launch)
        bench.answer(f"/api/launch/{launch.id}/job", {}, 500)
        after = bench.provider.abort(run, within(10))
        assert (after.status, after.ref) == (Status.UNKNOWN, run.ref)


class TestRetry:
    def test_what_is_red(self, bench: Bench) -> None:
        """Reopened, waited for, and then the recorded filter."""
        launch = bench.finished()
        started = bench.retry(bench.get(launch), "failed")
        assert bench.changed() == [
            (f"/api/launch/{launch.id}/reopen", None),
            (f"/api/jobrun/{launch.job_runs[0].id}/rerun", RQL),
        ]
        assert bench.waits == [1.0, 1.0, 1.0]
        assert started.run is not None
        assert started.run.ref.run_id == str(launch.id)
        assert not started.run.is_over
        assert started.note == "The launch was reopened. Reruns accepted: web-regression."
        assert launch.job_runs[1].selection == {"Refund to voucher"}

    def test_all(self, bench: Bench) -> None:
        """Without a filter; a JSON body is required all the same."""
        launch = bench.finished(Outcome("passed"))
        bench.retry(bench.get(launch), "all")
        assert bench.changed()[1] == (f"/api/jobrun/{launch.job_runs[0].id}/rerun", {})
        assert launch.job_runs[1].selection is None

    def test_an_open_one_is_not_reopened(self, bench: Bench) -> None:
        launch = bench.standin.add_run("web-regression", RED, autoclose_s=None)
        bench.pass_s(60)
        started = bench.retry(bench.get(launch), "failed")
        assert [path for path, _ in bench.changed()] == [
            f"/api/jobrun/{launch.job_runs[0].id}/rerun"
        ]
        assert "reopened" not in started.note

    def test_only_the_newest_run_of_each_job(self, bench: Bench) -> None:
        launch = bench.finished()
        bench.standin.script(RED)
        bench.retry(bench.get(launch))
        bench.pass_s(60)
        bench.retry(bench.get(launch))
        rerun = [path for path, _ in bench.changed() if path.endswith("/rerun")]
        assert rerun == [f"/api/jobrun/{run.id}/rerun" for run in launch.job_runs[:2]]

    def test_a_build_that_did_not_start_is_repeated_whole(self, bench: Bench) -> None:
        launch = bench.finished(Outcome("run_failure"))
        bench.retry(bench.get(launch), "failed")
        assert bench.changed()[1][1] == {}

    def test_not_over(self, bench: Bench) -> None:
        run = bench.get(bench.running())
        error = raised(lambda: bench.retry(run))
        assert error.kind is Kind.CONFLICT
        assert "not over yet: running" in error.message
        assert bench.changes() == []

    def test_made_by_hand(self, bench: Bench) -> None:
        launch = bench.standin.add_launch(37, "x", closed=True, statistic={"failed": 1})
        error = raised(lambda: bench.retry(bench.get(launch)))
        assert error.kind is Kind.CONFLICT
        assert "no job runs" in error.message
        assert bench.changes() == []

    @pytest.mark.parametrize("build", ["passed", "failed"])
    def test_nothing_red(self, bench: Bench, build: str) -> None:
        run = bench.get(bench.finished(Outcome(build)))
        error = raised(lambda: bench.retry(run, "failed"))
        assert error.kind is Kind.CONFLICT
        assert "retry all of it" in error.message
        assert bench.changes() == []

    def test_parameters(self, bench: Bench) -> None:
        run = bench.get(bench.finished())
        assert raised(lambda: bench.retry(run, "all", tags="x")).kind is Kind.INVALID
        request = RetryRequest(run, "all", {}, (Variable("A", "1"),), "m", "U1")
        assert raised(lambda: bench.provider.retry(request, within(10))).kind is Kind.INVALID
        assert bench.changes() == []

    def test_it_does_not_open(self, bench: Bench) -> None:
        """Asked for and taken, but not done in time: no rerun is sent."""
        bench.standin.quirks.reopen_delay_s = 1e6
        launch = bench.finished()
        run = bench.get(launch)
        request = RetryRequest(run, "all", {}, (), "m", "U1")
        error = raised(lambda: bench.provider.retry(request, within(3.5)))
        assert error.kind is Kind.AMBIGUOUS
        assert "still closed" in error.message
        assert [path for path, _ in bench.changed()] == [f"/api/launch/{launch.id}/reopen"]

    def test_reopening_is_refused(self, bench: Bench) -> None:
        run = bench.get(bench.finished())
        bench.answer("/api/launch/.*/reopen", {"message": "no"}, 403)
        assert raised(lambda: bench.retry(run)).kind is Kind.FORBIDDEN
        assert len(bench.changes()) == 1

    def test_reopening_whose_answer_is_lost(self, bench: Bench) -> None:
        """Nothing more is sent; once more, and it is found open."""
        launch = bench.finished()
        run = bench.get(launch)
        fault = bench.standin.faults.add(Fault(path="/api/launch/.*/reopen", drop_after=True))
        assert raised(lambda: bench.retry(run)).kind is Kind.AMBIGUOUS
        assert [path for path, _ in bench.changed()] == [f"/api/launch/{launch.id}/reopen"]
        fault.times = 0
        bench.pass_s(5)
        bench.retry(bench.get(launch))
        assert [path.rpartition("/")[2] for path, _ in bench.changed()] == ["reopen", "rerun"]

    @pytest.mark.parametrize("what", ["launch/.*/reopen", "jobrun/.*/rerun"])
    def test_a_page_is_no_answer(self, bench: Bench, what: str) -> None:
        """A proxy's 200 does not mean that the vendor took it."""
        run = bench.get(bench.finished())
        bench.answer(f"/api/{what}", b"<!doctype html><title>Log in", headers=HTML)
        assert raised(lambda: bench.retry(run)).kind is Kind.AMBIGUOUS

    def two_jobs(self, bench: Bench) -> Launch:
        launch = bench.standin.add_run("web-regression", RED, autoclose_s=None)
        bench.standin.start(launch, bench.standin.job("payments-api"), RED)
        bench.pass_s(60)
        return launch

    def test_one_of_two_is_refused(self, bench: Bench) -> None:
        launch = self.two_jobs(bench)
        refused = launch.job_runs[0].id
        bench.answer(f"/api/jobrun/{refused}/rerun", {"message": "no runner"}, 409)
        started = bench.retry(bench.get(launch))
        assert started.run is not None
        assert started.note.startswith(
            "Reruns accepted: payments-api. Not accepted: web-regression"
        )
        assert "no runner" in started.note

    def test_one_of_two_is_in_doubt(self, bench: Bench) -> None:
        launch = self.two_jobs(bench)
        lost = f"/api/jobrun/{launch.job_runs[1].id}/rerun"
        bench.standin.faults.add(Fault(path=lost, drop_after=True))
        started = bench.retry(bench.get(launch))
        assert started.note.startswith("Reruns accepted: web-regression. Not known whether")
        assert len(bench.changes()) == 2

    def test_after_a_doubt_nothing_more_is_sent(self, bench: Bench) -> None:
        launch = self.two_jobs(bench)
        lost = f"/api/jobrun/{launch.job_runs[0].id}/rerun"
        bench.standin.faults.add(Fault(path=lost, drop_after=True))
        error = raised(lambda: bench.retry(bench.get(launch)))
        assert error.kind is Kind.AMBIGUOUS
        assert error.message.startswith("Not known whether accepted: web-regression")
        assert error.message.endswith("Not sent: payments-api.")
        assert len(bench.changes()) == 1

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Fault(status=400, body=b'{"message": "Job can not be run"}'), Kind.INVALID),
            (Fault(status=403), Kind.FORBIDDEN),
            (Fault(drop_before=True), Kind.AMBIGUOUS),
            (Fault(drop_after=True), Kind.AMBIGUOUS),
            (Fault(status=503), Kind.AMBIGUOUS),
        ],
    )
    def test_none_is_accepted(self, bench: Bench, fault: Fault, kind: Kind) -> None:
        launch = bench.finished()
        run = bench.get(launch)
        fault.path = "/api/jobrun/.*"
        bench.standin.faults.add(fault)
        error = raised(lambda: bench.retry(run))
        assert error.kind is kind
        assert "The launch was reopened and is open now." in error.message
        assert len(bench.changes()) == 2

    def test_a_look_that_fails_while_it_opens(self, bench: Bench) -> None:
        """Is no proof of anything: the next one tells."""
        launch = bench.finished()
        run = bench.get(launch)
        fault = Fault(path=f"/api/launch/{launch.id}", status=500, times=0)
        bench.standin.faults.add(fault)

        def wait(seconds: float) -> None:
            fault.times = 1 if not bench.waits else 0
            bench.wait(seconds)

        context = BuildContext("allure", bench.settings(), bench.clock)
        request = RetryRequest(run, "all", {}, (), "m", "U1")
        started = AllureProvider(context, wait).retry(request, within(14))
        assert started.note.startswith("The launch was reopened.")
        assert len(bench.waits) == 3

    def test_accepted_and_not_to_be_read(self, bench: Bench) -> None:
        launch = bench.standin.add_run("web-regression", RED, autoclose_s=None)
        bench.pass_s(60)
        run = bench.get(launch)
        bench.answer(f"/api/launch/{launch.id}/job", recorded("launch-jobs-failed"), times=1)
        bench.answer("/api/jobrun/.*", b"", 202)
        bench.answer(f"/api/launch/{launch.id}/job", {}, 500)
        started = bench.retry(run).run
        assert started is not None
        assert (started.status, started.ref) == (Status.QUEUED, run.ref)

    def test_accepted_and_not_to_be_seen_yet(self, bench: Bench) -> None:
        """The run is queued then, whatever an old or missing reading says."""
        launch = bench.finished()
        run = bench.get(launch)
        bench.answer("/api/jobrun/.*/rerun", b"", 202)
        started = bench.retry(run).run
        assert started is not None
        assert (started.status, started.finished) == (Status.QUEUED, None)


class TestErrors:
    @pytest.mark.parametrize(
        ("entry", "kind", "words"),
        [
            (2, Kind.AUTH, "API token"),
            (3, Kind.FORBIDDEN, "not found, or no access"),
            (4, Kind.NOT_FOUND, "does not have that"),
            (5, Kind.CONFLICT, "closed"),
            (6, Kind.UNAVAILABLE, "locked"),
            (7, Kind.RATE_LIMITED, "in 7 s"),
            (8, Kind.UNAVAILABLE, "web shield"),
            (9, Kind.UNAVAILABLE, "not working right now"),
        ],
    )
    def test_recorded(self, bench: Bench, entry: int, kind: Kind, words: str) -> None:
        error = recorded("errors")[entry]
        body = error["body"]
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        headers = error.get("headers", JSON)
        bench.answer("/api/launch/5", raw, error["http_status"], headers=headers)
        problem = raised(lambda: bench.get("5"))
        assert problem.kind is kind
        assert words in problem.message
        assert "<" not in problem.message

    def test_retry_after(self, bench: Bench) -> None:
        bench.answer("/api/launch/5", {}, 429, headers={"Retry-After": "7"})
        assert raised(lambda: bench.get("5")).retry_after_s == 7.0

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(status=200, body=b"<!doctype html><p>TestOps", headers=HTML),
            Fault(status=200, body=b"OK"),
            Fault(status=200, body=b""),
            Fault(status=302, headers={"Location": "https://login.example.org/"}),
            Fault(status=404, body=b"<html>", headers=HTML),
        ],
        ids=["page", "text", "empty", "302", "404 page"],
    )
    def test_no_api_at_this_address(self, bench: Bench, fault: Fault) -> None:
        fault.path = "/api/(launch|job).*"
        bench.standin.faults.add(fault)
        for act in (
            bench.poll,
            lambda: bench.get("5"),
            lambda: bench.provider.pipelines(within(5)),
        ):
            error = raised(act)
            assert error.kind is Kind.BAD_REPLY
            assert "no Allure TestOps API at this address" in error.message
            assert "API_PREFIX" in error.message

    @pytest.mark.parametrize(
        "body", [b"{}", b"7", b"null", b'"x"', b"[]", b'{"content": 7}', b"[[[["]
    )
    def test_odd_pages(self, bench: Bench, body: bytes) -> None:
        bench.answer("/api/launch", body)
        assert raised(bench.poll).kind is Kind.BAD_REPLY

    @pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'{"id": ".."}', b'{"id": 0}', b"{}"])
    def test_odd_launches(self, bench: Bench, body: bytes) -> None:
        bench.answer("/api/launch/5", body)
        assert raised(lambda: bench.get("5")).kind is Kind.BAD_REPLY

    @pytest.mark.parametrize("part", ["statistic", "job"])
    @pytest.mark.parametrize("body", [b"{}", b"7", b"null", b'"x"'])
    def test_odd_parts(self, bench: Bench, part: str, body: bytes) -> None:
        launch = bench.finished()
        bench.answer(f"/api/launch/{launch.id}/{part}", body)
        assert raised(lambda: bench.get(launch)).kind is Kind.BAD_REPLY

    @pytest.mark.parametrize(
        "run_id",
        ["", ".", "..", "../..", "5/../x", "5?x", "5#x", "%2e%2e", "0", "-5", "x", "٣", "5\n",
         "1" * 20, "5\x00", "05"],
    )  # fmt: skip
    def test_hostile_ids_send_nothing(self, bench: Bench, run_id: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: bench.get(run_id),
            lambda: bench.provider.steps(run_id, within(10)),
            lambda: bench.provider.tests(run_id, within(10)),
        ]
        for call in calls:
            assert raised(call).kind is Kind.NOT_FOUND
        assert bench.standin.faults.received == []

    def test_hostile_ids_in_replies(self, bench: Bench) -> None:
        """An id of the vendor that could lead elsewhere is not put into a path."""
        launch = bench.finished()
        run = bench.get(launch)
        jobs = [{"id": "../../admin", "stage": "finished", "status": "failed"}]
        bench.answer(f"/api/launch/{launch.id}/job", jobs)
        assert raised(lambda: bench.retry(run)).kind is Kind.NOT_FOUND
        assert [path for path, _ in bench.changed()] == [f"/api/launch/{launch.id}/reopen"]

    def test_canaries(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        """Whatever a reply repeats, neither token comes out: not in an error, not in the log."""
        caplog.set_level(logging.DEBUG)
        bench.provider.check(within(10))
        (jwt,) = bench.standin.tokens
        told = {"message": f"no: {TOKEN} Bearer {jwt}", "error": TOKEN, "trace": TOKEN}
        shown = ""
        for status in (400, 401, 403, 404, 409, 418, 423, 500, 503, 302, 429):
            bench.provider = provider = bench.build()
            bench.standin.faults.clear()
            bench.answer("/api/(launch|job|testresult|testplan).*", told, status)
            bench.clock.added_s += QUIET_S + 1
            for act in (
                lambda p=provider: p.get("5", within(5)),
                lambda p=provider: p.observe("37", "", (), within(5)),
                lambda p=provider: p.steps("5", within(5)),
                lambda p=provider: p.tests("5", within(5)),
                lambda p=provider: p.find_pipeline(WEB, within(5)),
                lambda: bench.trigger("37", testPlanId="5"),
            ):
                shown += everything_of(raised(act))
        bench.answer("/api/uaa/oauth/token", told, 401)
        shown += everything_of(raised(lambda: bench.build().check(within(5))))
        assert len(shown) > 5000
        for secret in (CANARY, "eyJ", "SIGNATURE"):
            assert secret not in shown
            assert secret not in caplog.text

    def test_a_dripping_server(self, bench: Bench) -> None:
        launch = bench.finished()
        bench.provider.check(within(5))
        bench.standin.faults.add(Fault(path="/api/launch/.*", drip_s=0.05))
        clock = RealClock()
        begun = clock.monotonic()
        error = raised(lambda: bench.provider.get(str(launch.id), within(0.6)))
        assert error.kind is Kind.UNAVAILABLE
        assert clock.monotonic() - begun < 2

    def test_capabilities_are_kept(self, bench: Bench) -> None:
        for capability in Capability:
            assert is_able(bench.provider, capability) is (capability in SPEC.capabilities)

    def test_ten_threads(self, bench: Bench) -> None:
        """Shared by threads: polls, lists and readings side by side."""
        launches = [bench.finished() for _ in range(5)]
        acts: list[Callable[[], object]] = [
            lambda: bench.provider.observe("37", "", (), within(10)),
            lambda: bench.provider.recent("*", 5, within(10)),
            lambda: bench.get(launches[0]),
            lambda: bench.provider.pipelines(within(10)),
            lambda: bench.provider.tests(str(launches[1].id), within(10)),
        ]
        with ThreadPoolExecutor(10) as pool:
            results = list(pool.map(lambda act: act(), acts * 6))
        assert len(results) == 30
        assert bench.standin.exchanges == 1
