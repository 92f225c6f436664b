"""env0's adapter where it needs no vendor: replies, words, keys, addresses, bodies, polls."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import PipelineRef
from bot.domain.providers import Capability
from bot.domain.runs import Counts, Run, is_run_id
from bot.domain.statuses import Status
from bot.providers.answers import readable
from bot.providers.env0 import SPEC, Env0Settings
from bot.providers.env0_addresses import Links, checked_web_path, is_key, sources_for
from bot.providers.env0_api import Env0Api
from bot.providers.env0_modules import Module, Modules, keyed
from bot.providers.env0_polls import Cursor, marked, news, turned
from bot.providers.env0_replies import (
    DeploymentReply,
    LogPage,
    ModuleReply,
    Organization,
    RunReply,
    StepReply,
    error_words,
    is_id,
    read_time,
    safe_words,
)
from bot.providers.env0_runs import Runs
from bot.providers.env0_starts import Env0Trigger, body_of, repeated
from bot.providers.env0_words import (
    STATUSES,
    STEP_STATUSES,
    branch_of,
    commit_of,
    counts_of,
    in_order,
    results_of,
    status_of,
    step_of,
    title_of,
)
from bot.providers.memory import Memory
from tests.fakes.net import StillClock

RECORDED = Path(__file__).parents[1] / "recorded" / "env0"
CANARY = "canary-4711"
RECORDED_SECRET = "SECRET-DO-NOT-SHOW"
COMMIT = "3f9c2d17a0b84e5f9d61"
MODULE_ID = "7b0d6a54-93f5-4b5f-8f0c-6f3f1b1f2a90"
ORGANIZATION_ID = "2f6c1f0e-5a53-4d0c-9a57-0b8a3a0e7c11"
DEPLOYMENT_ID = "4857c7eb-9ba9-403e-ac97-68c1c58a4d01"
LINKS = Links("https://api.env0.com", "https://app.env0.com")
VPC = Module(MODULE_ID, "vpc", "vpc (aws)", (MODULE_ID, "vpc/aws"), is_enabled=True)
RUN_FILES = ("failure", "in-progress", "minimal", "queued", "success")


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def recorded_run(name: str) -> Any:
    return recorded(f"module-test-run-{name}")


def reply(**fields: Any) -> RunReply:
    return RunReply.model_validate(recorded_run("minimal") | fields)


def shown(value: Any) -> Run:
    """A run as the provider makes it, with no project to be asked for."""
    clock = StillClock()
    modules = Modules(cast("Env0Api", None), clock, ORGANIZATION_ID)
    modules._projects.put("", "")
    runs = Runs("env0", cast("Env0Api", None), modules, LINKS, clock)
    return runs.run_of(RunReply.model_validate(value), VPC, Deadline.after(clock, 5))


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2022-09-08T12:04:54.000Z", datetime(2022, 9, 8, 12, 4, 54, 0, UTC)),
            ("2022-09-08T12:04:54Z", datetime(2022, 9, 8, 12, 4, 54, 0, UTC)),
            ("2022-09-08T14:04:54.25+02:00", datetime(2022, 9, 8, 12, 4, 54, 250000, UTC)),
        ],
    )
    def test_recorded_form_and_its_kin(self, text: str, expected: datetime) -> None:
        assert read_time(text) == expected

    @pytest.mark.parametrize(
        "value",
        [
            None, 7, 1795162481000, True, [], {}, "", "soon", "2022-09-08", "2022-13-08T12:04:54Z",
            "2022-09-08T12:04:54", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
            "1970-01-01T00:00:00.000Z", "٢٠٢٢-09-08T12:04:54Z", "2022-09-08T12:04:54Z\n",
        ],
    )  # fmt: skip
    def test_none_rather_than_failure(self, value: Any) -> None:
        assert read_time(value) is None

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        found = read_time(text)
        assert found is None or found.tzinfo is UTC


class TestStatus:
    @pytest.mark.parametrize("case", recorded("status-cases"), ids=lambda case: str(case["raw"]))
    def test_table(self, case: dict[str, Any]) -> None:
        """Section 4 of the vendor facts, row by row: word, whether it is over, whether it
        alarms; and in any case.
        """
        for raw in {case["raw"], case["raw"] and case["raw"].lower()}:
            run = shown(recorded_run("minimal") | {"status": raw})
            assert run.status.value == case["normalised"]
            assert run.status.is_terminal is case["terminal"]
            assert run.status.is_failure is case["alert"]
            assert run.raw_status == (raw or "")

    def test_no_word_is_untested(self) -> None:
        assert set(STATUSES) < {case["raw"] for case in recorded("status-cases")}

    @pytest.mark.parametrize("odd", [None, 7, True, [], {"a": 1}, "", "  "])
    def test_a_status_of_another_type(self, odd: Any) -> None:
        assert shown(recorded_run("minimal") | {"status": odd}).status is Status.UNKNOWN

    @pytest.mark.parametrize(
        ("raw", "expected", "has_log"),
        [
            ("NOT_STARTED", Status.QUEUED, False),
            ("IN_PROGRESS", Status.RUNNING, True),
            ("WAITING_FOR_USER", Status.WAITING, True),
            ("SUCCESS", Status.PASSED, True),
            ("WARNING", Status.PASSED, True),
            ("FAIL", Status.FAILED, True),
            ("TIMEOUT", Status.ERRORED, True),
            ("CANCELLED", Status.ABORTED, True),
            ("SKIPPED", Status.SKIPPED, False),
            ("FAILURE", Status.UNKNOWN, True),
            ("ODD", Status.UNKNOWN, True),
            (None, Status.UNKNOWN, True),
        ],
    )
    def test_steps(self, raw: str | None, expected: Status, has_log: bool) -> None:  # noqa: FBT001
        """Section 7, row by row; a step that fails is `FAIL` and not `FAILURE`."""
        step = step_of(StepReply(name="x", status=raw))
        assert (step.status, step.has_log) == (expected, has_log)

    def test_a_warning_is_told(self) -> None:
        assert step_of(StepReply(name="x", status="WARNING")).message == "warning"
        assert len(STEP_STATUSES) == 9


class TestRecordedRuns:
    @pytest.mark.parametrize("name", RUN_FILES)
    def test_every_recorded_run_is_read(self, name: str) -> None:
        run = shown(recorded_run(name))
        assert run.status is not Status.UNKNOWN
        assert (run.pipeline, run.aliases) == (PipelineRef("env0", "vpc"), VPC.aliases)
        assert RECORDED_SECRET not in repr(run)

    def test_failure(self) -> None:
        """Each field of a run lands where it belongs."""
        run = shown(recorded_run("failure"))
        assert str(run.ref) == "env0:b6a1f0d2-7c59-4b3b-8a44-d0c5f6a7b801"
        assert (run.status, run.raw_status) == (Status.FAILED, "FAILURE")
        assert (run.branch, run.commit, run.author) == ("feature/subnets", COMMIT, "octo-dev")
        assert run.title == "pull request #482 into main"
        assert run.counts == Counts(14, 11, 2, 1)
        assert run.created == datetime(2026, 11, 20, 8, 14, 2, 0, UTC)
        assert run.duration == timedelta(minutes=3, seconds=32)
        assert run.url == (
            "https://app.env0.com/p/9a2e44f1-6f0b-4d51-9d2a-5a1e6a0d3b20/environments/"
            f"c1b5d1c8-3c0b-4a63-8a6f-2d1f6f1f0c77/deployments/{DEPLOYMENT_ID}"
        )

    def test_branch_and_commit_of_a_run_by_hand(self) -> None:
        """`commitHash` holds the branch's name there, which is no commit."""
        run = shown(recorded_run("success"))
        assert (run.branch, run.commit, run.author) == ("main", None, "Dana Levi")
        assert (run.title, run.counts.failed) == ("", 0)

    def test_minimal_has_no_link(self) -> None:
        run = shown(recorded_run("minimal"))
        assert (run.url, run.branch, run.created) == (None, None, None)

    def test_list_is_read_and_holds_every_status_group(self) -> None:
        words = [RunReply.model_validate(item).word for item in recorded("module-test-runs-list")]
        assert {"QUEUED", "IN_PROGRESS", "FAILURE", "SUCCESS"} <= set(words)

    def test_files_of_a_failure(self) -> None:
        files = RunReply.model_validate(recorded_run("failure")).test_files_results
        results = results_of(files)
        assert [(r.name, r.status) for r in results] == [
            ("tests/subnets.tftest.hcl", Status.FAILED),
            ("tests/routes.tftest.hcl", Status.PASSED),
        ]

    def test_other_recorded_replies(self) -> None:
        module = ModuleReply.model_validate(recorded("module"))
        assert (module.module_name, module.module_test_enabled) == ("vpc", True)
        assert Organization.model_validate(recorded("organizations")[0]).name == "Acme"
        log = DeploymentReply.model_validate(recorded("recorded-deployment-log"))
        assert (log.status, log.error) == ("SUCCESS", None)
        trigger = DeploymentReply.model_validate(recorded("trigger-response"))
        assert trigger.status == "QUEUED"
        page = LogPage.model_validate(recorded("step-log-page-1"))
        assert (page.next_start_time, page.has_more_logs) == ("1795162485001", True)
        last = LogPage.model_validate(recorded("step-log-page-2"))
        assert (last.next_start_time, last.has_more_logs) == (None, False)

    def test_recorded_steps(self) -> None:
        items = [StepReply.model_validate(item) for item in recorded("deployment-steps")[::-1]]
        steps = [step_of(item) for item in in_order(items)]
        assert [step.step_id for step in steps] == [
            "git:clone", "opentofu:init", "opentofu:test", "cleanup",
        ]  # fmt: skip
        assert [step.status.value for step in steps] == ["passed", "passed", "failed", "queued"]
        assert [step.has_log for step in steps] == [True, True, True, False]

    @pytest.mark.parametrize("name", RUN_FILES)
    def test_secrets_are_not_even_kept(self, name: str) -> None:
        """The variables that hold them, and any other field, are dropped while reading."""
        value = recorded_run(name) | {"newField": CANARY, "startedBy": CANARY}
        variables = value.setdefault("customEnv0EnvironmentVariables", {})
        variables |= {"tfPlanJson": CANARY, "oidcToken": RECORDED_SECRET}
        read = RunReply.model_validate(value)
        kept = read.model_dump_json() + repr(read) + repr(vars(read))
        assert CANARY not in kept
        assert RECORDED_SECRET not in kept


