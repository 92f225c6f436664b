"""Starting, canceling and repeating runs of Testery over real sockets."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.errors import Kind
from bot.domain.providers import (
    TriggerRequest,
    Variable,
)
from bot.domain.statuses import Status
from bot.domain.transitions import Reason, Snapshot, compare
from bot.playground.faults import Fault
from bot.playground.vendors.course import Outcome
from bot.providers.testery import SPEC
from tests.fakes.testery_bench import (
    CANARY,
    CREATE,
    HTML,
    JSON,
    LIST,
    LONG_AGO,
    RED,
    Bench,
    everything,
    opened,
    raised,
    recorded,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with opened() as made:
        yield made


class TestTrigger:
    ALL = json.loads(recorded("create-request-all-fields.made-up"))

    def test_minimal(self, bench: Bench) -> None:
        """Project and environment are enough, and nothing else is sent. One change."""
        started = bench.trigger("checkout-e2e/staging")
        (sent,) = bench.changes()
        assert (sent.method, sent.path) == ("POST", CREATE)
        assert json.loads(sent.body) == {"project": "checkout-e2e", "environment": "staging"}
        assert started.run is not None
        assert (started.run.status, started.note) == (Status.QUEUED, "")
        assert started.run.pipeline.key == "checkout-e2e/staging"
        read = bench.get(started.run.ref.run_id)
        assert started.run.parameters == (("includeTags", "none"), ("copies", "1"))
        assert set(read.parameters) > set(started.run.parameters), "nulls are left out"
        assert replace(read, parameters=started.run.parameters) == started.run

    def test_every_field(self, bench: Bench) -> None:
        """As people type them, they make the example body, which the strict stand-in takes."""
        plain = {k: v for k, v in self.ALL.items() if k not in {"project", "environment"}}
        typed = {
            **{k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in plain.items()},
            "includeTags": "smoke",
            "excludedTags": "wip",
            "testFilters": "login.*",
        }
        del typed["variables"]
        variable = Variable("TARGET_URL", "https://qa.example.test/?a=b")
        started = bench.trigger("web/qa", variable, **typed)
        assert bench.bodies() == [self.ALL]
        assert started.run is not None
        assert (started.run.branch, started.run.commit) == ("main", self.ALL["ref"])

    @pytest.mark.parametrize(
        ("typed", "sent"),
        [
            ({"includeTags": "x, y,"}, {"includeTags": ["x", "y"]}),
            ({"includeTags": '["x,y"]'}, {"includeTags": ["x,y"]}),
            ({"includeTags": "[]"}, {"includeTags": []}),
            ({"includeTags": ","}, {}),
            ({"includeTags": "  "}, {}),
            ({"excludedTags": "[]"}, {}),
            (
                {"testFilters": "login.*,Regex: ^a=b$"},
                {"testFilters": ["Regex: login.*", "Regex: ^a=b$"]},
            ),
            (
                {"testFilters": '["a{1,2}", "b"]'},
                {"testFilters": ["Regex: a{1,2}", "Regex: b"]},
            ),
            ({"testFilters": "[a-z]+"}, {"testFilters": ["Regex: [a-z]+"]}),
            ({"testSuiteId": "smoke"}, {"testSuiteId": 1230}),
            ({"testSuiteId": "77"}, {"testSuiteId": 77}),
            ({"buildId": "23", "deployId": "42"}, {"buildId": "23", "deployId": "42"}),
            ({"latestDeploy": "yes", "copies": "2"}, {"latestDeploy": True, "copies": 2}),
            ({"updateVcsStatus": "false"}, {"updateVcsStatus": False}),
            ({"branch": " main ", "ref": "", "testName": ""}, {"branch": "main"}),
        ],
    )
    def test_fields(self, bench: Bench, typed: dict[str, str], sent: dict[str, Any]) -> None:
        bench.trigger("web/qa", **typed)
        assert bench.bodies() == [{"project": "web", "environment": "qa", **sent}]

    def test_variables(self, bench: Bench) -> None:
        """In the order typed, each split at its first `=`, and encrypted where that was said."""
        bench.trigger(
            "web/qa",
            Variable("URL", "https://x/?a=b"),
            Variable("EMPTY", ""),
            variables="K=V=W,secure:S=X",
        )
        assert bench.bodies()[0]["variables"] == [
            {"key": "K", "value": "V=W", "encrypted": False},
            {"key": "S", "value": "X", "encrypted": True},
            {"key": "URL", "value": "https://x/?a=b", "encrypted": False},
            {"key": "EMPTY", "value": "", "encrypted": False},
        ]

    def test_the_vendors_own_examples(self, bench: Bench) -> None:
        """What the official client sends is what the same words make here."""
        bench.standin.add_project("P")
        bench.standin.add_environment("E")
        bench.trigger("P/E", updateVcsStatus="true", includeTags="x,y", copies="2")
        bench.trigger(
            "web/qa", Variable("K", "V"), updateVcsStatus="true", branch="main",
            includeTags="a,b", copies="1", variables="secure:S=X",
        )  # fmt: skip
        assert bench.bodies()[0] == json.loads(recorded("create-request-tags.cli"))
        expected = json.loads(recorded("create-request-branch-and-variables.cli"))

        def by_key(body: dict[str, Any]) -> list[Any]:
            return sorted(body.pop("variables"), key=lambda one: str(one["key"]))

        second = bench.bodies()[1]
        assert by_key(second) == by_key(expected)
        assert second == expected

    def test_the_recorded_answer(self, bench: Bench) -> None:
        bench.answer(CREATE, recorded("create-response.made-up"), 201)
        run = bench.trigger("web/qa").run
        assert run is not None
        assert (run.ref.run_id, run.status, run.pipeline.key) == (
            "304090", Status.QUEUED, "web/dev",
        )  # fmt: skip

    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_an_answer_with_an_id_alone(self, bench: Bench, status: int) -> None:
        """What it leaves out is what was asked for."""
        bench.answer(CREATE, {"id": 9}, status)
        run = bench.trigger("web/qa", branch="dev").run
        assert run is not None
        assert (str(run.ref), run.status, run.branch) == ("testery:9", Status.QUEUED, "dev")
        assert (run.pipeline.key, run.url) == ("web/qa", f"{bench.url}/acme/test-runs/9")

    def test_an_environment_beside_the_project(self, bench: Bench) -> None:
        bench.trigger("web", environment="qa")
        bench.trigger("web/qa", environment="qa")
        assert bench.bodies() == [{"project": "web", "environment": "qa"}] * 2

    def test_no_environment(self, bench: Bench) -> None:
        error = raised(lambda: bench.trigger("web"))
        assert error.kind is Kind.INVALID
        assert "qa, staging" in error.message
        assert error.known == ("qa", "staging")
        assert bench.changes() == []

    def test_two_environments(self, bench: Bench) -> None:
        assert raised(lambda: bench.trigger("web/qa", environment="old")).kind is Kind.INVALID
        assert bench.changes() == []

    @pytest.mark.parametrize(
        ("pipeline", "typed"),
        [
            ("wbe/qa", {}),
            ("web/aq", {}),
            ("web", {"environment": "aq"}),
            ("web/qa", {"testSuiteId": "smoek"}),
        ],
    )
    def test_unknown_names_send_nothing(
        self, bench: Bench, pipeline: str, typed: dict[str, str]
    ) -> None:
        error = raised(lambda: bench.trigger(pipeline, **typed))
        assert error.kind is Kind.NOT_FOUND
        assert error.known
        assert bench.changes() == []

    def test_no_suites(self, bench: Bench) -> None:
        bench.answer("/api/projects/123/test-suites", [])
        error = raised(lambda: bench.trigger("web/qa", testSuiteId="Smoke"))
        assert "there are none" in error.message

    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (400, b'{"code": "400", "message": "bad runners"}', Kind.INVALID, "bad runners"),
            (400, b"Runner count\r\n\x1b\x00 is <b>too</b> high", Kind.INVALID, "is too high"),
            (401, recorded("error-401.cli"), Kind.AUTH, "Not Authorized"),
            (403, b"", Kind.FORBIDDEN, "does not allow"),
            (404, recorded("error-404.cli"), Kind.NOT_FOUND, "Resource Not Found"),
            (409, recorded("error-409.cli"), Kind.CONFLICT, "Conflict"),
            (422, b"<html><p>No", Kind.INVALID, "refused a value"),
            (429, b"", Kind.RATE_LIMITED, "often"),
            (301, b"", Kind.BAD_REPLY, "moved"),
        ],
    )
    def test_refusals(self, bench: Bench, status: int, body: bytes, kind: Kind, words: str) -> None:
        """Every refusal is told in words, once, and what the vendor says is cleaned."""
        bench.answer(CREATE, body, status)
        error = raised(lambda: bench.trigger("web/qa"))
        assert error.kind is kind
        assert words in error.message
        assert error.message.isprintable()
        assert "<" not in error.message
        assert len(bench.changes()) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(method="POST", drop_after=True),
            Fault(method="POST", drop_before=True),
            Fault(method="POST", status=500, body=recorded("error-409.cli")),
            Fault(method="POST", status=502, body=b"<html>", headers=HTML),
            Fault(method="POST", status=302, headers={"Location": "/x"}),
            Fault(method="POST", status=201, body=b"{}", headers=JSON),
            Fault(method="POST", status=201, body=b"[]", headers=JSON),
            Fault(method="POST", status=201, body=b'{"id": "x"}', headers=JSON),
            Fault(method="POST", status=201, body=b"[", headers=JSON),
            Fault(method="POST", status=201, body=b"", headers=JSON),
            Fault(method="POST", status=204),
            Fault(method="POST", status=200, body=b"<html>", headers=HTML),
        ],
        ids=["lost", "dropped", "500", "502", "302", "no id", "list", "odd id", "cut", "empty",
             "204", "page"],
    )  # fmt: skip
    def test_a_lost_answer_is_ambiguous_and_sent_once(self, bench: Bench, fault: Fault) -> None:
        fault.times = 1_000
        bench.standin.faults.add(fault)
        error = raised(lambda: bench.trigger("web/qa", Variable("A", CANARY)))
        assert error.kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 1
        assert CANARY not in everything(error)

    def test_a_late_answer(self, bench: Bench) -> None:
        bench.provider.find_pipeline("web/qa", bench.within())
        bench.provider.check(bench.within())
        bench.answer(CREATE, b"", hang=True)
        request = TriggerRequest("web/qa", SPEC.trigger.model_validate({}), (), "m", "U1")
        error = raised(lambda: bench.provider.trigger(request, bench.within(0.3)))
        assert error.kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 1

    def test_nothing_is_asked_after_the_start(self, bench: Bench) -> None:
        """So that no later failure can hide that a run was started."""
        assert bench.sent(lambda: bench.trigger("web/qa"))[-1] == f"POST {CREATE}"

    def test_no_account_costs_the_link_only(self, bench: Bench) -> None:
        bench.answer("/api/account", b"", 500)
        run = bench.trigger("web/qa").run
        assert run is not None
        assert run.url is None


class TestAbort:
    def test_abort(self, bench: Bench) -> None:
        run = bench.running()
        after = bench.provider.abort(run, bench.within())
        assert (run.status, after.status, after.raw_status) == (
            Status.RUNNING, Status.ABORTED, "CANCELED",
        )  # fmt: skip
        assert (after.pipeline, after.url, after.is_over) == (run.pipeline, run.url, True)
        (sent,) = bench.changes()
        assert (sent.method, sent.path) == ("PATCH", f"{LIST}/{run.ref.run_id}")
        assert json.loads(sent.body) == json.loads(recorded("cancel-request.cli"))

    @pytest.mark.parametrize("body", [b"", b"OK", b"[]", b"<html>", b'{"id": 5, "status": "X"}'])
    def test_an_answer_that_is_not_the_run(self, bench: Bench, body: bytes) -> None:
        """The run is read again then."""
        run = bench.running()
        bench.standin.finish(int(run.ref.run_id), "CANCELED")
        bench.answer(f"{LIST}/.*", body, method="PATCH")
        sent = bench.sent(lambda: bench.provider.abort(run, bench.within()))
        assert sent == [f"PATCH {LIST}/{run.ref.run_id}", f"GET {LIST}/{run.ref.run_id}"]
        assert bench.provider.abort(run, bench.within()).status is Status.ABORTED

    def test_taken_and_then_not_readable(self, bench: Bench) -> None:
        """It was done, so this must not look like a refusal: the run is told as it was."""
        run = bench.running()
        bench.answer(f"{LIST}/.*", b"", method="PATCH")
        bench.answer(f"{LIST}/.*", b"", 500, method="GET")
        assert bench.provider.abort(run, bench.within()) == run

    def test_a_sparse_answer(self, bench: Bench) -> None:
        """Only id and status: all else stays as it was."""
        run = bench.running()
        bench.standin.quirks.fields = "sparse"
        after = bench.provider.abort(run, bench.within())
        assert after.status is Status.ABORTED
        assert (after.pipeline, after.title, after.created) == (
            run.pipeline, run.title, run.created,
        )  # fmt: skip

    @pytest.mark.parametrize("word", ["PASS", "FAIL", "CANCELED"])
    def test_nothing_is_sent_when_over(self, bench: Bench, word: str) -> None:
        run = bench.finished(Outcome(word, 10, 0))
        sent = bench.sent(lambda: bench.provider.abort(run, bench.within()))
        assert sent == []
        assert bench.provider.abort(run, bench.within()) == run

    def test_ended_in_between(self, bench: Bench) -> None:
        """The vendor refuses: how the run ended is told."""
        run = bench.running()
        bench.standin.finish(int(run.ref.run_id), "PASS")
        assert bench.provider.abort(run, bench.within()).status is Status.PASSED
        assert len(bench.changes()) == 1

    @pytest.mark.parametrize("status", [400, 404, 409, 422])
    def test_refused_while_going_on(self, bench: Bench, status: int) -> None:
        run = bench.running()
        bench.answer(f"{LIST}/.*", b"Not now", status, method="PATCH")
        error = raised(lambda: bench.provider.abort(run, bench.within()))
        assert error.kind is Kind.CONFLICT
        assert "Not now" in error.message

    def test_refused_and_then_not_readable(self, bench: Bench) -> None:
        """The refusal is told, not the failed look that followed."""
        run = bench.running()
        bench.answer(f"{LIST}/.*", b"Not now", 409, method="PATCH")
        bench.answer(f"{LIST}/.*", b"", 500, method="GET")
        error = raised(lambda: bench.provider.abort(run, bench.within()))
        assert "Not now" in error.message

    @pytest.mark.parametrize(
        ("status", "kind"), [(401, Kind.AUTH), (403, Kind.FORBIDDEN), (429, Kind.RATE_LIMITED)]
    )
    def test_refusals_that_say_nothing_about_the_run(
        self, bench: Bench, status: int, kind: Kind
    ) -> None:
        run = bench.running()
        bench.answer(f"{LIST}/.*", b"", status, method="PATCH")
        assert raised(lambda: bench.provider.abort(run, bench.within())).kind is kind
        assert len(bench.changes()) == 1

    def test_a_lost_answer(self, bench: Bench) -> None:
        """Reading the run tells what became of it; sent once in any case."""
        run = bench.running()
        fault = bench.standin.faults.add(Fault(method="PATCH", drop_after=True))
        assert bench.provider.abort(run, bench.within()).status is Status.ABORTED
        assert len(bench.changes()) == 1
        fault.drop_after, fault.drop_before = False, True
        other = bench.running()
        assert raised(lambda: bench.provider.abort(other, bench.within())).kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 2


class TestRetry:
    def test_under_a_new_id(self, bench: Bench) -> None:
        old = bench.finished(RED, branch="main")
        started = bench.retry(old)
        (sent,) = bench.changes()
        assert (sent.method, sent.path) == ("POST", f"{LIST}/{old.ref.run_id}/rerun")
        assert json.loads(sent.body) == {}
        run = started.run
        assert run is not None
        assert run.ref != old.ref
        assert (run.status, run.pipeline, run.branch) == (Status.QUEUED, old.pipeline, "main")
        assert run.url == f"{bench.url}/acme/test-runs/{run.ref.run_id}"
        assert started.note == ""

    def test_under_its_own_id(self, bench: Bench) -> None:
        bench.standin.quirks.rerun = "same"
        old = bench.finished(RED)
        bench.standin.script(Outcome("PASS", run_s=10, queue_s=4))
        started = bench.retry(old)
        assert started.run is not None
        assert started.run.ref == old.ref
        assert (started.run.status, started.run.is_over) == (Status.QUEUED, False)
        assert started.run.finished is None
        assert started.note == ""

    def test_a_rerun_under_its_own_id_is_news_again(self, bench: Bench) -> None:
        """Also if it began and failed again between two polls: the spec says that runs move
        again, and the end is a later one.
        """
        bench.standin.quirks.rerun = "same"
        old = bench.finished(RED)
        before = Snapshot(old, 1, LONG_AGO, LONG_AGO)
        bench.standin.script(RED)
        bench.retry(old)
        bench.pass_s(60)
        again = bench.get(old.ref.run_id)
        change = compare(before, again, now=LONG_AGO, runs_reopen=SPEC.runs_reopen)
        assert change.reason is Reason.FAILED_AGAIN
        assert change.snapshot.attempt == 2

    @pytest.mark.parametrize("kind", ["empty", "no_id"])
    def test_an_answer_without_a_run(self, bench: Bench, kind: str) -> None:
        """The old id is read again. If it moves, that is the run; if not, that is said."""
        bench.standin.quirks.rerun_reply = kind
        bench.standin.quirks.rerun = "same"
        old = bench.finished(RED)
        bench.standin.script(Outcome("PASS", 10, 4))
        started = bench.retry(old)
        assert started.run is not None
        assert (started.run.ref, started.run.status, started.note) == (
            old.ref, Status.QUEUED, "",
        )  # fmt: skip
        bench.standin.quirks.rerun = "new"
        other = bench.finished(RED)
        started = bench.retry(other)
        assert started.run is not None
        assert started.run.ref == other.ref
        assert "new run may be in the list" in started.note
        assert len(bench.changes()) == 2

    @pytest.mark.parametrize("body", [b"", b"accepted", b"null", b"[]", b'{"id": null}', b"7"])
    @pytest.mark.parametrize("status", [200, 201, 202, 204])
    def test_any_answer_of_success(self, bench: Bench, status: int, body: bytes) -> None:
        old = bench.finished(RED)
        bench.answer(".*/rerun", b"" if status == 204 else body, status)
        started = bench.retry(old)
        assert started.run == old
        assert len(bench.changes()) == 1

    def test_an_id_alone(self, bench: Bench) -> None:
        old = bench.finished(RED)
        bench.answer(".*/rerun", {"id": 999_999}, 202)
        run = bench.retry(old).run
        assert run is not None
        assert (str(run.ref), run.status, run.pipeline) == (
            "testery:999999", Status.QUEUED, old.pipeline,
        )  # fmt: skip
        assert run.created is None

    def test_its_own_id_alone(self, bench: Bench) -> None:
        old = bench.finished(RED)
        bench.answer(".*/rerun", {"id": int(old.ref.run_id)}, 202)
        assert bench.retry(old).run == old

    def test_a_page_is_no_answer(self, bench: Bench) -> None:
        old = bench.finished(RED)
        bench.answer(".*/rerun", b"<html>", headers=HTML)
        assert raised(lambda: bench.retry(old)).kind is Kind.AMBIGUOUS

    def test_taken_and_then_not_readable(self, bench: Bench) -> None:
        bench.standin.quirks.rerun_reply = "empty"
        old = bench.finished(RED)
        bench.answer(f"{LIST}/.*", b"", 500, method="GET")
        assert bench.retry(old).run == old

    @pytest.mark.parametrize("status", [404, 405, 501])
    def test_no_rerun_here(self, bench: Bench, status: int) -> None:
        """A new run like the old one, with what is documented, and what was lost is said."""
        bench.standin.quirks.rerun = "absent"
        bench.standin.quirks.rerun_absent_status = status
        bench.standin.quirks.fields = "rich"
        request = {
            "ref": "abc", "branch": "main", "buildId": "23", "testSuiteId": 1230,
            "includeTags": ["smoke"], "excludedTags": ["wip"], "testFilters": ["Regex: a.*"],
            "copies": 2, "timeoutMinutes": 60, "testTimeoutSeconds": 120, "runners": 4,
            "retryFailedTests": True, "parallelizeByFile": True,
        }  # fmt: skip
        secret = [{"key": "TOKEN", "value": CANARY, "encrypted": True}]
        old = bench.finished(RED, **request, variables=secret, deployId="42", testName="t")
        started = bench.retry(old)
        assert [sent.path for sent in bench.changes()] == [
            f"{LIST}/{old.ref.run_id}/rerun",
            CREATE,
        ]
        assert bench.bodies()[1] == {"project": "web", "environment": "qa", **request}
        assert started.run is not None
        assert started.run.ref != old.ref
        assert started.run.status is Status.QUEUED
        assert "variables" in started.note
        assert "left out" in started.note

    def test_no_rerun_and_few_fields(self, bench: Bench) -> None:
        """What the run's reply does not tell is left out, not guessed."""
        bench.standin.quirks.rerun = "absent"
        old = bench.finished(RED, branch="main")
        bench.retry(old)
        assert bench.bodies()[1] == {
            "project": "web", "environment": "qa", "branch": "main", "copies": 1,
        }  # fmt: skip

    def test_no_rerun_and_no_project(self, bench: Bench) -> None:
        bench.standin.quirks.rerun = "absent"
        bench.standin.quirks.fields = "sparse"
        error = raised(lambda: bench.retry(bench.finished(RED)))
        assert error.kind is Kind.INVALID
        assert [sent.path.endswith("/rerun") for sent in bench.changes()] == [True]

    def test_no_rerun_and_the_start_is_lost(self, bench: Bench) -> None:
        bench.standin.quirks.rerun = "absent"
        old = bench.finished(RED)
        bench.standin.faults.add(Fault(path=CREATE, drop_after=True))
        assert raised(lambda: bench.retry(old)).kind is Kind.AMBIGUOUS
        assert len(bench.standin.faults.requests("POST", CREATE)) == 1

    def test_other_values(self, bench: Bench) -> None:
        """A rerun takes none that is known: a new run does. A new branch drops the old commit."""
        old = bench.finished(RED, branch="main", ref="abc", includeTags=["smoke"])
        started = bench.retry(old, Variable("A", "b=c"), branch="dev", includeTags="x")
        (sent,) = bench.changes()
        assert sent.path == CREATE
        assert json.loads(sent.body) == {
            "project": "web",
            "environment": "qa",
            "branch": "dev",
            "copies": 1,
            "includeTags": ["x"],
            "variables": [{"key": "A", "value": "b=c", "encrypted": False}],
        }
        assert "typed now" in started.note

    def test_another_environment(self, bench: Bench) -> None:
        bench.retry(bench.finished(RED, ref="abc"), environment="staging")
        assert bench.bodies()[0]["environment"] == "staging"
        assert bench.bodies()[0]["ref"] == "abc"

    @pytest.mark.parametrize("typed", [{"runners": "many"}, {"nonsense": "1"}, {"runners": "0"}])
    def test_wrong_values(self, bench: Bench, typed: dict[str, str]) -> None:
        old = bench.finished(RED)
        error = raised(lambda: bench.retry(old, scope="all", **typed))
        assert error.kind is Kind.INVALID
        assert next(iter(typed)) in error.message
        assert bench.changes() == []

    def test_only_the_failed_ones(self, bench: Bench) -> None:
        """The vendor's page knows no such rerun."""
        old = bench.finished(RED)
        error = raised(lambda: bench.retry(old, scope="failed"))
        assert error.kind is Kind.UNSUPPORTED
        assert SPEC.retry_scopes == {"all"}
        assert bench.changes() == []

    def test_not_over(self, bench: Bench) -> None:
        run = bench.running()
        sent = bench.sent(lambda: raised(lambda: bench.retry(run)))
        assert sent == []
        assert raised(lambda: bench.retry(run)).kind is Kind.CONFLICT

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(path=".*/rerun", drop_after=True),
            Fault(path=".*/rerun", status=500),
            Fault(path=".*/rerun", status=503, headers={"Retry-After": "5"}),
        ],
        ids=["lost", "500", "503"],
    )
    def test_a_lost_answer_is_ambiguous_and_sent_once(self, bench: Bench, fault: Fault) -> None:
        old = bench.finished(RED)
        bench.standin.faults.add(fault)
        assert raised(lambda: bench.retry(old)).kind is Kind.AMBIGUOUS
        assert len(bench.changes()) == 1

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, Kind.INVALID),
            (401, Kind.AUTH),
            (403, Kind.FORBIDDEN),
            (409, Kind.CONFLICT),
            (429, Kind.RATE_LIMITED),
        ],
    )
    def test_refusals_start_nothing_else(self, bench: Bench, status: int, kind: Kind) -> None:
        old = bench.finished(RED)
        bench.answer(".*/rerun", b"", status)
        assert raised(lambda: bench.retry(old)).kind is kind
        assert len(bench.changes()) == 1
