"""Failing test results of a launch of Allure TestOps."""

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import TestResult
from bot.providers.allure_addresses import checked
from bot.providers.allure_api import MOST_ITEMS, AllureApi
from bot.providers.allure_launches import Launches
from bot.providers.allure_replies import ResultReply
from bot.providers.allure_words import result_of
from bot.providers.failing import failing

MOST_RESULTS = 20
MOST_MESSAGES = 5
_RED = '(status = "failed" or status = "broken")'


class Results:
    """Shared by threads."""

    def __init__(self, base_url: str, api: AllureApi, launches: Launches) -> None:
        self._base_url, self._api, self._launches = base_url, api, launches

    def failing(self, run_id: str, deadline: Deadline) -> tuple[TestResult, ...]:
        """The first 20 failed and broken results, the first five with the first line of their
        failure text: short results do not hold it, so each costs a request. A filter by a
        `status` parameter may be ignored by the server, a query is not (section 8).
        """
        launch_id = checked(run_id, "launch")
        shown = self._red(launch_id, MOST_RESULTS, deadline)
        full = self._full(shown[:MOST_MESSAGES], deadline)
        return tuple(
            result_of(self._base_url, int(launch_id), result, full.get(result.id))
            for result in shown
        )

    def names(self, run_id: str, deadline: Deadline) -> tuple[str, ...]:
        """The names of failed and broken results; one request for a launch that was seen."""
        red = self._red(checked(run_id, "launch"), MOST_ITEMS, deadline)
        return failing(result.name for result in red)

    def _red(self, launch_id: str, most: int, deadline: Deadline) -> list[ResultReply]:
        query = [
            ("projectId", str(self._launches.project_of(launch_id, deadline))),
            ("rql", f"launch = {launch_id} and {_RED}"),
            ("page", "0"),
            ("size", str(most)),
        ]
        page = self._api.page(ResultReply, ("testresult", "__search"), deadline, query)
        return [result for result in page.items if not result.hidden][:most]

    def _full(self, results: list[ResultReply], deadline: Deadline) -> dict[int, ResultReply]:
        """Failure texts are an addition: without them the names are shown."""
        found: dict[int, ResultReply] = {}
        for result in results:
            try:
                path = ("testresult", str(result.id))
                found[result.id] = self._api.one(ResultReply, path, deadline)
            except ProviderError as error:
                if error.kind in {Kind.AUTH, Kind.RATE_LIMITED, Kind.UNAVAILABLE}:
                    break
        return found