class TestOddRuns:
    @given(
        st.dictionaries(
            st.sampled_from(sorted(set(recorded_run("failure")) | {"error", "startedByUser"})),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text()
            | st.lists(st.none())
            | st.dictionaries(
                st.sampled_from(["name", "status", "message", "passed", "projectId"]),
                st.integers() | st.text() | st.none(),
            ),
        )
    )  # fmt: skip
    def test_any_value_in_any_field(self, odd: dict[str, Any]) -> None:
        """Only three ids are needed; without them the entry is a bad one, and no more."""
        value = recorded_run("failure") | odd
        read = readable(RunReply, value)
        needed = ("deploymentLogId", "environmentId", "organizationId")
        assert (read is not None) is all(
            isinstance(value[name], str) and is_id(value[name]) for name in needed
        )
        if read is not None and read.id:
            run = shown(value)
            assert is_run_id(run.ref.run_id)
            results_of(read.test_files_results)

    @pytest.mark.parametrize(
        "odd_id",
        ["..", "", "a/b", "../../admin", DEPLOYMENT_ID + "\n", "a" * 129, "x y zzzzzzz", 7, None,
         "%2e%2e%2e%2e", "-starts-so", "١٢٣٤٥٦٧٨", "short"],
    )  # fmt: skip
    def test_hostile_ids(self, odd_id: Any) -> None:
        """Never become part of an address: needed ones are bad entries, others are not there."""
        assert RunReply.model_validate(recorded_run("failure") | {"id": odd_id}).id is None
        with pytest.raises(ValidationError) as caught:
            RunReply.model_validate(recorded_run("failure") | {"deploymentLogId": odd_id})
        assert "admin" not in str(caught.value)

    def test_who(self) -> None:
        user = {"email": "sam@example.com"}
        assert shown(recorded_run("queued") | {"startedByUser": user}).author == "sam@example.com"
        assert shown(recorded_run("queued") | {"startedByUser": None}).author is None

    @pytest.mark.parametrize(
        ("revision", "branch", "commit"),
        [
            ("main", "main", None),
            (COMMIT, None, COMMIT),
            ("v1.2.0", "v1.2.0", None),
            ("feedface", "feedface", None),
            ("20250101", "20250101", None),
            ("a1b2c3d", None, "a1b2c3d"),
            ("1" * 40, None, "1" * 40),
            (None, None, None),
        ],
    )
    def test_revisions(self, revision: str | None, branch: str | None, commit: str | None) -> None:
        read = reply(blueprintRevision=revision)
        assert (branch_of(read), commit_of(read)) == (branch, commit)

    def test_counts(self) -> None:
        """Errored tests did not pass; nothing said is nothing known."""
        summary = reply(testSummary={"passed": 3, "failed": 0, "errored": 2}).test_summary
        assert counts_of(summary) == Counts(5, 3, 2, None)
        assert counts_of(reply(testSummary=[]).test_summary) == Counts()
        assert counts_of(reply(testSummary={"passed": True, "failed": -1}).test_summary) == Counts()

    @pytest.mark.parametrize(
        ("fields", "title"),
        [
            ({"status": "ABORTING"}, "aborting"),
            ({"status": "WAITING_FOR_USER"}, "waits for a person in env0"),
            ({"status": "FAILURE", "error": {"message": "No quota"}}, "No quota"),
            ({"status": "SUCCESS", "error": {"message": "No quota"}}, ""),
            ({"triggerName": "scheduled"}, "started by scheduled"),
            ({"triggerName": "user"}, ""),
            ({"prNumber": "7"}, "pull request #7"),
            (
                {"status": "FAILURE", "testSummary": {"errored": 2, "failed": 0}},
                "the test itself broke (2 errored)",
            ),
            ({"status": "FAILURE", "testSummary": {"errored": 2, "failed": 1}}, ""),
        ],
    )
    def test_titles(self, fields: dict[str, Any], title: str) -> None:
        assert title_of(reply(**fields)) == title

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({"message": "a\n<b>b</b>"}, "a b"),
            ({"code": 7, "oidcToken": CANARY, "deep": {"a": CANARY}}, '{"code":7}'),
            ({"message": "x" * 999}, "x" * 199 + "…"),
            ("plain", "plain"),
            ({}, None), (None, None), (7, None), ([CANARY], None), ("", None),
        ],
    )  # fmt: skip
    def test_errors(self, value: Any, expected: str | None) -> None:
        assert error_words(value) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "Authorization=Basic c2FtcGxlLWlkOnNhbXBsZQ==", "sent Basic c2FtcGxlLWlkOnNh",
            "bearer c2FtcGxlLWlkOnNhbXBsZQ", "jwt eyJhbGciOi.c2FtcGxlLWlkOnNhbXBsZQ.x",
            "oidcToken: c2FtcGxlLWlkOnNhbXBsZQ"[:9] + "=c2FtcGxlLWlkOnNhbXBsZQ",
            "key c2FtcGxlLWlkOnNhbXBsZTEyMzQ",
        ],
    )  # fmt: skip
    def test_credentials_in_words(self, text: str) -> None:
        assert "c2FtcGxl" not in safe_words(text)

    def test_plain_words_stay(self) -> None:
        text = f"/body/type must be equal to one of the allowed values ({DEPLOYMENT_ID}, {COMMIT})"
        assert safe_words(text) == text

    @pytest.mark.parametrize(
        ("files", "expected"),
        [
            ({"a": {"status": "error"}}, (Status.ERRORED, "")),
            ({"a": {"status": "SKIPPED"}}, (Status.SKIPPED, "")),
            ({"a": {"status": "flaky"}}, (Status.UNKNOWN, "flaky")),
            ({"a": {"status": 7}}, (Status.UNKNOWN, "")),
            ({"a": "fail"}, (Status.UNKNOWN, "")),
            ({"a": None}, (Status.UNKNOWN, "")),
        ],
    )
    def test_files_of_any_shape(self, files: Any, expected: tuple[Status, str]) -> None:
        (result,) = results_of(reply(testFilesResults=files).test_files_results)
        assert (result.status, result.error) == expected

    @pytest.mark.parametrize("files", [None, 7, "x", [], [{"a": 1}], {"": {}}])
    def test_files_that_are_none(self, files: Any) -> None:
        assert results_of(reply(testFilesResults=files).test_files_results) == ()


