"""Allure TestOps' adapter where it needs no vendor: rules, replies, words, keys, bodies, paging."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.errors import ConfigError, Kind, ProviderError
from bot.domain.providers import Capability, Variable
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.domain.transitions import Reason, Snapshot, compare
from bot.net import HttpError, Reply
from bot.providers.allure import SPEC, AllureSettings
from bot.providers.allure_addresses import run_id_in, sources_for
from bot.providers.allure_api import Page
from bot.providers.allure_cursor import Cursor, Mark, Seen, fingerprint, seen_of, steady_end
from bot.providers.allure_errors import vendor_words, worded
from bot.providers.allure_polls import PAGES_A_POLL, newest, reaches, turned, walk
from bot.providers.allure_replies import (
    JobReply,
    JobRunReply,
    LaunchReply,
    ResultReply,
    ms_of,
    read_statistic,
    read_time,
)
from bot.providers.allure_reruns import quoted, status_in
from bot.providers.allure_session import AccessToken
from bot.providers.allure_starts import AllureTrigger, body_of, check_parameters
from bot.providers.allure_status import (
    Parts,
    attempt_of,
    decide,
    needs_progress,
    newest_of_each_job,
)
from bot.providers.allure_words import result_of, run_of, step_status, steps_of, web_url
from bot.providers.memory import Memory
from tests.fakes.net import START, StillClock

RECORDED = Path(__file__).parents[1] / "recorded" / "allure-testops"
CANARY = "canary-4711"
WEB = "https://allure.example.org"
MORNING_MS = 1795161600000
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def job_run(**fields: Any) -> JobRunReply:
    return JobRunReply.model_validate(fields)


def launch(**fields: Any) -> LaunchReply:
    return LaunchReply.model_validate({"id": 9984, "projectId": 37, **fields})


def rich(index: int) -> tuple[LaunchReply, Parts]:
    one = LaunchReply.model_validate(recorded("launches-page-preview")["content"][index])
    return one, Parts(one.jobs, one.statistic, None, one.environment or ())


def as_run(one: LaunchReply, parts: Parts) -> Run:
    return run_of("allure", WEB, 37, one, parts)


CASES: list[dict[str, Any]] = recorded("status-cases")


def parts_of(case: dict[str, Any]) -> Parts:
    jobs = [
        job_run(
            stage=job["stage"],
            status=job["status"],
            createdDate=MORNING_MS + job.get("created", 0),
            **({"job": {"id": job["job"]}} if "job" in job else {}),
        )
        for job in case["jobs"]
    ]
    return Parts(tuple(jobs), case["statistic"], case["ready"])


class TestRules:
    @pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
    def test_recorded_cases(self, case: dict[str, Any]) -> None:
        """Status, end and rule of every case, and whether it is a failure."""
        verdict = decide(parts_of(case), is_closed=case["closed"])
        assert verdict.status == case["normalised"]
        assert verdict.is_over is case["terminal"]
        assert verdict.status.is_failure is case["alert"]
        assert case["rule"].split()[-1] == verdict.rule

    def test_every_rule_has_a_case(self) -> None:
        assert {case["rule"].split()[-1] for case in CASES} == {f"R{n}" for n in range(1, 13)}

    @pytest.mark.parametrize(
        ("stages", "counts", "ready", "status", "rule"),
        [
            (["scheduled", "scheduled"], {}, None, Status.QUEUED, "R2"),
            (["scheduled", "scheduled"], {"passed": 1}, None, Status.RUNNING, "R2"),
            (["scheduled", "in_progress"], {}, None, Status.RUNNING, "R1"),
            (["run_failure", "scheduled"], {}, None, Status.RUNNING, "R2"),
            ([], {"in_progress": 1}, None, Status.RUNNING, "R3"),
            ([], {}, False, Status.RUNNING, "R3"),
            ([], {"passed": 0}, None, Status.QUEUED, "R4"),
            ([""], {}, None, Status.RUNNING, "R1"),
            (["finished"], {"skipped": 2, "unknown": 1}, True, Status.UNKNOWN, "R12"),
            (["finished"], {"passed": 1, "skipped": 2, "unknown": 1}, True, Status.PASSED, "R10"),
            (["finished"], {"exploded": 3}, True, Status.UNKNOWN, "R12"),
        ],
    )  # fmt: skip
    def test_more_of_the_table(
        self, stages: list[str], counts: dict[str, int], ready: bool | None,  # noqa: FBT001
        status: Status, rule: str,
    ) -> None:  # fmt: skip
        """Rows of section 4 of the vendor facts that no recorded case reaches, while open."""
        parts = Parts(tuple(job_run(stage=stage) for stage in stages), counts, ready)
        verdict = decide(parts, is_closed=False)
        assert (verdict.status, verdict.rule) == (status, rule)

    @pytest.mark.parametrize("stage", ["scheduled", "in_progress", "paused", None])
    def test_a_closed_launch_skips_the_open_rules(self, stage: str | None) -> None:
        """A close by timeout leaves stale stages."""
        parts = Parts((job_run(stage=stage),), {"passed": 1, "in_progress": 2}, ready=False)
        assert decide(parts, is_closed=True).status is Status.PASSED

    def test_an_older_job_run_does_not_count(self) -> None:
        """For R7, R8 and R9; whichever of the two stands first in the reply."""
        for stage, status in (
            ("run_failure", None),
            ("finished", "cancelled"),
            ("finished", "failed"),
        ):  # rows
            old = job_run(job={"id": 1}, stage=stage, status=status, createdDate=MORNING_MS)
            new = job_run(
                job={"id": 1}, stage="finished", status="passed", createdDate=MORNING_MS + 1
            )
            for runs in ((old, new), (new, old)):
                parts = Parts(runs, {"passed": 1}, ready=True)
                assert decide(parts, is_closed=False).status is Status.PASSED

    def test_other_jobs_count(self) -> None:
        one = job_run(job={"id": 1}, stage="finished", status="cancelled", createdDate=MORNING_MS)
        two = job_run(job={"id": 2}, stage="finished", status="passed", createdDate=MORNING_MS + 9)
        assert decide(Parts((one, two), {"passed": 1}), is_closed=True).status is Status.ABORTED

    @pytest.mark.parametrize("is_closed", [True, False])
    def test_nothing_readable(self, is_closed: bool) -> None:  # noqa: FBT001
        """Statistic and jobs both missing: unknown, and not over."""
        verdict = decide(Parts(None, None), is_closed=is_closed)
        assert (verdict.status, verdict.is_over) == (Status.UNKNOWN, False)

    @pytest.mark.parametrize(
        ("parts", "is_closed", "status", "is_over"),
        [
            (Parts(None, {"failed": 1}), True, Status.FAILED, True),
            (Parts(None, {"failed": 1}), False, Status.RUNNING, False),
            (Parts((job_run(stage="finished", status="failed"),), None), True,
             Status.ERRORED, True),
            (Parts((job_run(stage="finished", status="passed"),), None), True,
             Status.UNKNOWN, True),
            (Parts((job_run(stage="in_progress"),), None), False, Status.RUNNING, False),
        ],
    )  # fmt: skip
    def test_one_part_readable(
        self, parts: Parts, is_closed: bool, status: Status, is_over: bool  # noqa: FBT001
    ) -> None:  # fmt: skip
        verdict = decide(parts, is_closed=is_closed)
        assert (verdict.status, verdict.is_over) == (status, is_over)

    def test_upper_case(self) -> None:
        run = job_run(stage="FINISHED", status="Passed")
        counts = read_statistic([{"status": "FAILED", "count": 2}])
        assert decide(Parts((run,), counts), is_closed=True).rule == "R6"

    @pytest.mark.parametrize(
        ("runs", "counts", "is_closed", "expected"),
        [
            ([("finished", "passed")], {"passed": 1}, False, True),
            ([("finished", "passed")], {}, False, True),
            ([("finished", "passed")], {"passed": 1}, True, False),
            ([("in_progress", None)], {"passed": 1}, False, False),
            ([("scheduled", None)], {"passed": 1}, False, False),
            ([("run_failure", None)], {}, False, False),
            ([("run_failure", None)], {"passed": 1}, False, True),
            ([], {"passed": 1}, False, False),
            ([("finished", "passed")], {"in_progress": 1}, False, False),
        ],
    )  # fmt: skip
    def test_progress_is_asked_for_only_where_it_matters(
        self, runs: list[tuple[str, str | None]], counts: dict[str, int],
        is_closed: bool, expected: bool,  # noqa: FBT001
    ) -> None:  # fmt: skip
        parts = Parts(tuple(job_run(stage=a, status=b) for a, b in runs), counts)
        assert needs_progress(parts, is_closed=is_closed) is expected

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["scheduled", "in_progress", "finished", "run_failure", "odd", ""]),
                st.sampled_from(["passed", "failed", "cancelled", "unknown", None, "odd"]),
                st.sampled_from([None, 1, 2]),
            ),
            max_size=4,
        ),
        st.dictionaries(
            st.sampled_from(["passed", "failed", "broken", "skipped", "unknown", "in_progress"]),
            st.integers(0, 3),
        ),
        st.sampled_from([True, False, None]),
        st.booleans(),
    )
    def test_any_combination(
        self, runs: list[tuple[str, str | None, int | None]], counts: dict[str, int],
        ready: bool | None, is_closed: bool,  # noqa: FBT001
    ) -> None:  # fmt: skip
        """Closed is over; waiting never comes; red results of what is over are a failure."""
        made = tuple(
            job_run(stage=a, status=b, **({"job": {"id": c}} if c else {})) for a, b, c in runs
        )
        verdict = decide(Parts(made, counts, ready), is_closed=is_closed)
        assert verdict.is_over or not is_closed
        assert verdict.status is not Status.WAITING
        assert verdict.is_over == (verdict.rule in {f"R{n}" for n in range(6, 13)})
        red = counts.get("failed", 0) + counts.get("broken", 0)
        assert not (verdict.is_over and red) or verdict.status is Status.FAILED


class TestAttempts:
    @staticmethod
    def row(job: int | None, created: int, ended: int | None) -> JobRunReply:
        return job_run(
            **({"job": {"id": job}} if job else {}),
            stage="in_progress" if ended is None else "finished",
            createdDate=MORNING_MS + created,
            lastModifiedDate=MORNING_MS + (created if ended is None else ended),
        )

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ([], 1),
            ([(1, 0, 5)], 1),
            ([(1, 0, 5), (1, 5, None)], 2),
            ([(1, 6, None), (1, 0, 5)], 2),
            ([(1, 0, 5), (1, 6, 9), (1, 10, 12)], 3),
            ([(1, 0, 5), (1, 3, 9)], 1),
            ([(1, 0, 20), (1, 3, 9), (1, 10, 12)], 1),
            ([(1, 0, 9), (1, 3, 5), (1, 10, 12)], 2),
            ([(1, 0, None), (1, 6, 9)], 1),
            ([(1, 0, 5), (2, 6, 9)], 1),
            ([(None, 0, 5), (None, 6, 9)], 1),
        ],
    )  # fmt: skip
    def test_table(self, rows: list[tuple[int | None, int, int | None]], expected: int) -> None:
        """A run of a job after all earlier ones had ended is a new attempt; shards are not."""
        assert attempt_of([self.row(*row) for row in rows]) == expected

    def test_without_times(self) -> None:
        runs = [job_run(job={"id": 1}, stage="finished"), job_run(job={"id": 1})]
        assert attempt_of(runs) == 1

    def test_many_job_runs(self) -> None:
        """Linear: 20,000 job runs in one reply hold nobody up."""
        runs = [self.row(index % 7, 2 * index, 2 * index + 1) for index in range(20_000)]
        assert attempt_of(runs) > 2000
        assert len(newest_of_each_job(runs)) > 0


class TestReplies:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (1795161600000, datetime(2026, 11, 20, 8, tzinfo=UTC)),
            (1795161600123.0, datetime(2026, 11, 20, 8, 0, 0, 123000, UTC)),
            ("2026-11-20T08:00:00Z", datetime(2026, 11, 20, 8, tzinfo=UTC)),
            ("2026-11-20T09:00:00.500+01:00", datetime(2026, 11, 20, 8, 0, 0, 500000, UTC)),
        ],
    )
    def test_times(self, value: Any, expected: datetime) -> None:
        """Milliseconds, and text from some servers."""
        assert read_time(value) == expected
        assert read_time(ms_of(expected)) == expected

    @pytest.mark.parametrize(
        "value",
        [None, 0, -5, True, 1795161600, 10**18, 1e300, "", "soon", "2026-11-20T08:00:00",
         "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", [], {}, "1795161600000"],
    )  # fmt: skip
    def test_no_times(self, value: Any) -> None:
        assert read_time(value) is None

    @given(st.text())
    def test_any_text_is_a_time_or_none(self, text: str) -> None:
        found = read_time(text)
        assert found is None or found.tzinfo is UTC

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ([], {}),
            (None, None),
            ("x", None),
            ([{"status": "passed", "count": 2}, {"status": "PASSED", "count": 1}], {"passed": 3}),
            ([{"status": "passed", "count": -1}, {"status": "failed", "count": True}], {}),
            ([{"status": 7, "count": 1}, 7, None, {"count": 3}, {"status": "passed"}], {}),
        ],
    )
    def test_statistic(self, value: Any, expected: dict[str, int] | None) -> None:
        assert read_statistic(value) == expected

    @pytest.mark.parametrize(
        "fields",
        [{"id": 0}, {"id": -1}, {"id": True}, {"id": None}, {"id": "x"}, {"id": ".."}, {"id": "٣"},
         {"id": 1.5}, {"id": 10**20}, {}],
    )  # fmt: skip
    def test_a_launch_needs_an_id(self, fields: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as caught:
            LaunchReply.model_validate({**fields, "name": CANARY})
        assert CANARY not in str(caught.value)

    def test_odd_fields_cost_nothing_else(self) -> None:
        odd = {
            "id": "12", "name": 7, "projectId": "x", "closed": "yes", "createdDate": {},
            "statistic": 7, "jobs": "x", "environment": [7, {"name": 3, "variable": 3}],
        }  # fmt: skip
        one = LaunchReply.model_validate(odd)
        assert (one.id, one.name, one.closed, one.jobs, one.statistic) == (
            12,
            None,
            False,
            None,
            None,
        )  # one row
        assert as_run(one, Parts(one.jobs, one.statistic)).status is Status.UNKNOWN

    def test_rich_and_sparse(self) -> None:
        """Told by what is there, not by the call."""
        assert launch().statistic is None
        assert launch(statistic=[], jobs=[]).jobs == ()
        for item in recorded("launches-page-plain")["content"]:
            assert LaunchReply.model_validate(item).jobs is None

    def test_recorded_job_and_parameters(self) -> None:
        job = JobReply.model_validate(recorded("job"))
        assert [(p.id, p.value) for p in job.parameters] == [(31, "chrome"), (32, "staging")]
        odd = JobReply.model_validate({"id": 1, "parameters": [{"value": "x"}, 7, {"id": 2}]})
        assert [p.id for p in odd.parameters] == [2]

    def test_nothing_secret_in_a_repr(self) -> None:
        assert CANARY not in repr(AccessToken(CANARY, 0.0))
        assert CANARY not in repr(ResultReply(id=1, message=CANARY))


class TestWords:
    @pytest.mark.parametrize(
        ("index", "status", "raw"),
        [
            (0, Status.RUNNING, "open: in_progress"),
            (1, Status.FAILED, "closed: finished/failed"),
            (2, Status.PASSED, "closed: finished/passed"),
            (3, Status.ERRORED, "open: run_failure"),
            (4, Status.ABORTED, "closed: finished/cancelled"),
            (5, Status.RUNNING, "open"),
        ],
    )
    def test_recorded_launches(self, index: int, status: Status, raw: str) -> None:
        run = as_run(*rich(index))
        assert (run.status, run.raw_status) == (status, raw)
        assert run.is_over is (status is not Status.RUNNING)
        assert run.author == "dana"

    def test_a_failed_launch(self) -> None:
        run = as_run(*rich(1))
        assert str(run.ref) == "allure:9984"
        assert run.title == "Smoke main"
        assert run.pipeline.key == "37/web-regression"
        assert run.aliases == ("37", "37/14")
        assert run.branch == "main"
        assert run.url == f"{WEB}/launch/9984"
        counts = run.counts
        assert (counts.total, counts.passed, counts.failed, counts.skipped) == (126, 118, 4, 4)
        assert run.created == read_time(1795154400000)
        assert run.finished == read_time(1795155600000)
        assert run.failed_step is None

    def test_a_build_that_did_not_start(self) -> None:
        run = as_run(*rich(3))
        assert run.failed_step == "web-regression"
        (step,) = steps_of([JobRunReply.model_validate(recorded("launch-jobs-run-failure")[0])])
        assert (step.step_id, step.name, step.status) == ("5202", "web-regression", Status.ERRORED)
        assert step.message.startswith("Could not start the pipeline: 401 Unauthorized CI build: ")
        assert step.message.endswith("/pipelines/905202")

    def test_pipelines_of_launches(self) -> None:
        """One job: the job's key. None or several: the project's; all others are aliases."""
        one, _ = rich(0)
        web, api = ({"job": {"id": 14, "name": "web"}}, {"job": {"id": 15, "name": "api/v2"}})
        assert as_run(one, Parts(())).pipeline.key == "37"
        several = as_run(one, Parts((job_run(**web), job_run(**api))))
        assert several.pipeline.key == "37"
        assert several.aliases == ("37/web", "37/api/v2", "37/14", "37/15")
        nameless = as_run(one, Parts((job_run(job={"id": 15}),)))
        assert (nameless.pipeline.key, nameless.aliases) == ("37/15", ("37",))
        assert as_run(one, Parts((job_run(name="#1"),))).pipeline.key == "37"

    def test_the_end(self) -> None:
        """That of the last job run; a stale stage, or none, leaves the launch's last change."""
        early, late = MORNING_MS + 1000, MORNING_MS + 9000
        one = launch(closed=True, lastModifiedDate=late)
        done = job_run(stage="finished", lastModifiedDate=early)
        stale = job_run(stage="in_progress", lastModifiedDate=early)
        assert as_run(one, Parts((done,))).finished == read_time(early)
        assert as_run(one, Parts((done, stale))).finished == read_time(late)
        assert as_run(one, Parts(())).finished == read_time(late)
        assert as_run(launch(), Parts(())).finished is None

    def test_unknown_but_over(self) -> None:
        """R12: nothing more is expected of it."""
        run = as_run(launch(closed=True, lastModifiedDate=MORNING_MS), Parts(()))
        assert (run.status, run.is_over) == (Status.UNKNOWN, True)
        assert not as_run(launch(closed=True), Parts(None, None)).is_over

    def test_progress(self) -> None:
        counts = read_statistic(recorded("launch-statistic-in-progress"))
        assert as_run(launch(), Parts((), counts)).progress == 86
        assert as_run(launch(), Parts((), {"passed": 4})).progress is None

    def test_variables_of_the_environment(self) -> None:
        one = launch(
            environment=[
                {"name": "feature/x", "variable": {"name": " BRANCH "}},
                {"name": "other", "variable": {"name": "branch"}},
                {"name": "deadbeef", "variable": {"name": "Commit"}},
                {"name": "staging\nx", "variable": {"name": "Environment"}},
                {"name": None, "variable": None},
            ]
        )
        run = as_run(one, Parts((), {}, None, one.environment or ()))
        assert (run.branch, run.commit, run.environment) == ("feature/x", "deadbeef", "staging x")

    def test_names_are_one_line(self) -> None:
        run = as_run(launch(name="a\n\x00b\u2028 c" + "x" * 999), Parts(()))
        assert run.title.startswith("a b c")
        assert len(run.title) == 300

    @pytest.mark.parametrize(
        ("stage", "status", "expected"),
        [
            ("scheduled", None, Status.QUEUED),
            ("in_progress", None, Status.RUNNING),
            ("run_failure", None, Status.ERRORED),
            ("finished", "passed", Status.PASSED),
            ("finished", "failed", Status.FAILED),
            ("finished", "cancelled", Status.ABORTED),
            ("finished", "unknown", Status.UNKNOWN),
            ("finished", None, Status.UNKNOWN),
            ("finished", "exploded", Status.UNKNOWN),
            ("paused", None, Status.UNKNOWN),
            (None, "failed", Status.FAILED),
            (None, None, Status.UNKNOWN),
        ],
    )
    def test_steps(self, stage: str | None, status: str | None, expected: Status) -> None:
        """Stage and CI result, row by row."""
        run = job_run(stage=stage, status=status)
        assert step_status(run) is expected
        raw = "/".join(word for word in (stage, status) if word)
        assert steps_of([run])[0].raw_status == raw

    def test_steps_of_the_same_job(self) -> None:
        runs = [job_run(id=n, name=f"#{n}", job={"id": 1, "name": "web"}) for n in (5, 6)]
        other = job_run(id=7, job={"id": 2, "name": "api"})
        assert [s.name for s in steps_of([*runs, other])] == ["web #5", "web #6", "api"]

    def test_a_result(self) -> None:
        short = ResultReply.model_validate(recorded("testresults-search-page")["content"][0])
        full = ResultReply.model_validate(recorded("testresult"))
        test = result_of(WEB, 9984, short, full)
        assert test.name == "Checkout with saved card"
        assert test.error == "AssertionError: expected 'PAID' but was 'DECLINED'"
        assert test.duration_s == 28.8
        assert test.url == f"{WEB}/launch/9984/tree/880001"
        assert "trace" not in repr(full)

    @pytest.mark.parametrize(
        ("word", "expected"),
        [
            ("passed", Status.PASSED), ("failed", Status.FAILED), ("broken", Status.ERRORED),
            ("skipped", Status.SKIPPED), ("in_progress", Status.RUNNING),
            ("unknown", Status.UNKNOWN), ("odd", Status.UNKNOWN), ("BROKEN", Status.ERRORED),
        ],
    )  # fmt: skip
    def test_words_of_results(self, word: str, expected: Status) -> None:
        result = ResultReply.model_validate({"id": 1, "status": word})
        assert result_of(WEB, 1, result, None).status is expected

    def test_only_the_first_line_of_a_failure(self) -> None:
        text = "\n\n  <b>Boom</b> \x00now\nat secret.place\n"
        result = ResultReply.model_validate({"id": 1, "message": text})
        assert result_of(WEB, 1, result, result).error == "Boom now"
        long = ResultReply.model_validate({"id": 1, "message": "x" * 999})
        assert len(result_of(WEB, 1, long, long).error) == 300

    @pytest.mark.parametrize(
        "url",
        ["javascript:alert(1)", "https://a:b@ci.example.org/", "https://ci.example.org/ x", "",
         "https://[", "ftp://ci.example.org", "https://ci.example.org/" + "x" * 400,
         "https://ci.example.org/\n", "//ci.example.org"],
    )  # fmt: skip
    def test_odd_addresses_of_builds_are_left_out(self, url: str) -> None:
        assert web_url(url) is None
        assert steps_of([job_run(url=url)])[0].message == ""


