"""Wercker's adapter where it needs no vendor: replies, words, addresses, bodies, paging."""

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import Pattern
from bot.domain.providers import Capability, Variable
from bot.domain.statuses import Status
from bot.providers.settings import ProviderSettings, checked_base_url, comma_list
from bot.providers.wercker import SPEC, WerckerSettings
from bot.providers.wercker_addresses import run_id_in, sources_for
from bot.providers.wercker_api import PAGE_LENGTH, Page
from bot.providers.wercker_polls import PAGES_A_POLL, Cursor, Mark, newest, turned, walk
from bot.providers.wercker_replies import (
    ApplicationReply,
    PipelineReply,
    RunDetail,
    RunReply,
    StepReply,
    in_order,
    read_time,
)
from bot.providers.wercker_starts import WerckerTrigger, repeat, start
from bot.providers.wercker_words import Application, application_of, run_of, status_of, step_of

RECORDED = Path(__file__).parents[1] / "recorded" / "wercker"
CANARY = "canary-4711"
RUN_ID = "577a4dbc3ec144923a02b6f9"
PIPELINE_ID = "5751377e7e1bd5f17f050bc4"
ACME = Application("595a6b1ba01812010072fc1c", "acmerobotics", "wercker_api", "AcmeRobotics")
WEB = "https://ci.example.org"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def run_reply(**fields: Any) -> RunReply:
    pipeline = {"id": PIPELINE_ID, "name": "build"}
    return RunReply.model_validate({"id": RUN_ID, "pipeline": pipeline, **fields})


def detail(**fields: Any) -> RunDetail:
    pipeline = {"id": PIPELINE_ID, "name": "build"}
    return RunDetail.model_validate({"id": RUN_ID, "pipeline": pipeline, **fields})


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2016-07-04T11:51:24.851Z", datetime(2016, 7, 4, 11, 51, 24, 851000, UTC)),
            (
                "2017-07-04 15:35:19.999688998 +0000 UTC",
                datetime(2017, 7, 4, 15, 35, 19, 999688, UTC),
            ),
            ("2017-07-03 16:04:43.73 +0000 UTC", datetime(2017, 7, 3, 16, 4, 43, 730000, UTC)),
            ("2017-07-03 16:04:43 +0000 UTC", datetime(2017, 7, 3, 16, 4, 43, 0, UTC)),
            ("2017-07-03T16:04:43+02:00", datetime(2017, 7, 3, 14, 4, 43, 0, UTC)),
            ("2017-07-03 16:04:43.5 -0700 MST", datetime(2017, 7, 3, 23, 4, 43, 500000, UTC)),
        ],
    )
    def test_both_forms(self, text: str, expected: datetime) -> None:
        """The two recorded forms and their variations give the same moment in UTC."""
        assert read_time(text) == expected

    @pytest.mark.parametrize(
        "value",
        [
            None, 7, True, [], {}, "", "soon", "2017-07-03", "2017-13-03T16:04:43Z",
            "2017-07-03T16:04:43", "2017-07-03T16:04:43.1234567890Z", "0001-01-01T00:00:00Z",
            "0001-01-01 00:00:00 +0000 UTC", "9999-12-31T23:59:59-23:59",
            "٢٠١٧-07-03T16:04:43Z", "2017-07-03T16:04:43Z\x00",
        ],
    )  # fmt: skip
    def test_none_rather_than_failure(self, value: Any) -> None:
        """Anything else is no time, Go's zero time included."""
        assert read_time(value) is None

    @given(
        st.datetimes(datetime(1971, 1, 2), datetime(9998, 1, 1)),  # noqa: DTZ001
        st.integers(0, 9),
        st.booleans(),
    )
    def test_every_fraction(self, moment: datetime, digits: int, is_go: bool) -> None:  # noqa: FBT001
        """Any number of digits is cut to microseconds, in both forms."""
        nanoseconds = f"{moment.microsecond:06d}789"[:digits]
        text = f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{nanoseconds}" if digits else "")
        text = text.replace("T", " ") + " +0000 UTC" if is_go else text + "Z"
        cut = int(f"{nanoseconds[:6]:0<6}") if digits else 0
        if moment.year >= 1000:
            assert read_time(text) == moment.replace(microsecond=cut, tzinfo=UTC)

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """No text breaks it, and a result is always aware UTC."""
        found = read_time(text)
        assert found is None or found.tzinfo is UTC


