"""The page of a run on Wercker's web site, to which a link of the bot leads."""

from typing import TYPE_CHECKING

from aiohttp import web

from bot.playground.vendors.base import page
from bot.playground.vendors.wercker_model import Pipeline, Run, position, steps

if TYPE_CHECKING:
    from bot.playground.vendors.wercker import WerckerStandin


class Pages:
    def __init__(self, standin: "WerckerStandin") -> None:
        self._standin = standin

    async def run(self, request: web.Request) -> web.Response:
        """Show a run at `/{owner}/{application}/runs/{pipeline}/{id}`."""
        info = request.match_info
        wanted = (info["owner"].lower(), info["name"].lower(), info["pipeline"])
        for run in self._standin.runs:
            if run.id == info["id"] and _address(run.pipeline) == wanted:
                title = f"{run.pipeline.application.name} / {run.pipeline.name}"
                return page(title, self._lines(run))
        return page("Not found", ["There is no such run."], 404)

    def _lines(self, run: Run) -> list[str]:
        now = self._standin.clock.time()
        here = position(run, now)
        lines = [f"{here.status} / {here.result}, {here.progress} percent", run.message]
        lines.append(f"{run.branch} at {run.commit_hash[:7]}, by {run.user.name}")
        names = run.pipeline.steps
        lines += [f"{s.index + 1}. {names[s.index]}: {s.result}" for s in steps(run, now)]
        return lines


def _address(pipeline: Pipeline) -> tuple[str, str, str]:
    application = pipeline.application
    return application.owner.username.lower(), application.name.lower(), pipeline.name
