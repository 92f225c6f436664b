"""Testery's provider over real sockets: against the stand-in, and against odd answers."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.errors import Kind
from bot.domain.providers import (
    Capability,
    Variable,
    is_able,
)
from bot.domain.runs import Run
from bot.domain.runs import TestResult as Result
from bot.domain.statuses import Status
from bot.playground.faults import Fault
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.testery_runs import TesteryRun
from bot.providers.registry import load
from bot.providers.testery import SOURCE, SPEC
from bot.providers.testery_names import LIST_S, MISSING_S, NO_LINK_S
from tests.fakes.net import within
from tests.fakes.testery_bench import (
    CANARY,
    CREATE,
    ENDLESS,
    GREEN,
    HTML,
    LIST,
    LONG_AGO,
    RECORDED,
    RED,
    Bench,
    everything,
    ids,
    opened,
    raised,
    recorded,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with opened() as made:
        yield made


class TestDoor:
    def test_the_entry_point(self) -> None:
        assert load("testery") is SPEC

    def test_capabilities_are_kept(self, bench: Bench) -> None:
        """The spec says what the object can do, and a refusal stands for all else."""
        for capability in Capability:
            assert is_able(bench.provider, capability) is (capability in SPEC.capabilities)
            assert (capability in SPEC.refusals) is (capability not in SPEC.capabilities)

    def test_headers(self, bench: Bench) -> None:
        bench.provider.get(str(bench.add(1)[0].id), bench.within())
        for received in bench.standin.faults.received:
            assert received.headers["Authorization"] == "Bearer sample-token"
            assert received.headers["Accept"] == "application/json"
            assert received.headers["Content-Type"] == "application/json"
            assert not received.path.endswith("/")
            assert "token" not in received.query


class TestCheck:
    def test_account_token(self, bench: Bench) -> None:
        """Two reads; `null` for a person means that the token is the account's."""
        sent = bench.sent(lambda: bench.provider.check(bench.within()))
        assert sent == ["GET /api/account", "GET /api/users/me"]
        health = bench.provider.check(bench.within())
        assert health.account == "Acme Inc (acme)"
        assert health.notes == ("The token is the account's, not a person's.",)

    def test_person_token(self, bench: Bench) -> None:
        bench.standin.quirks.user_token = True
        notes = bench.provider.check(bench.within()).notes
        assert notes == ("The token is Ada Sample's.",)

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"firstName": 7}'])
    def test_an_odd_person(self, bench: Bench, body: bytes) -> None:
        """The account has proved the token: nothing else may make the check fail."""
        bench.answer("/api/users/me", body)
        (note,) = bench.provider.check(bench.within()).notes
        assert "token" in note

    @pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
    def test_no_person(self, bench: Bench, status: int) -> None:
        bench.answer("/api/users/me", b"", status)
        assert bench.provider.check(bench.within()).notes == (
            "Testery does not tell whose token it is.",
        )

    def test_no_account_name(self, bench: Bench) -> None:
        """It is said, and the rest works, without links."""
        bench.answer("/api/account", {"id": 1})
        health = bench.provider.check(bench.within())
        assert health.account == "account 1"
        assert "no links" in health.notes[-1]
        assert bench.get(bench.add(1)[0]).url is None

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(401, Kind.AUTH), (403, Kind.FORBIDDEN), (500, Kind.UNAVAILABLE), (404, Kind.NOT_FOUND)],
    )
    def test_refused(self, bench: Bench, status: int, kind: Kind) -> None:
        bench.answer("/api/account", recorded("error-401.cli"), status)
        assert raised(lambda: bench.provider.check(bench.within())).kind is kind

    def test_wrong_token(self, bench: Bench) -> None:
        provider = bench.build(token=CANARY)
        error = raised(lambda: provider.check(bench.within()))
        assert error.kind is Kind.AUTH
        assert "Not Authorized" in error.message
        assert CANARY not in everything(error)
        assert CANARY not in repr(provider) + repr(vars(provider))


