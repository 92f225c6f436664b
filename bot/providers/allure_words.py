"""Allure TestOps' replies in the domain's words. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Counts, Parameters, Run, RunRef, Step, TestResult
from bot.domain.statuses import Status
from bot.net import clean_message, clean_text
from bot.providers.allure_addresses import launch_page, result_page
from bot.providers.allure_replies import JobRunReply, LaunchReply, ResultReply
from bot.providers.allure_status import (
    FINAL_STAGES,
    IN_PROGRESS,
    RED,
    RUN_FAILURE,
    Parts,
    Verdict,
    attempt_of,
    decide,
    stage_of,
)
from bot.providers.parameters import parameters_of

_TITLE_CHARACTERS = 300
_WORD_CHARACTERS = 64
_URL_CHARACTERS = 300


def run_of(instance: str, base_url: str, project_id: int, launch: LaunchReply, parts: Parts) -> Run:
    """The launch as a run. Its branch, commit and environment are the values of environment
    variables of these names: a custom, not a rule (assumed).
    """
    verdict = decide(parts, is_closed=launch.closed)
    key, aliases = _pipeline(project_id, parts)
    named = _variables(parts)
    return Run(
        ref=RunRef(instance, str(launch.id)),
        pipeline=PipelineRef(instance, key),
        status=verdict.status,
        raw_status=raw_status(launch, parts),
        title=line(launch.name),
        branch=named.get("branch"),
        commit=named.get("commit"),
        author=_author(launch, parts),
        environment=named.get("environment"),
        created=launch.created_date,
        started=_started(parts),
        finished=_finished(launch, parts) if verdict.is_over else None,
        url=launch_page(base_url, launch.id),
        counts=_counts(parts),
        progress=_progress(parts, verdict),
        attempt=attempt_of(parts.jobs or ()),
        aliases=aliases,
        failed_step=_failed_step(parts, verdict),
        parameters=_parameters(launch),
    )


def job_label(run: JobRunReply) -> str:
    """The job's name; a run whose job has none is named by itself."""
    name = line(run.job.name) if run.job else ""
    number = str(run.job.id) if run.job and run.job.id else ""
    return name or number or line(run.name) or str(run.id or "job run")


def step_of(run: JobRunReply, label: str) -> Step:
    """A job run as a step. Its CI build is named in the message: there a person can stop it."""
    stage = stage_of(run)
    is_final = stage in FINAL_STAGES
    return Step(
        step_id=str(run.id or ""),
        name=label,
        status=step_status(run),
        raw_status="/".join(word[:_WORD_CHARACTERS] for word in (run.stage, run.status) if word),
        started=run.created_date,
        finished=run.last_modified_date if is_final else None,
        message=" ".join(part for part in (_error_line(run.error_message), _build(run)) if part),
    )


def steps_of(runs: Sequence[JobRunReply]) -> tuple[Step, ...]:
    """In the order of their creation; runs of the same job are told apart by their names."""
    times = Counter(job_label(run) for run in runs)
    made = []
    for run in runs:
        label = job_label(run)
        own = line(run.name) or str(run.id or "")
        made.append(step_of(run, f"{label} {own}".strip() if times[label] > 1 else label))
    return tuple(made)


def step_status(run: JobRunReply) -> Status:
    stage = stage_of(run)
    return (
        _RESULTS.get(run.status or "", Status.UNKNOWN)
        if stage == "finished"
        else (_STAGES.get(stage, Status.UNKNOWN))
    )


def result_of(
    base_url: str, launch_id: int, result: ResultReply, full: ResultReply | None
) -> TestResult:
    """`full` is the same result as read by its id, with its failure text."""
    seconds = (full.duration if full else None) or result.duration
    return TestResult(
        name=line(result.name) or str(result.id),
        status=_TESTS.get(result.status or "", Status.UNKNOWN),
        error=_error_line(full.message if full else None),
        duration_s=None if seconds is None else seconds / 1000,
        url=result_page(base_url, launch_id, result.id),
    )


def raw_status(launch: LaunchReply, parts: Parts) -> str:
    """The vendor's own words: `closed`, or `open: finished/failed`."""
    states = ["/".join(word for word in (run.stage, run.status) if word) for run in parts.newest]
    words = ", ".join(dict.fromkeys(state for state in states if state))
    head = "closed" if launch.closed else "open"
    return (f"{head}: {words}" if words else head)[:_WORD_CHARACTERS]