class TestAddresses:
    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("37", ("37",)),
            ("37/web-regression", ("37",)),
            ("37/a/b", ("37",)),
            ("37/*", ("37",)),
            ("37/web[12]", ("37",)),
            ("99/x*", ("99",)),
            ("*", ("37", "380", "4")),
            ("3*", ("37", "380")),
            ("38?", ("380",)),
            ("*regression", ("37", "380", "4")),
            ("5*", ()),
            ("web-regression", ()),
            ("", ()),
            ("../37", ()),
            ("0/x", ()),
        ],
    )
    def test_sources(self, pattern: str, expected: tuple[str, ...]) -> None:
        assert sources_for(pattern, ("37", "380", "4")) == expected

    def test_a_glob_without_projects(self) -> None:
        assert sources_for("37/*", ()) == ("37",)
        with pytest.raises(ConfigError, match="PROJECTS is not set"):
            sources_for("*", ())

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            (f"{WEB}/launch/9984", "9984"),
            (f"{WEB}/launch/9984/", "9984"),
            (f"{WEB}/launch/9984/tree/880001?x=1#y", "9984"),
            (f"{WEB}:443/launch/9984", "9984"),
            (f"{WEB}/api/launch/9984/statistic", "9984"),
            (f"{WEB}/api/rs/launch/9984", "9984"),
            (f" {WEB}/launch/9984 ", "9984"),
            (f"{WEB}/launch/0", None),
            (f"{WEB}/launch/9984x", None),
            (f"{WEB}/launch/../9984", None),
            (f"{WEB}/launches/9984", None),
            (f"{WEB}/project/37/launch/9984", None),
            (f"{WEB}:444/launch/9984", None),
            ("https://evil.example.org/launch/9984", None),
            ("https://x@allure.example.org/launch/9984", None),
            ("ftp://allure.example.org/launch/9984", None),
            ("https://[/launch/9984", None),
            ("https://allure.example.org:x/launch/9984", None),
            ("", None),
        ],
    )
    def test_pasted_addresses(self, url: str, expected: str | None) -> None:
        assert run_id_in(url, WEB) == expected

    def test_below_a_path(self) -> None:
        assert run_id_in(f"{WEB}/testops/launch/5", f"{WEB}/testops") == "5"
        assert run_id_in(f"{WEB}/launch/5", f"{WEB}/testops") is None

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        assert run_id_in(text, WEB) is None


