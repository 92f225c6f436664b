"""Closing a launch of Allure TestOps: all that an abort can be (section 6 of the vendor facts).

No call stops a CI build. A closed launch takes no more results; its builds go on.
"""

from dataclasses import replace

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.providers.allure_addresses import checked
from bot.providers.allure_api import AllureApi
from bot.providers.allure_launches import Launches

NOTE = (
    "Abort closes the launch and freezes its results. Nothing here stops a CI build: it goes on, "
    "and its page, named with the steps of the run, is the place to stop it."
)
RAW_STATUS = "closed; its CI build goes on"
_MAY_BE_CLOSED = frozenset({Kind.CONFLICT, Kind.INVALID, Kind.AMBIGUOUS, Kind.UNAVAILABLE})


class Closing:
    """Shared by threads."""

    def __init__(self, api: AllureApi, launches: Launches) -> None:
        self._api, self._launches = api, launches

    def close(self, run: Run, deadline: Deadline) -> Run:
        """The run as it stands afterwards; nothing is sent if it is over or closed already.
        If the answer is lost, or a refusal came too late, the launch tells.
        """
        run_id = checked(run.ref.run_id, "launch")
        if run.is_over:
            return run
        launch = self._launches.launch(run_id, deadline)
        if launch.closed:
            return self._launches.get(run_id, deadline)
        try:
            self._api.change(("launch", run_id, "close"), deadline)
        except ProviderError as error:
            if error.kind not in _MAY_BE_CLOSED or not self._is_closed(run_id, deadline):
                raise
        self._launches.touch(launch)
        return self._closed(run, deadline)

    def _is_closed(self, run_id: str, deadline: Deadline) -> bool:
        try:
            return self._launches.launch(run_id, deadline).closed
        except ProviderError:
            return False

    def _closed(self, run: Run, deadline: Deadline) -> Run:
        """By the rules a closed launch is what its results say: often not `aborted`."""
        try:
            now = self._launches.get(run.ref.run_id, deadline)
        except ProviderError:
            now = replace(run, status=Status.UNKNOWN)
        return replace(now, raw_status=RAW_STATUS)