class TestRuns:
    def test_a_run_from_start_to_failure(self, bench: Bench) -> None:
        """Started, then seen submitted, queued, running and failed, by one poll each."""
        bench.standin.script(Outcome("FAIL", run_s=10, queue_s=8, failed=("test_checkout",)))
        cursor = bench.observe().cursor
        started = bench.trigger("web/qa", branch="main").run
        assert started is not None
        seen, run = [(started.status, started.raw_status)], started
        for wait_s in (0, 5, 8, 10):
            bench.pass_s(wait_s)
            observation = bench.observe(cursor, started.ref.run_id)
            (run,), cursor = observation.runs, observation.cursor
            seen.append((run.status, run.raw_status))
        assert seen == [
            (Status.QUEUED, "SUBMITTED"),
            (Status.QUEUED, "SUBMITTED"),
            (Status.QUEUED, "QUEUED"),
            (Status.RUNNING, "RUNNING"),
            (Status.FAILED, "FAIL"),
        ]
        assert str(run.pipeline) == "testery:web/qa"
        assert run.pipeline == started.pipeline
        assert run.aliases == ("web", "123", "123/7")
        assert (run.counts.total, run.counts.passed, run.counts.failed) == (5, 4, 1)
        assert run.duration == timedelta(seconds=10)

    def test_progress(self, bench: Bench) -> None:
        made = bench.standin.add_run("web", "qa", Outcome("PASS", run_s=100, queue_s=0))
        bench.pass_s(5)
        early = bench.get(made)
        assert (early.progress, early.counts.total) == (None, None)
        bench.pass_s(55)
        assert bench.get(made).progress == 60
        bench.pass_s(55)
        assert bench.get(made).progress is None

    @pytest.mark.parametrize("flags", ["both", "complete", "ended"])
    @pytest.mark.parametrize("fields", ["recorded", "rich", "seed"])
    def test_either_flag(self, bench: Bench, flags: str, fields: str) -> None:
        """An unknown word is over as soon as one of the flags says so."""
        bench.standin.quirks.flags, bench.standin.quirks.fields = flags, fields
        made = bench.standin.add_run("web", "qa", Outcome("EXPLODED", run_s=10, queue_s=0))
        bench.standin.quirks.words = {"RUNNING": "EXPLODING"}
        bench.pass_s(5)
        before = bench.get(made)
        bench.pass_s(10)
        after = bench.get(made)
        assert (before.status, after.status) == (Status.UNKNOWN, Status.UNKNOWN)
        assert (before.raw_status, after.raw_status) == ("EXPLODING", "EXPLODED")
        assert before.is_over is False
        if fields == "seed" and flags == "ended":
            return  # the seed has no such flag: nothing says that it is over but its end
        assert after.is_over is True

    def test_a_sparse_run(self, bench: Bench) -> None:
        """Only id and status: shown all the same."""
        bench.standin.quirks.fields = "sparse"
        run = bench.finished(RED)
        assert (run.status, run.pipeline.key) == (Status.ERRORED, "unknown")
        assert run.url == f"{bench.url}/acme/test-runs/{run.ref.run_id}"
        assert ids(bench.observe().runs) == {int(run.ref.run_id)}

    def test_environment_as_an_object(self, bench: Bench) -> None:
        bench.standin.quirks.environment_as_object = True
        assert bench.finished().pipeline.key == "web/qa"

    def test_environment_by_its_id(self, bench: Bench) -> None:
        value = json.loads(recorded("test-run-get-pass.seed"))
        value |= {"environment": None, "environmentId": 8}
        bench.answer(f"{LIST}/55676", value)
        run = bench.get(55676)
        assert (run.pipeline.key, run.environment) == ("web/staging", "staging")

    @pytest.mark.parametrize(
        "name", [path.stem for path in sorted(RECORDED.glob("test-run-get-*.json"))]
    )
    def test_recorded(self, bench: Bench, name: str) -> None:
        value = json.loads(recorded(name))
        bench.answer(f"{LIST}/{value['id']}", value)
        run = bench.get(value["id"])
        assert run.status is not Status.UNKNOWN
        assert run.raw_status == value["status"]
        assert run.pipeline.key == "web/dev"
        assert run.commit == value["gitRef"]
        assert (run.finished is not None) is value["complete"]

    def test_the_seeds_list(self, bench: Bench) -> None:
        bench.answer(LIST, recorded("test-runs-list.seed"))
        (run,) = bench.observe().runs
        assert run.status is Status.PASSED
        assert run.finished == datetime(2020, 5, 4, 23, 22, 59, tzinfo=UTC)

    def test_another_run_in_the_answer(self, bench: Bench) -> None:
        bench.answer(f"{LIST}/1", recorded("test-run-get-pass.seed"))
        assert raised(lambda: bench.get(1)).kind is Kind.BAD_REPLY


class TestLinks:
    def test_the_page_answers(self, bench: Bench) -> None:
        """The link leads to a page for people, and pasting any page finds the run."""
        run = bench.finished(RED)
        failed = bench.provider.tests(run.ref.run_id, bench.within())[0]
        assert run.url == f"{bench.url}/acme/test-runs/{run.ref.run_id}"
        assert failed.url is not None
        assert failed.url.startswith(f"{run.url}/tests/")
        assert failed.url.endswith("/console")
        for url in (run.url, failed.url, f"{run.url}?tab=1", f"{run.url}/"):
            assert bench.provider.run_id_in(url) == run.ref.run_id

    def test_the_account_is_read_once(self, bench: Bench) -> None:
        bench.add(2)
        for _ in range(3):
            bench.observe()
            bench.provider.recent("*", 5, bench.within())
        assert len(bench.standin.faults.requests("GET", "/api/account")) == 1

    def test_a_name_that_needs_encoding(self, bench: Bench) -> None:
        bench.standin.account["name"] = "a/b c?"
        run = bench.finished()
        assert run.url == f"{bench.url}/a%2Fb%20c%3F/test-runs/{run.ref.run_id}"
        assert bench.provider.run_id_in(run.url) == run.ref.run_id

    @pytest.mark.parametrize("name", ["", None, "..", 7.5, []])
    def test_a_name_that_is_none(self, bench: Bench, name: Any) -> None:
        bench.answer("/api/account", {"id": 1, "name": name})
        assert bench.finished().url is None

    def test_no_account_costs_the_link_only(self, bench: Bench) -> None:
        """It is not asked for at every poll, but again after a while."""
        fault = bench.answer("/api/account", b"", 401)
        bench.add(1)
        bench.pass_s(60)
        assert [run.url for run in bench.observe().runs] == [None]
        assert bench.sent(bench.observe) == [f"GET {LIST}"]
        fault.times = 0
        bench.clock.ahead_s += NO_LINK_S + 1
        assert bench.observe().runs[0].url is not None

    def test_a_hanging_account_costs_the_link_only(self, bench: Bench) -> None:
        """It gets half of the time that is left, so that a list still comes in time, with its
        names.
        """
        bench.add(1)
        bench.answer("/api/account", b"", hang=True)
        (run,) = bench.provider.recent("*", 5, bench.within(1))
        assert (run.pipeline.key, run.url) == ("web/qa", None)
        assert bench.provider.tests(run.ref.run_id, bench.within(1))

    def test_another_accounts_page(self, bench: Bench) -> None:
        url = f"{bench.url}/other/test-runs/5"
        assert bench.provider.run_id_in(url) == "5"
        bench.provider.check(bench.within())
        assert bench.provider.run_id_in(url) is None