def module(number: int, name: Any, provider: Any = "aws", **more: Any) -> ModuleReply:
    fields = {"id": f"module-{number:03d}", "moduleName": name, "moduleProvider": provider}
    return ModuleReply.model_validate({**fields, "moduleTestEnabled": True, **more})


class TestKeys:
    def test_recorded(self) -> None:
        found = keyed(ModuleReply.model_validate(item) for item in recorded("modules-list"))
        assert [(m.key, m.is_enabled) for m in found] == [("dns", False), ("vpc", True)]
        assert found[0].title == "dns (aws), tests are off"
        assert found[1] == VPC

    def test_two_of_one_name(self) -> None:
        """The provider tells them apart; the name alone still finds both."""
        found = keyed([module(1, "vpc", "aws"), module(2, "vpc", "google"), module(3, "dns")])
        assert [m.key for m in found] == ["dns", "vpc/aws", "vpc/google"]
        assert [("vpc" in m.aliases) for m in found] == [False, True, True]

    def test_two_of_one_name_and_provider(self) -> None:
        found = keyed([module(1, "vpc"), module(2, "vpc")])
        assert [m.key for m in found] == ["module-001", "module-002"]

    def test_deleted_ones_are_not_there(self) -> None:
        found = keyed([module(1, "vpc", isDeleted=True), module(2, "vpc")])
        assert [(m.key, m.module_id) for m in found] == [("vpc", "module-002")]

    @pytest.mark.parametrize(
        "name", ["a b", "a:b", "a/b", "*", "a[b", "", None, 7, "é", "a\nb", ".."]
    )
    def test_names_nobody_can_type(self, name: Any) -> None:
        """Stand under their id."""
        (found,) = keyed([module(1, name)])
        assert found.key == "module-001"
        assert found.aliases == ()

    @given(st.lists(st.tuples(st.sampled_from(["a", "b", "a b"]), st.sampled_from(["x", "y"]))))
    def test_keys_are_unique(self, pairs: list[tuple[str, str]]) -> None:
        found = keyed(module(n, *pair) for n, pair in enumerate(pairs))
        assert len({m.key for m in found}) == len(pairs)
        assert all(is_key(m.key) for m in found)

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("vpc", ("vpc",)), ("vpc/aws", ("vpc/aws",)), (MODULE_ID, (MODULE_ID,)), ("*", ("*",)),
            ("v*", ("v*",)), ("vpc/*", ("vpc/*",)), ("[vd]*", ("[vd]*",)), ("", ()), ("..", ()),
            ("a/../b", ()), ("../*", ("../*",)), ("a b", ()), ("a b*", ()), ("x\n", ()),
            ("a/b/c", ()), ("a" * 500, ()), ("*" * 500, ()),
        ],
    )  # fmt: skip
    def test_sources(self, pattern: str, expected: tuple[str, ...]) -> None:
        assert sources_for(pattern) == expected