def line(text: str | None) -> str:
    """One line of text without control characters."""
    return " ".join(clean_text(text or "").split())[:_TITLE_CHARACTERS]


def builds_of(runs: Sequence[JobRunReply]) -> tuple[str, ...]:
    """The addresses of the CI builds, as far as they are web addresses."""
    return tuple(dict.fromkeys(url for run in runs if (url := web_url(run.url))))


def web_url(url: str | None) -> str | None:
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    is_plain = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    is_short = url is not None and len(url) <= _URL_CHARACTERS and url.isascii()
    return url if is_plain and is_short and url and url.isprintable() and " " not in url else None


def _pipeline(project_id: int, parts: Parts) -> tuple[str, tuple[str, ...]]:
    """A launch of one job belongs to `project/job name`, any other to its project. The other
    keys by which it is known are aliases.
    """
    project = str(project_id)
    jobs = {
        job_label(run): str(run.job.id or "")
        for run in parts.newest
        if run.job is not None and (run.job.name or run.job.id)
    }
    names = [f"{project}/{name}" for name in jobs]
    ids = [f"{project}/{job_id}" for job_id in jobs.values() if job_id]
    key = names[0] if len(names) == 1 else project
    return key, tuple(k for k in dict.fromkeys((project, *names, *ids)) if k != key)


def _variables(parts: Parts) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for item in parts.environment:
        name = ((item.variable.name if item.variable else None) or "").strip().lower()
        if item.name:
            found.setdefault(name, line(item.name))
    return found


def _parameters(launch: LaunchReply) -> Parameters:
    """Tags and release. The values of the environment are what was typed as variables, among
    others: but for the three that name branch, commit and environment they are not told.
    """
    told: dict[str, int | list[str]] = {}
    if launch.tags is not None:
        told["tags"] = sorted({line(tag.name) for tag in launch.tags if tag.name})
    release = launch.release_id or (launch.release.id if launch.release else None)
    if release:
        told["releaseId"] = release
    return parameters_of(told)


def _author(launch: LaunchReply, parts: Parts) -> str | None:
    """The sparse form names nobody: then it is who started the first job run."""
    starters = (run.created_by for run in parts.jobs or ())
    return line(launch.created_by or next((who for who in starters if who), None)) or None


def _started(parts: Parts) -> datetime | None:
    return min((run.created_date for run in parts.newest if run.created_date), default=None)


def _finished(launch: LaunchReply, parts: Parts) -> datetime | None:
    """When the last job run ended; without one, or with a stale stage, the launch's last change,
    since nothing else tells.
    """
    if is_ended_by_jobs(parts):
        return max(run.last_modified_date for run in parts.newest if run.last_modified_date)
    return launch.last_modified_date or launch.created_date


def is_ended_by_jobs(parts: Parts) -> bool:
    newest = parts.newest
    return bool(newest) and all(
        run.last_modified_date is not None and stage_of(run) in FINAL_STAGES for run in newest
    )


def _counts(parts: Parts) -> Counts:
    if parts.counts is None:
        return Counts()
    return Counts(parts.results, parts.count("passed"), parts.count(*RED), parts.count("skipped"))


def _progress(parts: Parts, verdict: Verdict) -> int | None:
    """Only a server that counts unfinished results (525u01) tells how far it is."""
    waiting = parts.count(IN_PROGRESS)
    if verdict.is_over or not waiting:
        return None
    return 100 * (parts.results - waiting) // parts.results


def _failed_step(parts: Parts, verdict: Verdict) -> str | None:
    """The job that did not start or that failed without a red test; tests have names of
    their own.
    """
    if verdict.status is not Status.ERRORED:
        return None
    red = (r for r in parts.newest if stage_of(r) == RUN_FAILURE or r.status == "failed")
    return next((job_label(run) for run in red), None)


def _error_line(text: str | None) -> str:
    lines = (part.strip() for part in (text or "").splitlines())
    return clean_message(next((part for part in lines if part), ""))


def _build(run: JobRunReply) -> str:
    url = web_url(run.url)
    return f"CI build: {url}" if url else ""


_STAGES = {
    "scheduled": Status.QUEUED,
    IN_PROGRESS: Status.RUNNING,
    RUN_FAILURE: Status.ERRORED,
}
_RESULTS = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "cancelled": Status.ABORTED,
}
_TESTS = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "broken": Status.ERRORED,
    "skipped": Status.SKIPPED,
    IN_PROGRESS: Status.RUNNING,
}
