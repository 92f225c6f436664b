"""Testery's replies at the border: tolerant models and times.

Only the id is needed in a run, and the status to make sense of it. Every other field that is
missing, null or of another type is None, so one odd field costs neither the run nor its page.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

RUN_ID = re.compile(r"[1-9][0-9]{0,17}")
_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?"
    r" ?(?P<offset>Z|[+-]\d\d:?\d\d)",
    re.ASCII,
)
_REAL_YEARS = range(1971, 9000)
_BIGGEST_COUNT = 10**9
_LONGEST_MS = 10**11


def read_time(value: Any) -> datetime | None:
    """Aware UTC; None for anything that is no time with an offset.

    The vendor writes `2020-05-04 23:16:33+0000` (published example). The forms of ISO 8601 are
    taken as well.
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
    return moment if moment.year in _REAL_YEARS else None


def _id(value: Any) -> Any:
    """Ids are numbers; digits in a text are taken too, and True is none."""
    if isinstance(value, str) and RUN_ID.fullmatch(value):
        return int(value)
    return None if isinstance(value, bool) or not isinstance(value, int) else value


def _id_or_none(value: Any) -> int | None:
    found = _id(value)
    return found if isinstance(found, int) and 0 < found < 10**18 else None


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _key(value: Any) -> str | None:
    """An environment is its key in the published example, and an object with `key` and `name`
    in the documentation of the alert rules.
    """
    return _text(value.get("key") or value.get("name") if isinstance(value, dict) else value)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _BIGGEST_COUNT else None


def _milliseconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _LONGEST_MS else None


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else []
    return [text for item in items if (text := _text(item))]


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


Id = Annotated[int, BeforeValidator(_id), Field(gt=0, lt=10**18)]
OptionalId = Annotated[int | None, BeforeValidator(_id_or_none)]
Text = Annotated[str | None, BeforeValidator(_text)]
Key = Annotated[str | None, BeforeValidator(_key)]
Time = Annotated[datetime | None, BeforeValidator(read_time)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]
Count = Annotated[int | None, BeforeValidator(_count)]
Milliseconds = Annotated[float | None, BeforeValidator(_milliseconds)]
Texts = Annotated[list[str], BeforeValidator(_texts)]


class _Reply(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, hide_input_in_errors=True
    )


class RunReply(_Reply):
    """A run, as in lists and alone. `complete` and `ended` say the same; either may be absent.
    The last block is what runs were started with; a rerun by way of a new run copies most of it.
    """

    id: Id
    status: str
    status_info: Text = None
    name: Text = None
    complete: Flag = None
    ended: Flag = None
    create_time: Time = None
    created_at: Time = None
    start_time: Time = None
    end_time: Time = None
    project_id: OptionalId = None
    environment_id: OptionalId = None
    environment: Key = None
    branch: Text = None
    git_ref: Text = None
    pass_count: Count = None
    fail_count: Count = None
    ignored_count: Count = None
    not_run_count: Count = None
    timeout_count: Count = None
    total_count: Count = None

    build_key: Text = None
    test_suite_id: OptionalId = None
    include_tags: Texts = []
    excluded_tags: Texts = []
    test_filters: Texts = []
    copies: Count = None
    timeout_minutes: Count = None
    test_timeout_seconds: Count = None
    retry_failed_tests: Flag = None
    max_runners: Count = None
    default_to_parallelize_by_file: Flag = None
    runner_configuration_id: OptionalId = None
    priority: Count = None

    @property
    def created(self) -> datetime | None:
        return self.create_time or self.created_at

    @property
    def says_over(self) -> bool | None:
        """What the two flags say; None if both are absent."""
        if self.complete is None and self.ended is None:
            return None
        return bool(self.complete or self.ended)


class ProjectTest(_Reply):
    name: Text = None
    file_filter: Text = None
    file: Text = None


class ResultReply(_Reply):
    """One test of a run; `duration` in milliseconds."""

    id: OptionalId = None
    status: Text = None
    duration: Milliseconds = None
    error: Text = None
    name: Text = None
    project_test: Annotated[ProjectTest | None, BeforeValidator(_object)] = None

    @property
    def given_name(self) -> str | None:
        return (self.project_test.name if self.project_test else None) or self.name

    @property
    def label(self) -> str:
        return self.given_name or (f"test {self.id}" if self.id else "test without a name")

    @property
    def file(self) -> str | None:
        test = self.project_test
        return (test.file_filter or test.file) if test else None


class AccountReply(_Reply):
    """`name` stands in web links, `display` is for people."""

    id: Id
    name: Text = None
    display: Text = None


class PersonReply(_Reply):
    first_name: Text = None
    last_name: Text = None

    @property
    def label(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)


class ProjectReply(_Reply):
    id: Id
    key: Annotated[str, Field(min_length=1)]
    name: Text = None


class EnvironmentReply(_Reply):
    id: Id
    key: Annotated[str, Field(min_length=1)]
    name: Text = None
    archived: Flag = None


class SuiteReply(_Reply):
    id: Id
    name: Annotated[str, Field(min_length=1)]