class TestStarts:
    @staticmethod
    def made(*env: Variable, **typed: str) -> dict[str, Any]:
        return body_of(AllureTrigger.model_validate(typed), "made up", env)[0]

    def test_recorded_bodies(self) -> None:
        typed = {"launchName": "web-regression requested from chat", "tags": "chat-ops"}
        assert self.made(**typed, parameters="31=firefox") == recorded("job-run-request")
        plan = {"launchName": "Regression plan requested from chat", "tags": "chat-ops"}
        assert self.made(**plan, testPlanId="60") == recorded("testplan-run-request")

    def test_nothing_empty_is_sent(self) -> None:
        blank = {"launchName": "  ", "tags": "", "links": " , ", "parameters": " "}
        assert self.made(**blank) == {"launchName": "made up"}

    def test_everything(self) -> None:
        typed = {
            "launchName": "n", "tags": "a, b,a", "links": "https://a.example.org/x",
            "parameters": '[{"id": 31, "value": "a,b=c"}]', "releaseId": "4",
        }  # fmt: skip
        assert self.made(Variable("B", "2"), Variable("A", "$B"), **typed) == {
            "launchName": "n",
            "tags": [{"name": "a"}, {"name": "b"}],
            "links": [{"url": "https://a.example.org/x"}],
            "parameters": [{"id": 31, "value": "a,b=c"}],
            "releaseId": 4,
            "envVarValueSets": [
                {
                    "values": [
                        {"name": "2", "variable": {"name": "B"}},
                        {"name": "$B", "variable": {"name": "A"}},
                    ]
                }
            ],
        }

    def test_parameters_keep_later_equal_signs(self) -> None:
        made = self.made(parameters="31=a=b, 32 = x y ")
        assert made["parameters"] == [{"id": 31, "value": "a=b"}, {"id": 32, "value": " x y"}]

    def test_a_long_name_is_cut_and_told(self) -> None:
        typed = AllureTrigger.model_validate({"launchName": "ü" * 300})
        body, note = body_of(typed, "", ())
        assert body["launchName"] == "ü" * 255
        assert "255" in note
        assert body_of(AllureTrigger.model_validate({"launchName": "ü" * 255}), "", ())[1] == ""

    @pytest.mark.parametrize(
        "typed",
        [
            {"parameters": "firefox"}, {"parameters": "0=x"}, {"parameters": "31=x,,"},
            {"parameters": "[7]"}, {"parameters": '[{"id": 31}]'}, {"parameters": "[" * 9999},
            {"parameters": '[{"id": "..", "value": "x"}]'},
            {"parameters": "31=x", "testPlanId": "6"},
            {"links": "javascript:x"}, {"testPlanId": "0"}, {"testPlanId": "x"},
            {"releaseId": "-1"}, {"branch": "main"}, {"selection": "x"},
        ],
    )  # fmt: skip
    def test_refused(self, typed: dict[str, str]) -> None:
        with pytest.raises(ValidationError) as caught:
            AllureTrigger.model_validate(typed)
        assert "input_value" not in str(caught.value)

    def test_a_parameter_the_job_does_not_have(self) -> None:
        job = JobReply.model_validate(recorded("job"))
        check_parameters(AllureTrigger.model_validate({"parameters": "31=x"}), job)
        with pytest.raises(ProviderError, match=r"no parameter 33; it has: 31 \(now chrome\)") as e:
            check_parameters(AllureTrigger.model_validate({"parameters": "33=x"}), job)
        assert e.value.kind is Kind.INVALID

    def test_names_are_the_vendors(self) -> None:
        schema = AllureTrigger.model_json_schema(by_alias=True)["properties"]
        names = {"launchName", "tags", "links", "parameters", "releaseId", "testPlanId"}
        assert set(schema) == names
        assert all(field["description"] for field in schema.values())


