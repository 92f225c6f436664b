"""Launches of the Allure TestOps stand-in over HTTP."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.vendors.allure_model import Launch
from bot.playground.vendors.allure_replies import AllureReplies, envelope
from bot.playground.vendors.allure_requests import (
    RefusedError,
    number,
    ordered,
    page_asked,
    query_predicate,
)
from bot.playground.vendors.base import json_reply

if TYPE_CHECKING:
    from bot.playground.vendors.allure import AllureStandin

LAUNCH_FIELDS = {"id", "name", "closed", "createdDate", "lastModifiedDate"}
DEFAULT_SIZE = 10


def find_launch(standin: "AllureStandin", request: web.Request, part: str = "id") -> Launch:
    """Find the launch that a path names; an unknown one is refused like a forbidden one."""
    try:
        return standin.launch(int(request.match_info[part]))
    except KeyError:
        raise RefusedError(standin.quirks.unknown_launch) from None


def check_project(standin: "AllureStandin", request: web.Request) -> int:
    project_id = number(request, "projectId")
    if project_id not in standin.projects:
        raise RefusedError(403)
    return project_id


class AllureLaunches:
    def __init__(self, standin: "AllureStandin", replies: AllureReplies) -> None:
        self.standin = standin
        self.replies = replies

    def routes(self, prefix: str) -> list[web.RouteDef]:
        one = prefix + r"/launch/{id:\d+}"
        return [
            web.get(f"{prefix}/launch", self.listing),
            web.get(f"{prefix}/launch/__search", self.search),
            web.get(one, self.get),
            web.get(f"{one}/statistic", self.statistic),
            web.get(f"{one}/progress", self.progress),
            web.get(f"{one}/job", self.jobs),
            web.get(f"{one}/env", self.environment),
            web.get(f"{one}/defect", self.defects),
            web.post(f"{one}/close", self.close),
            web.post(f"{one}/reopen", self.reopen),
        ]

    def now(self) -> float:
        return self.standin.clock.time()

    def asked(self, request: web.Request, part: str = "") -> Launch:
        if part in self.standin.quirks.hidden_parts:
            raise RefusedError(403)
        return find_launch(self.standin, request)

    def seen(self, project_id: int) -> tuple[list[Launch], float]:
        """List what a list shows, and the moment it is from: lists may lag."""
        then = self.now() - self.standin.quirks.list_lag_s
        mine = [x for x in self.standin.launches if x.project_id == project_id]
        return [launch for launch in mine if launch.created_s <= then], then

    def page(
        self,
        request: web.Request,
        rows: Sequence[Launch],
        then: float,
        form: Callable[[Launch, float], dict[str, Any]],
    ) -> web.Response:
        index, size = page_asked(request, DEFAULT_SIZE, self.standin.quirks.max_size)
        keys: dict[str, Callable[[Launch], Any]] = {
            "created_date": lambda launch: (launch.created_s, launch.id),
            "createdDate": lambda launch: (launch.created_s, launch.id),
            "lastModifiedDate": lambda launch: launch.modified_s(then),
            "id": lambda launch: launch.id,
            "name": lambda launch: launch.name,
        }
        sorts = request.query.getall("sort", ["created_date,DESC"])
        whole = envelope(ordered(rows, sorts, keys), index, size)
        whole["content"] = [form(launch, then) for launch in whole["content"]]
        return json_reply(whole)

    async def listing(self, request: web.Request) -> web.Response:
        quirks = self.standin.quirks
        rows, then = self.seen(check_project(self.standin, request))
        preview = quirks.preview and request.query.get("preview") == "true"
        rich = preview or quirks.list_items == "rich"
        return self.page(request, rows, then, self.replies.rich if rich else self.replies.sparse)

    async def search(self, request: web.Request) -> web.Response:
        rows, then = self.seen(check_project(self.standin, request))
        wanted = query_predicate(request.query.get("rql"), LAUNCH_FIELDS)
        found = [launch for launch in rows if wanted(_row(launch, then))]
        return self.page(request, found, then, self.replies.sparse)

    async def get(self, request: web.Request) -> web.Response:
        return json_reply(self.replies.sparse(self.asked(request), self.now()))

    async def statistic(self, request: web.Request) -> web.Response:
        return json_reply(self.replies.statistic(self.asked(request, "statistic"), self.now()))

    async def progress(self, request: web.Request) -> web.Response:
        launch = self.asked(request, "progress")
        return json_reply({"ready": launch.ready(self.now(), self.standin.quirks.processing_s)})

    async def jobs(self, request: web.Request) -> web.Response:
        listed = [run for run in self.asked(request, "job").job_runs if run.listed]
        return json_reply([self.replies.job_run(run, self.now()) for run in listed])

    async def environment(self, request: web.Request) -> web.Response:
        return json_reply(self.replies.environment(self.asked(request)))

    async def defects(self, request: web.Request) -> web.Response:
        known = sorted(self.asked(request).known)
        rows = [{"id": i + 1, "name": f"Known: {name}"} for i, name in enumerate(known)]
        return json_reply(envelope(rows, 0, DEFAULT_SIZE))

    async def close(self, request: web.Request) -> web.Response:
        launch = self.asked(request)
        if launch.closed(self.now()):
            raise RefusedError(409)
        self.standin.close(launch)
        return web.Response(status=204)

    async def reopen(self, request: web.Request) -> web.Response:
        launch = self.asked(request)
        if launch.closed(self.now()):
            self.standin.reopen(launch)
        return web.Response(status=204)


def _row(launch: Launch, then: float) -> dict[str, Any]:
    return {
        "id": launch.id,
        "name": launch.name,
        "closed": launch.closed(then),
        "createdDate": int(launch.created_s * 1000),
        "lastModifiedDate": int(launch.modified_s(then) * 1000),
    }
