"""Runs and what belongs to them. Allow-listed: no raw vendor payload is kept anywhere."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.errors import UserError
from bot.domain.pipelines import PipelineRef
from bot.domain.statuses import Status

_INSTANCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RUN_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")

Parameters = tuple[tuple[str, str], ...]
"""What a run was started with: the vendor's own names and short texts, in a fixed order."""
NOTHING = "none"
"""The text of a parameter that a run was started without, where the vendor says so."""


def is_instance_name(text: str) -> bool:
    return _INSTANCE.fullmatch(text) is not None


def is_run_id(text: str) -> bool:
    """True for an id that is safe in any URL path (percent-encoding does not save `..`)."""
    return _RUN_ID.fullmatch(text) is not None and text not in {".", ".."}


@dataclass(frozen=True, slots=True, order=True)
class RunRef:
    """One run of one configured provider; written `instance:run_id`."""

    instance: str
    run_id: str

    def __post_init__(self) -> None:
        if not is_instance_name(self.instance) or not is_run_id(self.run_id):
            raise UserError("That is not a run: a run is written `instance:id`.")

    def __str__(self) -> str:
        return f"{self.instance}:{self.run_id}"

    @classmethod
    def parse(cls, text: str) -> "RunRef":
        """Reads `instance:run_id`; UserError if the text is anything else."""
        instance, _, run_id = text.partition(":")
        return cls(instance, run_id)


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of tests by outcome; None where the vendor does not say."""

    total: int | None = None
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a pipeline, as last read.

    `raw_status` is the vendor's own word. Times are aware UTC. `progress` is 0-100.
    `attempt` rises when the vendor repeats a run under its old id and says so. `aliases` are
    other pipeline keys under which people know this run's pipeline (an id, a wider key).
    `failed_step` names the first step or test that failed, `failing` all of them, at most 50 of
    200 characters, each once; see `failures`. A private run is shown to nobody but
    the person who asks for it. `parameters` are those that a listing of runs shows, at most 16
    of 100 characters; never variables, which may hold secrets. What the vendor does not tell is
    left out.
    """

    ref: RunRef
    pipeline: PipelineRef
    status: Status
    raw_status: str = ""
    title: str = ""
    branch: str | None = None
    commit: str | None = None
    author: str | None = None
    environment: str | None = None
    created: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    url: str | None = None
    counts: Counts = field(default_factory=Counts)
    progress: int | None = None
    attempt: int = 1
    aliases: tuple[str, ...] = ()
    failed_step: str | None = None
    is_private: bool = False
    parameters: Parameters = ()
    failing: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        """The names of what failed, as far as the vendor tells."""
        return self.failing or ((self.failed_step,) if self.failed_step else ())

    @property
    def is_over(self) -> bool:
        """True when nothing more is expected, be it with a word that we do not know."""
        return self.status.is_terminal or (
            self.status is Status.UNKNOWN and self.finished is not None
        )

    @property
    def when(self) -> datetime | None:
        """The time by which runs are listed: creation, else the earliest time known."""
        return self.created or self.started or self.finished

    @property
    def duration(self) -> timedelta | None:
        """How long the run took; None while it is not over or where times are missing."""
        start = self.started or self.created
        if start is None or self.finished is None:
            return None
        return max(self.finished - start, timedelta(0))


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a run, in order of execution; `step_id` is what a log is asked with."""

    step_id: str
    name: str
    status: Status
    raw_status: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    message: str = ""
    has_log: bool = False


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test of a run; `error` is the first line of its failure text."""

    name: str
    status: Status
    error: str = ""
    duration_s: float | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """The end of a log, colours included as sent; `is_cut` when earlier text is left out."""

    title: str
    text: str
    is_cut: bool = False
