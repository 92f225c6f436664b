"""Watches: which channel wants to hear about which pipelines."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Literal

from bot.domain.pipelines import Pattern
from bot.domain.runs import Run


class Preset(StrEnum):
    """What is posted: failed and fixed; every failure by itself; every run that ended."""

    CHANGES = "changes"
    FAILURES = "failures"
    ALL = "all"


class ThreadMode(StrEnum):
    """Where news of an open card goes: its thread, thread and channel, or nowhere."""

    QUIET = "quiet"
    BROADCAST = "broadcast"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Filter:
    """`key=value,value` or `key!=value`; values are case-sensitive globs, any may match."""

    key: Literal["branch", "status", "provider", "pipeline", "by", "env", "since", "limit"]
    values: tuple[str, ...]
    is_negated: bool = False

    def __str__(self) -> str:
        return f"{self.key}{'!=' if self.is_negated else '='}{','.join(self.values)}"

    def accepts(self, value: str | None) -> bool:
        is_hit = any(fnmatchcase(value or "", pattern) for pattern in self.values)
        return is_hit is not self.is_negated


def run_passes(run: Run, filters: tuple[Filter, ...]) -> bool:
    """Whether a run passes all filters that ask about the run itself (not since, not limit)."""
    return all(_passes(run, one) for one in filters)


def _passes(run: Run, one: Filter) -> bool:
    match one.key:
        case "branch":
            return one.accepts(run.branch)
        case "status":
            return one.accepts(run.status.value)
        case "provider":
            return one.accepts(run.ref.instance)
        case "by":
            return one.accepts(run.author)
        case "env":
            return one.accepts(run.environment)
        case "pipeline":
            is_hit = any(
                Pattern.parse(value).matches(run.pipeline, run.aliases) for value in one.values
            )
            return is_hit is not one.is_negated
        case _:
            return True


@dataclass(frozen=True, slots=True)
class Watch:
    """One channel's wish. `watch_id` is 0 until stored. `made_by` is a Slack user id, or
    `settings` for those of BOT_WATCHES and BOT_ALERT_CHANNEL. Failures that finished before
    `since` are history and not posted. A suspended watch posts nothing and says why;
    `quiet_since` is from when on it could post nothing, kept until another suspension.
    `tells_overdue` is about runs that take much longer than usual.
    """

    channel: str
    pattern: Pattern
    made_by: str
    since: datetime
    filters: tuple[Filter, ...] = ()
    preset: Preset = Preset.CHANGES
    thread: ThreadMode = ThreadMode.QUIET
    mention: str | None = None
    suspended_because: str | None = None
    quiet_since: datetime | None = None
    watch_id: int = 0
    tells_overdue: bool = True

    @property
    def wish(self) -> str:
        """What it is about and what it asks for, as it is typed."""
        filters = (str(one) for one in self.filters)
        return " ".join((str(self.pattern), *filters, f"on={self.preset}"))

    def is_same_wish(self, other: "Watch") -> bool:
        """Whether both are about the same, whatever their options; one of the settings is
        another one than that of a person.
        """
        mine, theirs = ((w.channel, w.pattern, w.made_by == "settings") for w in (self, other))
        return mine == theirs and _as_set(self.filters) == _as_set(other.filters)

    def wants(self, run: Run) -> bool:
        """Whether this run's pipeline and properties are what the watch is about."""
        return self.pattern.matches(run.pipeline, run.aliases) and run_passes(run, self.filters)

    def follows(self, run: Run) -> bool:
        """As `wants`, whatever the status: how a failure that was wanted went on is wanted too."""
        lasting = tuple(one for one in self.filters if one.key != "status")
        return self.pattern.matches(run.pipeline, run.aliases) and run_passes(run, lasting)


def _as_set(filters: tuple[Filter, ...]) -> set[tuple[str, frozenset[str], bool]]:
    return {(one.key, frozenset(one.values), one.is_negated) for one in filters}
