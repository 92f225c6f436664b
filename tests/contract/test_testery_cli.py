"""The vendor's own program, unmodified, judges the Testery stand-in.

The `testery` command has no setting for its address. It runs behind a proxy that plays
api.testery.io and status.testery.io, as `requests` lets anyone do by the environment.
"""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.testery import TesteryStandin
from tests.fakes.interceptor import Interceptor

TOKEN = "sample-token"
HOSTS = ("api.testery.io", "status.testery.io")
RED = Outcome("FAIL", run_s=10, queue_s=0, failed=("test_checkout",))
AT_ONCE = Outcome("PASS", run_s=0, queue_s=0)


def program() -> str | None:
    """Find the command: where TESTERY_CLI says, beside this Python, or on the path."""
    told = os.environ.get("TESTERY_CLI")
    beside = shutil.which("testery", path=str(Path(sys.executable).parent))
    return str(Path(told).absolute()) if told else beside or shutil.which("testery")


pytestmark = pytest.mark.skipif(
    program() is None, reason="the vendor's command-line client `testery` is not installed"
)


class Stage:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = ManualClock()
        self.testery = TesteryStandin(self.clock, TOKEN)
        self.testery.add_project("web")
        self.testery.add_environment("qa", "QA")
        self.testery.add_environment("old", archived=True)
        self.testery.add_test_plan("nightly")
        self.environment: dict[str, str] = {}

    def call(self, *words: str, token: str = TOKEN) -> "subprocess.CompletedProcess[str]":
        environment = self.environment | {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "DO_NOT_TRACK": "1",
        }
        return subprocess.run(  # noqa: S603 - a program chosen by the developer
            [str(program()), words[0], "--token", token, *words[1:]],
            env=environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def says(self, *words: str) -> str:
        done = self.call(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with Server(made.testery.app) as server:
        with Interceptor(tmp_path, HOSTS, server.port) as interceptor:
            made.environment = interceptor.environment
            yield made
        assert interceptor.refused == []


def test_tokens_are_told_apart(stage: Stage) -> None:
    assert stage.says("verify-token") == "Valid token\n"
    assert stage.call("verify-token", token="wrong").stdout == "Invalid token\n"
    assert stage.testery.faults.received[0].path == "/api/account"


def test_whoami(stage: Stage) -> None:
    stage.testery.quirks.user_token = True
    assert stage.says("whoami") == "User: Ada Sample\nAccount: acme\n"


def test_environments_with_and_without_archived_ones(stage: Stage) -> None:
    shown = json.loads(stage.says("list-environments"))
    every = json.loads(stage.says("list-environments", "--show-archived"))
    assert ([e["key"] for e in shown], [e["key"] for e in every]) == (["qa"], ["qa", "old"])


def test_a_run_with_every_option_is_accepted(stage: Stage) -> None:
    said = stage.says(
        *("create-test-run", "--project", "web", "--environment", "qa", "--branch", "main"),
        *("--commit", "abc", "--build-id", "23", "--test-suite", "smoke", "--test-name", "smoke"),
        *("--status-name", "web smoke", "--include-tags", "a,b", "--exclude-tags", "wip"),
        *("--copies", "2", "--parallelize-by-file", "--timeout-minutes", "60"),
        *("--test-timeout-seconds", "120", "--runner-count", "4", "--variable", "K=V"),
        *("--variable", "secure:S=X", "--test-filter-regex", "login.*", "--latest-deploy"),
        *("--playwright-project", "chromium", "--skip-vcs-updates", "--deploy-id", "42"),
        *("--apply-test-selection-rules", "--retry-failed-tests"),
    )
    run = stage.testery.runs[0]
    assert said == f"test_run_id: {run.id}\n"
    assert run.request["excludedTags"] == ["wip"]
    assert run.request["variables"] == [
        {"key": "K", "value": "V", "encrypted": False},
        {"key": "S", "value": "X", "encrypted": True},
    ]


def test_a_run_is_waited_for(stage: Stage) -> None:
    stage.testery.script(AT_ONCE)
    said = stage.says(
        *("create-test-run", "--project", "web", "--environment", "qa", "--wait-for-results")
    )
    assert said.endswith("Completed: 5 of 5 pass with 0 fail\n")


def test_an_unknown_project_is_noticed(stage: Stage) -> None:
    done = stage.call("create-test-run", "--project", "nope", "--environment", "qa")
    assert done.returncode == 1
    assert "Project with key not found: nope" in done.stderr
    assert stage.testery.runs == []


def test_lists_and_filters(stage: Stage) -> None:
    ended = stage.testery.add_run("web", "qa", RED, branch="main")
    stage.clock.advance(60)
    active = stage.testery.add_run("web", "qa", RED)
    listed = json.loads(stage.says("list-test-runs", "--output", "json"))
    assert [run["id"] for run in listed] == [active.id, ended.id]
    red = stage.says("list-test-runs", "--filter", "Name=status,Values=fail")
    assert str(ended.id) in red
    assert str(active.id) not in red
    assert "4/1/5" in red
    assert stage.says("list-active-test-runs") == f"{active.id}: RUNNING\n"


def test_cancel(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa")
    asked = ("cancel-test-run", "--test-run-id", str(run.id))
    assert stage.says(*asked) == f"Canceled test run {run.id}\n"
    assert stage.says(*asked) == "Test run already done. Status: CANCELED\n"
    assert run.status(stage.clock.time()) == "CANCELED"


@pytest.mark.parametrize(("status", "code"), [("PASS", 0), ("FAIL", 1), ("CANCELED", 1)])
def test_monitor_tells_how_a_run_ended(stage: Stage, status: str, code: int) -> None:
    run = stage.testery.add_run("web", "qa", RED)
    stage.clock.advance(5)
    stage.testery.finish(run, status)
    done = stage.call("monitor-test-run", "--test-run-id", str(run.id), "--fail-on-failure")
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith("Completed: ")


def test_a_report_of_the_results(stage: Stage) -> None:
    run = stage.testery.add_run("web", "qa", RED)
    stage.clock.advance(60)
    stage.says("report-test-run", "--test-run-id", str(run.id), "--output", "junit")
    report = ET.parse(stage.home / "results.xml").getroot()  # noqa: S314 - made by the test
    cases = {case.get("name"): case for case in report.iter("testcase")}
    assert len(cases) == 5
    failure = cases["test_checkout"].find("failure")
    assert failure is not None
    assert "AssertionError" in ET.tostring(failure, encoding="unicode")
    link = f"https://testery.app/acme/test-runs/{run.id}"
    assert link in ET.tostring(report, encoding="unicode")


def test_plan_runs(stage: Stage) -> None:
    plan = ("--test-plan-key", "nightly")
    said = stage.says("run-test-plan", *plan, "--environment-key", "qa")
    assert said == "test_plan_run_id: 77 in status SUBMITTED\n"
    said = stage.says("cancel-test-plan-run", *plan, "--test-plan-run-id", "77")
    assert said == "test_plan_run_id: 77 in status CANCELED\n"
