"""Wercker's replies at the border: tolerant models, times, and what a run is made of.

Only the id is needed in a reply. Every other field that is missing, null or of another type is
None, so one odd field costs neither the run nor its page. Variables are read by `RunDetail`
alone, which stays inside the provider: their values can be secret.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Run, RunRef, Step
from bot.domain.statuses import Status

ID = re.compile(r"[0-9a-f]{24}")
INTERNAL_STEPS = frozenset({"get code", "setup environment"})
_TITLE_CHARACTERS = 300
_WORD_CHARACTERS = 64
_MESSAGE_CHARACTERS = 500
_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{0,9}))?"
    r"(?: ?(?P<offset>Z|[+-]\d\d:?\d\d))(?: [A-Za-z]{1,9})?",
    re.ASCII,
)
_FIRST_REAL_YEAR = 1971  # earlier: the zero time of Go or Unix, which means "not yet"


def read_time(value: Any) -> datetime | None:
    """Aware UTC, cut to microseconds; None for anything that is not one of the two forms.

    `2016-07-04T11:51:24.851Z` nearly everywhere; `2017-07-04 15:35:19.999688998 +0000 UTC` in
    the reply of `POST /runs` (recorded), with 0 to 9 digits of fraction.
    """
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    fraction = f"{found['fraction'] or '':0<6}"[:6]
    try:
        moment = datetime.fromisoformat(
            f"{found['day']}T{found['time']}.{fraction}{found['offset']}"
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year >= _FIRST_REAL_YEAR else None


def _text(value: Any) -> str | None:
    """Text that can be encoded: JSON may hold half a surrogate pair."""
    if not isinstance(value, str) or not value.strip():
        return None
    return value.encode("utf-8", "replace").decode()


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _identified(value: Any) -> dict[str, Any] | None:
    known = isinstance(value, dict) and ID.fullmatch(str(value.get("id", "")))
    return value if known else None


def _percent(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:  # noqa: PLR2004  # percent
        return None
    return int(value)


def _order(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


Id = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
Text = Annotated[str | None, BeforeValidator(_text)]
Time = Annotated[datetime | None, BeforeValidator(read_time)]
Percent = Annotated[int | None, BeforeValidator(_percent)]


class _Reply(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", hide_input_in_errors=True)


class UserMeta(_Reply):
    username: Text = None


class User(_Reply):
    name: Text = None
    meta: Annotated[UserMeta | None, BeforeValidator(_object)] = None

    @property
    def username(self) -> str | None:
        return self.meta.username if self.meta else None


class ApplicationReply(_Reply):
    id: Id
    url: Text = None
    name: Text = None
    owner: Annotated[User | None, BeforeValidator(_object)] = None


class PipelineReply(_Reply):
    """`name` is the label in the web app; `pipeline_name` the one in the build file."""

    id: Id
    name: Text = None
    pipeline_name: Text = None
    application: Annotated[ApplicationReply | None, BeforeValidator(_identified)] = None

    @property
    def label(self) -> str:
        return self.name or self.pipeline_name or self.id


class RunReply(_Reply):
    """A run as in lists. `application` is in no recording of a single run, but in a sibling."""

    id: Id
    pipeline: PipelineReply
    status: Text = None
    result: Text = None
    branch: Text = None
    commit_hash: Text = None
    message: Text = None
    progress: Percent = None
    created_at: Time = None
    started_at: Time = None
    finished_at: Time = None
    user: Annotated[User | None, BeforeValidator(_object)] = None
    application: Annotated[ApplicationReply | None, BeforeValidator(_identified)] = None

    @property
    def is_over(self) -> bool:
        """Over is `finished`; with an unknown word, a run with an end is over too."""
        if self.status in {"notstarted", "started", "running"}:
            return False
        return self.status == "finished" or self.finished_at is not None


class EnvVar(_Reply):
    key: Text = None
    value: str | None = Field(default=None, repr=False)


class SourceRun(_Reply):
    id: Id


class RunDetail(RunReply):
    """A run as read by its id. It stays inside: `env_vars` hold values that can be secret."""

    env_vars: Annotated[list[Any], BeforeValidator(_items)] = Field(default=[], repr=False)
    source_run: Annotated[SourceRun | None, BeforeValidator(_identified)] = None


class StepReply(_Reply):
    """Internal steps have `step`, all others `display_name` (recorded)."""

    id: Id
    order: Annotated[int | None, BeforeValidator(_order)] = None
    step: Text = None
    display_name: Text = None
    status: Text = None
    result: Text = None
    started_at: Time = None
    finished_at: Time = None
    message: Text = None

    @property
    def label(self) -> str:
        number = "" if self.order is None else f" {self.order}"
        return self.display_name or self.step or f"step{number}"

    @property
    def is_failed(self) -> bool:
        return (self.status, self.result) == ("finished", "failed")

    @property
    def has_begun(self) -> bool:
        return self.status not in {None, "notstarted"}


class Profile(User):
    """The current user. Its form is in no recording; the name is looked for in every place."""

    own_username: Text = Field(default=None, alias="username")


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
    """The run as people know it; without `application` its pipeline is known by id alone."""
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


def in_order(steps: list[StepReply]) -> list[StepReply]:
    """Sorted by `order`, which the server does not promise; steps without one come last."""
    return sorted(steps, key=lambda step: (step.order is None, step.order or 0))


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
