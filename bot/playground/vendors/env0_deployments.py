"""Deployments of the env0 stand-in over HTTP: start, cancel, abort, steps, logs, page."""

from typing import TYPE_CHECKING

from aiohttp import web

from bot.playground.vendors import env0_replies
from bot.playground.vendors import env0_requests as bodies
from bot.playground.vendors.base import json_reply, page
from bot.playground.vendors.env0_model import QUEUED_WORDS, Module, ModuleTest, names
from bot.playground.vendors.env0_replies import deployment_reply
from bot.playground.vendors.env0_requests import RefusedError
from bot.playground.vendors.env0_steps import Step, log_reply, step_reply, steps

if TYPE_CHECKING:
    from bot.playground.vendors.env0 import Env0Standin

MAX_LIMIT = 100


class Env0Deployments:
    def __init__(self, standin: "Env0Standin") -> None:
        self.standin = standin

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/environments/deployments/{id}", self.get),
            web.put("/environments/deployments/{id}/cancel", self.cancel),
            web.post("/environments/deployments/{id}/abort", self.abort),
            web.get("/environments/{environment}/deployments", self.listing),
            web.post("/environments/{environment}/deployments", self.start),
            web.get("/deployments/{id}/steps", self.steps),
            web.get("/deployments/{id}/steps/{name}/log", self.log),
            web.get("/p/{project}/environments/{environment}/deployments/{id}", self.page),
        ]

    def find(self, request: web.Request) -> ModuleTest:
        now, wanted = self.standin.clock.time(), request.match_info["id"]
        for run in self.standin.runs:
            if run.deployment_id == wanted and run.log_appears_s <= now:
                return run
        raise RefusedError(404, "Not Found")

    def environment(self, request: web.Request) -> Module:
        """Find the module of an environment; it exists once the module has had a run."""
        wanted = request.match_info["environment"]
        for run in self.standin.runs:
            if run.module.environment_id == wanted:
                return run.module
        raise RefusedError(404, "Not Found")

    async def get(self, request: web.Request) -> web.Response:
        return json_reply(self.full(self.find(request)))

    def full(self, run: ModuleTest) -> dict[str, object]:
        """Make a deployment log with its variables, which hold secrets like those of a run."""
        variables = {"customEnv0EnvironmentVariables": env0_replies.variables(self.standin, run)}
        return deployment_reply(self.standin, run) | variables

    async def listing(self, request: web.Request) -> web.Response:
        bodies.check_query(
            request, ("statuses", "deploymentTypes", "fromDate", "toDate", "limit", "offset")
        )
        module = self.environment(request)
        offset, limit = _number(request, "offset", 0), _number(request, "limit", MAX_LIMIT)
        if not 1 <= limit <= MAX_LIMIT:
            raise RefusedError(400, f"/query/limit must be <= {MAX_LIMIT}")
        mine = [run for run in self.standin.runs if run.module is module]
        mine.sort(key=lambda run: run.course.created_s, reverse=True)
        replies = [self.full(run) for run in mine]
        chosen = [reply for reply in replies if _wanted(request, reply)]
        return json_reply(chosen[offset : offset + limit])

    async def start(self, request: web.Request) -> web.Response:
        module = self.environment(request)
        body = bodies.read_object(await request.read())
        bodies.check_deployment(body)
        bodies.check_enabled(module)
        run = self.standin.start(module, body.get("blueprintRevision"), body.get("comment"))
        run.trigger_name = body.get("triggerName", "user")
        if self.standin.quirks.trigger_reply == "id":
            return json_reply({"id": run.deployment_id})
        return json_reply(deployment_reply(self.standin, run))

    async def cancel(self, request: web.Request) -> web.Response:
        run, now = self.find(request), self.standin.clock.time()
        if run.status(now) not in QUEUED_WORDS | {"WAITING_FOR_USER"}:
            raise RefusedError(422, "Unprocessable Entity")
        self.standin.stop(run, "CANCELLED", now)
        return json_reply({"id": run.deployment_id})

    async def abort(self, request: web.Request) -> web.Response:
        run = self.find(request)
        bodies.check_fields(bodies.read_object(await request.read()), {})
        if run.status(self.standin.clock.time()) != "IN_PROGRESS":
            raise RefusedError(422, "Unprocessable Entity")
        self.standin.abort(run)
        if self.standin.quirks.abort_reply == "empty":
            return web.Response()
        return json_reply({} if self.standin.quirks.abort_reply == "object" else None)

    async def steps(self, request: web.Request) -> web.Response:
        run = self.find(request)
        project_id = self.standin.project_id(run.module.organization_id)
        found = steps(run, self.standin.clock.time())
        replies = [step_reply(run, step, project_id) for step in found]
        # the order is given by a field, not by the place
        return json_reply(replies[::-1])

    def step(self, request: web.Request, run: ModuleTest) -> Step:
        for step in steps(run, self.standin.clock.time()):
            if step.name == request.match_info["name"] and step.status != "NOT_STARTED":
                return step
        raise RefusedError(404, "Not Found")

    async def log(self, request: web.Request) -> web.Response:
        run = self.find(request)
        step = self.step(request, run)
        now, size = self.standin.clock.time(), self.standin.quirks.log_page
        start = _number(request, "startTime", 0)
        reply = log_reply(run, step, now, start, size)
        if self.standin.quirks.next_as_text and "nextStartTime" in reply:
            reply["nextStartTime"] = str(reply["nextStartTime"])
        return json_reply(reply)

    async def page(self, request: web.Request) -> web.Response:
        run, now = self.find(request), self.standin.clock.time()
        organization = run.module.organization_id
        if request.match_info["project"] != self.standin.project_id(organization):
            raise RefusedError(404, "Not Found")
        lines = [f"{step.name}: {step.status}" for step in steps(run, now)]
        tests = [f"{c.file} {c.name}: {c.status}" for c in run.finished_checks(now)]
        head = f"{run.module.name} at {run.revision}: {run.status(now)}"
        return page(f"env0 deployment {run.deployment_id}", [head, *lines, *tests])


def _number(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, str(otherwise))
    if not text.isdecimal():
        raise RefusedError(400, f"/query/{name} must be number")
    return int(text)


def _wanted(request: web.Request, reply: dict[str, object]) -> bool:
    query = request.query
    created = str(reply["createdAt"])
    return (
        names(str(reply["status"]), query.get("statuses", ""))
        and names(str(reply["type"]), query.get("deploymentTypes", ""))
        and query.get("fromDate", "") <= created <= query.get("toDate", "9999")
    )
