"""Testery's replies in the domain's words. Pure."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Counts, Parameters, Run, RunRef
from bot.domain.statuses import Status
from bot.net import clean_message
from bot.providers.parameters import parameters_of
from bot.providers.testery_replies import RunReply

NAMELESS = "unknown"
"""The pipeline of a run whose reply tells no project."""
_TITLE_CHARACTERS = 300
_WORD_CHARACTERS = 64

_STATUSES = {
    "SUBMITTED": Status.QUEUED,
    "QUEUED": Status.QUEUED,
    "PENDING": Status.QUEUED,  # early versions of the vendor's client
    "RUNNING": Status.RUNNING,
    "IN_PROGRESS": Status.RUNNING,  # assumed, as are the other participles below
    "PASS": Status.PASSED,
    "PASSED": Status.PASSED,
    "FAIL": Status.FAILED,
    "FAILED": Status.FAILED,
    "ERROR": Status.ERRORED,
    "CANCELED": Status.ABORTED,
    "CANCELLED": Status.ABORTED,
    "CANCEL": Status.ABORTED,  # early versions of the vendor's client
}

_PARAMETERS = {
    "includeTags": "include_tags",
    "excludedTags": "excluded_tags",
    "testFilters": "test_filters",
    "testSuiteId": "test_suite_id",
    "runners": "max_runners",
    "runnerConfigurationId": "runner_configuration_id",
    "copies": "copies",
    "timeoutMinutes": "timeout_minutes",
    "testTimeoutSeconds": "test_timeout_seconds",
    "retryFailedTests": "retry_failed_tests",
    "parallelizeByFile": "default_to_parallelize_by_file",
    "priority": "priority",
    "buildId": "build_key",
}
"""By the names that a trigger takes, or else the reply's: fields of a reply. The build, which is
another one nearly each time, comes last.
"""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a run belongs: keys as people type them, and the ids behind them."""

    project: str | None = None
    environment: str | None = None
    project_id: int | None = None
    environment_id: int | None = None

    @property
    def key(self) -> str:
        """`project/environment`, or `project` alone."""
        return _joined(self.project or _digits(self.project_id) or NAMELESS, self.environment)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The project alone, then the same by ids."""
        project_id, environment_id = _digits(self.project_id), _digits(self.environment_id)
        wider = [self.project, project_id]
        if project_id and environment_id:
            wider.append(_joined(project_id, environment_id))
        return tuple(dict.fromkeys(key for key in wider if key and key != self.key))


def status_of(word: str, fail_count: int | None = None, timeout_count: int | None = None) -> Status:
    """The vendor's word as a status. It decides, whatever single results say: a run may pass
    although a quarantined test failed. `FAIL` without a failed test is the machinery's doing.
    """
    status = _STATUSES.get(word.strip().upper(), Status.UNKNOWN)
    if status is Status.FAILED and not fail_count and not timeout_count:
        return Status.ERRORED
    return status


def run_status(reply: RunReply) -> Status:
    return status_of(reply.status, reply.fail_count, reply.timeout_count)


def run_of(instance: str, reply: RunReply, home: Home, url: str | None) -> Run:
    """The run as people know it."""
    status = run_status(reply)
    counts = _counts(reply, status)
    return Run(
        ref=RunRef(instance, str(reply.id)),
        pipeline=PipelineRef(instance, home.key),
        status=status,
        raw_status=clean_message(reply.status, _WORD_CHARACTERS),
        title=_title(reply),
        branch=reply.branch,
        commit=reply.git_ref,
        environment=home.environment,
        created=reply.created,
        started=reply.start_time,
        finished=_finished(reply, status),
        url=url,
        counts=counts,
        progress=_progress(reply, status),
        aliases=home.aliases,
        parameters=_parameters(reply),
    )


def _parameters(reply: RunReply) -> Parameters:
    """Those that the reply tells, an empty one as `none`. Not all are in every reply: the
    published example has the tags to include, the copies and the build; the rest stands in the
    documentation of the alert rules, which name properties of runs. A run tells no variables.
    """
    told = reply.model_fields_set
    return parameters_of({n: getattr(reply, f) for n, f in _PARAMETERS.items() if f in told})


def _finished(reply: RunReply, status: Status) -> datetime | None:
    """When the run ended. Of a status that is not known the flags tell whether it is over: if
    so, an end is needed to say it. A run that moves again may show its old end: not over.
    """
    if status.is_terminal:
        return reply.end_time
    if status is not Status.UNKNOWN or reply.says_over is False:
        return None
    if reply.says_over is None:
        return reply.end_time
    return reply.end_time or reply.start_time or reply.created


def _counts(reply: RunReply, status: Status) -> Counts:
    """Nothing while the list of tests is being made: the vendor sends zeros then."""
    if not reply.total_count and not status.is_terminal:
        return Counts()
    return Counts(reply.total_count, reply.pass_count, _failed(reply), reply.ignored_count)


def _failed(reply: RunReply) -> int | None:
    """Failed tests with those that timed out, unless the total shows that they are among them
    already (the page does not say).
    """
    failed, late = reply.fail_count, reply.timeout_count or 0
    if failed is None:
        return reply.timeout_count
    others = sum(n or 0 for n in (reply.pass_count, reply.ignored_count, reply.not_run_count))
    is_apart = reply.total_count is None or failed + late + others <= reply.total_count
    return failed + late if is_apart else max(failed, late)


def _progress(reply: RunReply, status: Status) -> int | None:
    if status is not Status.RUNNING or not reply.total_count:
        return None
    done = sum(n or 0 for n in (reply.pass_count, _failed(reply), reply.ignored_count))
    return min(100, 100 * done // reply.total_count)


def _title(reply: RunReply) -> str:
    """The name, with the vendor's reason of a failed or canceled run."""
    parts = [clean_message(part) for part in (reply.name, reply.status_info) if part]
    return clean_message(": ".join(part for part in parts if part), _TITLE_CHARACTERS)


def _joined(project: str, environment: str | None) -> str:
    return f"{project}/{environment}" if environment else project


def _digits(number: int | None) -> str | None:
    return None if number is None else str(number)
