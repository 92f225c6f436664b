"""The HTTP face of the env0 stand-in."""

import base64
import hmac
import zlib
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.playground.vendors import env0_requests as bodies
from bot.playground.vendors.base import json_reply
from bot.playground.vendors.env0_deployments import Env0Deployments
from bot.playground.vendors.env0_model import Module, ModuleTest
from bot.playground.vendors.env0_replies import module_reply, run_reply
from bot.playground.vendors.env0_requests import RefusedError

if TYPE_CHECKING:
    from bot.playground.vendors.env0 import Env0Standin

GATEWAY = (
    "Authorization header requires 'Credential' parameter. Authorization header requires "
    "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
    "Authorization="
)
MINUTE_S = 60.0


def install(standin: "Env0Standin") -> None:
    standin.app.middlewares.append(_guard(standin))
    for face in (_Modules(standin), Env0Deployments(standin)):
        standin.app.add_routes(face.routes())


def _guard(standin: "Env0Standin") -> Middleware:
    calls: dict[tuple[str, str], deque[float]] = defaultdict(deque)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            return _gateway(request)
        try:
            if not request.path.startswith("/p/"):
                _authorise(standin, request)
                _count(standin, calls[request.method, request.path])
            return await handler(request)
        except RefusedError as refused:
            return refused.reply()

    return guard


def _gateway(request: web.Request) -> web.Response:
    """Answer for a path that does not exist, echoing the key as the vendor's gateway does."""
    return json_reply({"message": GATEWAY + request.headers.get("Authorization", "")}, 403)


def _authorise(standin: "Env0Standin", request: web.Request) -> None:
    pair = f"{standin.key_id}:{standin.key_secret}".encode()
    wanted = b"Basic " + base64.b64encode(pair)
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted):
        raise RefusedError(401, "Unauthorized", plain=False)


def _count(standin: "Env0Standin", calls: deque[float]) -> None:
    now = standin.clock.time()
    while calls and calls[0] <= now - MINUTE_S:
        calls.popleft()
    if len(calls) >= standin.quirks.rate_limit:
        wait = standin.quirks.retry_after
        headers = {} if wait is None else {"Retry-After": str(wait)}
        raise RefusedError(429, "Too Many Requests", plain=False, headers=headers)
    calls.append(now)


class _Modules:
    def __init__(self, standin: "Env0Standin") -> None:
        self.standin = standin

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/organizations", self.organizations),
            web.get("/modules", self.modules),
            web.get("/modules/{id}", self.module),
            web.get("/projects/modules/testing/{organization}", self.project),
            web.get("/module/tests/{run}", self.run),
            web.get("/module/{id}/tests", self.runs),
            web.post("/module/{id}/tests", self.start),
        ]

    async def organizations(self, _: web.Request) -> web.Response:
        return json_reply(self.standin.organizations)

    def check_organization(self, wanted: str) -> None:
        if wanted not in {item["id"] for item in self.standin.organizations}:
            raise RefusedError(403, "Forbidden", plain=False)

    async def modules(self, request: web.Request) -> web.Response:
        wanted = request.query.get("organizationId")
        if not wanted:
            raise RefusedError(400, "/query must have required property 'organizationId'")
        self.check_organization(wanted)
        modules = [m for m in self.standin.modules if m.organization_id == wanted]
        return json_reply([module_reply(module) for module in modules])

    def asked(self, request: web.Request) -> Module:
        wanted = request.match_info["id"]
        for module in self.standin.modules:
            if module.id == wanted:
                return module
        raise RefusedError(404, "Not Found")

    async def module(self, request: web.Request) -> web.Response:
        return json_reply(module_reply(self.asked(request)))

    async def project(self, request: web.Request) -> web.Response:
        wanted = request.match_info["organization"]
        self.check_organization(wanted)
        return json_reply({"id": self.standin.project_id(wanted), "name": "Module Testing"})

    def visible(self) -> list[ModuleTest]:
        now = self.standin.clock.time()
        return [run for run in self.standin.runs if run.appears_s <= now]

    async def run(self, request: web.Request) -> web.Response:
        for run in self.visible():
            if run.id == request.match_info["run"]:
                return json_reply(run_reply(self.standin, run))
        raise RefusedError(404, "Not Found")

    async def runs(self, request: web.Request) -> web.Response:
        module = self.asked(request)
        if self.standin.quirks.strict_query:
            bodies.check_query(request, ())
        runs = [run for run in self.visible() if run.module is module]
        ordered = _ordered(runs, self.standin.quirks.order)
        return json_reply([run_reply(self.standin, run) for run in ordered])

    async def start(self, request: web.Request) -> web.Response:
        """Start a run directly, where an installation has this call; else it is no path."""
        if not self.standin.quirks.direct_trigger:
            return _gateway(request)
        module = self.asked(request)
        body: dict[str, Any] = bodies.read_object(await request.read())
        bodies.check_fields(body, {"blueprintRevision": str})
        bodies.check_enabled(module)
        run = self.standin.start(module, body.get("blueprintRevision"), None)
        return json_reply(run_reply(self.standin, run))


def _ordered(runs: list[ModuleTest], order: str) -> list[ModuleTest]:
    if order == "shuffled":
        return sorted(runs, key=lambda run: zlib.crc32(run.id.encode()))
    return sorted(runs, key=lambda run: run.course.created_s, reverse=order == "newest")
