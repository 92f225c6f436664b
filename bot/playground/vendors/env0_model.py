"""Modules and module tests of the env0 stand-in."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from bot.playground.vendors.course import Check, Course, Outcome, checks, done

SECRET = "SECRET-DO-NOT-SHOW"
"""Stands wherever env0 sends a secret; nothing may ever show it."""

QUEUED_WORDS = {"QUEUED", "CREATING"}
FINAL_WORDS = {
    "SUCCESS",
    "FAILURE",
    "TIMEOUT",
    "INTERNAL_FAILURE",
    "CANCELLED",
    "ABORTED",
    "SKIPPED",
}


@dataclass
class Env0Quirks:
    """What the vendor page leaves open or gives in several forms; any may be changed any time.

    `order` of the run list: `shuffled`, `newest`, `oldest`. `fields`: `full` or `minimal` (what
    is required, with id and status). `absent` and `null` name run fields left out or null.
    `nulls`: what is not known yet is null instead of absent. `trigger_reply`: `full` or `id`.
    `appear_s`: so long a started run is missing from the reads by module and by run id.
    `log_appear_s`: the same for its deployment log. `abort_reply`: `null`, `empty` or `object`.
    `abort_s`: how long ABORTING lasts. `direct_trigger`: POST /module/{id}/tests exists.
    `strict_query`: unknown query parameters are refused. `rate_limit` in calls per minute of one
    method and address; `retry_after` goes with its 429. `log_page`: events on a page of a log.
    `next_as_text`: `nextStartTime` is text.
    `large_plan`: a `tfPlanJson` of that many characters among the variables.
    """

    order: str = "shuffled"
    fields: str = "full"
    absent: set[str] = field(default_factory=set)
    null: set[str] = field(default_factory=set)
    nulls: bool = False
    trigger_reply: str = "full"
    appear_s: float = 2.0
    log_appear_s: float = 0.0
    abort_reply: str = "null"
    abort_s: float = 5.0
    direct_trigger: bool = False
    strict_query: bool = True
    rate_limit: int = 1000
    retry_after: int | None = None
    log_page: int = 3
    next_as_text: bool = False
    large_plan: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the sample company, as env0 shows a user."""

    name: str = "Sam Sample"
    email: str = "sam.sample@example.com"
    user_id: str = "auth0|5f3c0a"

    def reply(self) -> dict[str, Any]:
        given, _, family = self.name.partition(" ")
        return {
            "email": self.email,
            "user_id": self.user_id,
            "created_at": "2024-02-01T09:12:44.120Z",
            "app_metadata": {},
            "picture": f"https://img.example.com/{given.lower()}.png",
            "name": self.name,
            "last_login": "2026-11-18T06:55:03.018Z",
            "given_name": given,
            "family_name": family,
        }


@dataclass(slots=True)
class Module:
    id: str
    organization_id: str
    environment_id: str
    template_id: str
    name: str
    provider: str
    tests: tuple[str, ...]
    test_enabled: bool = True
    pull_requests: bool = True
    deleted: bool = False
    default_revision: str = "main"
    created_s: float = 0.0

    @property
    def repository(self) -> str:
        return "https://github.example.com/acme/terraform-modules"


@dataclass(slots=True)
class ModuleTest:
    """One run: a deployment of type `moduleTest` in the module's environment."""

    id: str
    deployment_id: str
    module: Module
    course: Course
    outcome: Outcome
    revision: str | None
    person: Person | None
    git_user: str | None = None
    pr_number: str | None = None
    comment: str | None = None
    trigger_name: str | None = "user"
    appears_s: float = 0.0
    log_appears_s: float = 0.0
    stopped_as: str | None = None
    aborting_from_s: float | None = None
    queued_word: str = "QUEUED"

    def status(self, now: float) -> str:
        if self.course.ended(now) is not None:
            return self.stopped_as or self.outcome.status
        if self.aborting_from_s is not None and self.aborting_from_s <= now:
            return "ABORTING"
        if self.course.started(now) is None:
            return self.queued_word
        return "IN_PROGRESS"

    def is_over(self, now: float) -> bool:
        return self.status(now) in FINAL_WORDS

    def finished_s(self, now: float) -> float | None:
        return self.course.ended(now) if self.is_over(now) else None

    def checks(self) -> list[Check]:
        return checks(self.outcome, self.module.tests)

    def finished_checks(self, now: float) -> list[Check]:
        return list(done(self.checks(), self.course.share(now)))


def summary(run: ModuleTest, now: float) -> dict[str, int]:
    statuses = [check.status for check in run.finished_checks(now)]
    return {
        "passed": statuses.count("passed"),
        "failed": statuses.count("failed"),
        "skipped": statuses.count("skipped"),
        "errored": statuses.count("broken"),
    }


def file_results(run: ModuleTest, now: float) -> dict[str, Any]:
    """Group the tests by file, as the recorded failure does."""
    files: dict[str, str] = {}
    for check in run.finished_checks(now):
        red = check.status in {"failed", "broken"}
        files[check.file] = "fail" if red or files.get(check.file) == "fail" else "pass"
    return {file: {"status": word} for file, word in files.items()}


def without(reply: dict[str, Any], quirks: Env0Quirks) -> dict[str, Any]:
    """Leave out what env0 would leave out, or write null instead."""
    shown = {key: value for key, value in reply.items() if value is not None or quirks.nulls}
    if quirks.fields == "minimal":
        needed = ("id", "deploymentLogId", "environmentId", "organizationId", "status")
        shown = {key: shown[key] for key in needed}
    shown = {key: value for key, value in shown.items() if key not in quirks.absent}
    return shown | {key: None for key in quirks.null if key in shown}


def names(value: str, wanted: str) -> bool:
    """Tell whether a comma list of a query names the value; an empty list names all."""
    asked = {item for item in wanted.split(",") if item}
    return not asked or value in asked


def identity(kind: str, number: int) -> str:
    """Make an id that looks random and is the same in every process."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://env0.example.test/{kind}/{number}"))