class TestAddresses:
    PAGE = f"https://app.env0.com/p/p1/environments/e1/deployments/{DEPLOYMENT_ID}"

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            (PAGE, DEPLOYMENT_ID),
            (f"{PAGE}/", DEPLOYMENT_ID),
            (f"{PAGE}/logs?step=1#x", DEPLOYMENT_ID),
            (f" {PAGE} ", DEPLOYMENT_ID),
            (PAGE.replace(".com", ".com:443"), DEPLOYMENT_ID),
            (f"https://api.env0.com/module/tests/{DEPLOYMENT_ID}", DEPLOYMENT_ID),
            (PAGE.replace("app.env0", "app.evil"), None),
            (PAGE.replace("https", "http"), DEPLOYMENT_ID),
            (PAGE.replace("https", "ftp"), None),
            (PAGE.replace("app.", "user@app."), None),
            (PAGE.replace("/p/", "/q/"), None),
            (f"https://app.env0.com/p/p1/environments/e1/deployments/{CANARY}/..", CANARY),
            ("https://app.env0.com/p/p1/environments/e1/deployments/..", None),
            ("https://app.env0.com/p/p1/environments/e1", None),
            ("https://[", None), ("", None), ("javascript:alert(1)", None),
        ],
    )  # fmt: skip
    def test_pasted(self, url: str, expected: str | None) -> None:
        assert LINKS.id_in(url) == expected

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        assert LINKS.id_in(text) is None

    def test_template(self) -> None:
        links = Links(
            "https://a.example", "https://b.example/app", "/deployments/{deploymentLogId}"
        )
        page = links.page(None, "e1", DEPLOYMENT_ID)
        assert page == f"https://b.example/app/deployments/{DEPLOYMENT_ID}"
        assert links.id_in(page) == DEPLOYMENT_ID
        assert LINKS.page(None, "e1", DEPLOYMENT_ID) is None

    @pytest.mark.parametrize(
        "text",
        [
            "", "p/{deploymentLogId}", "/p", "/{deploymentLogId}/{x}", "/{deploymentLogId!r}",
            "/{deploymentLogId:>9}", "/{deploymentLogId}/{deploymentLogId}", "/{", "/{}",
            "/{deploymentLogId}?a=b", "/{deploymentLogId.__class__}", "/a b/{deploymentLogId}",
            "/}{deploymentLogId}",
        ],
    )  # fmt: skip
    def test_templates_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="must be a path"):
            checked_web_path(text)


