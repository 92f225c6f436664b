"""env0's replies in the domain's words. Pure."""

import re

from bot.domain.runs import Counts, Parameters, Step, TestResult
from bot.domain.statuses import Status
from bot.net import clean_message
from bot.providers.env0_replies import RunReply, StepReply, Summary
from bot.providers.failing import failing
from bot.providers.parameters import parameters_of

STATUSES = {
    "QUEUED": Status.QUEUED,
    "CREATING": Status.QUEUED,
    "IN_PROGRESS": Status.RUNNING,
    "ABORTING": Status.RUNNING,
    "WAITING_FOR_USER": Status.WAITING,
    "SUCCESS": Status.PASSED,
    "FAILURE": Status.FAILED,
    "TIMEOUT": Status.ERRORED,
    "INTERNAL_FAILURE": Status.ERRORED,
    "CANCELLED": Status.ABORTED,
    "ABORTED": Status.ABORTED,
    "SKIPPED": Status.SKIPPED,
}
"""Words of runs and deployments, from the vendor's documentation; `CREATING` is from its user
interface. `NEVER_DEPLOYED`, and any word that is not here, is UNKNOWN.
"""

STEP_STATUSES = {
    "NOT_STARTED": Status.QUEUED,
    "IN_PROGRESS": Status.RUNNING,
    "WAITING_FOR_USER": Status.WAITING,
    "SUCCESS": Status.PASSED,
    "WARNING": Status.PASSED,
    "FAIL": Status.FAILED,
    "TIMEOUT": Status.ERRORED,
    "CANCELLED": Status.ABORTED,
    "SKIPPED": Status.SKIPPED,
}
"""Words of steps; a step fails as `FAIL`, a run as `FAILURE`."""

_FILE_STATUSES = {
    "pass": Status.PASSED,
    "passed": Status.PASSED,
    "success": Status.PASSED,
    "fail": Status.FAILED,
    "failed": Status.FAILED,
    "failure": Status.FAILED,
    "error": Status.ERRORED,
    "errored": Status.ERRORED,
    "skip": Status.SKIPPED,
    "skipped": Status.SKIPPED,
}
_BAD_STEPS = frozenset({"FAIL", "TIMEOUT"})
_UNBEGUN_STEPS = frozenset({"NOT_STARTED", "SKIPPED"})
_COMMIT = re.compile(r"(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}|[0-9]{40}")
_TITLE_CHARACTERS = 300


def status_of(word: str | None) -> Status:
    return STATUSES.get((word or "").upper(), Status.UNKNOWN)


def branch_of(reply: RunReply) -> str | None:
    """The branch of a pull request, else the revision where that is no commit."""
    revision = reply.blueprint_revision
    named = None if revision is None or _COMMIT.fullmatch(revision) else revision
    return reply.variables.pr_source_branch or named


def commit_of(reply: RunReply) -> str | None:
    """`commitHash` may hold a branch name (recorded), so it counts only if it is a commit."""
    known = (reply.variables.commit_hash, reply.blueprint_revision)
    return next((text for text in known if text and _COMMIT.fullmatch(text)), None)


def author_of(reply: RunReply) -> str | None:
    return reply.started_by_user.name or reply.started_by_user.email or reply.git_user


def counts_of(summary: Summary) -> Counts:
    """`errored` tests count as failed ones: they did not pass."""
    known = (summary.passed, summary.failed, summary.skipped, summary.errored)
    if all(number is None for number in known):
        return Counts()
    red = None
    if summary.failed is not None or summary.errored is not None:
        red = (summary.failed or 0) + (summary.errored or 0)
    return Counts(sum(n or 0 for n in known), summary.passed, red, summary.skipped)


def parameters_of_run(reply: RunReply) -> Parameters:
    """What started the run, as far as told; the revision only where it is not already its branch
    or commit. Nothing else of the variables, which hold secrets.
    """
    revision = reply.blueprint_revision
    is_shown = revision in {branch_of(reply), commit_of(reply)}
    told = {
        "blueprintRevision": None if is_shown else revision,
        "prNumber": reply.pr_number,
        "prTargetBranch": reply.variables.pr_target_branch,
        "triggerName": reply.trigger_name,
    }
    return parameters_of({name: value for name, value in told.items() if value})


def title_of(reply: RunReply) -> str:
    """What there is to tell beside status and revision: pull request, cause, error."""
    parts = [_origin(reply), _state(reply)]
    if status_of(reply.status).is_failure and reply.error:
        parts.append(reply.error)
    return "; ".join(part for part in parts if part)[:_TITLE_CHARACTERS]


def _origin(reply: RunReply) -> str:
    if reply.pr_number:
        target = reply.variables.pr_target_branch
        into = f" into {clean_message(target, 100)}" if target else ""
        return f"pull request #{clean_message(reply.pr_number, 40)}{into}"
    cause = reply.trigger_name
    return "" if cause in {None, "user"} else f"started by {clean_message(cause or '', 40)}"


def _state(reply: RunReply) -> str:
    if reply.word == "ABORTING":
        return "aborting"
    if reply.word == "WAITING_FOR_USER":
        return "waits for a person in env0"
    summary = reply.test_summary
    if reply.word == "FAILURE" and summary.errored and not summary.failed:
        return f"the test itself broke ({summary.errored} errored)"
    return ""


def step_of(reply: StepReply, message: str = "") -> Step:
    """A step is asked by its name; one that has not begun has no log."""
    return Step(
        step_id=reply.name,
        name=reply.label,
        status=STEP_STATUSES.get(reply.word, Status.UNKNOWN),
        raw_status=reply.status or "",
        started=reply.started_at,
        finished=reply.completed_at,
        message=message or ("warning" if reply.word == "WARNING" else ""),
        has_log=reply.word not in _UNBEGUN_STEPS,
    )


def in_order(steps: list[StepReply]) -> list[StepReply]:
    """By `order`; those without come last."""
    return sorted(steps, key=lambda step: (step.order is None, step.order or 0.0))


def is_bad(step: StepReply) -> bool:
    return step.word in _BAD_STEPS


def has_begun(step: StepReply) -> bool:
    return step.word not in _UNBEGUN_STEPS


def results_of(files: dict[str, str | None]) -> tuple[TestResult, ...]:
    """One result a test file, failed ones first. A word in no list is shown as it is."""
    results = [_file_result(name, word) for name, word in files.items()]
    return tuple(sorted(results, key=lambda r: (not r.status.is_failure, r.name)))


def failing_files(reply: RunReply) -> tuple[str, ...]:
    """The red test files of a run that failed: the finest that the vendor tells."""
    is_red = status_of(reply.status).is_failure
    results = results_of(reply.test_files_results) if is_red else ()
    return failing(result.name for result in results if result.status.is_failure)


def _file_result(name: str, word: str | None) -> TestResult:
    status = _FILE_STATUSES.get((word or "").lower(), Status.UNKNOWN)
    shown = clean_message(word, 64) if word and status is Status.UNKNOWN else ""
    return TestResult(name=clean_message(name, 200) or "?", status=status, error=shown)
