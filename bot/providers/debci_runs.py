"""debci's jobs as the bot's runs: names, addresses, status words, times.

Facts are from debci 3.6 and 3.12 (Debian 12 and 13), whose listings hold different fields.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Parameters, Run, RunRef
from bot.domain.statuses import Status
from bot.net import clean_message
from bot.providers.parameters import parameters_of

RUN_ID = r"[1-9][0-9]{0,17}"
_NAME = r"[A-Za-z0-9][A-Za-z0-9+._~-]*"
_PACKAGE = r"[a-z0-9][a-z0-9+.-]+"
_PLACE = re.compile(rf"(?P<suite>{_NAME})/(?P<arch>{_NAME})/(?P<package>{_PACKAGE})")
_PAGES = (
    re.compile(rf"/packages/[^/]+/{_PACKAGE}/{_NAME}/{_NAME}/(?P<run_id>{RUN_ID})(/.*)?"),
    re.compile(rf"/user/[^/]+/retry/(?P<run_id>{RUN_ID})/?"),
)
_FILES = re.compile(rf"/{_NAME}/{_NAME}/[^/]+/{_PACKAGE}/(?P<run_id>{RUN_ID})(/.*)?")
_MARK = re.compile(r"(?:^|\s)slack/[^/\s]+/[^/\s]+\Z")
_LONGEST_DURATION_S = 10**8

STATUSES = {
    None: Status.QUEUED,  # waiting or running: the API does not tell which
    "pass": Status.PASSED,
    "fail": Status.FAILED,
    "tmpfail": Status.ERRORED,
    "neutral": Status.SKIPPED,
}
"""debci's words. Running and aborted never occur; any other word is UNKNOWN."""


@dataclass(frozen=True, slots=True)
class Place:
    """What debci tests again and again: a source package in a suite on an architecture."""

    suite: str
    arch: str
    package: str

    @classmethod
    def parse(cls, key: str) -> "Place | None":
        """Reads `suite/arch/package`; None if a name in it is not one that debci can have."""
        found = _PLACE.fullmatch(key)
        return cls(**found.groupdict()) if found else None

    def __str__(self) -> str:
        return f"{self.suite}/{self.arch}/{self.package}"

    @property
    def prefix(self) -> str:
        """The folder of the package: its first letter, or four for `lib…` (`libf`)."""
        is_library = self.package.startswith("lib") and len(self.package) > len("lib")
        return self.package[:4] if is_library else self.package[:1]

    @property
    def page(self) -> str:
        """The path of its history, which exists in every version."""
        return f"/packages/{self.prefix}/{self.package}/{self.suite}/{self.arch}/"

    def files(self, run_id: int) -> tuple[str, ...]:
        """The folders of a run's log below the base of all logs."""
        return (self.suite, self.arch, self.prefix, self.package, str(run_id))


def is_package(name: str) -> bool:
    """True for a name that debci accepts: two characters or more, no capitals."""
    return re.fullmatch(_PACKAGE, name) is not None


def run_id_in(url: str, base_url: str, log_base_url: str) -> str | None:
    """The run that a page, a log or a link of ours (`…/#RUN_ID`) is about; None if not ours."""
    path = _path_below(base_url, url)
    if path is not None:
        own = re.fullmatch(r"/packages/[^#]+/#(" + RUN_ID + ")", path)
        page = path.partition("#")[0].partition("?")[0]
        found = [match["run_id"] for match in (rule.fullmatch(page) for rule in _PAGES) if match]
        if own or found:
            return own[1] if own else found[0]
    file = _FILES.fullmatch(_path_below(log_base_url, url) or "")
    return file["run_id"] if file else None


def _path_below(base_url: str, url: str) -> str | None:
    if not url.startswith(base_url) or urlsplit(url).netloc != urlsplit(base_url).netloc:
        return None
    rest = url.removeprefix(base_url)
    return rest if rest.startswith("/") else None