class TestBodies:
    def test_as_recorded(self) -> None:
        """The keys of the recorded request; its comment names who asked."""
        trigger = Env0Trigger.model_validate({"blueprintRevision": COMMIT})
        body = body_of(trigger, "U1", "mark-1")
        wanted = recorded("trigger-request")
        assert set(body) == set(wanted)
        assert body | {"comment": ""} == wanted | {"comment": ""}
        assert body["comment"] == "requested from chat by U1 (mark-1)"

    @pytest.mark.parametrize("revision", [None, "", "  "])
    def test_nothing_empty_is_sent(self, revision: str | None) -> None:
        """Left out, env0's configured default is tested."""
        trigger = Env0Trigger.model_validate({"blueprintRevision": revision, "comment": " "})
        assert set(body_of(trigger, "U1", "m")) == {"deploymentType", "triggerName", "comment"}

    def test_own_comment_comes_first(self) -> None:
        body = body_of(Env0Trigger(comment="new zone"), "U1", "m")
        assert body["comment"] == "new zone: requested from chat by U1 (m)"

    @pytest.mark.parametrize(
        "wrong", [{"branch": "main"}, {"blueprintRevision": "x" * 256}, {"comment": "x" * 501},
                  {"blueprint_revision": "main"}]
    )  # fmt: skip
    def test_refused(self, wrong: dict[str, str]) -> None:
        with pytest.raises(ValidationError):
            Env0Trigger.model_validate(wrong)

    @pytest.mark.parametrize(
        ("fields", "typed", "revision"),
        [
            ({"blueprintRevision": "main"}, {}, "main"),
            ({"blueprintRevision": "main"}, {"blueprintRevision": "dev"}, "dev"),
            ({"blueprintRevision": "main"}, {"blueprintRevision": " "}, "main"),
            ({"customEnv0EnvironmentVariables": {"commitHash": COMMIT}}, {}, COMMIT),
            ({}, {"blueprintRevision": "dev"}, "dev"),
        ],
    )
    def test_repeated(self, fields: dict[str, Any], typed: dict[str, str], revision: str) -> None:
        assert repeated(reply(**fields), typed).blueprint_revision == revision

    def test_repeat_without_a_revision(self) -> None:
        with pytest.raises(ProviderError, match="which revision") as caught:
            repeated(reply(), {"comment": "again"})
        assert caught.value.kind is Kind.CONFLICT

    def test_repeat_with_what_the_trigger_does_not_take(self) -> None:
        with pytest.raises(ProviderError, match="branch") as caught:
            repeated(reply(blueprintRevision="main"), {"branch": CANARY})
        assert caught.value.kind is Kind.INVALID
        assert CANARY not in str(caught.value)