class TestTests:
    def test_failed_first(self, bench: Bench) -> None:
        outcome = Outcome("FAIL", 10, 0, failed=("test_refund",), skipped=("test_login_ok",))
        tests = bench.provider.tests(bench.finished(outcome).ref.run_id, bench.within())
        assert [(test.name, test.status) for test in tests] == [
            ("test_refund", Status.FAILED),
            ("test_login_ok", Status.SKIPPED),
            ("test_login_bad_password", Status.PASSED),
            ("test_checkout", Status.PASSED),
            ("test_search", Status.PASSED),
        ]
        assert tests[0].error == "AssertionError: test_refund: expected 200, got 503"
        assert tests[0].duration_s is not None
        assert 0.2 <= tests[0].duration_s <= 3

    def test_recorded(self, bench: Bench) -> None:
        bench.answer(f"{LIST}/7/results", recorded("test-run-results.made-up"))
        tests = bench.provider.tests("7", bench.within())
        assert [(t.name, t.status, t.duration_s) for t in tests] == [
            ("test_login_bad_password", Status.FAILED, 1.5),
            ("test_login_ok", Status.PASSED, 1.5),
            ("test_checkout", Status.SKIPPED, 0.0),
            ("never_ran", Status.SKIPPED, None),
        ]
        assert tests[0].error == "AssertionError: expected 200"

    def test_still_to_come(self, bench: Bench) -> None:
        """Waiting while the run goes on; skipped once it is over, which costs one more read."""
        run = bench.running()
        bench.answer(f"{LIST}/.*/results", [{"id": 1, "status": "PENDING", "name": "a"}])

        def read() -> tuple[Result, ...]:
            return bench.provider.tests(run.ref.run_id, bench.within())

        assert [test.status for test in read()] == [Status.QUEUED]
        bench.standin.finish(int(run.ref.run_id), "FAIL")
        assert [test.status for test in read()] == [Status.SKIPPED]
        assert bench.sent(read)[-1] == f"GET {LIST}/{run.ref.run_id}"

    def test_one_request_else(self, bench: Bench) -> None:
        run = bench.finished()
        sent = bench.sent(lambda: bench.provider.tests(run.ref.run_id, bench.within()))
        assert sent == [f"GET {LIST}/{run.ref.run_id}/results"]

    @pytest.mark.parametrize(
        ("kind", "name"), [("named", "test_checkout"), ("nameless", "test 304001002")]
    )
    def test_names(self, bench: Bench, kind: str, name: str) -> None:
        bench.standin.quirks.results = kind
        tests = bench.provider.tests(bench.finished().ref.run_id, bench.within())
        assert tests[0].name == name

    def test_odd_items(self, bench: Bench) -> None:
        bench.answer(f"{LIST}/7/results", [None, 3, {"status": "WEIRD", "projectTest": 4}, {}])
        tests = bench.provider.tests("7", bench.within())
        assert [test.status for test in tests] == [Status.UNKNOWN, Status.UNKNOWN]


