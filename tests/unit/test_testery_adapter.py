"""Testery's adapter where it needs no vendor: replies, words, links, bodies, paging."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Variable
from bot.domain.runs import Counts, Run
from bot.domain.statuses import Status
from bot.providers import testery_starts as starts
from bot.providers.testery import SPEC
from bot.providers.testery_api import Page
from bot.providers.testery_links import Links, run_id_in
from bot.providers.testery_polls import PAGE_LENGTH, Cursor, Mark, newest, turned, walk
from bot.providers.testery_replies import ResultReply, RunReply, read_time
from bot.providers.testery_results import first_line, is_waiting
from bot.providers.testery_results import tests_of as results_of
from bot.providers.testery_words import Home, run_of, status_of

RECORDED = Path(__file__).parents[1] / "recorded" / "testery"
CANARY = "canary-4711"
API = "https://api.testery.io/api"
WEB = "https://testery.app"
HOME = Home("web", "qa", 123, 7)


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def reply(**fields: Any) -> RunReply:
    return RunReply.model_validate({"id": 5, "status": "PASS", **fields})


def run(**fields: Any) -> Run:
    return run_of("testery", reply(**fields), HOME, None)


def trigger(**typed: str) -> Any:
    return SPEC.trigger.model_validate(typed)


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2020-05-04 23:16:33+0000", datetime(2020, 5, 4, 23, 16, 33, 0, UTC)),
            ("2020-05-04 23:16:33-0700", datetime(2020, 5, 5, 6, 16, 33, 0, UTC)),
            ("2020-05-04 23:16:33+02:00", datetime(2020, 5, 4, 21, 16, 33, 0, UTC)),
            ("2020-05-04T23:16:33.5Z", datetime(2020, 5, 4, 23, 16, 33, 500000, UTC)),
        ],
    )
    def test_forms(self, text: str, expected: datetime) -> None:
        assert read_time(text) == expected

    @pytest.mark.parametrize(
        "value",
        [
            None, 7, True, [], {}, "", "soon", "2020-05-04", "2020-05-04 23:16:33",
            "2020-13-04 23:16:33+0000", "0001-01-01 00:00:00+0000", "9999-12-31 23:59:59-2359",
            "2020-05-04 23:16:33+0000\x00", "٢٠٢٠-05-04 23:16:33+0000",
        ],
    )  # fmt: skip
    def test_none_rather_than_failure(self, value: Any) -> None:
        assert read_time(value) is None

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """No text breaks it, and a result is always aware UTC."""
        found = read_time(text)
        assert found is None or found.tzinfo is UTC


class TestStatuses:
    @pytest.mark.parametrize(
        ("word", "counts", "expected"),
        [
            ("SUBMITTED", (), Status.QUEUED),
            ("QUEUED", (), Status.QUEUED),
            ("PENDING", (), Status.QUEUED),
            ("RUNNING", (), Status.RUNNING),
            ("RUNNING", (3, 0), Status.RUNNING),
            ("IN_PROGRESS", (), Status.RUNNING),
            ("PASS", (0, 0), Status.PASSED),
            ("PASS", (3, 1), Status.PASSED),
            ("PASSED", (), Status.PASSED),
            ("FAIL", (1, 0), Status.FAILED),
            ("FAIL", (0, 1), Status.FAILED),
            ("FAIL", (1, None), Status.FAILED),
            ("FAIL", (None, 1), Status.FAILED),
            ("FAIL", (0, 0), Status.ERRORED),
            ("FAIL", (0, None), Status.ERRORED),
            ("FAIL", (), Status.ERRORED),
            ("FAILED", (2, 0), Status.FAILED),
            ("FAILED", (), Status.ERRORED),
            ("ERROR", (2, 0), Status.ERRORED),
            ("CANCELED", (2, 0), Status.ABORTED),
            ("CANCELLED", (), Status.ABORTED),
            ("CANCEL", (), Status.ABORTED),
            ("pass", (), Status.PASSED),
            (" Fail ", (1,), Status.FAILED),
            ("EXPLODED", (), Status.UNKNOWN),
            ("", (), Status.UNKNOWN),
        ],
    )
    def test_every_row(self, word: str, counts: tuple[int | None, ...], expected: Status) -> None:
        assert status_of(word, *counts) is expected

    @given(st.text(), st.integers(0, 9), st.integers(0, 9))
    def test_any_word(self, word: str, failed: int, late: int) -> None:
        assert status_of(word, failed, late) in Status

    @pytest.mark.parametrize(
        ("fields", "is_over"),
        [
            ({"complete": True}, True),
            ({"ended": True}, True),
            ({"complete": False, "ended": True}, True),
            ({"complete": True, "ended": None}, True),
            ({"complete": False}, False),
            ({"ended": False}, False),
            ({"ended": False, "endTime": "2020-05-04 23:22:59+0000"}, False),
            ({"endTime": "2020-05-04 23:22:59+0000"}, True),
            ({}, False),
            ({"complete": "yes"}, False),
        ],
    )
    def test_an_unknown_word_is_over_when_a_flag_says_so(
        self, fields: dict[str, Any], *, is_over: bool
    ) -> None:
        """Never an alert either way."""
        made = run(status="EXPLODED", createTime="2020-05-04 23:15:10+0000", **fields)
        assert (made.status, made.raw_status) == (Status.UNKNOWN, "EXPLODED")
        assert made.is_over is is_over
        assert not made.status.is_failure

    @pytest.mark.parametrize("flag", [True, False])
    def test_the_status_decides_where_it_is_known(self, *, flag: bool) -> None:
        assert run(status="RUNNING", complete=flag, ended=flag).is_over is False
        assert run(status="PASS", complete=flag, ended=flag).is_over is True

    def test_a_run_that_moves_again_has_no_end(self) -> None:
        assert run(status="RUNNING", endTime="2020-05-04 23:22:59+0000").finished is None

    def test_hostile_words_are_cut_and_cleaned(self) -> None:
        made = run(status="X\x00\u202e\r\n" + "y" * 999)
        assert len(made.raw_status) <= 64
        assert made.raw_status.isprintable()


class TestRun:
    def test_the_published_example(self) -> None:
        made = run_of(
            "testery",
            RunReply.model_validate(recorded("test-run-get-pass.seed")),
            Home("web", "dev", 123),
            "https://x/y",
        )
        assert str(made.ref) == "testery:55676"
        assert str(made.pipeline) == "testery:web/dev"
        assert made.aliases == ("web", "123")
        assert (made.status, made.raw_status, made.attempt) == (Status.PASSED, "PASS", 1)
        assert (made.branch, made.commit) == (None, "abcd4e87d8d928a21a393b0def6ab0c0a21d35a2")
        assert made.created == datetime(2020, 5, 4, 23, 15, 10, tzinfo=UTC)
        assert made.duration == timedelta(seconds=386)
        assert made.counts == Counts(30, 30, 0, 0)
        assert (made.environment, made.author, made.progress) == ("dev", None, None)
        assert (made.url, made.is_private) == ("https://x/y", False)

    @pytest.mark.parametrize(
        ("name", "status", "counts", "progress"),
        [
            ("submitted", Status.QUEUED, Counts(), None),
            ("queued", Status.QUEUED, Counts(), None),
            ("running", Status.RUNNING, Counts(6, 4, 1, 0), 83),
            ("fail", Status.FAILED, Counts(4, 1, 1, 1), None),
            ("fail-no-tests", Status.ERRORED, Counts(0, 0, 0, 0), None),
            ("canceled", Status.ABORTED, Counts(0, 0, 0, 0), None),
        ],
    )
    def test_recorded(
        self, name: str, status: Status, counts: Counts, progress: int | None
    ) -> None:
        made = run_of(
            "testery",
            RunReply.model_validate(recorded(f"test-run-get-{name}.made-up")),
            HOME,
            None,
        )
        assert (made.status, made.counts, made.progress) == (status, counts, progress)
        assert made.branch == "main"
        assert made.is_over is status.is_terminal

    def test_the_reason_is_told(self) -> None:
        made = run(status="FAIL", name="web smoke", statusInfo="No\r\nagent <b>left</b>")
        assert made.title == "web smoke: No agent left"
        assert run(statusInfo="why").title == "why"
        assert run().title == ""
        assert len(run(name="n" * 999, statusInfo="s" * 999).title) <= 300

    @pytest.mark.parametrize(
        ("fields", "failed"),
        [
            ({"failCount": 2, "timeoutCount": 1, "passCount": 1, "totalCount": 4}, 3),
            ({"failCount": 2, "timeoutCount": 1, "passCount": 2, "totalCount": 4}, 2),
            ({"failCount": 0, "timeoutCount": 2, "totalCount": 2}, 2),
            ({"failCount": 1}, 1),
            ({"timeoutCount": 1}, 1),
            ({}, None),
        ],
    )
    def test_timed_out_tests_have_failed(self, fields: dict[str, int], failed: int | None) -> None:
        """Counted once: the page does not say whether they are among the failed ones."""
        assert run(status="FAIL", **fields).counts.failed == failed

    def test_progress_is_a_percentage(self) -> None:
        odd = {"passCount": 9, "failCount": 9, "totalCount": 10}
        assert run(status="RUNNING", **odd).progress == 100
        assert run(status="RUNNING", totalCount=0).progress is None
        assert run(status="PASS", passCount=1, totalCount=2).progress is None

    def test_created_at_stands_in(self) -> None:
        assert run(createdAt="2020-05-04 23:15:10+0000").created is not None

    @pytest.mark.parametrize(
        ("home", "key", "aliases"),
        [
            (Home("web", "qa", 123, 7), "web/qa", ("web", "123", "123/7")),
            (Home("web", None, 123), "web", ("123",)),
            (Home("web", "qa"), "web/qa", ("web",)),
            (Home(None, "qa", 123, 7), "123/qa", ("123", "123/7")),
            (Home(None, None, 123), "123", ()),
            (Home(), "unknown", ()),
        ],
    )
    def test_homes(self, home: Home, key: str, aliases: tuple[str, ...]) -> None:
        assert (home.key, home.aliases) == (key, aliases)

    @pytest.mark.parametrize("bad", [None, True, 0, -1, 1.5, "x", "", "0", "1/2", 10**18, [], {}])
    def test_ids(self, bad: Any) -> None:
        with pytest.raises(ValidationError):
            RunReply.model_validate({"id": bad, "status": "PASS"})
        assert RunReply.model_validate({"id": "42", "status": "PASS"}).id == 42
        assert reply(projectId=bad).project_id is None

    @given(
        st.dictionaries(
            st.sampled_from([f.alias or n for n, f in RunReply.model_fields.items()]),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([[]]),
        )
    )  # fmt: skip
    def test_any_fields(self, fields: dict[str, Any]) -> None:
        """Nothing but id and status can cost the run."""
        made = run(**{k: v for k, v in fields.items() if k not in {"id", "status"}})
        assert made.ref.run_id == "5"


class TestResults:
    def of(self, *items: dict[str, Any], is_over: bool = True) -> Any:
        results = [ResultReply.model_validate(item) for item in items]
        return results_of(results, "5", Links(WEB, "acme"), is_over=is_over)

    @pytest.mark.parametrize(
        ("word", "going", "over"),
        [
            ("PASS", Status.PASSED, Status.PASSED),
            ("FAIL", Status.FAILED, Status.FAILED),
            ("IGNORED", Status.SKIPPED, Status.SKIPPED),
            ("NOT_RUN", Status.SKIPPED, Status.SKIPPED),
            ("NOTRUN", Status.SKIPPED, Status.SKIPPED),
            ("SKIPPED", Status.SKIPPED, Status.SKIPPED),
            ("PENDING", Status.QUEUED, Status.SKIPPED),
            ("RUNNING", Status.RUNNING, Status.RUNNING),
            ("EXPLODED", Status.UNKNOWN, Status.UNKNOWN),
            ("pass", Status.PASSED, Status.PASSED),
            (None, Status.UNKNOWN, Status.UNKNOWN),
        ],
    )
    def test_every_row(self, word: str | None, going: Status, over: Status) -> None:
        item = {"id": 1, "status": word}
        assert self.of(item, is_over=False)[0].status is going
        assert self.of(item)[0].status is over
        assert is_waiting(ResultReply.model_validate(item)) is (word == "PENDING")

    def test_names(self) -> None:
        test = {"name": "inner", "fileFilter": None, "file": "f.py"}
        tests = self.of(
            {"projectTest": test, "name": "outer"},
            {"projectTest": {"name": None}, "name": "outer"},
            {"projectTest": None, "id": 9},
            {},
        )
        assert [t.name for t in tests] == ["inner", "outer", "test 9", "test without a name"]

    def test_the_file_tells_namesakes_apart(self) -> None:
        one = {"projectTest": {"name": "t", "fileFilter": "a.py", "file": "x.py"}}
        two = {"projectTest": {"name": "t", "file": "b.py"}}
        assert [t.name for t in self.of(one, two)] == ["t (a.py)", "t (b.py)"]
        assert [t.name for t in self.of(one)] == ["t"]

    def test_links(self) -> None:
        assert self.of({"id": 9})[0].url == f"{WEB}/acme/test-runs/5/tests/9/console"
        assert self.of({"id": "x"})[0].url is None

    @pytest.mark.parametrize("value", [None, True, -1, "5", [], 1e300])
    def test_odd_durations(self, value: Any) -> None:
        assert self.of({"duration": value})[0].duration_s is None

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("AssertionError: expected 200\n  at x", "AssertionError: expected 200"),
            ("\x1b[31mAssertionError\x1b[39m: expected 200", "AssertionError: expected 200"),
            ("\x1b[1;38;5;196mE\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07", "E link"),
            ("\n \t\n\x1b[0m\n second", "second"),
            ("a\r\nb", "a"),
            ("nul\x00 \u202eright\u2066", "nul right"),
            ("Expected <div> not <b>", "Expected <div> not <b>"),
            ("", ""),
            ("x" * 999, "x" * 299 + "…"),
        ],
    )
    def test_first_line(self, text: str, line: str) -> None:
        assert first_line(text) == line

    @given(st.text())
    def test_any_error(self, text: str) -> None:
        line = first_line(text)
        assert len(line) <= 300
        assert "\n" not in line
        assert "\x1b" not in line


class TestLinks:
    @pytest.mark.parametrize(
        "url",
        [
            f"{WEB}/acme/test-runs/5",
            f"{WEB}/acme/test-runs/5/",
            f"{WEB}/acme/test-runs/5/tests/9/console",
            f"{WEB}/ACME/test-runs/5?tab=1#x",
            f"{WEB}:443/acme/test-runs/5",
            "http://testery.app/acme/test-runs/5",
            " https://TESTERY.app/acme/test-runs/5 ",
            f"{API}/test-runs/5",
            f"{API}/test-runs/5/results/9",
            f"{API}/test-run-results/5",
        ],
    )
    def test_ours(self, url: str) -> None:
        assert run_id_in(url, WEB, API, "acme") == "5"
        assert run_id_in(url, WEB, API, None) == "5"

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "5",
            f"{WEB}/acme/test-runs",
            f"{WEB}/acme/test-runs/",
            f"{WEB}/acme/test-runs/x",
            f"{WEB}/acme/test-runs/0",
            f"{WEB}/acme/test-runs/5x",
            f"{WEB}/other/test-runs/5",
            f"{WEB}/acme/x/test-runs/5",
            f"{WEB}.evil.example/acme/test-runs/5",
            f"{WEB}@evil.example/acme/test-runs/5",
            "https://me:pw@testery.app/acme/test-runs/5",
            f"{WEB}:8443/acme/test-runs/5",
            f"{WEB}:x/acme/test-runs/5",
            "ftp://testery.app/acme/test-runs/5",
            "https://api.testery.io/test-runs/5",
            "https://api.testery.io/apix/test-runs/5",
            "https://[::1/acme/test-runs/5",
        ],
    )
    def test_not_ours(self, url: str) -> None:
        assert run_id_in(url, WEB, API, "acme") is None

    @given(st.text())
    def test_any_url(self, url: str) -> None:
        assert run_id_in(url, WEB, API, None) is None

    def test_a_page_below_a_path(self) -> None:
        base = "https://ci.example.org/testery"
        assert run_id_in(f"{base}/acme/test-runs/5", base, API, "acme") == "5"
        assert run_id_in("https://ci.example.org/acme/test-runs/5", base, API, "acme") is None

    @pytest.mark.parametrize("name", [None, "", ".", ".."])
    def test_no_name_no_link(self, name: str | None) -> None:
        assert Links(WEB, name).run(5) is None
        assert Links(WEB, name).test("5", 9) is None

    @given(st.text(min_size=1))
    def test_every_link_is_found_again(self, name: str) -> None:
        if name in {".", ".."} or name.encode("utf-8", "ignore").decode() != name:
            return
        url = Links(WEB, name).run(5)
        assert url is not None
        assert run_id_in(url, WEB, API, name) == "5"


class TestBodies:
    def test_every_documented_field_can_be_typed(self) -> None:
        """All of the example body but the project, which the pipeline says."""
        names = {f.alias for f in SPEC.trigger.model_fields.values()}
        documented = set(recorded("create-request-all-fields.made-up")) - {"project"}
        assert names == documented
        assert all(f.description for f in SPEC.trigger.model_fields.values())
        assert SPEC.bare_parameter in names

    def test_nothing_typed_is_nothing_sent(self) -> None:
        assert trigger().fields() == {}

    @pytest.mark.parametrize(
        "typed",
        [
            {"runners": "x"}, {"runners": "0"}, {"runners": str(2**31)}, {"copies": "1.5"},
            {"latestDeploy": "perhaps"}, {"branch": "b" * 256}, {"nonsense": "x"},
            {"include_tags": "x"}, {"includeTags": "[1]"}, {"variables": "K"},
            {"variables": "=V"}, {"variables": "A B=C"}, {"project": "web"},
        ],
    )  # fmt: skip
    def test_wrong_values(self, typed: dict[str, str]) -> None:
        with pytest.raises(ValidationError):
            trigger(**typed)
        with pytest.raises(ProviderError) as caught:
            starts.checked(typed)
        assert caught.value.kind is Kind.INVALID
        assert next(iter(typed)) in caught.value.message

    def test_a_wrong_value_is_not_repeated(self) -> None:
        with pytest.raises(ProviderError) as caught:
            starts.checked({"variables": CANARY})
        assert CANARY not in repr(caught.value) + repr(caught.value.__context__)
        with pytest.raises(ValidationError) as other:
            trigger(variables=CANARY)
        assert CANARY not in str(other.value)

    @given(st.lists(st.text(st.characters(exclude_characters=",", exclude_categories=["C", "Z"]),
                            min_size=1)))  # fmt: skip
    def test_lists(self, tags: list[str]) -> None:
        """Comma separated or as JSON, the same texts come out."""
        as_json = trigger(includeTags=json.dumps(tags)).fields()
        assert as_json == {"includeTags": tags}
        if tags and not tags[0].startswith("["):
            assert trigger(includeTags=" , ".join(tags)).fields() == {"includeTags": tags}

    def test_variables(self) -> None:
        """`env.NAME` wins, and keeps what the list says about encryption."""
        typed = trigger(variables="A=1,secure:B=,C==")
        sent = starts.variables_of(typed, (Variable("B", "=x="), Variable("D", "2")))
        assert [(v["key"], v["value"], v["encrypted"]) for v in sent] == [
            ("A", "1", False),
            ("B", "=x=", True),
            ("C", "=", False),
            ("D", "2", False),
        ]

    def test_repeated(self) -> None:
        """The documented table: same or as named, null and absent ones left out."""
        old = reply(
            gitRef="abc", branch="main", buildKey="23", testSuiteId=5, includeTags=["a"],
            excludedTags=["b"], testFilters=["Regex: c", "d"], copies=2, timeoutMinutes=3,
            testTimeoutSeconds=4, retryFailedTests=False, maxRunners=6,
            defaultToParallelizeByFile=True, testName="t", priority=7, recordVideo=True,
        )  # fmt: skip
        assert starts.repeated(old, trigger()) == {
            "ref": "abc", "branch": "main", "buildId": "23", "testSuiteId": 5,
            "includeTags": ["a"], "excludedTags": ["b"], "testFilters": ["Regex: c", "Regex: d"],
            "copies": 2, "timeoutMinutes": 3, "testTimeoutSeconds": 4, "retryFailedTests": False,
            "runners": 6, "parallelizeByFile": True,
        }  # fmt: skip
        assert starts.repeated(reply(), trigger()) == {}
        assert starts.repeated(reply(includeTags=[], testFilters=None), trigger()) == {}

    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            ({"branch": "dev"}, {"branch": "dev"}),
            ({"branch": "main"}, {"branch": "main", "ref": "abc"}),
            ({"ref": "def"}, {"branch": "main", "ref": "def"}),
            ({"branch": "dev", "ref": "def"}, {"branch": "dev", "ref": "def"}),
        ],
    )
    def test_a_commit_belongs_to_its_branch(
        self, typed: dict[str, str], expected: dict[str, str]
    ) -> None:
        assert starts.repeated(reply(gitRef="abc", branch="main"), trigger(**typed)) == expected


class TestPaging:
    def page(self, *ids: int, bad: int = 0) -> Page[RunReply]:
        return Page(tuple(reply(id=i) for i in ids), len(ids) + bad)

    def test_marks(self) -> None:
        """By times where both are known, else by ids."""
        mark = Mark(run_id=5, created=datetime(2026, 1, 1, tzinfo=UTC))
        assert mark.is_before(reply(id=3, createTime="2026-01-01 00:00:01+0000"))
        assert mark.is_before(reply(id=3, createTime="2026-01-01 00:00:00+0000"))
        assert not mark.is_before(reply(id=9, createTime="2025-12-31 23:59:59+0000"))
        assert not mark.is_before(reply(id=5, createTime="2026-01-01 00:00:00+0000"))
        assert mark.is_before(reply(id=5, createTime="2027-01-01 00:00:00+0000"))
        assert mark.is_before(reply(id=6))
        assert not mark.is_before(reply(id=4))

    def test_the_mark_never_goes_back(self) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        mark = newest([reply(id=3), reply(id=9), reply(id=7)], None, now)
        assert mark.run_id == 9
        assert newest([reply(id=2)], mark, now) == mark
        assert newest([], mark, now) == mark
        assert newest([], None, now) == Mark()

    def test_the_mark_is_never_ahead_of_us(self) -> None:
        """By a run that is dated so, nor by one that an older version kept."""
        now = datetime(2026, 1, 1, tzinfo=UTC)
        ahead = reply(id=3, createTime="2027-01-01 00:00:00+0000")
        good = reply(id=5, createTime="2025-12-31 23:00:00+0000")
        assert newest([ahead, good], None, now).run_id == 5
        assert newest([ahead], None, now) == Mark(run_id=3, created=now)
        old = Mark(run_id=3, created=ahead.created)
        assert newest([ahead, good], old, now).run_id == 5
        assert newest([], old, now) == old

    def test_an_end_that_is_short(self) -> None:
        pages = [self.page(*range(100, 0, -1)), self.page(200, 1)]
        found = walk(lambda number, _length: pages[number], lambda _page: False)
        assert len(found.runs) == 101
        assert found.next_page is None

    def test_it_never_reads_for_ever(self) -> None:
        calls = []

        def read(number: int, length: int) -> Page[RunReply]:
            calls.append((number, length))
            return self.page(*range(1 + number * 100, 101 + number * 100))

        found = walk(read, lambda _page: False, most=4)
        assert [number for number, _ in calls] == [0, 1, 2, 3]
        assert found.next_page == 4

    def test_unreadable_pages_count(self) -> None:
        found = walk(lambda n, _l: self.page(bad=3 if n == 0 else 0), lambda _page: False)
        assert (found.runs, found.bad_items) == ((), 3)

    def test_bad_entries_of_a_repeated_page_are_counted_once(self) -> None:
        """By a server that ignores `page`."""
        full = self.page(*range(1, PAGE_LENGTH), bad=1)
        assert walk(lambda _n, _l: full, lambda _page: False).bad_items == 1

    def test_a_refused_token_ends_it(self) -> None:
        def read(number: int, _length: int) -> Page[RunReply]:
            if number:
                raise ProviderError(Kind.AUTH, "no")
            return self.page(*range(1, 101))

        with pytest.raises(ProviderError):
            walk(read, lambda _page: False)

    @given(st.lists(st.integers(0, 99).map(str), unique=True), st.integers(0, 999))
    def test_turns(self, ids: list[str], turn: int) -> None:
        """Everyone has a turn, and nobody two in one."""
        seen: set[str] = set()
        for _ in range(12):
            some, turn = turned(ids, turn, 10)
            assert len(set(some)) == len(some) <= 10
            seen |= set(some)
        assert seen == set(ids)

    @given(st.text())
    def test_any_cursor(self, text: str) -> None:
        assert isinstance(Cursor.read(text), BaseModel)

    def test_a_cursor_is_read_back(self) -> None:
        cursor = Cursor(mark=Mark(run_id=5, created=datetime(2026, 1, 1, tzinfo=UTC)), open_turn=3)
        assert Cursor.read(cursor.model_dump_json()) == cursor


class TestSettings:
    def test_defaults(self) -> None:
        settings: Any = SPEC.settings.model_validate({"token": CANARY})
        assert (settings.base_url, settings.web_url) == (API, WEB)
        assert CANARY not in repr(settings) + settings.model_dump_json()

    @pytest.mark.parametrize(
        "values",
        [
            {}, {"token": ""}, {"token": "a b"}, {"token": "x", "base_url": "http://example.org"},
            {"token": "x", "web_url": "javascript:x"}, {"token": "x", "nonsense": "1"},
        ],
    )  # fmt: skip
    def test_wrong_ones(self, values: dict[str, str]) -> None:
        with pytest.raises(ValidationError):
            SPEC.settings.model_validate(values)