START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=30)


def made(number: int, minutes: float | None, status: str = "SUCCESS") -> RunReply:
    created = None if minutes is None else (START + timedelta(minutes=minutes)).isoformat()
    return reply(id=f"run-{number:05d}", createdAt=created, status=status)


class TestPolls:
    def test_first_time_twenty_and_the_open_ones(self) -> None:
        runs = [made(n, -n) for n in range(40)]
        runs[35] = made(35, -35, "IN_PROGRESS")
        found = news(runs, None, {"run-00030"}, NOW)
        assert [run.id for run in found] == [
            *(f"run-{n:05d}" for n in range(20)), "run-00030", "run-00035",
        ]  # fmt: skip

    def test_the_first_time_whatever_was_made_within_an_hour(self) -> None:
        """A watch may be made while env0 cannot be seen; then twenty may be too few."""
        runs = [made(n, -n) for n in range(90)]
        assert len(news(runs, None, set(), START)) == 61

    def test_a_run_of_next_year_hides_no_other(self) -> None:
        ahead = made(1, 525_600)
        mark = marked([ahead, made(2, -5)], None, START)
        assert mark == START
        runs = [ahead, *(made(n, n) for n in range(40, 2, -1))]
        for cursor in (mark, ahead.made_at):
            assert len(news(runs, cursor, set(), START + timedelta(minutes=60))) == 39

    def test_later_only_what_is_new(self) -> None:
        runs = [made(n, -60 * n) for n in range(40)]
        found = news(runs, marked(runs, None, NOW), set(), NOW)
        assert [run.id for run in found] == ["run-00000", "run-00001"]

    @given(st.lists(st.integers(0, 5000), max_size=60), st.lists(st.integers(0, 59), max_size=60))
    def test_nothing_listed_within_an_hour_is_lost(self, old: list[int], late: list[int]) -> None:
        """Whatever is made after a poll, or is listed up to an hour late, is news at the next."""
        before = [made(n, minutes) for n, minutes in enumerate(old)]
        mark = marked(before, None, NOW)
        newest = max(old, default=0)
        new = [made(1000 + n, newest - minutes) for n, minutes in enumerate(late)]
        found = {run.id for run in news([*before, *new], mark, set(), NOW)}
        assert {run.id for run in new} <= found

    def test_runs_without_any_time_are_always_shown(self) -> None:
        runs = [made(n, None) for n in range(50)]
        assert len(news(runs, marked(runs, None, NOW), set(), NOW)) == 50

    def test_a_stale_list_does_not_move_the_mark_back(self) -> None:
        mark = marked([made(1, 50)], None, NOW)
        assert marked([made(2, 10)], mark, NOW) == mark
        assert marked([], mark, NOW) == mark

    def test_an_empty_list_has_a_mark(self) -> None:
        """So that a burst after it is not cut to twenty."""
        runs = [made(n, n) for n in range(30, 0, -1)]
        assert len(news(runs, marked([], None, NOW), set(), NOW)) == 30

    @given(st.text())
    def test_any_cursor(self, text: str) -> None:
        assert isinstance(Cursor.read(text), Cursor)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            '{"marks": 3}',
            '{"turn": -1}',
            "null",
            '{"marks": {"m": "2026-01-01T00:00:00"}}',
        ],
    )
    def test_odd_cursors_mean_the_first_time(self, text: str) -> None:
        assert Cursor.read(text) == Cursor()

    def test_turns_reach_everything(self) -> None:
        seen = set[int]()
        for turn in (0, 10, 20):
            part = turned(range(25), turn, 10)
            assert len(set(part)) == 10
            seen |= set(part)
        assert seen == set(range(25))


