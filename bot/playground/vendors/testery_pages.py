"""The web application of the Testery stand-in, for people."""

from typing import TYPE_CHECKING

from aiohttp import web

from bot.playground.vendors.base import page
from bot.playground.vendors.testery_requests import RefusedError
from bot.playground.vendors.testery_runs import TesteryRun, detail_reply, result_replies, stamp

if TYPE_CHECKING:
    from bot.playground.vendors.testery import TesteryStandin


class TesteryPages:
    """The web application, for people; no token is asked here."""

    def __init__(self, standin: "TesteryStandin") -> None:
        self.standin = standin

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/{account}/test-runs", self.runs),
            web.get("/{account}/test-runs/{id}", self.run),
            web.get("/{account}/test-runs/{id}/tests/{result}", self.test),
            web.get("/{account}/test-runs/{id}/tests/{result}/console", self.test),
        ]

    def check_account(self, request: web.Request) -> None:
        if request.match_info["account"] != self.standin.account.get("name"):
            raise RefusedError(404)

    async def runs(self, request: web.Request) -> web.Response:
        self.check_account(request)
        return page("Test runs", [self.line(run) for run in self.standin.newest_first()[:50]])

    def line(self, run: TesteryRun) -> str:
        status = run.status(self.standin.clock.time())
        return f"{run.id} {run.project.key}/{run.environment.key}: {status}"

    def lines(self, run: TesteryRun) -> list[str]:
        now = self.standin.clock.time()
        results = result_replies(run, now, self.standin.quirks)
        tests = {item["id"]: item["status"] for item in results}
        return [
            self.line(run),
            f"Handed in {stamp(run.course.created_s)}, ended {stamp(run.course.ended(now))}",
            *(f"{key} {word}" for key, word in tests.items()),
        ]

    def asked(self, request: web.Request) -> TesteryRun:
        self.check_account(request)
        wanted = request.match_info["id"]
        run = next((run for run in self.standin.runs if str(run.id) == wanted), None)
        if run is None:
            raise RefusedError(404)
        return run

    async def run(self, request: web.Request) -> web.Response:
        run = self.asked(request)
        return page(f"Testery run {run.id}", self.lines(run))

    async def test(self, request: web.Request) -> web.Response:
        run = self.asked(request)
        results = result_replies(run, self.standin.clock.time(), self.standin.quirks)
        wanted = request.match_info["result"]
        item = next((item for item in results if str(item["id"]) == wanted), None)
        if item is None:
            raise RefusedError(404)
        shown = detail_reply(run, item)
        return page(shown["name"], [f"{key}: {value}" for key, value in shown.items()])