class TestStatusPairs:
    @pytest.mark.parametrize(
        ("status", "result", "expected"),
        [
            ("notstarted", "unknown", Status.QUEUED),
            ("started", "unknown", Status.RUNNING),
            ("started", "failed", Status.RUNNING),
            ("running", "unknown", Status.RUNNING),
            ("running", "failed", Status.RUNNING),
            ("running", "passed", Status.RUNNING),
            ("finished", "passed", Status.PASSED),
            ("finished", "failed", Status.FAILED),
            ("finished", "aborted", Status.ABORTED),
            ("finished", "unknown", Status.UNKNOWN),
            ("finished", "exploded", Status.UNKNOWN),
            ("finished", None, Status.UNKNOWN),
            ("paused", "failed", Status.UNKNOWN),
            ("Finished", "failed", Status.UNKNOWN),
            (None, None, Status.UNKNOWN),
        ],
    )
    def test_table(self, status: str | None, result: str | None, expected: Status) -> None:
        """Section 4 of the vendor facts, row by row."""
        assert status_of(status, result) is expected

    @pytest.mark.parametrize(
        ("fields", "is_over"),
        [
            ({"status": "finished"}, True),
            ({"status": "running", "finishedAt": "2016-07-04T11:51:24.851Z"}, False),
            ({"status": "notstarted"}, False),
            ({"status": "paused"}, False),
            ({"status": "paused", "finishedAt": "2016-07-04T11:51:24.851Z"}, True),
        ],
    )
    def test_over(self, fields: dict[str, Any], is_over: bool) -> None:  # noqa: FBT001
        """Only `finished` is over; an unknown word only with an end."""
        assert run_reply(**fields).is_over is is_over

    def test_unknown_words_are_kept(self) -> None:
        run = run_of("wercker", WEB, run_reply(status="paused", result="odd"), None)
        assert (run.status, run.raw_status) == (Status.UNKNOWN, "paused/odd")


class TestRecordedReplies:
    @pytest.mark.parametrize("path", sorted(RECORDED.glob("run*.json")), ids=lambda path: path.name)
    def test_every_recorded_reply_is_read(self, path: Path) -> None:
        """No entry of any recorded reply that is read here is bad, and each has its times."""
        if "-request" in path.name:
            assert "pipelineId" in json.loads(path.read_text())
            return
        value = json.loads(path.read_text())
        for item in value if isinstance(value, list) else [value]:
            if "steps" in path.name:
                step = step_of(StepReply.model_validate(item))
                assert step.status is not Status.UNKNOWN
                assert not step.name.startswith("step ")
            else:
                run = run_of("wercker", WEB, RunDetail.model_validate(item), ACME)
                assert run.status is not Status.UNKNOWN
                assert run.created
                assert run.author
                assert run.title
                assert (run.finished is not None) is run.status.is_terminal

    def test_failed_run(self) -> None:
        """Each field of a recorded run lands where it belongs."""
        run = run_of("w", WEB, RunReply.model_validate(recorded("run-get-failed.recorded")), ACME)
        assert str(run.ref) == "w:595c1a2b1ee20400013bacbf"
        assert str(run.pipeline) == "w:acmerobotics/wercker_api/build"
        assert (run.status, run.raw_status) == (Status.FAILED, "finished/failed")
        assert (run.branch, run.commit) == (
            "pipeline-runner", "a75f56b63f7aee3b0a9e8045426704ce34155e91",
        )  # fmt: skip
        assert (run.author, run.title, run.progress) == ("AcmeRobotics", "make build slower", 85)
        assert run.created == datetime(2017, 7, 4, 22, 43, 55, 359000, UTC)
        assert run.duration == timedelta(seconds=33, milliseconds=59)
        page = f"{WEB}/AcmeRobotics/wercker_api/runs/build/595c1a2b1ee20400013bacbf"
        assert run.url == page
        for name in ("595a6b1b24ac030100da5307", "acmerobotics/wercker_api"):
            assert name in run.aliases

    def test_one_run_from_queued_to_failed(self) -> None:
        """The recorded order of one run: queued, running three times, failed."""
        replies = [RunReply.model_validate(r) for r in recorded("run-poll-sequence.recorded")]
        runs = [run_of("wercker", WEB, reply, ACME) for reply in replies]
        assert [run.status.value for run in runs] == ["queued", *["running"] * 3, "failed"]
        assert [run.progress for run in runs] == [None, 57, 71, 71, 85]
        assert len({run.pipeline for run in runs}) == 1

    def test_null_progress_and_many_lines(self) -> None:
        reply = RunReply.model_validate(recorded("runs-list-null-progress.recorded")[0])
        run = run_of("wercker", WEB, reply, application_of(reply.application))
        assert run.progress is None
        assert run.title.endswith("(#416)")
        assert run.pipeline.key == "wercker/kiddie-pool/deploy-vpp-pool-staging"

    def test_application_owner_is_the_user_name(self) -> None:
        """Not the display name `Robin`; without it, the address tells."""
        value = recorded("application-get.recorded")
        assert application_of(ApplicationReply.model_validate(value)) == ACME
        del value["owner"]["meta"]
        found = application_of(ApplicationReply.model_validate(value))
        assert found is not None
        assert found.key == "acmerobotics/wercker_api"
        for item in recorded("applications-list.recorded"):
            assert application_of(ApplicationReply.model_validate(item)) is not None

    def test_pipelines(self) -> None:
        replies = [
            PipelineReply.model_validate(item)
            for item in recorded("application-pipelines.recorded")
        ]
        assert [reply.label for reply in replies] == [
            "build", "push-quay", "deploy-kube-staging", "deploy-kube-production",
        ]  # fmt: skip

    def test_steps_are_sorted_and_named(self) -> None:
        """By `order`, and by `displayName`, then `step`, then the number."""
        items = recorded("run-steps-failed.made-up")[::-1]
        items.append({"id": RUN_ID, "order": 6})
        steps = [step_of(s) for s in in_order([StepReply.model_validate(i) for i in items])]
        assert [step.name for step in steps] == [
            "get code", "setup environment", "wercker-init", "bundle-install", "add-ssh-key",
            "step 6",
        ]  # fmt: skip
        assert [step.status.value for step in steps] == [
            "passed", "passed", "passed", "failed", "queued", "unknown",
        ]  # fmt: skip
        assert [step.has_log for step in steps] == [True] * 4 + [False] * 2


