"""What the debci stand-in knows: runs, how they end, and how they show in a listing.

A run's result has two times: when the test ended at the worker (`date` of the listing) and when
it reached the database. Until the second one nothing of it shows. Both are plans made at the
request, so what a run shows is computed from the plan and the time.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.playground.vendors.base import iso_ms

Status = Literal["pass", "fail", "neutral", "tmpfail"]
Version = Literal["3.6", "3.12"]
Json = dict[str, Any]
Place = tuple[str, str, str]

MESSAGES: dict[str, str] = {
    "pass": "All tests passed",
    "fail": "Tests failed",
    "neutral": "No tests in this package or all skipped",
    "tmpfail": "Could not run tests due to a temporary testbed failure",
}
KEYS_OF_3_12 = (
    "trigger", "package", "arch", "suite", "version", "status", "run_id", "is_private",
    "extra_apt_sources", "updated_at", "date", "duration_seconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run will go; `late_by_s` passes between the worker's end and the database."""

    status: Status = "pass"
    duration_s: float = 12.0
    late_by_s: float = 0.0
    message: str | None = None
    package_version: str = "1.0-1"


NEVER = Outcome(duration_s=math.inf)


@dataclass(slots=True, eq=False)
class Run:
    """`outcome` is None for a run of a rejected package, which ends without having begun."""

    run_id: int
    user: str
    package: str
    suite: str
    arch: str
    created: float
    outcome: Outcome | None
    package_id: int
    requestor_id: int
    trigger: str | None = None
    pins: list[list[str]] = field(default_factory=list)
    is_private: bool = False
    apt_sources: list[str] = field(default_factory=list)
    priority: int = 5
    published: float | None = None

    @property
    def place(self) -> Place:
        return self.package, self.suite, self.arch

    @property
    def date(self) -> float:
        """When the run ends at the worker."""
        return self.created if self.outcome is None else self.created + self.outcome.duration_s

    @property
    def arrives(self) -> float:
        """When the result reaches the database."""
        return self.date if self.outcome is None else self.date + self.outcome.late_by_s

    @property
    def status(self) -> Status:
        return "fail" if self.outcome is None else self.outcome.status

    def is_over(self, now: float) -> bool:
        return now >= self.arrives

    def updated(self, now: float, version: Version) -> float:
        """Last change of the row; in 3.12 a new row is touched again some milliseconds later."""
        fresh = self.created + (0.012 if version == "3.12" else 0.0)
        return max(fresh, self.arrives if self.is_over(now) else 0.0, self.published or 0.0)


def is_listed(run: Run, since: int, now: float, version: Version) -> bool:
    if version == "3.6":
        return run.updated(now, version) >= since
    date = math.floor(run.date) if run.is_over(now) else 0
    return run.created >= since or date >= since


def listing(runs: Iterable[Run], since: int, now: float, version: Version) -> list[Run]:
    """Select and sort the runs that a listing with this `since` shows."""
    found = [run for run in runs if is_listed(run, since, now, version)]
    if version == "3.6":
        return sorted(found, key=lambda run: (run.updated(now, version), run.run_id))
    return sorted(found, key=lambda run: run.run_id)


def until(runs: Iterable[Run]) -> int:
    return max((math.floor(run.created) for run in runs), default=0)


def by_place(runs: Iterable[Run]) -> dict[Place, list[Run]]:
    """Group runs by package, suite and architecture, in the order of their ends."""
    places: dict[Place, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.arrives, run.run_id)):
        places.setdefault(run.place, []).append(run)
    return places


def public_before(run: Run, places: dict[Place, list[Run]], now: float) -> list[Run]:
    """List the public, unpinned runs of the same place that ended before, oldest first."""
    return [
        other
        for other in places[run.place]
        if not other.pins
        and not other.is_private
        and other.is_over(now)
        and (other.arrives, other.run_id) < (run.arrives, run.run_id)
    ]


def run_json(run: Run, places: dict[Place, list[Run]], now: float, version: Version) -> Json:
    """Shape one run with the fields and in the order of this version."""
    shape = _common(run, now, version)
    if version == "3.12":
        return {key: shape[key] for key in KEYS_OF_3_12}
    over, outcome = run.is_over(now), run.outcome
    before = public_before(run, places, now) if over and outcome else []
    last_pass = next((other for other in reversed(before) if other.status == "pass"), None)
    ran = over and outcome is not None
    size = 260 + run.run_id % 20
    return {
        "run_id": run.run_id,
        "created_at": iso_ms(run.created),
        **{key: shape[key] for key in ("updated_at", "suite", "arch", "version", "trigger")},
        "status": shape["status"],
        "pin_packages": run.pins,
        "date": shape["date"],
        "duration_seconds": shape["duration_seconds"],
        "last_pass_date": last_pass and iso_ms(math.floor(last_pass.date)),
        "last_pass_version": last_pass and last_pass.outcome and last_pass.outcome.package_version,
        "message": (outcome.message or MESSAGES[outcome.status]) if ran and outcome else None,
        "previous_status": before[-1].status if before else None,
        "package_id": run.package_id,
        "requestor_id": run.requestor_id,
        "is_private": run.is_private,
        "extra_apt_sources": run.apt_sources,
        "worker_id": 1 if ran else None,
        "log_size": size if ran else None,
        "artifacts_size": size - 40 if ran else None,
        "duration_human": human(shape["duration_seconds"]),
        "package": run.package,
    }


def _common(run: Run, now: float, version: Version) -> Json:
    over, outcome = run.is_over(now), run.outcome
    date = math.floor(run.date) if over and outcome else run.date
    return {
        "run_id": run.run_id,
        "package": run.package,
        "suite": run.suite,
        "arch": run.arch,
        "trigger": run.trigger,
        "status": run.status if over else None,
        "version": outcome.package_version if over and outcome else None,
        "is_private": run.is_private,
        "extra_apt_sources": run.apt_sources,
        "updated_at": iso_ms(run.updated(now, version)),
        "date": iso_ms(date) if over else None,
        "duration_seconds": int(outcome.duration_s) if over and outcome else None,
    }


def human(seconds: int | None) -> str:
    """Write a duration as debci does: `2s`, `4m 10s`, `1h 3m`."""
    if seconds is None:
        return "(n/a)"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "m"), (rest, "s")]
    shown = [f"{count}{unit}" for count, unit in parts if count][:2]
    return " ".join(shown) or "0s"


def prefix(package: str) -> str:
    return package[:4] if package.startswith("lib") and len(package) > 3 else package[:1]
