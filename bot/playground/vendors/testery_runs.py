"""Runs of the Testery stand-in and how they look on the wire."""

from dataclasses import dataclass, field
from typing import Any

from bot.playground.clock import utc
from bot.playground.vendors.course import Check, Course, Outcome, checks, done

RED, PLAIN = "\x1b[31m", "\x1b[39m"
TEST_WORDS = {"passed": "PASS", "failed": "FAIL", "broken": "FAIL", "skipped": "IGNORED"}
LISTING_SHARE = 0.1
"""Until this part of a run the list of tests is still being made, and the counts are 0."""


@dataclass
class TesteryQuirks:
    """What the vendor page leaves open or gives in several forms; any may be changed any time.

    `fields`: `recorded` (the seed's fields and what official clients read), `rich` (also the
    properties named by the alert rules), `seed` (the published example only), `sparse` (id and
    status). `flags`: which of `complete` and `ended` is sent. `rerun`: a `new` id, the `same`
    one, or `absent` (answers `rerun_absent_status`). `rerun_reply`: `run`, `empty` or `no_id`.
    `patch_over`: what a cancel of a finished run answers, 409 or 200. `results`: `recorded`,
    `named` (no projectTest, a name) or `nameless`. `words` replaces status words.
    `user_token`: whether /users/me knows a person. `strict`: refuse unknown body fields.
    """

    __test__ = False  # no test class, whatever its name begins with

    fields: str = "recorded"
    flags: str = "both"
    page_ignored: bool = False
    rerun: str = "new"
    rerun_reply: str = "run"
    rerun_absent_status: int = 404
    cancel_reply: str = "run"
    patch_over: int = 409
    plain_text_errors: bool = False
    environment_as_object: bool = False
    results: str = "recorded"
    colours: bool = True
    words: dict[str, str] = field(default_factory=dict)
    user_token: bool = False
    maintenance_until: str | None = None
    max_limit: int = 250
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Project:
    id: int
    key: str
    name: str
    tests: tuple[str, ...]
    suites: dict[int, str]


@dataclass(frozen=True, slots=True)
class Environment:
    id: int
    key: str
    name: str
    archived: bool
    url: str | None
    pipeline_stage_id: int | None
    variables: list[dict[str, Any]]


@dataclass
class TesteryRun:
    __test__ = False

    id: int
    key: str
    project: Project
    environment: Environment
    course: Course
    outcome: Outcome
    request: dict[str, Any]
    result_base: int
    account_id: int
    canceled: str | None = None
    attempt: int = 1

    def status(self, now: float) -> str:
        if self.course.ended(now) is not None:
            return "CANCELED" if self.canceled else self.outcome.status
        if self.course.started(now) is not None:
            return "RUNNING"
        waited = now - self.course.created_s
        return "SUBMITTED" if waited < self.course.queue_s / 2 else "QUEUED"

    def is_over(self, now: float) -> bool:
        return self.course.ended(now) is not None

    def checks(self) -> list[Check]:
        return checks(self.outcome, self.project.tests)

    def finished_checks(self, now: float) -> list[Check]:
        share = self.course.share(now)
        return [] if share < LISTING_SHARE else list(done(self.checks(), share))

    def total(self, now: float) -> int:
        return 0 if self.course.share(now) < LISTING_SHARE else len(self.checks())

    @property
    def name(self) -> str:
        given = self.request.get("statusName") or self.request.get("testName")
        return str(given or f"{self.project.key} tests")


def stamp(seconds: float | None) -> str | None:
    """`2020-05-04 23:16:33+0000`."""
    return None if seconds is None else utc(seconds).strftime("%Y-%m-%d %H:%M:%S%z")


def run_reply(run: TesteryRun, now: float, quirks: TesteryQuirks) -> dict[str, Any]:
    status = run.status(now)
    status = quirks.words.get(status, status)
    if quirks.fields == "sparse":
        return {"id": run.id, "status": status}
    reply = _published(run, now) | {"status": status}
    if quirks.environment_as_object:
        reply["environment"] = {"key": run.environment.key, "name": run.environment.name}
    if quirks.fields != "seed":
        reply |= _read_by_clients(run, now)
    if quirks.fields == "rich":
        reply |= _named_in_alert_rules(run)
    if quirks.fields != "seed" and quirks.flags in {"both", "ended"}:
        reply["ended"] = run.is_over(now)
    if quirks.flags not in {"both", "complete"}:
        del reply["complete"]
    return reply


