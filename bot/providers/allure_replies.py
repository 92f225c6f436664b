"""Allure TestOps' replies at the border: tolerant models and times.

Every documented field is optional (section 3 of the vendor facts). One that is missing, null or
of another type is None, so an odd field costs neither the object nor its page; only launches,
jobs and results need their id.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

ID = re.compile(r"[1-9][0-9]{0,18}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = 31_536_000_000  # 1971: what is earlier is a zero in disguise
_LAST_MS = 253_402_300_799_000  # the end of the year 9999


def read_time(value: Any) -> datetime | None:
    """Aware UTC from epoch milliseconds, or from ISO text with an offset; None for all else."""
    if isinstance(value, str):
        return _read_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not _FIRST_MS <= value <= _LAST_MS:
        return None
    return _EPOCH + timedelta(milliseconds=int(value))


def ms_of(moment: datetime | None) -> int:
    """Epoch milliseconds; 0 for None."""
    return 0 if moment is None else round((moment - _EPOCH) / timedelta(milliseconds=1))


def _read_text(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else _EPOCH
    except (ValueError, OverflowError):
        return None
    return moment if ms_of(moment) >= _FIRST_MS else None


def _id(value: Any) -> Any:
    """A positive 64-bit number, which may be written as text."""
    if isinstance(value, bool) or not ID.fullmatch(str(value)):
        raise ValueError("not an id")
    return int(value)


def _id_or_none(value: Any) -> int | None:
    try:
        return int(_id(value))
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return None
    return value.encode("utf-8", "replace").decode()


def _word(value: Any) -> str | None:
    """Words of enums; some client tests use upper case."""
    return value.strip().lower() if isinstance(value, str) and value.strip() else None


def _flag(value: Any) -> bool:
    return value is True


def _milliseconds(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= _LAST_MS else None


def _objects(value: Any) -> list[dict[str, Any]] | None:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else None


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _identified(value: Any) -> list[dict[str, Any]]:
    return [v for v in _objects(value) or [] if _id_or_none(v.get("id")) is not None]


def read_statistic(value: Any) -> dict[str, int] | None:
    """Numbers of results by status word, lower case; None if there is no list."""
    rows = _objects(value)
    if rows is None:
        return None
    counts: dict[str, int] = {}
    for row in rows:
        word, count = _word(row.get("status")), row.get("count")
        if word and isinstance(count, int) and not isinstance(count, bool) and count >= 0:
            counts[word] = counts.get(word, 0) + count
    return counts


Id = Annotated[int, BeforeValidator(_id)]
OptionalId = Annotated[int | None, BeforeValidator(_id_or_none)]
Text = Annotated[str | None, BeforeValidator(_text)]
Word = Annotated[str | None, BeforeValidator(_word)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Time = Annotated[datetime | None, BeforeValidator(read_time)]


class _Reply(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, hide_input_in_errors=True
    )


class User(_Reply):
    """Answer of `/uaa/me`; its form is in no recording."""

    username: Text = None
    name: Text = None


class Parameter(_Reply):
    """A parameter of a job: it has an id and a default value, but no name."""

    id: Id
    value: Text = None


class JobReply(_Reply):
    """What runs in a CI system; `type` is its kind, `url` its page there."""

    id: Id
    name: Text = None
    type: Text = None
    url: Text = None
    parameters: Annotated[tuple[Parameter, ...], BeforeValidator(_identified)] = ()


class JobOfRun(_Reply):
    id: OptionalId = None
    name: Text = None


class JobRunReply(_Reply):
    """One execution of a job; `url` is the build in CI. `status` is absent before its end."""

    id: OptionalId = None
    name: Text = None
    url: Text = None
    job: Annotated[JobOfRun | None, BeforeValidator(_object)] = None
    stage: Word = None
    status: Word = None
    error_message: Text = None
    created_by: Text = None
    created_date: Time = None
    last_modified_date: Time = None


class Named(_Reply):
    name: Text = None


class EnvironmentValue(_Reply):
    """`name` is the value; the variable's name is in `variable` (recorded)."""

    name: Text = None
    variable: Annotated[Named | None, BeforeValidator(_object)] = None


class Release(_Reply):
    id: OptionalId = None


class LaunchReply(_Reply):
    """A launch; `statistic`, `jobs` and `environment` are None in its sparse form. Of a release
    (525u01) the sparse form has the id, the rich one an object.
    """

    id: Id
    name: Text = None
    project_id: OptionalId = None
    closed: Flag = False
    created_by: Text = None
    created_date: Time = None
    last_modified_date: Time = None
    statistic: Annotated[dict[str, int] | None, BeforeValidator(read_statistic)] = None
    jobs: Annotated[tuple[JobRunReply, ...] | None, BeforeValidator(_objects)] = None
    environment: Annotated[tuple[EnvironmentValue, ...] | None, BeforeValidator(_objects)] = None
    tags: Annotated[tuple[Named, ...] | None, BeforeValidator(_objects)] = None
    release_id: OptionalId = None
    release: Annotated[Release | None, BeforeValidator(_object)] = None

    @property
    def modified_ms(self) -> int:
        return ms_of(self.last_modified_date or self.created_date)


class Progress(_Reply):
    """`ready` is false while the server still processes results; None if it does not say."""

    ready: Annotated[bool | None, BeforeValidator(lambda v: v if isinstance(v, bool) else None)] = (
        None
    )


class ResultReply(_Reply):
    """A test result, short or full. `message` is the text of its failure."""

    id: Id
    name: Text = None
    status: Word = None
    hidden: Flag = False
    message: Text = Field(default=None, repr=False)
    duration: Annotated[float | None, BeforeValidator(_milliseconds)] = None
