"""env0's replies at the border: models that keep the wanted fields and no other.

Replies hold secrets (`oidcToken` and `vcsAccessToken` among the variables of a run) and texts of
megabytes; what is not named here is dropped when a reply is read. A field that is missing, null
or of another type is None, so that one odd field costs neither the run nor its list.
"""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from bot.net import clean_message

RUN_ID = r"[0-9A-Za-z][0-9A-Za-z_-]{7,127}"
"""Ids are UUIDs (recorded) and otherwise opaque: any word that is safe in a path."""

_ID = re.compile(RUN_ID)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII | re.IGNORECASE
)
_YEARS = range(1971, 9000)
_ERROR_CHARACTERS = 200
_WORD_CHARACTERS = 64
_MOST_FILES = 500
_CREDENTIALS = (
    re.compile(r"\b(basic|bearer)\s+[\w.~+/=-]{8,}|\bauthorization\s*[=:].*", re.IGNORECASE),
    re.compile(r"\b[\w.-]{0,60}(token|secret|passw|credential)[^\s\"',;]{0,400}", re.IGNORECASE),
    re.compile(r"\beyJ[\w.-]{8,}|(?=\w{0,40}[A-Z])(?=\w{0,40}[a-z])(?=\w{0,40}[0-9])\w{24,}"),
)
_SECRET_NAME = re.compile(r"token|secret|passw|credential|key|auth|cookie", re.IGNORECASE)


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def read_time(value: Any) -> datetime | None:
    """Aware UTC from `2022-09-08T12:04:54.000Z` (recorded); None for anything else."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in _YEARS else None


def safe_words(text: str, limit: int = _ERROR_CHARACTERS) -> str:
    """One line of a vendor's text, with what looks like a credential masked."""
    shown = clean_message(text, 2_000)
    for rule in _CREDENTIALS:
        shown = rule.sub("•••", shown)
    return clean_message(shown, limit)


def error_words(value: Any) -> str | None:
    """`error` of a run is a free object: its `message` if that is text (as the vendor's own
    plugin shows it), else its plain values as compact JSON, those with telling names left out.
    """
    if isinstance(value, str):
        return safe_words(value) or None
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("message"), str):
        return safe_words(value["message"]) or None
    plain = {
        name: item
        for name, item in value.items()
        if isinstance(item, str | int | float) and not _SECRET_NAME.search(name)
    }
    compact = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return safe_words(compact) if plain else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _word(value: Any) -> str | None:
    return value.strip()[:_WORD_CHARACTERS] if isinstance(value, str) and value.strip() else None


def _own_id(value: Any) -> str | None:
    return value if isinstance(value, str) and is_id(value) else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _count(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < 10**9 else None


def _order(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 10**9 else None


def _file_words(value: Any) -> dict[str, str | None]:
    """Test files and their status words. The shape is not documented: any other costs nothing."""
    files = list(_object(value).items())[:_MOST_FILES]
    return {name: _word(_object(item).get("status")) for name, item in files if name.strip()}


def _next_start(value: Any) -> str | None:
    """A number or a text (documented both ways), to be handed back as it came."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)[:_WORD_CHARACTERS]
    return text if re.fullmatch(r"[0-9A-Za-z:.+-]+", text, re.ASCII) else None


Id = Annotated[str, Field(pattern=f"^{RUN_ID}$")]
MaybeId = Annotated[str | None, BeforeValidator(_own_id)]
Text = Annotated[str | None, BeforeValidator(_text)]
Word = Annotated[str | None, BeforeValidator(_word)]
Time = Annotated[datetime | None, BeforeValidator(read_time)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]
Count = Annotated[int | None, BeforeValidator(_count)]
ErrorWords = Annotated[str | None, BeforeValidator(error_words)]


class _Reply(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, hide_input_in_errors=True
    )


class Identified(_Reply):
    id: Id


class Organization(Identified):
    name: Text = None


class ModuleReply(Identified):
    """`is_deleted` ones are still listed."""

    module_name: Text = None
    module_provider: Text = None
    module_test_enabled: Flag = None
    is_deleted: Flag = None


class User(_Reply):
    name: Text = None
    email: Text = None


class Variables(_Reply):
    """The few of `customEnv0EnvironmentVariables` that are wanted; the map holds secrets."""

    project_id: MaybeId = None
    commit_hash: Text = None
    pr_source_branch: Text = None
    pr_target_branch: Text = None


class Summary(_Reply):
    passed: Count = None
    failed: Count = None
    skipped: Count = None
    errored: Count = None


class RunReply(_Reply):
    """A module test run. Only the three ids after the first are required by the vendor."""

    id: MaybeId = None
    deployment_log_id: Id
    environment_id: Id
    organization_id: Id
    module_id: MaybeId = None
    status: Word = None
    blueprint_revision: Text = None
    pr_number: Word = None
    started_by_user: Annotated[User, BeforeValidator(_object)] = User()
    git_user: Text = None
    trigger_name: Word = None
    created_at: Time = None
    queued_at: Time = None
    started_at: Time = None
    finished_at: Time = None
    error: ErrorWords = None
    test_summary: Annotated[Summary, BeforeValidator(_object)] = Summary()
    test_files_results: Annotated[dict[str, str | None], BeforeValidator(_file_words)] = {}
    variables: Annotated[Variables, BeforeValidator(_object)] = Field(
        default=Variables(), alias="customEnv0EnvironmentVariables"
    )

    @property
    def made_at(self) -> datetime | None:
        """By which runs are sorted: the list comes in no documented order."""
        return self.created_at or self.queued_at or self.started_at or self.finished_at

    @property
    def word(self) -> str:
        """The status word as compared: case does not count."""
        return (self.status or "").upper()


class DeploymentReply(_Reply):
    """A deployment log, which is what a module test run is to the rest of env0."""

    environment_id: Id
    status: Word = None
    error: ErrorWords = None
    stopped_by_timeout_reason: Word = None


class StepReply(_Reply):
    name: Annotated[str, Field(min_length=1, max_length=256)]
    id: Text = None
    display_name: Text = None
    order: Annotated[float | None, BeforeValidator(_order)] = None
    status: Word = None
    started_at: Time = None
    completed_at: Time = None

    @property
    def word(self) -> str:
        return (self.status or "").upper()

    @property
    def label(self) -> str:
        return self.display_name or self.name


class LogEvent(_Reply):
    """One message of a log; colours are in it as sent."""

    event_id: Text = None
    message: str


class LogPage(_Reply):
    events: list[Any] = []
    next_start_time: Annotated[str | None, BeforeValidator(_next_start)] = None
    has_more_logs: Flag = None