class TestReruns:
    def test_recorded_filter(self) -> None:
        rql = status_in(("failed", "broken", "unknown"))
        assert {"rql": rql} == recorded("jobrun-rerun-request")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("a", '"a"'), ('a"b', '"a\\"b"'), ("a\\", '"a\\\\"'), ('\\"', '"\\\\\\""')],
    )
    def test_quoting(self, text: str, expected: str) -> None:
        assert quoted(text) == expected


class TestSpec:
    def test_what_it_says(self) -> None:
        assert set(Capability) - SPEC.capabilities == {Capability.LOG} == set(SPEC.refusals)
        assert SPEC.runs_reopen
        assert SPEC.retry_is_native
        assert SPEC.retry_scopes == {"all", "failed"}
        assert SPEC.takes_variables

    def test_settings(self) -> None:
        made = AllureSettings.model_validate(
            {
                "token": " t ",
                "base_url": f"{WEB}/",
                "projects": "37, 38,37",
                "api_prefix": "api/rs/",
            }
        )
        assert (made.base_url, made.projects, made.api_prefix) == (WEB, ("37", "38"), "/api/rs")
        assert made.token.get_secret_value() == "t"
        assert AllureSettings.model_validate({"token": "t", "base_url": WEB}).api_prefix == "/api"

    @pytest.mark.parametrize(
        "fields",
        [
            {"base_url": ""}, {"base_url": "http://allure.example.org"}, {"projects": "web"},
            {"projects": "../x"}, {"api_prefix": "/api/v2"}, {"api_prefix": "/api/../x"},
            {"token": ""}, {"token": "a b"}, {"colour": "red"}, {"projects": "0"},
        ],
    )  # fmt: skip
    def test_bad_settings(self, fields: dict[str, str]) -> None:
        values = {"token": CANARY, "base_url": WEB, **fields}
        with pytest.raises(ValidationError) as caught:
            AllureSettings.model_validate(values)
        assert CANARY not in str(caught.value)

    def test_the_host_is_required(self) -> None:
        with pytest.raises(ValidationError, match="base_url"):
            AllureSettings.model_validate({"token": "t"})