def _or_none(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """A field that nothing depends on must not cost us the run."""
    try:
        return read(value)
    except ValidationError:
        return None


def _as_utc(time: datetime) -> datetime:
    if not 1970 <= time.year < 9000:  # noqa: PLR2004  # far enough from where arithmetic ends
        raise ValueError("not a time a run can have")
    return time.astimezone(UTC)


_Time = Annotated[Annotated[AwareDatetime, AfterValidator(_as_utc)] | None, WrapValidator(_or_none)]
_Text = Annotated[str | None, WrapValidator(_or_none)]
_Texts = Annotated[tuple[str, ...] | None, WrapValidator(_or_none)]
_Pins = Annotated[tuple[tuple[str, ...], ...] | None, WrapValidator(_or_none)]
_Seconds = Annotated[
    Annotated[int, Field(ge=0, le=_LONGEST_DURATION_S)] | None, WrapValidator(_or_none)
]
_Flag = Annotated[bool, BeforeValidator(lambda value: value not in (False, None))]


class Job(BaseModel):
    """One entry of the listing. 3.12 has no `created_at`, `message` and `pin_packages`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    run_id: Annotated[int, Field(strict=True, gt=0, lt=10**18)]
    package: Annotated[str, Field(pattern=f"^{_PACKAGE}$")]
    suite: Annotated[str, Field(pattern=f"^{_NAME}$")]
    arch: Annotated[str, Field(pattern=f"^{_NAME}$")]
    status: str | None
    trigger: _Text = None
    version: _Text = None
    message: _Text = None
    pin_packages: _Pins = None
    extra_apt_sources: _Texts = None
    is_private: _Flag = False
    created_at: _Time = None
    updated_at: _Time = None
    date: _Time = None
    duration_seconds: _Seconds = None

    @property
    def place(self) -> Place:
        return Place(self.suite, self.arch, self.package)

    @property
    def created(self) -> datetime | None:
        """When it was requested. 3.12 tells it only while the run is pending, as the time of
        the last change, some milliseconds late.
        """
        return self.created_at or (self.updated_at if self.status is None else None)

    @property
    def finished(self) -> datetime | None:
        """When it ended at the worker; failing that, when the result came in."""
        return None if self.status is None else self.date or self.updated_at

    @property
    def was_refused(self) -> bool:
        """True for what 3.6 records when a package of the reject list is requested in an
        array: `fail` at once, and nothing was run.
        """
        seen = (self.version, self.duration_seconds, self.message)
        return self.status == "fail" and seen == (None, None, None)

    def is_like(self, other: "Job") -> bool:
        """True for what a retry of `other` makes: it copies all but the priority."""
        return self.place == other.place and self.trigger == other.trigger


@dataclass(frozen=True, slots=True)
class RunReader:
    """Makes runs of jobs. A job that is pending for longer than `give_up` counts as lost."""

    instance: str
    base_url: str
    give_up: timedelta

    def run(self, job: Job, now: datetime, created: datetime | None = None) -> Run:
        """The run as listed. `created` is what was known of a job whose entry does not tell
        it any more.
        """
        created = job.created or created
        is_lost = job.status is None and created is not None and now - created > self.give_up
        return Run(
            ref=RunRef(self.instance, str(job.run_id)),
            pipeline=PipelineRef(self.instance, str(job.place)),
            status=Status.UNKNOWN if is_lost else STATUSES.get(job.status, Status.UNKNOWN),
            raw_status=self._lost_word if is_lost else clean_message(job.status or "", 64),
            title=_title(job),
            environment=f"{job.suite}/{job.arch}",
            created=created,
            started=_started(job, created),
            finished=created + self.give_up if is_lost and created else job.finished,
            url=f"{self.base_url}{job.place.page}#{job.run_id}",
            is_private=job.is_private,
            parameters=_parameters(job),
        )

    @property
    def _lost_word(self) -> str:
        return f"pending for over {self.give_up // timedelta(hours=1)} h"


def _title(job: Job) -> str:
    if job.was_refused:
        return f"{job.package}: not run, the package is in this server's reject list"
    version = "" if job.version in (None, "n/a") else f" {job.version}"
    message = f": {job.message}" if job.message else ""
    return clean_message(f"{job.package}{version}{message}")


def _parameters(job: Job) -> Parameters:
    """The version that was tested, which is known at the end, and what was asked for by the
    names of a request. The mark that the bot adds to a trigger text is not part of it.
    """
    told: dict[str, str | Sequence[str]] = {}
    if job.version not in (None, "n/a"):
        told["version"] = job.version
    if "trigger" in job.model_fields_set:
        told["trigger"] = _MARK.sub("", job.trigger or "")
    if job.pin_packages is not None:
        told["pin-packages"] = "; ".join(map(",".join, job.pin_packages))
    if job.extra_apt_sources is not None:
        told["extra-apt-sources"] = job.extra_apt_sources
    return parameters_of(told)


def _started(job: Job, created: datetime | None) -> datetime | None:
    """Worked out: debci tells the end and the duration only."""
    if job.status is None or job.date is None or job.duration_seconds is None:
        return None
    started = job.date - timedelta(seconds=job.duration_seconds)
    return max(started, created) if created else started
