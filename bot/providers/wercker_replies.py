"""Wercker's replies at the border: tolerant models and times.

Only the id is needed in a reply. Every other field that is missing, null or of another type is
None, so one odd field costs neither the run nor its page. Variables are read by `RunDetail`
alone, which stays inside the provider: their values can be secret.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

ID = re.compile(r"[0-9a-f]{24}")
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


def _verbatim(value: Any) -> str | None:
    return value if isinstance(value, str) else None


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


class Identified(_Reply):
    id: Id


class UserMeta(_Reply):
    username: Text = None


class User(_Reply):
    name: Text = None
    meta: Annotated[UserMeta | None, BeforeValidator(_object)] = None

    @property
    def username(self) -> str | None:
        return self.meta.username if self.meta else None


class ApplicationReply(Identified):
    url: Text = None
    name: Text = None
    owner: Annotated[User | None, BeforeValidator(_object)] = None


class PipelineReply(Identified):
    """`name` is the label in the web app; `pipeline_name` the one in the build file."""

    name: Text = None
    pipeline_name: Text = None
    application: Annotated[ApplicationReply | None, BeforeValidator(_identified)] = None

    @property
    def label(self) -> str:
        return self.name or self.pipeline_name or self.id


class RunReply(Identified):
    """A run as in lists. `application` is in no recording of a single run, but in a sibling."""

    pipeline: PipelineReply
    status: Text = None
    result: Text = None
    branch: Text = None
    tag: Text = None
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
    value: Annotated[str | None, BeforeValidator(_verbatim)] = Field(default=None, repr=False)


class RunDetail(RunReply):
    """A run as read by its id. It stays inside: `env_vars` hold values that can be secret."""

    env_vars: Annotated[list[Any], BeforeValidator(_items)] = Field(default=[], repr=False)
    source_run: Annotated[Identified | None, BeforeValidator(_identified)] = None


class StepReply(Identified):
    """Internal steps have `step`, all others `display_name` (recorded)."""

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


def in_order(steps: list[StepReply]) -> list[StepReply]:
    """Sorted by `order`, which the server does not promise; steps without one come last."""
    return sorted(steps, key=lambda step: (step.order is None, step.order or 0))
