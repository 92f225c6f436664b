"""What a token of Allure TestOps seems to be allowed, in words."""

from collections.abc import Callable

from bot.domain.clock import Deadline
from bot.domain.errors import ProviderError
from bot.domain.providers import Health
from bot.providers.allure_api import VENDOR, AllureApi
from bot.providers.allure_jobs import Jobs
from bot.providers.allure_launches import Launches
from bot.providers.allure_replies import User
from bot.providers.allure_words import line
from bot.providers.answers import parsed
from bot.providers.visibility import INVISIBLE

_MOST_PROJECTS = 3


class Rights:
    """Shared by threads."""

    def __init__(
        self, api: AllureApi, launches: Launches, jobs: Jobs, projects: tuple[str, ...]
    ) -> None:
        self._api, self._launches = api, launches
        self._jobs, self._projects = jobs, projects

    def check(self, deadline: Deadline) -> Health:
        """One authenticated read, then one or two for each of the first three projects. The
        token acts with the rights of its owner, so no rights of its own can be asked for.
        """
        account = self._account(deadline)
        notes = [self._project(project, deadline) for project in self._projects[:_MOST_PROJECTS]]
        if not self._projects:
            notes.append("PROJECTS is not set: listings need a watch.")
        notes.append(
            "The token acts with its owner's rights; whether it may start, close or reopen "
            "launches shows only when it does."
        )
        return Health(account, tuple(notes))

    def _account(self, deadline: Deadline) -> str:
        """The documented check is that this is answered with 200; its form is not documented."""
        user = self._api.me(deadline)
        known = parsed(User, user, VENDOR) if isinstance(user, dict) else User()
        return line(known.username or known.name)

    def _project(self, project: str, deadline: Deadline) -> str:
        can_launches = _can(lambda: self._launches.page(project, 0, 1, deadline))
        if can_launches is False:
            return f"Project {project}: not found, or no access for this token."
        can_jobs = _can(lambda: self._jobs.of(project, deadline))
        if can_launches is None or can_jobs is None:
            return f"Project {project}: it could not be seen just now what may be read."
        jobs = "jobs can be read" if can_jobs else "jobs cannot be read, so none can be started"
        return f"Project {project}: launches can be read, {jobs}."


def _can(read: Callable[[], object]) -> bool | None:
    """None where a fault says nothing about rights; the credential itself was accepted."""
    try:
        read()
    except ProviderError as error:
        return False if error.kind in INVISIBLE else None
    return True
