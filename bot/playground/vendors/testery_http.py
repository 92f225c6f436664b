"""The HTTP face of the Testery stand-in."""

import hmac
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.playground.vendors import testery_requests as bodies
from bot.playground.vendors.base import json_reply
from bot.playground.vendors.testery_pages import TesteryPages
from bot.playground.vendors.testery_requests import MESSAGES, RefusedError
from bot.playground.vendors.testery_runs import (
    TesteryRun,
    detail_reply,
    result_replies,
    run_reply,
)

if TYPE_CHECKING:
    from bot.playground.vendors.testery import TesteryStandin

DEFAULT_LIMIT = 10


def install(standin: "TesteryStandin") -> None:
    standin.app.middlewares.append(_guard(standin))
    for face in (_Lists(standin), _Runs(standin), _Plans(standin), TesteryPages(standin)):
        standin.app.add_routes(face.routes())


def _guard(standin: "TesteryStandin") -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path.startswith("/api/") and not request.path.startswith("/api/v2/"):
                _authorise(standin, request)
            return await handler(request)
        except RefusedError as refused:
            return _error(standin, refused.status, refused.message)
        except web.HTTPException as refused:
            return _error(standin, refused.status, MESSAGES.get(refused.status, refused.reason))

    return guard


def _authorise(standin: "TesteryStandin", request: web.Request) -> None:
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {standin.token}".encode()):
        raise RefusedError(401)


def _error(standin: "TesteryStandin", status: int, message: str) -> web.Response:
    if standin.quirks.plain_text_errors:
        return web.Response(status=status, text=message)
    return json_reply({"code": str(status), "message": message}, status)


class _Lists:
    def __init__(self, standin: "TesteryStandin") -> None:
        self.standin = standin

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/account", self.account),
            web.get("/api/users/me", self.me),
            web.get("/api/projects", self.projects),
            web.get("/api/environments", self.environments),
            web.get(r"/api/projects/{id:\d+}/test-suites", self.suites),
            web.get("/api/test-plans", self.saved_plans),
            web.get("/api/v2/scheduled-maintenances/active.json", self.maintenance),
        ]

    async def account(self, _: web.Request) -> web.Response:
        return json_reply(self.standin.account)

    async def me(self, _: web.Request) -> web.Response:
        """Answer null to an account-level token, as the vendor does."""
        person = {"firstName": "Ada", "lastName": "Sample", "email": "ada@example.com"}
        return json_reply(person if self.standin.quirks.user_token else None)

    async def projects(self, _: web.Request) -> web.Response:
        rows = [{"id": p.id, "key": p.key, "name": p.name} for p in self.standin.projects]
        return json_reply(rows)

    async def environments(self, _: web.Request) -> web.Response:
        rows = [
            {
                "id": e.id,
                "accountId": self.standin.account["id"],
                "key": e.key,
                "name": e.name,
                "archived": e.archived,
                "pipelineStageId": e.pipeline_stage_id,
                "url": e.url,
                "variables": e.variables,
            }
            for e in self.standin.environments
        ]
        return json_reply(rows)

    async def suites(self, request: web.Request) -> web.Response:
        wanted = int(request.match_info["id"])
        project = next((p for p in self.standin.projects if p.id == wanted), None)
        if project is None:
            raise RefusedError(404)
        return json_reply([{"id": key, "name": name} for key, name in project.suites.items()])

    async def saved_plans(self, _: web.Request) -> web.Response:
        return json_reply(self.standin.test_plans)

    async def maintenance(self, _: web.Request) -> web.Response:
        """Answer as the vendor's status page, which needs no token."""
        until = self.standin.quirks.maintenance_until
        work = {
            "name": "Database upgrade",
            "status": "in_progress",
            "scheduled_until": until,
        }
        head = {
            "id": "sample",
            "name": "Testery",
            "url": "http://status.testery.io",
            "time_zone": "Etc/UTC",
            "updated_at": "2023-10-05T11:30:44.060Z",
        }
        return json_reply({"page": head, "scheduled_maintenances": [work] if until else []})