class TestPolls:
    def test_a_quiet_poll_is_one_request(self, bench: Bench) -> None:
        bench.add(150)
        cursor = bench.observe().cursor
        for _ in range(3):
            assert bench.sent(lambda: bench.observe(cursor)) == [f"GET {LIST}"]
        assert bench.standin.faults.received[-1].query == {"page": "0", "limit": "100"}

    def test_the_first_time_is_one_page_if_that_reaches_back_an_hour(self, bench: Bench) -> None:
        bench.add(150)
        bench.pass_s(60)
        assert len(bench.observe().runs) == 100
        assert len(bench.standin.faults.requests("GET", LIST)) == 1

    def test_the_first_time_reads_back_an_hour(self, bench: Bench) -> None:
        """All that was made since, and what lies beyond ten pages at the next poll."""
        bench.to_the_present()
        bench.add(1130)
        bench.pass_s(60)
        one = bench.observe()
        two = bench.observe(one.cursor)
        assert len(ids(one.runs)) == 1000
        assert len(ids(one.runs) | ids(two.runs)) == 1130
        assert bench.sent(lambda: bench.observe(two.cursor)) == [f"GET {LIST}"]

    def test_the_first_time_reads_on_while_runs_are_under_way(self, bench: Bench) -> None:
        old = bench.add(1, ENDLESS)
        bench.pass_s(3600)
        bench.add(90)
        bench.pass_s(60)
        bench.add(20, ENDLESS)
        assert {old[0].id} <= ids(bench.observe().runs)

    def test_a_run_of_next_year_hides_no_other(self, bench: Bench) -> None:
        bench.to_the_present()
        bench.standin.add_run("web", "qa", GREEN, at_s=bench.standin.clock.time() + 31_536_000)
        cursor = bench.observe().cursor
        bench.clock.ahead_s += 200
        bench.pass_s(200)
        made = {run.id for run in bench.add(130, RED)}
        seen = bench.observe(cursor)
        assert made <= ids(seen.runs)
        assert bench.sent(lambda: bench.observe(seen.cursor))[0] == f"GET {LIST}"

    def test_one_source_for_all(self, bench: Bench) -> None:
        for pattern in ("*", "web", "web/qa", "checkout-*/staging", "../x"):
            assert bench.provider.sources(pattern) == (SOURCE,)

    def test_a_burst_is_read_to_its_end(self, bench: Bench) -> None:
        first = bench.add(1)
        cursor = bench.observe().cursor
        bench.pass_s(3600)
        made = bench.add(350)
        seen = bench.observe(cursor)
        assert ids(seen.runs) == {run.id for run in (*made, *first)}
        assert len(seen.runs) == len(ids(seen.runs))

    def test_a_burst_longer_than_one_poll(self, bench: Bench) -> None:
        """1,250 runs at ten pages of 100: the next poll reads on, and loses nothing of what was
        made in between.
        """
        first = bench.add(1)
        cursor = bench.observe().cursor
        bench.pass_s(7200)
        made = bench.add(1250)
        one = bench.observe(cursor, seconds=30)
        assert len(one.runs) == 1000
        bench.pass_s(7200)
        more = bench.add(30)
        two = bench.observe(one.cursor, seconds=30)
        assert ids((*one.runs, *two.runs)) == {run.id for run in (*first, *made, *more)}
        assert bench.sent(lambda: bench.observe(two.cursor)) == [f"GET {LIST}"]

    def test_two_long_bursts(self, bench: Bench) -> None:
        """What the first poll left is not forgotten over the second burst."""
        bench.add(1)
        cursor, seen = bench.observe().cursor, set()
        made = set()
        for number in (1100, 1100, 0, 0):
            bench.pass_s(7200)
            made |= {run.id for run in bench.add(number)}
            observation = bench.observe(cursor, seconds=30)
            cursor = observation.cursor
            seen |= ids(observation.runs)
        assert made <= seen
        assert bench.sent(lambda: bench.observe(cursor)) == [f"GET {LIST}"]

    def test_a_refused_token_while_catching_up(self, bench: Bench) -> None:
        cursor = '{"mark": {"run_id": 1}, "gap": {"page": 3, "mark": {"run_id": 0}}}'

        class Third(Fault):
            def matches(self, request: Any) -> bool:
                return super().matches(request) and request.query.get("page") == "3"

        bench.standin.faults.add(Third(path=LIST, status=401))
        assert raised(lambda: bench.observe(cursor)).kind is Kind.AUTH

    def test_a_second_page_that_fails(self, bench: Bench) -> None:
        """The news of the first is not lost, and the rest comes with the next poll."""
        bench.add(1)
        cursor = bench.observe().cursor
        bench.pass_s(3600)
        made = {run.id for run in bench.add(150)}

        class OnlyFirst(Fault):
            def matches(self, request: Any) -> bool:
                return super().matches(request) and request.query.get("page") != "0"

        fault = bench.standin.faults.add(OnlyFirst(path=LIST, status=500))
        one = bench.observe(cursor)
        assert (len(one.runs), one.bad_items) == (100, 1)
        still = bench.observe(one.cursor)
        assert (len(still.runs), still.bad_items) == (100, 1)
        fault.times = 0
        two = bench.observe(still.cursor)
        assert made <= ids(one.runs) | ids(two.runs)
        assert two.bad_items == 0
        assert bench.sent(lambda: bench.observe(two.cursor)) == [f"GET {LIST}"]

    def test_a_run_on_two_pages(self, bench: Bench) -> None:
        """Runs made while paging push others to the next page: each is there once, as last
        seen, and none is missing.
        """
        bench.add(1)
        cursor = bench.observe().cursor
        bench.pass_s(3600)
        made = {run.id for run in bench.add(150)}
        late: list[TesteryRun] = []

        class Pushing(Fault):
            def matches(self, request: Any) -> bool:
                if super().matches(request) and request.query.get("page") == "1" and not late:
                    late.extend(bench.add(5))
                return False

        bench.standin.faults.add(Pushing(path=LIST))
        seen = bench.observe(cursor)
        assert len(late) == 5
        assert made <= ids(seen.runs)
        assert len(seen.runs) == len(ids(seen.runs))
        assert {run.id for run in late} <= ids(bench.observe(seen.cursor).runs)

    def test_a_server_that_ignores_page(self, bench: Bench) -> None:
        """It ends, and one page as long as can be shows what paging could not."""
        bench.standin.quirks.page_ignored = True
        bench.add(1)
        bench.pass_s(60)
        cursor = bench.observe().cursor
        bench.pass_s(3600)
        made = {run.id for run in bench.add(200)}
        seen = bench.observe(cursor)
        asked = [r.query for r in bench.standin.faults.requests("GET", LIST)[1:]]
        assert asked == [
            {"page": "0", "limit": "100"},
            {"page": "1", "limit": "100"},
            {"page": "0", "limit": "250"},
        ]
        assert made <= ids(seen.runs)
        assert len(seen.runs) == len(ids(seen.runs))
        assert bench.sent(lambda: bench.observe(seen.cursor)) == [f"GET {LIST}"]

    def test_a_server_that_allows_less(self, bench: Bench) -> None:
        """A first page that is short may be a limit of the server's: the next one tells."""
        bench.standin.quirks.max_limit = 10
        bench.add(1)
        cursor = bench.observe().cursor
        bench.pass_s(3600)
        made = {run.id for run in bench.add(35)}
        assert made <= ids(bench.observe(cursor).runs)

    def test_an_empty_account(self, bench: Bench) -> None:
        empty = bench.observe()
        assert empty.runs == ()
        (made,) = bench.add(1)
        assert ids(bench.observe(empty.cursor).runs) == {made.id}

    def test_open_runs_off_the_page_are_read_one_by_one(self, bench: Bench) -> None:
        old = bench.running()
        bench.pass_s(3600)
        bench.add(120)
        cursor = bench.observe().cursor
        bench.standin.finish(int(old.ref.run_id), "FAIL", "test_checkout")
        sent = bench.sent(lambda: bench.observe(cursor, old.ref.run_id))
        one = f"GET {LIST}/{old.ref.run_id}"
        assert sent == [f"GET {LIST}", one, f"{one}/results"]
        seen = bench.observe(cursor, old.ref.run_id).runs
        assert [r.status for r in seen if r.ref == old.ref] == [Status.FAILED]

    def test_the_failed_tests_of_a_run_are_named_once(self, bench: Bench) -> None:
        """Also in a new process: that they were asked for is in the cursor."""
        cursor = bench.observe().cursor
        (red,) = bench.add(1, Outcome("FAIL", 10, 0, failed=("test_refund", "test_a")))
        bench.pass_s(60)
        seen = bench.observe(cursor)
        assert seen.runs[0].failing == ("test_a", "test_refund")
        assert seen.runs[0].failed_step == "test_a"
        paths = [r.path for r in bench.standin.faults.received]
        assert paths.count(f"{LIST}/{red.id}/results") == 1
        bench.provider = bench.build()
        bench.provider = bench.build()
        sent = bench.sent(lambda: bench.observe(seen.cursor))
        assert f"GET {LIST}/{red.id}/results" not in sent

    def test_recorded_results_name_what_failed(self, bench: Bench) -> None:
        cursor = bench.observe().cursor
        bench.add(1, RED)
        bench.pass_s(60)
        bench.answer(f"{LIST}/.*/results", recorded("test-run-results.made-up"))
        (run,) = bench.observe(cursor).runs
        assert run.failing == ("test_login_bad_password",)

    def test_tests_of_one_name_are_told_apart_and_nameless_ones_left_out(
        self, bench: Bench
    ) -> None:
        """An id would be another name in each run."""
        cursor = bench.observe().cursor
        bench.add(1, RED)
        bench.pass_s(60)
        rows = [
            {"id": 1, "status": "FAIL", "projectTest": {"name": "twice", "file": "a.py"}},
            {"id": 2, "status": "FAIL", "projectTest": {"name": "twice", "file": "b.py"}},
            {"id": 3, "status": "fail", "name": "alone"},
            {"id": 4, "status": "FAIL"},
            {"id": 5, "status": "PASS", "name": "green"},
        ]
        bench.answer(f"{LIST}/.*/results", rows)
        (run,) = bench.observe(cursor).runs
        assert run.failing == ("alone", "twice (a.py)", "twice (b.py)")

    def test_a_storm_costs_five_results_a_poll(self, bench: Bench) -> None:
        cursor = bench.observe().cursor
        made = bench.add(30, RED)
        bench.pass_s(60)
        asked: list[str] = []
        for poll in range(7):
            before = len(bench.standin.faults.received)
            seen = bench.observe(cursor)
            assert ids(seen.runs) == {run.id for run in made}, "none waits for its names"
            cursor = seen.cursor
            paths = [r.path for r in bench.standin.faults.received[before:]]
            of_results = [path for path in paths if path.endswith("/results")]
            assert len(of_results) == (5 if poll < 6 else 0)
            asked += of_results
        assert asked == [f"{LIST}/{run.id}/results" for run in made]
        assert bench.sent(lambda: bench.observe(cursor)) == [f"GET {LIST}"]

    @pytest.mark.parametrize("status", [500, 503, 404, 429, 401, 200])
    def test_a_run_is_told_though_its_results_cannot_be_had(
        self, bench: Bench, status: int
    ) -> None:
        cursor = bench.observe().cursor
        (red,) = bench.add(1, RED)
        bench.pass_s(60)
        headers = {"Retry-After": "0"} if status == 429 else {}
        bench.answer(f"{LIST}/.*/results", b"<html>", status, headers=HTML | headers)
        seen = bench.observe(cursor)
        assert ids(seen.runs) == {red.id}
        assert (seen.runs[0].status, seen.runs[0].failing) == (Status.FAILED, ())

    def test_names_that_come_late(self, bench: Bench) -> None:
        cursor = bench.observe().cursor
        bench.add(1, RED)
        bench.pass_s(60)
        fault = bench.answer(f"{LIST}/.*/results", {"message": "no"}, 500)
        cursor = bench.observe(cursor).cursor
        fault.times = 0
        (run,) = bench.observe(cursor).runs
        assert run.failing == ("test_checkout",)

    def test_results_that_hang_do_not_cost_the_poll(self, bench: Bench) -> None:
        cursor = bench.observe().cursor
        (red,) = bench.add(1, RED)
        bench.pass_s(60)
        bench.standin.faults.add(Fault(path=f"{LIST}/.*/results", hang=True))
        assert ids(bench.observe(cursor, seconds=2).runs) == {red.id}

    def test_a_rerun_under_the_same_id_is_asked_for_again(self, bench: Bench) -> None:
        bench.standin.quirks.rerun = "same"
        cursor = bench.observe().cursor
        (run,) = bench.add(1, RED)
        bench.pass_s(60)
        cursor = bench.observe(cursor).cursor
        bench.standin.rerun(run)
        cursor = bench.observe(cursor).cursor
        bench.standin.finish(run, "FAIL", "test_login")
        (again,) = bench.observe(cursor, run.id).runs
        assert again.failing == ("test_login",)

    def test_open_runs_on_the_page_cost_nothing(self, bench: Bench) -> None:
        run = bench.running()
        cursor = bench.observe().cursor
        sent = bench.sent(lambda: bench.observe(cursor, run.ref.run_id))
        assert sent == [f"GET {LIST}"]

    def test_many_open_runs_take_turns(self, bench: Bench) -> None:
        """Thirty at a poll, so that two polls see fifty."""
        old = [run.id for run in bench.add(50, ENDLESS)]
        bench.pass_s(3600)
        bench.add(100)
        bench.pass_s(60)
        one = bench.observe("", *old)
        two = bench.observe(one.cursor, *old)
        assert len(set(old) & ids(one.runs)) == 30
        assert set(old) <= ids(one.runs) | ids(two.runs)

    def test_open_runs_that_are_gone_or_odd_cost_nothing_else(self, bench: Bench) -> None:
        bench.add(1)
        bench.answer(f"{LIST}/2", {})
        seen = bench.observe("", 1, 2, "../../x", "0", "x")
        assert (len(seen.runs), seen.bad_items) == (1, 1)

    def test_a_limit_on_open_runs_keeps_the_news(self, bench: Bench) -> None:
        bench.add(1)
        bench.answer(f"{LIST}/[12]", b"", 429, headers={"Retry-After": "30"})
        seen = bench.observe("", 1, 2)
        assert (len(seen.runs), seen.bad_items) == (1, 1)
        error = raised(lambda: bench.observe(seen.cursor, 1, 2))
        assert error.kind is Kind.RATE_LIMITED
        assert error.retry_after_s == pytest.approx(30, abs=2)

    def test_a_refused_token_is_told(self, bench: Bench) -> None:
        bench.answer(f"{LIST}/1", b"", 401)
        assert raised(lambda: bench.observe("", 1)).kind is Kind.AUTH

    def test_late_results(self, bench: Bench) -> None:
        """A run that shows late, made before the newest one, is seen by the next poll."""
        bench.add(3)
        cursor = bench.observe().cursor
        now = bench.standin.clock.time()
        late = bench.standin.add_run("web", "qa", RED, at_s=now - 100)
        seen = bench.observe(cursor)
        assert [r.status for r in seen.runs if r.ref.run_id == str(late.id)] == [Status.FAILED]

    def test_bad_entries_are_counted_and_good_ones_kept(self, bench: Bench) -> None:
        entries = json.loads(recorded("test-runs-list-mixed.made-up"))
        good = len(entries)
        odd: list[Any] = [None, 7, "x", {}, {"id": ".."}, {"id": 5}, {"id": True, "status": "PASS"}]
        odd += [{"id": 6, "status": None}, {"id": 10**30, "status": "PASS"}, {"id": -1}]
        bench.answer(LIST, [*odd, *entries])
        seen = bench.observe()
        assert (len(seen.runs), seen.bad_items) == (good, len(odd))

    def test_odd_fields_do_not_cost_the_run(self, bench: Bench) -> None:
        """Every field but id and status may be of any type."""
        entry = json.loads(recorded("test-run-get-fail.made-up"))
        values: list[Any] = [None, [], {}, "x", 7, True, -1, 1e300, "\x00"]
        for value in [*values, "9999-99-99 99:99:99+0000"]:
            odd = {key: value for key in entry if key not in {"id", "status"}}
            bench.standin.faults.clear()
            bench.answer(LIST, [{**entry, **odd}])
            seen = bench.observe()
            assert (len(seen.runs), seen.bad_items) == (1, 0)

    @pytest.mark.parametrize("cursor", ["x", "[]", "null", '{"mark": 7}', '{"gap": {"page": 0}}'])
    def test_a_cursor_that_cannot_be_read(self, bench: Bench, cursor: str) -> None:
        bench.add(2)
        assert len(bench.observe(cursor).runs) == 2

    def test_a_stale_page_does_not_move_back(self, bench: Bench) -> None:
        """After an old page no more is read than before, and nothing is missed."""
        bench.add(5)
        old = [json.loads(recorded("test-run-get-pass.seed"))]
        cursor = bench.observe().cursor
        fault = bench.answer(LIST, old)
        stale = bench.observe(cursor)
        fault.times = 0
        assert json.loads(stale.cursor)["mark"] == json.loads(cursor)["mark"]

    def test_threads_share_one_provider(self, bench: Bench) -> None:
        bench.add(30)
        with ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(bench.observe, "", seconds=20) for _ in range(24)]
        assert len({job.result().runs for job in jobs}) == 1