class TestSettings:
    MINIMAL = {"api_key_id": "id", "api_key_secret": CANARY}  # noqa: RUF012

    def test_defaults(self) -> None:
        settings = Env0Settings.model_validate(self.MINIMAL)
        assert settings.base_url == "https://api.env0.com"
        assert settings.web_url == "https://app.env0.com"
        assert (settings.organization_id, settings.direct_trigger) == (None, False)
        assert CANARY not in repr(settings)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"organization_id": f"../{CANARY}"}, {"base_url": f"http://{CANARY}.example"},
            {"web_url": f"{CANARY}"}, {"web_path": f"{CANARY}"}, {"api_key_secret": f"{CANARY} x"},
            {"api_key_id": ""}, {"token": CANARY}, {"direct_trigger": CANARY},
        ],
    )  # fmt: skip
    def test_refused(self, wrong: dict[str, str]) -> None:
        with pytest.raises(ValidationError) as caught:
            Env0Settings.model_validate({**self.MINIMAL, **wrong})
        assert next(iter(wrong)) in str(caught.value)
        assert CANARY not in str(caught.value)

    @pytest.mark.parametrize("missing", ["api_key_id", "api_key_secret"])
    def test_both_parts_of_the_key_are_needed(self, missing: str) -> None:
        values = {name: value for name, value in self.MINIMAL.items() if name != missing}
        with pytest.raises(ValidationError, match=missing):
            Env0Settings.model_validate(values)


def test_memory_forgets_in_time_and_by_number() -> None:
    clock = StillClock()
    memory: Memory[str, int] = Memory(clock, 10)
    memory.put("a", 1)
    clock.wait(9)
    assert memory.get("a") == 1
    clock.wait(1)
    assert memory.get("a") is None
    for number in range(6000):
        memory.put(str(number), number)
    assert memory.get("0") is None
    assert memory.get("5999") == 5999


def test_spec() -> None:
    assert SPEC.type_name == "env0"
    assert SPEC.capabilities == frozenset(Capability)
    assert (SPEC.retry_is_native, SPEC.takes_variables, SPEC.runs_reopen) == (False, False, False)
    assert SPEC.bare_parameter == "blueprintRevision"
    assert status_of(None) is Status.UNKNOWN
