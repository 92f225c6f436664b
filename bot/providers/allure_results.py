"""Failing test results of a launch of Allure TestOps."""

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.runs import TestResult
from bot.providers.allure_addresses import checked
from bot.providers.allure_api import AllureApi
from bot.providers.allure_launches import Launches
from bot.providers.allure_replies import ResultReply
from bot.providers.allure_words import result_of

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
        query = [
            ("projectId", str(self._launches.project_of(launch_id, deadline))),
            ("rql", f"launch = {launch_id} and {_RED}"),
            ("page", "0"),
            ("size", str(MOST_RESULTS)),
        ]
        page = self._api.page(ResultReply, ("testresult", "__search"), deadline, query)
        shown = [result for result in page.items if not result.hidden][:MOST_RESULTS]
        full = self._full(shown[:MOST_MESSAGES], deadline)
        return tuple(
            result_of(self._base_url, int(launch_id), result, full.get(result.id))
            for result in shown
        )

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
