"""Wercker's replies in the domain's words. Pure."""

from dataclasses import dataclass
from urllib.parse import quote

from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Run, RunRef, Step
from bot.domain.statuses import Status
from bot.providers.parameters import parameters_of
from bot.providers.wercker_replies import (
    ApplicationReply,
    PipelineReply,
    RunReply,
    StepReply,
    User,
)

INTERNAL_STEPS = frozenset({"get code", "setup environment"})
_TITLE_CHARACTERS = 300
_WORD_CHARACTERS = 64
_MESSAGE_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Application:
    """`owner` and `name` as in keys, `spelling` as the owner writes it (recorded: mixed case
    in `owner.meta.username`, lower case in `url`; paths take both).
    """

    application_id: str
    owner: str
    name: str
    spelling: str

    @property
    def key(self) -> str:
        return f"{self.owner}/{self.name}"


def application_of(reply: ApplicationReply | None) -> Application | None:
    """None where the reply does not name owner and application. The owner is the user name,
    never `owner.name`, which is a display name (recorded).
    """
    if reply is None:
        return None
    tail = (reply.url or "").rstrip("/").split("/")[-2:] if reply.url else []
    spelling = (reply.owner.username if reply.owner else None) or (tail[0] if tail else None)
    name = reply.name or (tail[-1] if tail else None)
    if not spelling or not name:
        return None
    return Application(reply.id, spelling.lower(), name, spelling)


def status_of(status: str | None, result: str | None) -> Status:
    """The pair as one status. What is not `finished` is not over, whatever its result says."""
    if status == "finished":
        return _RESULTS.get(result or "", Status.UNKNOWN)
    return _STATUSES.get(status or "", Status.UNKNOWN)


def run_of(instance: str, web_url: str, reply: RunReply, application: Application | None) -> Run:
    """The run as people know it; without `application` its pipeline is known by id alone.

    Of its parameters the tag alone is told: variables are in no list, and may be secret.
    """
    user = reply.user or User()
    return Run(
        ref=RunRef(instance, reply.id),
        pipeline=PipelineRef(instance, pipeline_key(reply.pipeline, application)),
        status=status_of(reply.status, reply.result),
        raw_status=_raw_status(reply),
        title=_first_line(reply.message),
        branch=reply.branch,
        commit=reply.commit_hash,
        author=user.username or user.name,
        created=reply.created_at,
        started=reply.started_at,
        finished=reply.finished_at,
        url=_page_url(web_url, application, reply),
        progress=reply.progress,
        aliases=_aliases(reply.pipeline, application),
        parameters=parameters_of({"tag": reply.tag} if reply.tag else {}),
    )


def pipeline_key(reply: PipelineReply, application: Application | None) -> str:
    return f"{application.key}/{reply.label}" if application else reply.id


def step_of(reply: StepReply) -> Step:
    return Step(
        step_id=reply.id,
        name=reply.label,
        status=status_of(reply.status, reply.result),
        raw_status=_raw_status(reply),
        started=reply.started_at,
        finished=reply.finished_at,
        message=(reply.message or "")[:_MESSAGE_CHARACTERS],
        has_log=reply.has_begun,
    )


def _aliases(pipeline: PipelineReply, application: Application | None) -> tuple[str, ...]:
    if application is None:
        return ()
    spelt = f"{application.spelling}/{application.name}"
    wider = (application.key, spelt, f"{spelt}/{pipeline.label}")
    own = pipeline_key(pipeline, application)
    return (pipeline.id, *(key for key in dict.fromkeys(wider) if key != own))


def _raw_status(reply: RunReply | StepReply) -> str:
    words = (reply.status or "none", reply.result or "none")
    return "/".join(word[:_WORD_CHARACTERS] for word in words)


def _first_line(message: str | None) -> str:
    lines = (line.strip() for line in (message or "").splitlines())
    return next((line for line in lines if line), "")[:_TITLE_CHARACTERS]


def _page_url(web_url: str, application: Application | None, reply: RunReply) -> str | None:
    """The page for people, never the API address that replies carry as `url`."""
    if application is None:
        return None
    names = (application.spelling, application.name, "runs", reply.pipeline.label, reply.id)
    if any(name in {".", ".."} for name in names):
        return None
    return "/".join((web_url, *(quote(name, safe="") for name in names)))


_STATUSES = {
    "notstarted": Status.QUEUED,
    "started": Status.RUNNING,
    "running": Status.RUNNING,
}
_RESULTS = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "aborted": Status.ABORTED,
}