def _published(run: TesteryRun, now: float) -> dict[str, Any]:
    finished = run.finished_checks(now)
    return {
        "id": run.id,
        "name": run.name,
        "testName": run.request.get("testName"),
        "key": run.key,
        "startTime": stamp(run.course.started(now)),
        "endTime": stamp(run.course.ended(now)),
        "createTime": stamp(run.course.created_s),
        "accountId": run.account_id,
        "projectId": run.project.id,
        "status": "",
        "copies": run.request.get("copies", 1),
        "passCount": _count(finished, "passed"),
        "failCount": _count(finished, "failed"),
        "ignoredCount": _count(finished, "skipped"),
        "codeCoverageName": None,
        "codeCoverageVersion": None,
        "codeCoveragePercentage": None,
        "codeCoverageTotalStatements": None,
        "codeCoverageCoveredStatements": None,
        "totalTestingTime": sum(check.duration_ms for check in finished),
        "isSchedule": run.request.get("isSchedule"),
        "totalCount": run.total(now),
        "gitRef": run.request.get("ref"),
        "buildKey": run.request.get("buildId"),
        "environment": run.environment.key,
        "statusInfo": (run.canceled or run.outcome.note) if run.is_over(now) else None,
        "includeTags": run.request.get("includeTags", []),
        "complete": run.is_over(now),
    }


def _count(finished: list[Check], *statuses: str) -> int:
    return sum(check.status in statuses for check in finished)


def _read_by_clients(run: TesteryRun, now: float) -> dict[str, Any]:
    undone = run.total(now) - len(run.finished_checks(now)) if run.is_over(now) else 0
    return {
        "branch": run.request.get("branch"),
        "environmentId": run.environment.id,
        "notRunCount": undone,
        "timeoutCount": _count(run.finished_checks(now), "broken"),
    }


def _named_in_alert_rules(run: TesteryRun) -> dict[str, Any]:
    request = run.request
    return {
        "excludedTags": request.get("excludedTags", []),
        "testFilters": request.get("testFilters", []),
        "testSuiteId": request.get("testSuiteId"),
        "runnerConfigurationId": None,
        "priority": 0,
        "maxRunners": request.get("runners"),
        "timeoutMinutes": request.get("timeoutMinutes"),
        "testTimeoutSeconds": request.get("testTimeoutSeconds"),
        "retryFailedTests": request.get("retryFailedTests", False),
        "hasFlakyTest": False,
        "statusSetByUser": run.canceled is not None,
        "defaultToParallelizeByFile": request.get("parallelizeByFile", False),
        "recordVideo": False,
        "phase": "execution",
        "createdAt": stamp(run.course.created_s),
        "deployId": request.get("deployId"),
    }


def result_replies(run: TesteryRun, now: float, quirks: TesteryQuirks) -> list[dict[str, Any]]:
    """Make one item for each test, also for those that have not run yet."""
    finished = len(run.finished_checks(now))
    if not run.total(now):
        return []
    return [
        _result(run, index, None if index >= finished else check, now, quirks)
        for index, check in enumerate(run.checks())
    ]


def _result(
    run: TesteryRun, index: int, check: Check | None, now: float, quirks: TesteryQuirks
) -> dict[str, Any]:
    test = run.checks()[index]
    waiting = "NOT_RUN" if run.is_over(now) else "PENDING"
    item: dict[str, Any] = {
        "id": run.result_base + index,
        "status": TEST_WORDS[check.status] if check else waiting,
        "duration": check.duration_ms if check else None,
        "error": _error(check.message, quirks) if check else None,
        "stackTrace": f'  File "{test.file}", line 1\n' if check and check.message else None,
    }
    if quirks.results == "recorded":
        item["projectTest"] = {"name": test.name, "fileFilter": test.file, "file": test.file}
    elif quirks.results == "named":
        item |= {"projectTest": None, "name": test.name}
    return item


def _error(message: str | None, quirks: TesteryQuirks) -> str | None:
    if message is None or not quirks.colours:
        return message
    kind, _, rest = message.partition(":")
    return f"{RED}{kind}{PLAIN}:{rest}"


def detail_reply(run: TesteryRun, item: dict[str, Any]) -> dict[str, Any]:
    """Add to a result what only its own call shows."""
    test = run.checks()[item["id"] - run.result_base]
    files = f"https://files.example.test/{item['id']}"
    return {
        "id": item["id"],
        "name": test.name,
        "file": test.file,
        "fileFilter": test.file,
        **{key: item[key] for key in ("status", "duration", "error", "stackTrace")},
        "processOutput": f"collected 1 item\n{item['status']} {test.file}::{test.name}\n",
        "screenShots": [f"{files}/shot-1.png"],
        "videos": [f"{files}/video.webm"],
    }