def page(*launches: LaunchReply, is_last: bool = False, bad_items: int = 0) -> Page[LaunchReply]:
    return Page(launches, bad_items, is_last)


def made_at(launch_id: int, minute: int) -> LaunchReply:
    return launch(id=launch_id, createdDate=MORNING_MS + 60_000 * minute)


class TestPaging:
    MARK = Mark(launch_id=5, created_ms=MORNING_MS + 60_000 * 5)
    NOW = datetime.fromtimestamp(MORNING_MS / 1000 + 60 * 600, UTC)
    REACHES = staticmethod(reaches(MARK))

    @staticmethod
    def reader(*pages: Page[LaunchReply]) -> tuple[list[int], Callable[[int], Page[LaunchReply]]]:
        asked: list[int] = []

        def read(number: int) -> Page[LaunchReply]:
            asked.append(number)
            return pages[min(number, len(pages) - 1)]

        return asked, read

    def test_reads_on_to_the_mark(self) -> None:
        """Also past launches of the very same moment; a repeated one counts once."""
        asked, read = self.reader(
            page(made_at(9, 9), made_at(8, 8), bad_items=1),
            page(made_at(8, 8), made_at(7, 5), bad_items=1),
            page(made_at(5, 5), made_at(4, 4)),
        )
        found = walk(read, self.REACHES)
        assert asked == [0, 1, 2]
        assert [one.id for one in found.launches] == [9, 8, 7, 5, 4]
        assert (found.bad_items, found.next_page) == (2, None)

    def test_stops_at_the_last_page(self) -> None:
        asked, read = self.reader(page(made_at(9, 9), is_last=True))
        assert walk(read, self.REACHES).next_page is None
        assert asked == [0]

    def test_the_freshest_of_two_readings_counts(self) -> None:
        """A launch that moved to the next page meanwhile is as it was on the earlier one."""
        _, read = self.reader(page(made_at(9, 9)), page(made_at(9, 8), made_at(4, 4)))
        assert walk(read, self.REACHES).launches[0].created_date == read_time(MORNING_MS + 540_000)

    def test_a_gap_is_told(self) -> None:
        asked, read = self.reader(page(made_at(9, 9)))
        assert walk(read, self.REACHES, 3).next_page == 3 + PAGES_A_POLL
        assert asked == list(range(3, 3 + PAGES_A_POLL))

    def test_the_mark_never_moves_back(self) -> None:
        assert newest([made_at(4, 4)], self.MARK, self.NOW) == self.MARK
        assert newest([made_at(9, 9), made_at(4, 4)], self.MARK, self.NOW).launch_id == 9
        assert newest([], None, self.NOW).is_before(made_at(1, 0))

    def test_a_launch_of_next_year_hides_no_other(self) -> None:
        ahead, good = made_at(3, 525_600), made_at(9, 9)
        assert newest([ahead, good], None, self.NOW).launch_id == 9
        old = Mark(launch_id=3, created_ms=ms_of(ahead.created_date))
        assert newest([ahead, good], old, self.NOW).launch_id == 9
        alone = newest([ahead], None, self.NOW)
        assert (alone.launch_id, alone.created_ms) == (3, ms_of(self.NOW))
        assert not reaches(alone)([ahead, made_at(10, 601)])
        assert reaches(alone)([ahead, made_at(9, 599)])

    def test_a_page_that_cannot_be_read_costs_no_other(self) -> None:
        def read(number: int) -> Page[LaunchReply]:
            if number:
                raise ProviderError(Kind.UNAVAILABLE, "no")
            return page(made_at(9, 9))

        found = walk(read, self.REACHES)
        assert ([one.id for one in found.launches], found.bad_items) == ([9], 1)
        assert found.next_page == 1

    def test_turns(self) -> None:
        assert turned([1, 2, 3], 7, 3) == ([1, 2, 3], 0)
        assert turned([1, 2, 3], 0, 2) == ([1, 2], 2)
        assert turned([1, 2, 3], 2, 2) == ([3, 1], 4)