class TestNames:
    def test_a_new_project_has_its_key_at_once(self, bench: Bench) -> None:
        bench.add(1)
        bench.observe()
        bench.standin.add_project("api")
        bench.standin.add_run("api", "qa")
        assert "api/qa" in {run.pipeline.key for run in bench.observe().runs}

    @pytest.mark.parametrize("path", ["projects", "environments"])
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (403, b""),
            (404, b""),
            (500, b""),
            (200, b"[]"),
            (200, b"{}"),
            (200, b'[{"id": 123}, {"id": 7, "key": NaN}, null, "x"]'),
            (200, b'[{"id": 999, "key": "other"}, {"id": NaN, "key": "web"}]'),
        ],
    )
    def test_names_that_cannot_be_had_fail_the_poll(
        self, bench: Bench, path: str, status: int, body: bytes
    ) -> None:
        """Rather than give a run another name for a while: a watch by key would not hear of it.
        One run is still shown, by its ids; and all is well with the next good answer.
        """
        run = {"id": 5, "status": "PASS", "projectId": 123, "environmentId": 7}
        bench.answer(LIST, [run])
        bench.answer(f"{LIST}/5", run)
        fault = bench.answer(f"/api/{path}", body, status)
        assert raised(bench.observe)
        if status != 500:
            assert bench.get(5).ref.run_id == "5"
        assert raised(bench.observe), "whatever was asked in between"
        assert raised(lambda: bench.provider.recent("web/qa", 5, bench.within()))
        fault.times = 0
        assert [run.pipeline.key for run in bench.observe().runs] == ["web/qa"]

    def test_a_project_that_is_not_listed_costs_its_key_only(self, bench: Bench) -> None:
        """It was deleted, say: the run is known by ids, and the question is not put each time."""
        fault = bench.answer("/api/projects", [{"id": 999, "key": "other"}])
        bench.add(1)
        bench.pass_s(60)
        assert [run.pipeline.key for run in bench.observe().runs] == ["123/qa"]
        assert bench.sent(bench.observe) == [f"GET {LIST}"]
        fault.times = 0
        bench.clock.ahead_s += MISSING_S + 1
        assert [run.pipeline.key for run in bench.observe().runs] == ["web/qa"]

    @pytest.mark.parametrize("body", [b"[]", b'[{"id": 999, "key": "other"}, null]'])
    def test_a_list_in_parts_does_not_take_names_away(self, bench: Bench, body: bytes) -> None:
        bench.add(1)
        bench.observe()
        bench.answer("/api/projects", body)
        bench.clock.ahead_s += LIST_S + 1
        assert [run.pipeline.key for run in bench.observe().runs] == ["web/qa"]

    def test_old_names_are_good_enough(self, bench: Bench) -> None:
        """When the lists are due again but cannot be had."""
        bench.add(1)
        bench.observe()
        bench.answer("/api/projects", b"", 500)
        bench.answer("/api/account", b"", 500)
        bench.clock.ahead_s += LIST_S + 1
        (run,) = bench.observe().runs
        assert run.pipeline.key == "web/qa"
        assert run.url is not None

    def test_pipelines(self, bench: Bench) -> None:
        found = bench.provider.pipelines(bench.within())
        assert [(p.ref.key, p.title, p.aliases) for p in found] == [
            ("web", "Web", ("123",)),
            ("web/qa", "Web on QA", ("123/7",)),
            ("web/staging", "Web on Staging", ("123/8",)),
            ("checkout-e2e", "Checkout", ("124",)),
            ("checkout-e2e/qa", "Checkout on QA", ("124/7",)),
            ("checkout-e2e/staging", "Checkout on Staging", ("124/8",)),
        ]

    def test_too_many_pipelines(self, bench: Bench) -> None:
        for number in range(300):
            bench.standin.add_project(f"p{number}")
        keys = [p.ref.key for p in bench.provider.pipelines(bench.within())]
        assert len(keys) == 302
        assert not any("/" in key for key in keys)

    @pytest.mark.parametrize(
        ("typed", "key"),
        [
            ("web", "web"),
            ("web/qa", "web/qa"),
            ("WEB/Qa", "web/qa"),
            ("123", "web"),
            ("123/7", "web/qa"),
            ("web/8", "web/staging"),
            ("web/old", "web/old"),
            ("checkout-e2e/staging", "checkout-e2e/staging"),
        ],
    )
    def test_find(self, bench: Bench, typed: str, key: str) -> None:
        found = bench.provider.find_pipeline(typed, bench.within())
        assert str(found.ref) == f"testery:{key}"

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("wbe", "no such project"),
            ("wbe/qa", "no such project"),
            ("web/qaa", "no such environment"),
            ("web/", "no such project"),
            ("/qa", "no such project"),
            ("", "no such project"),
            ("../..", "no such project"),
            ("web/qa/x", "no such environment"),
        ],
    )
    def test_not_found(self, bench: Bench, typed: str, words: str) -> None:
        """Which part is wrong, and what there is; nothing typed ever stands in a path."""
        error = raised(lambda: bench.provider.find_pipeline(typed, bench.within()))
        assert error.kind is Kind.NOT_FOUND
        assert words in error.message
        assert {"web", "web/qa"} <= set(error.known)
        paths = {received.path for received in bench.standin.faults.received}
        assert paths == {"/api/projects", "/api/environments"}

    def test_a_new_pipeline_is_found_at_once(self, bench: Bench) -> None:
        bench.provider.pipelines(within(10))
        bench.standin.add_project("api")
        bench.standin.add_environment("prod")
        found = bench.provider.find_pipeline("api/prod", bench.within())
        assert found.ref.key == "api/prod"

    def test_keys_with_slashes(self, bench: Bench) -> None:
        bench.standin.add_project("web/ios")
        bench.standin.add_environment("eu/1")
        for key in ("web/ios", "web/ios/eu/1", "web/eu/1"):
            assert bench.provider.find_pipeline(key, bench.within()).ref.key == key

    def test_recorded_lists(self, bench: Bench) -> None:
        bench.answer("/api/projects", recorded("projects.made-up"))
        bench.answer("/api/environments", recorded("environments.made-up"))
        found = bench.provider.pipelines(bench.within())
        assert [p.ref.key for p in found] == ["web", "web/qa", "api", "api/qa"]

    def test_recent(self, bench: Bench) -> None:
        now = bench.standin.clock.time()
        for number in range(30):
            project = "checkout-e2e" if number % 3 == 0 else "web"
            environment = "staging" if number % 2 == 0 else "qa"
            bench.standin.add_run(project, environment, GREEN, at_s=now - 30 + number)

        def recent(pattern: str, limit: int) -> tuple[Run, ...]:
            return bench.provider.recent(pattern, limit, bench.within())

        assert len(recent("*", 25)) == 25
        every = recent("*", 50)
        assert len(every) == 30
        assert list(every) == sorted(every, key=lambda run: run.created or LONG_AGO, reverse=True)
        exact = recent("web/qa", 50)
        assert len(exact) == 10
        assert {run.pipeline.key for run in exact} == {"web/qa"}
        assert recent("web/qa", 3) == exact[:3]
        assert recent("123/7", 50) == exact
        assert len(recent("web", 50)) == 20
        assert {r.pipeline.key for r in recent("check*/staging", 50)} == {"checkout-e2e/staging"}
        assert recent("other*", 5) == ()
        assert recent("*", 0) == ()

    def test_recent_reads_on_for_a_rare_pipeline(self, bench: Bench) -> None:
        now = bench.standin.clock.time()
        rare = bench.standin.add_run("checkout-e2e", "qa", GREEN, at_s=now - 9000)
        bench.add(150)
        assert ids(bench.provider.recent("checkout-e2e/qa", 1, bench.within())) == {rare.id}
        sent = bench.sent(lambda: bench.provider.recent("web", 10, bench.within()))
        assert sent == [f"GET {LIST}"]

    def test_recent_ends_where_page_is_ignored(self, bench: Bench) -> None:
        bench.standin.quirks.page_ignored = True
        bench.add(120)
        assert len(bench.provider.recent("web", 200, bench.within())) == 120
        assert bench.provider.recent("x", 5, bench.within()) == ()


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (400, b'{"code": "400", "message": "no"}', Kind.INVALID, "It says: no"),
            (401, recorded("error-401.cli"), Kind.AUTH, "Not Authorized"),
            (403, b"", Kind.FORBIDDEN, "this token"),
            (404, recorded("error-404.cli"), Kind.NOT_FOUND, "one account only"),
            (409, recorded("error-409.cli"), Kind.CONFLICT, "Conflict"),
            (418, b'"short and stout"', Kind.INVALID, "short and stout"),
            (429, b"", Kind.RATE_LIMITED, "often"),
            (500, b'{"message": "oops"}', Kind.UNAVAILABLE, "oops"),
            (500, b'{"message": 7}', Kind.UNAVAILABLE, "Testery"),
            (500, b'{"message": ', Kind.UNAVAILABLE, "Testery"),
            (502, b"<html><h1>Bad Gateway", Kind.UNAVAILABLE, "Testery"),
            (503, b"", Kind.UNAVAILABLE, "Testery"),
            (304, b"", Kind.BAD_REPLY, "Testery"),
            (302, b"", Kind.BAD_REPLY, "moved"),
        ],
    )
    def test_codes(self, bench: Bench, status: int, body: bytes, kind: Kind, words: str) -> None:
        """Every kind of answer to a read; the body may be missing or not JSON."""
        bench.answer(f"{LIST}.*", body, status)
        for act in (
            lambda: bench.get(1),
            bench.observe,
            lambda: bench.provider.tests("1", bench.within()),
            lambda: bench.provider.recent("*", 1, bench.within()),
        ):
            error = raised(act)
            assert error.kind is kind
            assert words in error.message
            assert "<" not in error.message

    @pytest.mark.parametrize(
        "body",
        [b"<html><h1>Bad Gateway", b'{"message": "cut', b"[1, ", b'{"message": 7}', b"[]", b" "],
    )
    def test_what_says_nothing(self, bench: Bench, body: bytes) -> None:
        """Pages and broken data are no message for people."""
        bench.answer(f"{LIST}/1", body, 500)
        assert "says" not in raised(lambda: bench.get(1)).message

    def test_plain_text_errors(self, bench: Bench) -> None:
        bench.standin.quirks.plain_text_errors = True
        assert "Resource Not Found" in raised(lambda: bench.get(1)).message

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [("7", 7), ("-5", 0), ("1000000000", 900), ("soon", None), ("0.5", 0.5)],
    )
    def test_retry_after(self, bench: Bench, header: str, seconds: float | None) -> None:
        bench.answer(LIST, b"", 429, headers={"Retry-After": header})
        assert raised(bench.observe).retry_after_s == seconds

    @pytest.mark.parametrize(
        "body",
        [b"{}", b"7", b"null", b'"x"', b"[[[[", b"NaN", b"", b"<html>", b"[" * 9999, b"O"],
        ids=["object", "number", "null", "text", "cut", "NaN", "empty", "page", "deep", "words"],
    )  # fmt: skip
    def test_odd_lists(self, bench: Bench, body: bytes) -> None:
        bench.answer(LIST, body)
        assert raised(bench.observe).kind is Kind.BAD_REPLY
        bench.answer(f"{LIST}/1/results", body)
        assert raised(lambda: bench.provider.tests("1", bench.within())).kind is Kind.BAD_REPLY

    @pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'{"id": ".."}', b'{"id": 1}', b""])
    def test_odd_runs(self, bench: Bench, body: bytes) -> None:
        bench.answer(f"{LIST}/1", body)
        assert raised(lambda: bench.get(1)).kind is Kind.BAD_REPLY

    @pytest.mark.parametrize(
        "run_id",
        ["..", "../..", "1/../2", "1?x", "1#x", "", "0", "01", "%2e%2e", "1\r\nX: y", "\uff11",
         "-1", "1" * 19, "abc"],
    )  # fmt: skip
    def test_hostile_ids_send_nothing(self, bench: Bench, run_id: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: bench.get(run_id),
            lambda: bench.provider.tests(run_id, bench.within()),
        ]
        for call in calls:
            assert raised(call).kind is Kind.NOT_FOUND
        assert bench.standin.faults.received == []

    def test_a_dripping_server(self, bench: Bench) -> None:
        """The call ends at its deadline."""
        bench.add(3)
        bench.standin.faults.add(Fault(path=LIST, drip_s=0.05))
        before = bench.clock.monotonic()
        assert raised(lambda: bench.observe(seconds=0.5)).kind is Kind.UNAVAILABLE
        assert bench.clock.monotonic() - before < 2


