"""The web pages of the Allure TestOps stand-in and of the CI behind its jobs, for people."""

from typing import TYPE_CHECKING

from aiohttp import web

from bot.playground.vendors.allure_launches import find_launch
from bot.playground.vendors.allure_requests import RefusedError
from bot.playground.vendors.base import page

if TYPE_CHECKING:
    from bot.playground.vendors.allure import AllureStandin


class AllurePages:
    def __init__(self, standin: "AllureStandin") -> None:
        self.standin = standin

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(r"/launch/{id:\d+}", self.launch),
            web.get(r"/launch/{id:\d+}/tree/{result:\d+}", self.result),
            web.get(r"/ci/{job}/{number:\d+}", self.build),
        ]

    async def launch(self, request: web.Request) -> web.Response:
        launch, now = find_launch(self.standin, request), self.standin.clock.time()
        state = "closed" if launch.closed(now) else "open"
        counts = launch.statistic(now, self.standin.quirks)
        results = [f"{r.check.status}: {r.check.name}" for r in launch.results(now)]
        lines = [
            f"{launch.name}, {state}",
            ", ".join(f"{count} {status}" for status, count in counts.items()),
            *(f"{run.job.name} #{run.id}: {run.stage(now)}" for run in launch.job_runs),
        ]
        return page(f"Launch {launch.id}", [*lines, *results])

    async def result(self, request: web.Request) -> web.Response:
        launch = find_launch(self.standin, request)
        for result in launch.results(self.standin.clock.time()):
            if result.id == int(request.match_info["result"]):
                check = result.check
                return page(check.name, [check.file, check.status, check.message or ""])
        raise RefusedError(404)

    async def build(self, request: web.Request) -> web.Response:
        """Show the CI build of a job run whose job has its address here."""
        name, wanted = request.match_info["job"], int(request.match_info["number"]) - 900_000
        for run in self.standin.job_runs():
            if run.id == wanted and run.job.name == name:
                return page(f"{name} #{run.id}", [run.stage(self.standin.clock.time())])
        raise RefusedError(404)