class _Runs:
    def __init__(self, standin: "TesteryStandin") -> None:
        self.standin = standin

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/test-runs", self.listing),
            web.get("/api/test-runs/", self.listing),
            web.get("/api/test-runs/by-deploy/{deploy}", self.by_deploy),
            web.get("/api/test-runs/{id}", self.get),
            web.get("/api/test-run-results/{id}", self.get),
            web.patch("/api/test-runs/{id}", self.patch),
            web.get("/api/test-runs/{id}/results", self.results),
            web.get("/api/test-runs/{id}/results/{result}", self.result),
            web.post("/api/test-runs/{id}/rerun", self.rerun),
            web.post("/api/test-run-requests-build", self.create),
        ]

    def reply(self, run: TesteryRun, status: int = 200) -> web.Response:
        shown = run_reply(run, self.standin.clock.time(), self.standin.quirks)
        return json_reply(shown, status)

    def replies(self, runs: list[TesteryRun]) -> web.Response:
        now, quirks = self.standin.clock.time(), self.standin.quirks
        return json_reply([run_reply(run, now, quirks) for run in runs])

    def asked(self, request: web.Request) -> TesteryRun:
        try:
            return self.standin.run(int(request.match_info["id"]))
        except (KeyError, ValueError):
            raise RefusedError(404) from None

    async def listing(self, request: web.Request) -> web.Response:
        limit = min(_number(request, "limit", DEFAULT_LIMIT), self.standin.quirks.max_limit)
        offset = _number(request, "offset", 0)
        if "page" in request.query and not self.standin.quirks.page_ignored:
            offset = _number(request, "page", 0) * limit
        return self.replies(self.standin.newest_first()[offset : offset + limit])

    async def by_deploy(self, request: web.Request) -> web.Response:
        wanted = request.match_info["deploy"]
        runs = self.standin.newest_first()
        return self.replies([run for run in runs if run.request.get("deployId") == wanted])

    async def get(self, request: web.Request) -> web.Response:
        return self.reply(self.asked(request))

    async def patch(self, request: web.Request) -> web.Response:
        run = self.asked(request)
        if bodies.read_object(await request.read()) != {"status": "CANCELED"}:
            raise RefusedError(400, "Only the status CANCELED can be set")
        if not run.is_over(self.standin.clock.time()):
            self.standin.cancel(run)
        elif self.standin.quirks.patch_over != 200:
            raise RefusedError(self.standin.quirks.patch_over)
        if self.standin.quirks.cancel_reply == "empty":
            return web.Response()
        return self.reply(run)

    async def results(self, request: web.Request) -> web.Response:
        now, quirks = self.standin.clock.time(), self.standin.quirks
        return json_reply(result_replies(self.asked(request), now, quirks))

    async def result(self, request: web.Request) -> web.Response:
        run = self.asked(request)
        now, quirks = self.standin.clock.time(), self.standin.quirks
        for item in result_replies(run, now, quirks):
            if str(item["id"]) == request.match_info["result"]:
                return json_reply(detail_reply(run, item))
        raise RefusedError(404)

    async def rerun(self, request: web.Request) -> web.Response:
        quirks = self.standin.quirks
        if quirks.rerun == "absent":
            raise RefusedError(quirks.rerun_absent_status)
        run = self.asked(request)
        if not run.is_over(self.standin.clock.time()):
            raise RefusedError(409)
        repeated = self.standin.rerun(run)
        if quirks.rerun_reply == "empty":
            return web.Response(status=204)
        if quirks.rerun_reply == "no_id":
            return json_reply({"message": "accepted"}, 202)
        return self.reply(repeated)

    async def create(self, request: web.Request) -> web.Response:
        body = bodies.read_object(await request.read())
        bodies.check_run_body(body, strict=self.standin.quirks.strict)
        project, environment = body.pop("project"), body.pop("environment")
        projects = {item.key for item in self.standin.projects}
        environments = {item.key for item in self.standin.environments}
        if project not in projects or environment not in environments:
            raise RefusedError(404)
        return self.reply(self.standin.add_run(project, environment, **body), 201)


class _Plans:
    def __init__(self, standin: "TesteryStandin") -> None:
        self.standin = standin

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(r"/api/test-plans/{id:\d+}/runs", self.run),
            web.post(r"/api/test-plans/{id:\d+}/runs/{run:\d+}/cancel", self.cancel),
        ]

    async def run(self, request: web.Request) -> web.Response:
        plans = {str(plan["id"]) for plan in self.standin.test_plans}
        if request.match_info["id"] not in plans:
            raise RefusedError(404)
        body = bodies.read_object(await request.read())
        bodies.check_types(body, bodies.PLAN_BODY_TYPES, strict=self.standin.quirks.strict)
        started = {"id": 77 + len(self.standin.plan_runs), "status": "SUBMITTED"}
        self.standin.plan_runs[int(str(started["id"]))] = started
        return json_reply(started)

    async def cancel(self, request: web.Request) -> web.Response:
        run = self.standin.plan_runs.get(int(request.match_info["run"]))
        if run is None:
            raise RefusedError(404)
        run["status"] = "CANCELED"
        return json_reply(run)


def _number(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, str(otherwise))
    if not text.isdecimal():
        raise RefusedError(400, f"{name} must be a number")
    return int(text)