class TestSecrets:
    """A canary in the settings, the variables and every reply, and nowhere else."""

    @pytest.mark.parametrize(
        "said",
        [CANARY, f"bad: {CANARY[:6]} {CANARY[6:]}", f"Authorization: Bearer {CANARY}",
         "&#99;anary-4711"],
    )  # fmt: skip
    @pytest.mark.parametrize("is_json", [True, False])
    def test_an_error_that_repeats_the_token(
        self, bench: Bench, said: str, *, is_json: bool
    ) -> None:
        provider = bench.build(token=CANARY)
        body = json.dumps({"code": "403", "message": said}) if is_json else said
        bench.answer(".*", body.encode(), 403)
        for act in (
            lambda: provider.check(bench.within()),
            lambda: provider.get("1", bench.within()),
            lambda: provider.observe(SOURCE, "", (), bench.within()),
        ):
            error = raised(act)
            assert error.kind is Kind.FORBIDDEN
            assert CANARY[:6] not in everything(error)
            assert "&#99" not in everything(error)

    def test_an_error_that_repeats_a_variable(self, bench: Bench) -> None:
        bench.answer(CREATE, {"message": f"no {CANARY}"}, 400)
        for variables, typed in (
            ((Variable("A", CANARY),), {}),
            ((), {"variables": f"secure:A={CANARY}"}),
        ):
            error = raised(lambda v=variables, t=typed: bench.trigger("web/qa", *v, **t))  # type: ignore[misc]
            assert error.kind is Kind.INVALID
            assert CANARY not in everything(error)

    def test_what_is_not_listed_goes_nowhere(
        self, bench: Bench, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Fields that the domain does not know stay in the adapter."""
        entry = json.loads(recorded("test-run-get-fail.made-up"))
        entry |= {"variables": [{"key": "T", "value": CANARY}], "token": CANARY, "key": CANARY}
        bench.answer(LIST, [entry])
        bench.answer(f"{LIST}/{entry['id']}", entry)
        bench.answer("/api/environments", [{"id": 7, "key": "qa", "variables": CANARY}])
        caplog.set_level("DEBUG")
        shown = [
            bench.observe(),
            bench.get(entry["id"]),
            bench.provider.recent("*", 5, bench.within()),
            bench.provider.pipelines(bench.within()),
        ]
        assert CANARY not in repr(shown) + caplog.text

    def test_settings_and_parameters_keep_it(self, bench: Bench) -> None:
        settings = SPEC.settings.model_validate({"token": CANARY})
        typed = SPEC.trigger.model_validate({"variables": f"A={CANARY}"})
        provider = bench.build(token=CANARY)
        assert CANARY not in f"{settings!r} {settings} {typed!r} {provider!r}"