class TestCursor:
    def test_round_trip(self) -> None:
        seen = {n: Seen(n, is_closed=True, shown=7, status="failed", finished_ms=n) for n in (1, 2)}
        cursor = Cursor(mark=Mark(launch_id=2, created_ms=3), seen=seen, todo=(4, 5), open_turn=2)
        again = Cursor.read(cursor.written())
        assert again.seen == seen
        assert (again.mark, set(again.todo), again.open_turn) == (cursor.mark, {4, 5}, 2)

    @pytest.mark.parametrize("text", ["", "x", "[]", "{", '{"seen": 7}', '{"open_turn": -1}'])
    def test_a_broken_one_is_none(self, text: str) -> None:
        assert Cursor.read(text) == Cursor()

    def test_its_size_is_bounded(self) -> None:
        seen = {n: Seen(n, is_closed=True) for n in range(1, 3000)}
        again = Cursor.read(Cursor(seen=seen, todo=tuple(range(9000))).written())
        assert sorted(again.seen) == list(range(2850, 3000))
        assert sorted(again.todo) == list(range(7000, 9000))

    def test_what_differs(self) -> None:
        one = launch(closed=True, lastModifiedDate=MORNING_MS, statistic=[], jobs=[])
        seen = seen_of(one, as_run(one, Parts(())))
        assert not seen.differs(one)
        changed = [
            one.model_copy(update={"closed": False}),
            one.model_copy(update={"last_modified_date": read_time(MORNING_MS + 1)}),
            one.model_copy(update={"statistic": {"failed": 1}}),
            one.model_copy(update={"jobs": (job_run(id=1, stage="scheduled"),)}),
        ]
        assert all(seen.differs(other) for other in changed)
        assert seen.is_after(
            one.model_copy(update={"last_modified_date": read_time(MORNING_MS - 1)})
        )
        assert len({fingerprint(other) for other in changed}) == 3