class TestOddReplies:
    @given(
        st.dictionaries(
            st.sampled_from(sorted(recorded("run-get-failed.recorded"))).filter(
                lambda name: name not in {"id", "pipeline"}
            ),
            st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.none())
            | st.dictionaries(st.sampled_from(["meta", "name", "id", "url"]), st.integers()),
        )
    )  # fmt: skip
    def test_any_value_in_any_field(self, odd: dict[str, Any]) -> None:
        """Only id and pipeline are needed; the rest may be anything."""
        reply = RunReply.model_validate(recorded("run-get-failed.recorded") | odd)
        run = run_of("wercker", WEB, reply, ACME)
        assert run.ref.run_id == "595c1a2b1ee20400013bacbf"
        assert run.progress is None or 0 <= run.progress <= 100

    @pytest.mark.parametrize(
        "odd_id", ["..", "577a", RUN_ID.upper(), RUN_ID + "\n", 7, None, "x" * 24, f"../{RUN_ID}"]
    )
    def test_hostile_ids_are_bad_entries(self, odd_id: Any) -> None:
        """An id that is none of Wercker's never becomes part of an address."""
        with pytest.raises(ValidationError) as caught:
            RunReply.model_validate({"id": odd_id, "pipeline": {"id": PIPELINE_ID}})
        assert "577a" not in str(caught.value)

    def test_variables_never_enter_a_run(self) -> None:
        value = recorded("run-get-passed.seed")
        value["envVars"] = [{"key": "TOKEN", "value": CANARY}]
        reply = RunDetail.model_validate(value)
        assert CANARY not in repr(reply)
        assert CANARY not in repr(RunReply.model_validate(value))
        assert CANARY not in repr(run_of("wercker", WEB, reply, ACME))

    def test_half_a_character_in_a_branch(self) -> None:
        run = run_of("wercker", WEB, run_reply(branch="a\ud800b", message="\ud800"), ACME)
        assert run.branch == "a?b"
        assert run.title.encode()

    def test_page_is_escaped_and_only_for_known_applications(self) -> None:
        odd = run_reply(pipeline={"id": PIPELINE_ID, "name": "a/b ?#é"})
        run = run_of("wercker", WEB, odd, ACME)
        assert run.url == f"{WEB}/AcmeRobotics/wercker_api/runs/a%2Fb%20%3F%23%C3%A9/{RUN_ID}"
        assert run_of("wercker", WEB, odd, None).url is None
        dots = run_reply(pipeline={"id": PIPELINE_ID, "name": ".."})
        assert run_of("wercker", WEB, dots, ACME).url is None

    def test_unknown_application_leaves_the_id_as_key(self) -> None:
        run = run_of("wercker", WEB, run_reply(), None)
        assert (run.pipeline.key, run.aliases) == (PIPELINE_ID, ())

    def test_title_is_the_first_line_with_text(self) -> None:
        run = run_of("wercker", WEB, run_reply(message="\r\n  \r\nFix it\r\nmore"), ACME)
        assert run.title == "Fix it"
        assert len(run_of("w", WEB, run_reply(message="x" * 9999), ACME).title) == 300


