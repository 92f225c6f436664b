"""The newest launches of Allure TestOps' projects, for lists that people ask for."""

from functools import partial

from bot.domain.clock import Deadline
from bot.domain.errors import ConfigError, Kind, ProviderError
from bot.domain.pipelines import Pattern
from bot.domain.runs import Run
from bot.providers.allure_addresses import sources_for
from bot.providers.allure_api import MOST_ITEMS
from bot.providers.allure_launches import Launches
from bot.providers.allure_replies import LaunchReply
from bot.providers.allure_status import Parts
from bot.providers.visibility import visible

_ENOUGH_S = 0.6  # with less time left nothing more is read
_RESERVE_S = 0.3  # kept to hand over what was found
_LEAST_PAGE = 10


class Listing:
    """Shared by threads. `projects` are those for patterns that name none."""

    def __init__(self, instance: str, launches: Launches, projects: tuple[str, ...]) -> None:
        self._instance, self._launches, self._projects = instance, launches, projects

    def recent(self, pattern: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
        """One request for each project, and one to four for each launch that a sparse list does
        not tell enough about. When the time is over, such launches are shown as unknown, or left
        out of the list of a job. A job's launches are looked for among 100 of its project.
        """
        try:
            projects = sources_for(pattern, self._projects)
        except ConfigError:
            return ()
        soon = deadline.at_most(max(0.0, deadline.remaining_s() - _RESERVE_S))
        wanted = Pattern(self._instance, pattern)
        found = visible(
            partial(self._of_project, project, wanted, limit, soon) for project in projects
        )
        found.sort(key=lambda run: run.when.timestamp() if run.when else 0.0, reverse=True)
        return tuple(found[: max(0, limit)])

    def _of_project(
        self, project: str, wanted: Pattern, limit: int, deadline: Deadline
    ) -> list[Run]:
        size = MOST_ITEMS if "/" in wanted.key else min(max(limit, _LEAST_PAGE), MOST_ITEMS)
        reading = _Reading(self._launches, deadline)
        found: list[Run] = []
        for launch in self._launches.page(project, 0, size, deadline).items:
            if len(found) >= limit:
                break
            run = self._launches.run(launch, reading.parts(launch), project)
            if wanted.matches(run.pipeline, run.aliases):
                found.append(run)
        return found


class _Reading:
    """Reads what is missing while there is time and the vendor answers."""

    def __init__(self, launches: Launches, deadline: Deadline) -> None:
        self._launches, self._deadline = launches, deadline
        self._is_ended = False

    def parts(self, launch: LaunchReply) -> Parts:
        cheap = self._launches.cheap_parts(launch)
        if cheap is not None:
            return cheap
        if self._is_ended or self._deadline.remaining_s() < _ENOUGH_S:
            return _unread(launch)
        try:
            return self._launches.parts(launch, self._deadline)
        except ProviderError as error:
            if error.kind is Kind.AUTH:
                raise
            self._is_ended = error.kind in {Kind.RATE_LIMITED, Kind.UNAVAILABLE}
        return _unread(launch)


def _unread(launch: LaunchReply) -> Parts:
    """What the list itself tells: nothing, or all but whether results are still processed."""
    if launch.statistic is None:
        return Parts(launch.jobs, None)
    return Parts(launch.jobs, launch.statistic, ready=False, environment=launch.environment or ())