class TestEnds:
    """The end of a launch that is over, as far as it decides on alerts."""

    DONE = Parts((job_run(stage="finished", lastModifiedDate=MORNING_MS),), {"failed": 1})
    NO_JOBS = Parts((), {"failed": 1})
    END = read_time(MORNING_MS)

    def seen(self, parts: Parts, status: str = "failed") -> tuple[LaunchReply, Seen]:
        one = launch(closed=True, lastModifiedDate=MORNING_MS)
        return one, seen_of(one, as_run(one, parts))._replace(status=status)

    def test_a_later_tag_does_not_move_it(self) -> None:
        one, seen = self.seen(self.NO_JOBS)
        edited = one.model_copy(update={"last_modified_date": read_time(MORNING_MS + 5000)})
        run = as_run(edited, self.NO_JOBS)
        assert run.finished != self.END
        assert steady_end(run, edited, self.NO_JOBS, seen, NOW) == self.END

    def test_a_job_run_again_moves_it(self) -> None:
        _, seen = self.seen(self.DONE)
        again = Parts((job_run(stage="finished", lastModifiedDate=MORNING_MS + 9),), {"failed": 1})
        one = launch(closed=True, lastModifiedDate=MORNING_MS)
        assert steady_end(as_run(one, again), one, again, seen, NOW) == read_time(MORNING_MS + 9)

    def test_a_verdict_that_turned_has_an_end_of_its_own(self) -> None:
        one, seen = self.seen(self.DONE, "passed")
        assert steady_end(as_run(one, self.DONE), one, self.DONE, seen, NOW) == NOW
        later = one.model_copy(update={"last_modified_date": read_time(MORNING_MS + 5)})
        end = steady_end(as_run(later, self.DONE), later, self.DONE, seen, NOW)
        assert end == read_time(MORNING_MS + 5)
        past = datetime(2020, 1, 1, tzinfo=UTC)
        end = steady_end(as_run(one, self.DONE), one, self.DONE, seen, past)
        assert end is not None
        assert end - timedelta(seconds=1) == self.END

    def test_what_the_domain_makes_of_it(self) -> None:
        """A tag is no news; a green launch that turns red is."""
        one, seen = self.seen(self.NO_JOBS)
        before = Snapshot(as_run(one, self.NO_JOBS), 1, NOW, NOW)
        edited = one.model_copy(update={"last_modified_date": read_time(MORNING_MS + 5000)})
        run = as_run(edited, self.NO_JOBS)
        kept = compare(before, run, now=NOW, runs_reopen=True)
        assert kept.reason is Reason.FAILED_AGAIN  # what must not be
        steady = steady_end(run, edited, self.NO_JOBS, seen, NOW)
        told = compare(before, with_end(run, steady), now=NOW, runs_reopen=True)
        assert told.reason is Reason.STILL_THE_SAME

    def test_what_moves_has_no_end(self) -> None:
        one, seen = self.seen(self.NO_JOBS)
        opened = one.model_copy(update={"closed": False})
        assert steady_end(as_run(opened, self.NO_JOBS), opened, self.NO_JOBS, seen, NOW) is None