class TestSources:
    CONFIGURED = ("acme/shop", "acme/tools", "Other/thing")

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("acme/shop/build", ("acme/shop",)),
            ("acme/shop/bu*", ("acme/shop",)),
            ("ACME/shop/*", ("acme/shop",)),
            ("new/app/build", ("new/app",)),
            (PIPELINE_ID, (PIPELINE_ID,)),
            ("*", ("acme/shop", "acme/tools", "other/thing")),
            ("acme/*", ("acme/shop", "acme/tools")),
            ("acme/sh*", ("acme/shop",)),
            ("acme/*/build", ("acme/shop", "acme/tools")),
            ("other/*", ("other/thing",)),
            ("new/*", ("new/*",)),
            ("n*", ()),
            ("*/build", ("acme/shop", "acme/tools", "other/thing")),
            ("acme/shop", ("acme/shop",)),
            ("build", ()),
            ("", ()),
            ("../x/y", ()),
            ("acme/../*", ()),
            ("a b/c/d", ()),
            (PIPELINE_ID.upper(), ()),
        ],
    )
    def test_table(self, pattern: str, expected: tuple[str, ...]) -> None:
        assert sources_for(pattern, self.CONFIGURED) == expected

    def test_nothing_configured(self) -> None:
        assert sources_for("*", ()) == ()
        assert sources_for("acme/*", ()) == ("acme/*",)

    @given(st.sampled_from(CONFIGURED), st.text("abc", min_size=1), st.data())
    def test_a_pattern_that_matches_has_its_source(
        self, application: str, name: str, data: st.DataObject
    ) -> None:
        """Whatever glob matches a configured pipeline, its application is among the sources."""
        key = f"{application.lower()}/{name}"
        length = data.draw(st.integers(0, len(key)))
        pattern = key[:length] + "*"
        reference = run_of("w", WEB, run_reply(), None).pipeline.__class__("w", key)
        assert Pattern("w", pattern).matches(reference)
        assert application.lower() in sources_for(pattern, self.CONFIGURED)


class TestPastedUrls:
    @pytest.mark.parametrize(
        "url",
        [
            f"https://app.wercker.com/checkstyle/checkstyle/runs/build/{RUN_ID}",
            f"https://app.wercker.com/acme/shop/runs/build/{RUN_ID}?step=595aef023c2e150001977cc4",
            f"https://APP.wercker.com:443/acme/shop/runs/a%20b/{RUN_ID}/#top",
            f" https://app.wercker.com/api/v3/runs/{RUN_ID}",
            f"https://app.wercker.com/api/v3/runs/{RUN_ID}/steps",
        ],
    )
    def test_ours(self, url: str) -> None:
        assert run_id_in(url, "https://app.wercker.com") == RUN_ID

    @pytest.mark.parametrize(
        "url",
        [
            f"https://evil.example/acme/shop/runs/build/{RUN_ID}",
            f"https://app.wercker.com@evil.example/acme/shop/runs/build/{RUN_ID}",
            f"https://me@app.wercker.com/acme/shop/runs/build/{RUN_ID}",
            f"https://app.wercker.com:8443/acme/shop/runs/build/{RUN_ID}",
            f"ftp://app.wercker.com/acme/shop/runs/build/{RUN_ID}",
            "https://app.wercker.com/acme/shop/runs/build/577A",
            f"https://app.wercker.com/acme/runs/build/{RUN_ID}",
            f"https://app.wercker.com/acme/shop/runs/build/{RUN_ID}0",
            "https://app.wercker.com", "", "https://[", "https://app.wercker.com:x/", "\x00",
        ],
    )  # fmt: skip
    def test_not_ours(self, url: str) -> None:
        assert run_id_in(url, "https://app.wercker.com") is None

    def test_own_port_and_path(self) -> None:
        base = "http://127.0.0.1:8701/ci"
        assert run_id_in(f"{base}/acme/shop/runs/build/{RUN_ID}", base) == RUN_ID
        assert run_id_in(f"http://127.0.0.1:8701/acme/shop/runs/build/{RUN_ID}", base) is None
        assert run_id_in(f"http://127.0.0.1:8702/ci/acme/shop/runs/b/{RUN_ID}", base) is None

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        assert run_id_in(text, "https://app.wercker.com") in {None, RUN_ID}


