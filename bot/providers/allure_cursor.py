"""What is remembered between two polls of a project of Allure TestOps, as JSON. Pure."""

import zlib
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.runs import Run
from bot.providers.allure_replies import LaunchReply, ms_of, read_time
from bot.providers.allure_status import Parts
from bot.providers.allure_words import is_ended_by_jobs
from bot.providers.failing import Inquiry

MOST_SEEN = 150
MOST_TODO = 2000


class Seen(NamedTuple):
    """A launch as last read. `shown` stands for the parts that a rich item shows. `status` and
    `finished_ms` are those of its end; empty and 0 while it moves.
    """

    modified_ms: int
    is_closed: bool
    shown: int = 0
    status: str = ""
    finished_ms: int = 0

    def is_after(self, launch: LaunchReply) -> bool:
        """True for a list that lags: it shows the launch as it was before."""
        return launch.modified_ms < self.modified_ms

    def differs(self, launch: LaunchReply) -> bool:
        return (
            (launch.modified_ms, launch.closed) != (self.modified_ms, self.is_closed)
            or not launch.closed
            or (launch.statistic is not None and fingerprint(launch) != self.shown)
        )


class Mark(BaseModel):
    """The newest launch of a project at the last poll."""

    model_config = ConfigDict(frozen=True)

    launch_id: int
    created_ms: int

    def is_before(self, launch: LaunchReply) -> bool:
        """True for a launch made after the marked one, as far as times tell."""
        created_ms = ms_of(launch.created_date)
        if created_ms in {0, self.created_ms}:
            return launch.id != self.launch_id
        return created_ms > self.created_ms


class Gap(BaseModel):
    """Launches newer than `mark` that a poll did not get to: on `page` or further on."""

    model_config = ConfigDict(frozen=True)

    page: int = Field(ge=0)
    mark: Mark


class Cursor(BaseModel):
    """`seen` by launch id. `todo` are launches that were listed and not read yet; `open_turn`
    says where the open runs go on, when they are too many for one poll. Before the first poll
    there are no `inquiries`.
    """

    mark: Mark | None = None
    gap: Gap | None = None
    seen: dict[int, Seen] = Field(default_factory=dict)
    todo: tuple[int, ...] = ()
    open_turn: int = Field(default=0, ge=0)
    inquiries: dict[str, Inquiry] | None = None

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """A cursor that cannot be read counts as none: as at the first time."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return cls()

    def written(self) -> str:
        """With the newest launches only: 150 seen ones, 2,000 to be read."""
        newest = sorted(self.seen, reverse=True)[:MOST_SEEN]
        todo = tuple(sorted(set(self.todo), reverse=True)[:MOST_TODO])
        kept = {launch_id: self.seen[launch_id] for launch_id in newest}
        return self.model_copy(update={"seen": kept, "todo": todo}).model_dump_json()


def fingerprint(launch: LaunchReply) -> int:
    """Changes when the results or job runs of a rich item do."""
    runs = [(run.id, run.stage, run.status) for run in launch.jobs or ()]
    return zlib.crc32(repr((sorted((launch.statistic or {}).items()), runs)).encode())


def seen_of(launch: LaunchReply, run: Run) -> Seen:
    is_rich = launch.statistic is not None
    return Seen(
        launch.modified_ms,
        launch.closed,
        fingerprint(launch) if is_rich else 0,
        run.status.value if run.is_over else "",
        ms_of(run.finished),
    )


def steady_end(
    run: Run, launch: LaunchReply, parts: Parts, seen: Seen | None, now: datetime
) -> datetime | None:
    """When the run ended, such that a later end means that it was over, moved and ended again.

    The vendor tells no end of a launch. Where it is taken from the launch's last change, one
    that changes nothing about the verdict (a tag, a link) must not move it; a verdict that
    turned since must have an end of its own.
    """
    if run.finished is None or seen is None or not seen.status:
        return run.finished
    before = read_time(seen.finished_ms)
    if before is None:
        return run.finished
    if run.status.value == seen.status:
        return run.finished if is_ended_by_jobs(parts) else before
    latest = max(run.finished, launch.last_modified_date or run.finished)
    return latest if latest > before else max(now, before + timedelta(seconds=1))
