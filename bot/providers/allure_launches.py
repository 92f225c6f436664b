"""Launches of Allure TestOps: what is read of each, and what need not be read again.

Lists show rich or sparse items (section 3 of the vendor facts). A rich one costs nothing more,
but for `progress` where the verdict hangs on it. A sparse one costs its job runs, statistic and
environment, until `lastModifiedDate` says that nothing changed.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.clock import Clock, Deadline
from bot.domain.runs import Run
from bot.providers.allure_addresses import checked
from bot.providers.allure_api import VENDOR, AllureApi, Page, optional
from bot.providers.allure_replies import (
    EnvironmentValue,
    JobRunReply,
    LaunchReply,
    Progress,
    read_statistic,
)
from bot.providers.allure_status import Parts, decide, needs_progress
from bot.providers.allure_words import run_of
from bot.providers.answers import odd_form
from bot.providers.memory import Memory

REMEMBERED_S = 86400.0
TOUCHED_S = 600.0
TRUSTED_AFTER = timedelta(days=1)
"""An open launch that ended so long ago is trusted to its `lastModifiedDate`."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of a launch when it was last changed at `modified_ms`."""

    modified_ms: int
    is_closed: bool
    parts: Parts


class Launches:
    """Shared by threads: two may read the same at once, and then both answers are right."""

    def __init__(self, instance: str, base_url: str, api: AllureApi, clock: Clock) -> None:
        self._instance, self._base_url = instance, base_url
        self._api, self._clock = api, clock
        self._known: Memory[int, Known] = Memory(clock, REMEMBERED_S)
        self._projects: Memory[int, int] = Memory(clock, REMEMBERED_S)
        self._touched: Memory[int, str] = Memory(clock, TOUCHED_S)

    def page(self, project: str, number: int, size: int, deadline: Deadline) -> Page[LaunchReply]:
        """Newest first. `preview` makes the items rich where a server knows it, and is ignored
        by the others (read in a client).
        """
        query = [
            ("projectId", checked(project, "project")),
            ("page", str(number)),
            ("size", str(size)),
            ("sort", "created_date,DESC"),
            ("preview", "true"),
        ]
        return self._api.page(LaunchReply, ("launch",), deadline, query)

    def launch(self, launch_id: str, deadline: Deadline) -> LaunchReply:
        """One launch, usually sparse. This is authoritative, lists may lag."""
        path = ("launch", checked(launch_id, "launch"))
        launch = self._api.one(LaunchReply, path, deadline)
        if launch.project_id is not None:
            self._projects.put(launch.id, launch.project_id)
        return launch

    def get(self, run_id: str, deadline: Deadline) -> Run:
        """Everything anew: four requests, or five where `progress` matters."""
        launch, parts = self.read(run_id, deadline)
        return self.run(launch, parts)

    def read(self, run_id: str, deadline: Deadline) -> tuple[LaunchReply, Parts]:
        launch = self.launch(run_id, deadline)
        return launch, self._read_parts(launch, None, deadline)

    def run(self, launch: LaunchReply, parts: Parts, project: str = "") -> Run:
        """`project` is where the launch was listed, for a reply that does not say."""
        home = launch.project_id or int(project or 0) or self._projects.get(launch.id)
        if home is None:
            raise odd_form(VENDOR)
        self._projects.put(launch.id, home)
        return run_of(self._instance, self._base_url, home, launch, parts)

    def project_of(self, run_id: str, deadline: Deadline) -> int:
        known = self._projects.get(int(checked(run_id, "launch")))
        if known is not None:
            return known
        home = self.launch(run_id, deadline).project_id
        if home is None:
            raise odd_form(VENDOR)
        return home

    def touch(self, launch: LaunchReply) -> None:
        """Has the next polls look at a launch that was made to move, however old it is."""
        if launch.project_id is not None:
            self._touched.put(launch.id, str(launch.project_id))

    def touched(self, project: str) -> list[int]:
        """The launches of a project that were made to move in the last ten minutes."""
        return [launch_id for launch_id, home in self._touched.items() if home == project]

    def job_runs(self, run_id: str, deadline: Deadline) -> tuple[JobRunReply, ...]:
        return self._api.array(JobRunReply, ("launch", checked(run_id, "launch"), "job"), deadline)

    def cheap_parts(self, launch: LaunchReply) -> Parts | None:
        """The parts, if they can be had without a request: of a rich item, or as remembered."""
        known = self._known.get(launch.id)
        is_same = known is not None and _is_same(known, launch)
        if launch.statistic is not None and launch.jobs is not None:
            return _rich_if_certain(launch, known.parts if is_same and known else None)
        is_settled = is_same and known is not None and self._is_settled(launch, known.parts)
        return known.parts if is_settled and known is not None else None

    def parts(self, launch: LaunchReply, deadline: Deadline) -> Parts:
        """The parts of a listed launch, read as far as needed."""
        cheap = self.cheap_parts(launch)
        if cheap is not None:
            return self._keep(launch, cheap)
        known = self._known.get(launch.id)
        return self._read_parts(
            launch, known if known and _is_same(known, launch) else None, deadline
        )

    def _is_settled(self, launch: LaunchReply, parts: Parts) -> bool:
        """Whether a launch without a later change is as it was: it is closed, waits for its
        first job run, is closed by a person some day, or ended long ago.
        """
        if launch.closed or parts.jobs == ():
            return True
        if not decide(parts, is_closed=False).is_over or launch.last_modified_date is None:
            return False
        return self._clock.now() - launch.last_modified_date > TRUSTED_AFTER

    def _read_parts(self, launch: LaunchReply, known: Known | None, deadline: Deadline) -> Parts:
        """`known` are the parts read since the launch last changed: an ended launch whose job
        runs are the same costs one request.
        """
        path = ("launch", str(launch.id))
        jobs = launch.jobs
        if jobs is None:
            jobs = optional(lambda: self.job_runs(path[1], deadline))
        if (
            known is not None
            and _is_ended(known)
            and known.parts.jobs == jobs
            and launch.jobs is None
        ):
            return known.parts
        counts = launch.statistic
        if counts is None:
            counts = optional(lambda: self._statistic(path, deadline))
        parts = Parts(jobs, counts, None, self._environment(launch, deadline))
        if needs_progress(parts, is_closed=launch.closed):
            parts = replace(parts, ready=self._ready(path, deadline))
        return self._keep(launch, parts)

    def _statistic(self, path: tuple[str, ...], deadline: Deadline) -> dict[str, int]:
        counts = read_statistic(self._api.raw((*path, "statistic"), deadline))
        if counts is None:
            raise odd_form(VENDOR)
        return counts

    def _ready(self, path: tuple[str, ...], deadline: Deadline) -> bool | None:
        found = optional(lambda: self._api.one(Progress, (*path, "progress"), deadline))
        return found.ready if found is not None else None

    def _environment(self, launch: LaunchReply, deadline: Deadline) -> tuple[EnvironmentValue, ...]:
        """A launch gains environment values, it does not lose them: once known they stay."""
        if launch.environment is not None:
            return launch.environment
        known = self._known.get(launch.id)
        if known is not None and known.parts.environment:
            return known.parts.environment
        path = ("launch", str(launch.id), "env")
        return optional(lambda: self._api.array(EnvironmentValue, path, deadline)) or ()

    def _keep(self, launch: LaunchReply, parts: Parts) -> Parts:
        self._known.put(launch.id, Known(launch.modified_ms, launch.closed, parts))
        return parts


def _rich_if_certain(launch: LaunchReply, known: Parts | None) -> Parts | None:
    """The parts that a rich item holds; None if the verdict also hangs on `progress`. A server
    that does not say whether it is ready is not asked again while nothing changes.
    """
    parts = Parts(launch.jobs, launch.statistic, None, launch.environment or ())
    if not needs_progress(parts, is_closed=launch.closed):
        return parts
    if known is None or (known.jobs, known.counts) != (parts.jobs, parts.counts):
        return None
    return replace(parts, ready=known.ready) if known.ready is not False else None


def _is_same(known: Known, launch: LaunchReply) -> bool:
    return known.modified_ms == launch.modified_ms and known.is_closed == launch.closed


def _is_ended(known: Known) -> bool:
    return decide(known.parts, is_closed=known.is_closed).is_over and known.parts.ready is not False