class TestTriggerModel:
    def test_vendor_names(self) -> None:
        """Help and form come from the schema, so it bears the vendor's names, each explained."""
        schema = WerckerTrigger.model_json_schema(by_alias=True)["properties"]
        assert list(schema) == ["branch", "commitHash", "message", "tag", "sourceRunId"]
        assert all(field.get("description") for field in schema.values())

    def test_body_equals_the_example(self) -> None:
        typed = {
            "branch": "master",
            "commitHash": "cd74a9994712960f19b4b563491f860f98fa7bb5",
            "message": "Started from chat",
            "tag": "",
            "sourceRunId": None,
        }
        fields = WerckerTrigger.model_validate(typed).fields()
        made = start(PIPELINE_ID, fields, [Variable("SOME_VAR", "SOME VALUE")])
        assert made.body == recorded("run-trigger-request.made-up")
        assert start(
            "595a6b1b24ac030100da5307", {"branch": "pipeline-runner"}, []
        ).body == recorded("run-trigger-request.recorded")

    def test_variables_stay_in_order(self) -> None:
        made = start(PIPELINE_ID, {}, [Variable("B", "1"), Variable("A", "$B"), Variable("B", "")])
        assert made.body["envVars"] == [
            {"key": "B", "value": "1"}, {"key": "A", "value": "$B"}, {"key": "B", "value": ""},
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "typed",
        [
            {"commitHash": CANARY},
            {"commitHash": CANARY, "branch": " "},
            {"Branch": CANARY},
            {"commit_hash": CANARY, "branch": "main"},
            {"sourceRunId": CANARY},
            {"envVars": CANARY},
        ],
    )
    def test_refused_without_the_value(self, typed: dict[str, str]) -> None:
        with pytest.raises(ValidationError) as caught:
            WerckerTrigger.model_validate(typed)
        assert CANARY not in str(caught.value)

    def test_values_are_not_in_repr(self) -> None:
        assert CANARY not in repr(start(PIPELINE_ID, {}, [Variable("A", CANARY)]))


class TestRepeat:
    def test_plain_equals_the_example(self) -> None:
        old = RunDetail.model_validate(recorded("run-get-failed.recorded"))
        assert repeat(old, {}, ()).body == recorded("run-retry-request.made-up")

    def test_chained_equals_the_example(self) -> None:
        old = RunDetail.model_validate(recorded("run-get-chained.recorded"))
        assert repeat(old, {}, ()).body == recorded("run-retry-chained-request.made-up")

    def test_variables_are_kept(self) -> None:
        old = RunDetail.model_validate(recorded("run-get-passed.seed"))
        made = repeat(old, {}, ())
        assert made.body["envVars"] == [{"key": "SOME_VAR", "value": "SOME VALUE"}]
        assert made.note == ""

    def test_typed_variables_replace_old_ones_in_place(self) -> None:
        old = detail(envVars=[{"key": "A", "value": "1"}, {"key": "B", "value": "$A"}])
        made = repeat(old, {}, (Variable("C", "3"), Variable("A", "2")))
        assert [(v["key"], v["value"]) for v in made.body["envVars"]] == [
            ("A", "2"), ("B", "$A"), ("C", "3"),
        ]  # fmt: skip

    @pytest.mark.parametrize("hidden", [None, "*****", "••••", 7])
    def test_hidden_values_are_left_out_and_told(self, hidden: Any) -> None:
        """A masked value must not become the variable's value."""
        old = detail(envVars=[{"key": "KEY", "value": hidden}, {"key": "A", "value": "1"}])
        made = repeat(old, {}, ())
        assert made.body["envVars"] == [{"key": "A", "value": "1"}]
        assert "KEY" in made.note
        typed = repeat(old, {}, (Variable("KEY", "k"),))
        assert {"key": "KEY", "value": "k"} in typed.body["envVars"]
        assert typed.note == ""

    def test_commit_only_with_branch(self) -> None:
        assert repeat(detail(commitHash="abc"), {}, ()).body == {"pipelineId": PIPELINE_ID}

    def test_another_branch_drops_the_old_commit(self) -> None:
        old = detail(branch="main", commitHash="abc", message="m")
        assert repeat(old, {"branch": "dev"}, ()).body == {
            "pipelineId": PIPELINE_ID, "branch": "dev", "message": "m",
        }  # fmt: skip
        assert repeat(old, {"branch": "main"}, ()).body["commitHash"] == "abc"
        assert repeat(old, {"commitHash": "def"}, ()).body["branch"] == "main"

    def test_typed_values_win_over_a_source(self) -> None:
        old = RunDetail.model_validate(recorded("run-get-chained.recorded"))
        body = repeat(old, {"message": "again", "branch": "dev"}, ()).body
        assert body["sourceRunId"] == "595aeee73c2e150001977cac"
        assert (body["message"], body["branch"]) == ("again", "dev")

    @pytest.mark.parametrize("typed", [{"nonsense": CANARY}, {"sourceRunId": CANARY}])
    def test_wrong_parameters(self, typed: dict[str, str]) -> None:
        with pytest.raises(ProviderError) as caught:
            repeat(detail(branch="main"), typed, ())
        assert caught.value.kind is Kind.INVALID
        assert next(iter(typed)) in caught.value.message
        assert CANARY not in repr(caught.value)

    def test_commit_alone_needs_a_branch(self) -> None:
        chained = RunDetail.model_validate(recorded("run-get-chained.recorded"))
        with pytest.raises(ProviderError, match="commitHash needs branch"):
            repeat(chained, {"commitHash": "abc"}, ())