def with_end(run: Run, finished: datetime | None) -> Run:
    return replace(run, finished=finished)


def refused(status: int, body: Any, headers: dict[str, str] | None = None) -> HttpError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kinds = {401: Kind.AUTH, 403: Kind.FORBIDDEN, 404: Kind.NOT_FOUND, 409: Kind.CONFLICT}
    reply = Reply(status, {"Content-Type": "application/json", **(headers or {})}, raw)
    return HttpError(kinds.get(status, Kind.INVALID), "net", reply=reply)


class TestErrorWords:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"status": 400, "message": "Bad AQL"}, "Bad AQL"),
            ({"error": "e", "error_description": "described"}, "described"),
            ({"message": 7, "error": "e"}, "e"),
            ({"message": " ", "detail": "d", "title": "t"}, "d"),
            ({"title": "t"}, "t"),
            ({"message": "<b>x</b>\n\x07y"}, "x y"),
            ([], ""), ("x", ""), (b"<html>no</html>", ""), (b"", ""),
            ({"message": f"no {CANARY}"}, ""),
            ({"message": "no canary- 4711"}, ""),
            ({"message": "Bearer eyJhbGciOiJSUzI1NiJ9.EXAMPLE.SIGNATURE"}, ""),
        ],
    )  # fmt: skip
    def test_what_the_vendor_says(self, body: Any, expected: str) -> None:
        assert vendor_words(refused(400, body).reply, (CANARY,)) == expected

    @pytest.mark.parametrize(
        ("status", "body", "headers", "kind", "words"),
        [
            (400, {"message": "bad"}, {}, Kind.INVALID, "It says: bad"),
            (403, {"message": "Access is denied"}, {}, Kind.FORBIDDEN, "not found, or no access"),
            (404, {}, {}, Kind.NOT_FOUND, "does not have that"),
            (404, b"<html>", {"Content-Type": "text/html"}, Kind.BAD_REPLY, "API_PREFIX"),
            (409, {"message": "Launch is closed"}, {}, Kind.CONFLICT, "would have to be reopened"),
            (400, {"message": "The launch is closed"}, {}, Kind.CONFLICT, "reopened"),
            (423, {"message": "Locked"}, {}, Kind.UNAVAILABLE, "locked"),
            (403, b"<html>", {"cf-mitigated": "challenge"}, Kind.UNAVAILABLE, "web shield"),
            (302, b"", {"Location": "https://elsewhere"}, Kind.BAD_REPLY, "a redirect"),
        ],
    )
    def test_statuses(
        self, status: int, body: Any, headers: dict[str, str], kind: Kind, words: str
    ) -> None:
        error = worded(refused(status, body, headers))
        assert error.kind is kind
        assert words in error.message
        assert "<" not in error.message

    def test_recorded_bodies(self) -> None:
        """Every recorded error gives a sentence, and no HTML."""
        for entry in recorded("errors"):
            body = entry["body"]
            raw = body.encode() if isinstance(body, str) else body
            error = worded(refused(entry["http_status"], raw, entry.get("headers")))
            assert error.message
            assert "<" not in error.message
            assert not isinstance(error, HttpError)


class TestMemory:
    def test_values_go_stale_and_do_not_grow(self) -> None:
        clock = StillClock()
        memory: Memory[int, str] = Memory(clock, 10.0)
        memory.put(1, "a")
        clock.passed_s = 9.9
        assert memory.get(1) == "a"
        assert memory.items() == [(1, "a")]
        clock.passed_s = 10.0
        assert memory.get(1) is None
        assert memory.items() == []
        for number in range(5001):
            memory.put(number, "x")
        assert memory.get(0) is None
        assert memory.get(1) == "x"
        memory.forget(1)
        assert memory.get(1) is None
        assert START.tzinfo is UTC
