"""Test results of the Allure TestOps stand-in over HTTP."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.vendors.allure_launches import check_project, find_launch
from bot.playground.vendors.allure_model import RED, Launch, Result
from bot.playground.vendors.allure_replies import AllureReplies, envelope
from bot.playground.vendors.allure_requests import (
    RefusedError,
    ordered,
    page_asked,
    query_predicate,
)
from bot.playground.vendors.base import json_reply

if TYPE_CHECKING:
    from bot.playground.vendors.allure import AllureStandin

RESULT_FIELDS = {"id", "name", "status", "launch", "muted"}


def result_row(launch: Launch, result: Result) -> dict[str, Any]:
    """Make what a query over results is asked on."""
    return {
        "id": result.id,
        "name": result.check.name,
        "status": result.check.status,
        "launch": launch.id,
        "muted": result.check.name in launch.muted,
    }


class AllureResults:
    def __init__(self, standin: "AllureStandin", replies: AllureReplies) -> None:
        self.standin = standin
        self.replies = replies

    def routes(self, prefix: str) -> list[web.RouteDef]:
        return [
            web.get(f"{prefix}/testresult/__search", self.search),
            web.get(prefix + r"/testresult/{id:\d+}", self.get),
            web.get(prefix + r"/launch/{id:\d+}/unresolved", self.unresolved),
            web.get(prefix + r"/v2/launch/{id:\d+}/test-result/flat", self.flat),
        ]

    def page(self, request: web.Request, rows: list[dict[str, Any]], size: int) -> web.Response:
        keys: dict[str, Callable[[dict[str, Any]], Any]] = {
            "name": lambda row: row["name"],
            "id": lambda row: row["id"],
            "status": lambda row: row["status"],
        }
        sorts = request.query.getall("sort", ["name,ASC"])
        number, size = page_asked(request, size, self.standin.quirks.max_size)
        return json_reply(envelope(ordered(rows, sorts, keys), number, size))

    async def search(self, request: web.Request) -> web.Response:
        project_id, now = check_project(self.standin, request), self.standin.clock.time()
        wanted = query_predicate(request.query.get("rql"), RESULT_FIELDS)
        rows = [
            self.replies.short(result)
            for launch in self.standin.launches
            if launch.project_id == project_id
            for result in launch.results(now)
            if wanted(result_row(launch, result))
        ]
        return self.page(request, rows, 10)

    async def flat(self, request: web.Request) -> web.Response:
        launch = find_launch(self.standin, request)
        found = launch.results(self.standin.clock.time())
        return self.page(request, [self.replies.flat(result) for result in found], 100)

    async def unresolved(self, request: web.Request) -> web.Response:
        """List the failures with neither defect nor mute."""
        launch = find_launch(self.standin, request)
        settled = launch.muted | launch.known
        red = [r for r in launch.results(self.standin.clock.time()) if r.check.status in RED]
        rows = [self.replies.unresolved(r) for r in red if r.check.name not in settled]
        return self.page(request, rows, 10)

    async def get(self, request: web.Request) -> web.Response:
        now = self.standin.clock.time()
        for launch in self.standin.launches:
            for result in launch.results(now):
                if result.id == int(request.match_info["id"]):
                    return json_reply(self.replies.full(launch, result, now))
        raise RefusedError(404)