START = datetime(2020, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=1)
AHEAD = run_reply(id="f" * 24, createdAt="2021-01-01T00:00:00Z", status="finished")


def numbered(number: int, status: str = "finished") -> RunReply:
    created = (START + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    return run_reply(id=f"{number:024x}", createdAt=created, status=status)


class Vendor:
    """A list of runs, newest first, that may change between two pages. It begins with those
    that are `ahead` of all times; the `open` ones are under way.
    """

    def __init__(
        self, count: int, *ahead: RunReply, made_per_page: int = 0, is_open: Collection[int] = ()
    ) -> None:
        self.count, self.made_per_page, self.pages = count, made_per_page, 0
        self.ahead, self.open = ahead, is_open

    def page(self, skip: int) -> Page[RunReply]:
        words = dict.fromkeys(self.open, "running")
        runs = [numbered(n, words.get(n, "finished")) for n in range(self.count, 0, -1)]
        shown = [*self.ahead, *runs][skip : skip + PAGE_LENGTH]
        self.pages += 1
        self.count += self.made_per_page
        return Page(tuple(shown), len(shown))

    def mark(self, now: datetime = NOW) -> Mark:
        """That of a first poll."""
        return newest(walk(self.page, None, now).runs, None, now)


class TestPaging:
    def test_first_time_is_one_page_if_that_reaches_back_an_hour(self) -> None:
        vendor = Vendor(100)
        assert len(walk(vendor.page, None, NOW).runs) == PAGE_LENGTH
        assert vendor.pages == 1

    def test_first_time_reads_back_an_hour(self) -> None:
        """A run a second: what is more than ten pages is left for the next poll."""
        vendor = Vendor(3700)
        now = START + timedelta(seconds=3700)
        found = walk(vendor.page, None, now)
        assert (len(found.runs), found.next_skip) == (200, 200)
        vendor = Vendor(100)
        found = walk(vendor.page, None, START + timedelta(seconds=3650))
        assert (len(found.runs), found.next_skip) == (60, None), "50 are of the last hour"

    def test_first_time_reads_on_while_runs_are_under_way(self) -> None:
        vendor = Vendor(100, is_open={95, 70})
        assert len(walk(vendor.page, None, NOW).runs) == 3 * PAGE_LENGTH

    def test_first_time_without_times_is_one_page(self) -> None:
        untimed = tuple(run_reply(id=f"{n:024x}", status="finished") for n in range(PAGE_LENGTH))
        assert walk(lambda _skip: Page(untimed, PAGE_LENGTH), None, NOW).next_skip is None

    def test_quiet_is_one_page(self) -> None:
        vendor = Vendor(100)
        walk(vendor.page, vendor.mark(), NOW)
        assert vendor.pages == 2

    @pytest.mark.parametrize("before", [0, 5, 300])
    def test_a_run_of_next_year_hides_no_other(self, before: int) -> None:
        now = START + timedelta(seconds=before)
        vendor = Vendor(before, AHEAD)
        mark = vendor.mark(now)
        assert mark.created is not None
        assert mark.created <= now
        vendor.count += 45
        found = walk(vendor.page, mark, now + timedelta(seconds=60))
        assert {numbered(before + n).id for n in range(1, 46)} <= {run.id for run in found.runs}
        again = newest(found.runs, mark, now + timedelta(seconds=60))
        assert again.run_id == numbered(before + 45).id
        vendor.pages = 0
        walk(vendor.page, again, now + timedelta(seconds=60))
        assert vendor.pages == 1

    @pytest.mark.parametrize("ahead_s", [-600, 0, 10, 600])
    def test_a_vendor_whose_clock_is_wrong_hides_nothing(self, ahead_s: int) -> None:
        """And a quiet poll of a list that reaches back farther is still one page."""
        vendor, now = Vendor(300), START + timedelta(seconds=300 - ahead_s)
        mark = vendor.mark(now)
        vendor.count += 45
        found = walk(vendor.page, mark, now)
        assert {numbered(300 + n).id for n in range(1, 46)} <= {run.id for run in found.runs}
        mark = newest(found.runs, mark, now + timedelta(days=1))
        vendor.pages = 0
        walk(vendor.page, mark, now)
        assert vendor.pages == 1

    def test_a_mark_that_is_ahead_of_us_does_not_stay(self) -> None:
        """It is from before our clock was put right, or of an older version."""
        ahead = Mark(run_id=AHEAD.id, created=AHEAD.created_at)
        assert newest([AHEAD, numbered(7)], ahead, NOW).run_id == numbered(7).id

    def test_a_page_that_cannot_be_read_costs_no_other(self) -> None:
        vendor = Vendor(100)

        def page(skip: int) -> Page[RunReply]:
            if skip:
                raise ProviderError(Kind.UNAVAILABLE, "no")
            return vendor.page(skip)

        found = walk(page, Mark(run_id=""), NOW)
        assert (len(found.runs), found.bad_items, found.next_skip) == (20, 1, 20)

    @given(st.integers(0, 60), st.integers(0, 90), st.integers(0, 10))
    def test_nothing_is_lost_or_doubled(self, before: int, made: int, per_page: int) -> None:
        """Whatever was made since the last poll is seen once, also while pages shift."""
        vendor = Vendor(before)
        mark = vendor.mark()
        vendor.count, vendor.made_per_page = before + made, per_page
        seen = [int(run.id, 16) for run in walk(vendor.page, mark, NOW).runs]
        assert len(seen) == len(set(seen))
        assert set(range(before + 1, before + made + 1)) <= set(seen)

    def test_bounded(self) -> None:
        vendor = Vendor(5000)
        walk(vendor.page, Mark(run_id="0" * 24, created=datetime(2000, 1, 1, tzinfo=UTC)), NOW)
        assert vendor.pages == PAGES_A_POLL

    def test_a_stale_page_does_not_move_the_mark_back(self) -> None:
        mark = newest([numbered(50)], None, NOW)
        assert newest([numbered(40), numbered(39)], mark, NOW) == mark
        assert newest([], mark, NOW) == mark

    def test_a_removed_mark_still_stops(self) -> None:
        vendor = Vendor(100)
        mark = Mark(run_id="f" * 24, created=numbered(100).created_at)
        walk(vendor.page, mark, NOW)
        assert vendor.pages == 1

    def test_an_empty_list_has_a_mark(self) -> None:
        """So that a burst after it is read to its end."""
        vendor = Vendor(0)
        mark = vendor.mark()
        vendor.count = 45
        assert len(walk(vendor.page, mark, NOW).runs) == 45
        assert vendor.pages == 1 + 3

    def test_without_times_the_id_stops(self) -> None:
        runs = tuple(run_reply(id=f"{n:024x}") for n in range(PAGE_LENGTH, 0, -1))
        calls: list[int] = []

        def page(skip: int) -> Page[RunReply]:
            calls.append(skip)
            return Page(runs, len(runs))

        walk(page, newest(runs, None, NOW), NOW)
        assert calls == [0]

    def test_bad_entries_are_counted(self) -> None:
        found = walk(lambda _skip: Page((numbered(1),), 3), None, NOW)
        assert (len(found.runs), found.bad_items) == (1, 2)

    @given(st.text())
    def test_any_cursor(self, text: str) -> None:
        assert isinstance(Cursor.read(text), Cursor)

    @pytest.mark.parametrize("text", ["", "[]", '{"marks": 3}', '{"turn": -1}', "null"])
    def test_odd_cursors_mean_the_first_time(self, text: str) -> None:
        assert Cursor.read(text) == Cursor()

    def test_turns_reach_everything(self) -> None:
        items, turn, seen = list(range(25)), 0, set[int]()
        for _ in range(3):
            part, turn = turned(items, turn, 10)
            assert len(set(part)) == 10
            seen |= set(part)
        assert seen == set(items)


class TestSettings:
    def test_defaults(self) -> None:
        settings = WerckerSettings.model_validate({"token": CANARY})
        assert settings.base_url == "https://app.wercker.com"
        assert settings.applications == ()
        assert CANARY not in repr(settings)

    @pytest.mark.parametrize(
        "text",
        [
            f"http://{CANARY}.example.org", f"https://{CANARY}:pw@example.org", f"{CANARY}",
            f"https://example.org/?{CANARY}", f"https://example.org/#{CANARY}",
            f"ftp://{CANARY}", f"https://{CANARY}:99999", f"https://example.org/../{CANARY}",
            f"http://127.0.0.1@{CANARY}", f"https://{CANARY} x", f"https://\\{CANARY}",
            f"https://exa\nmple.org/{CANARY}", "https://", "",
        ],
    )  # fmt: skip
    def test_base_urls_refused(self, text: str) -> None:
        with pytest.raises(ValidationError) as caught:
            WerckerSettings.model_validate({"token": "t", "base_url": text})
        assert CANARY not in str(caught.value)
        assert "base_url" in str(caught.value)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("https://ci.example.org/", "https://ci.example.org"),
            ("https://ci.example.org/a/b//", "https://ci.example.org/a/b"),
            ("http://127.0.0.1:8701", "http://127.0.0.1:8701"),
            ("http://[::1]:8701/", "http://[::1]:8701"),
            ("http://localhost/", "http://localhost"),
        ],
    )
    def test_base_urls(self, text: str, expected: str) -> None:
        assert checked_base_url(text) == expected

    @pytest.mark.parametrize("text", ["a/b, c/d,,a/b", '["a/b", "c/d"]', ["a/b", " c/d "]])
    def test_lists(self, text: Any) -> None:
        settings = WerckerSettings.model_validate({"token": "t", "applications": text})
        assert settings.applications == ("a/b", "c/d")

    @pytest.mark.parametrize("text", [CANARY, f"a/b/{CANARY}", f"../{CANARY}", f'["{CANARY}'])
    def test_applications_refused(self, text: str) -> None:
        with pytest.raises(ValidationError) as caught:
            WerckerSettings.model_validate({"token": "t", "applications": text})
        assert CANARY not in str(caught.value)

    @pytest.mark.parametrize("token", ["", " ", f"{CANARY} x", f"{CANARY}\r\nx", f"{CANARY}é"])
    def test_tokens_refused(self, token: str) -> None:
        with pytest.raises(ValidationError) as caught:
            WerckerSettings.model_validate({"token": token})
        assert CANARY not in str(caught.value)

    def test_numbers_in_lists_are_texts(self) -> None:
        assert comma_list("[1, 2]") == ("1", "2")
        with pytest.raises(ValueError, match="texts"):
            comma_list("[true]")

    @pytest.mark.parametrize(
        "wrong", [{"requests_per_minute": 0}, {"timeout_s": 0}, {"timeout_s": "nan"}, {"x": 1}]
    )
    def test_bounds(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            ProviderSettings.model_validate({"base_url": "https://example.org", **wrong})


def test_spec() -> None:
    """What the vendor cannot do is told; the rest is claimed."""
    assert SPEC.type_name == "wercker"
    assert set(Capability) - SPEC.capabilities == {Capability.TESTS} == set(SPEC.refusals)
    assert (SPEC.retry_is_native, SPEC.runs_reopen) == (False, False)
    assert SPEC.takes_variables
    assert SPEC.bare_parameter in WerckerTrigger.model_fields


def test_zone_names_are_not_trusted() -> None:
    """The offset counts, not the name behind it."""
    east = timezone(timedelta(hours=2))
    assert read_time("2017-07-03 16:04:43 +0200 UTC") == datetime(2017, 7, 3, 16, 4, 43, 0, east)
