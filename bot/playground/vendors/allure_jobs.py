"""Jobs, job runs and test plans of the Allure TestOps stand-in over HTTP."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.vendors import allure_requests as bodies
from bot.playground.vendors.allure_launches import check_project
from bot.playground.vendors.allure_model import Job, JobRun, Launch
from bot.playground.vendors.allure_replies import AllureReplies, envelope
from bot.playground.vendors.allure_requests import RefusedError, page_asked, query_predicate
from bot.playground.vendors.allure_results import RESULT_FIELDS, result_row
from bot.playground.vendors.base import json_reply

if TYPE_CHECKING:
    from bot.playground.vendors.allure import AllureStandin


class AllureJobs:
    def __init__(self, standin: "AllureStandin", replies: AllureReplies) -> None:
        self.standin = standin
        self.replies = replies

    def routes(self, prefix: str) -> list[web.RouteDef]:
        return [
            web.get(f"{prefix}/job", self.listing),
            web.get(f"{prefix}/job/suggest", self.suggest),
            web.get(prefix + r"/job/{id:\d+}", self.get),
            web.post(prefix + r"/job/{id:\d+}/run", self.run),
            web.get(prefix + r"/jobrun/{id:\d+}", self.job_run),
            web.post(prefix + r"/jobrun/{id:\d+}/rerun", self.rerun),
            web.post(prefix + r"/testplan/{id:\d+}/run", self.run_plan),
        ]

    def mine(self, request: web.Request) -> list[Job]:
        project_id = check_project(self.standin, request)
        return [job for job in self.standin.jobs if job.project_id == project_id]

    async def listing(self, request: web.Request) -> web.Response:
        jobs, external = self.mine(request), request.query.get("externalId")
        if external is not None:
            job = next((job for job in jobs if job.external_id == external), None)
            if job is None:
                raise RefusedError(404)
            return json_reply(self.replies.job(job))
        number, size = page_asked(request, 20, self.standin.quirks.max_size)
        return json_reply(envelope([self.replies.job(job) for job in jobs], number, size))

    async def suggest(self, request: web.Request) -> web.Response:
        part = request.query.get("query", "").lower()
        found = [job for job in self.mine(request) if part in job.name.lower()]
        number, size = page_asked(request, 10, self.standin.quirks.max_size)
        rows = [{"id": job.id, "name": job.name} for job in found]
        return json_reply(envelope(rows, number, size))

    def asked(self, request: web.Request) -> Job:
        for job in self.standin.jobs:
            if job.id == int(request.match_info["id"]):
                return job
        raise RefusedError(404)

    async def get(self, request: web.Request) -> web.Response:
        return json_reply(self.replies.job(self.asked(request)))

    async def run(self, request: web.Request) -> web.Response:
        job = self.asked(request)
        body = bodies.read_object(await request.read())
        strict = self.standin.quirks.strict
        bodies.check_launch_body(body, bodies.RUN_FIELDS, strict=strict)
        _check_parameters(job, body)
        _check_runnable(job)
        launch = self.launch(job.project_id, body)
        self.standin.start(launch, job)
        return self.started(launch, 202)

    def launch(self, project_id: int, body: Mapping[str, Any]) -> Launch:
        return self.standin.add_launch(
            project_id,
            body["launchName"],
            tags=[tag["name"] for tag in body.get("tags", [])],
            links=list(body.get("links", [])),
            issues=list(body.get("issues", [])),
            environment=bodies.environment(body),
            external=False,
            autoclose_s=self.standin.quirks.autoclose_s,
        )

    def started(self, launch: Launch, status: int) -> web.Response:
        return json_reply(self.replies.sparse(launch, self.standin.clock.time()), status)

    async def run_plan(self, request: web.Request) -> web.Response:
        plan = self.standin.test_plans.get(int(request.match_info["id"]))
        if plan is None:
            raise RefusedError(404)
        body = bodies.read_object(await request.read())
        strict = self.standin.quirks.strict
        bodies.check_launch_body(body, bodies.PLAN_FIELDS, strict=strict)
        project_id, jobs = plan
        launch = self.launch(project_id, body)
        for job in jobs:
            self.standin.start(launch, job)
        return self.started(launch, 200)

    def asked_run(self, request: web.Request) -> JobRun:
        for run in self.standin.job_runs():
            if run.id == int(request.match_info["id"]):
                return run
        raise RefusedError(404)

    async def job_run(self, request: web.Request) -> web.Response:
        return json_reply(self.replies.job_run(self.asked_run(request), self.standin.clock.time()))

    async def rerun(self, request: web.Request) -> web.Response:
        run, now = self.asked_run(request), self.standin.clock.time()
        body = bodies.read_object(await request.read())
        bodies.check_fields(body, {"rql": str}, strict=self.standin.quirks.strict)
        launch = self.standin.launch(run.launch_id)
        selection = None
        if "rql" in body:
            wanted = query_predicate(body["rql"], RESULT_FIELDS)
            rows = [result_row(launch, result) for result in launch.results(now)]
            selection = {row["name"] for row in rows if wanted(row)}
        if launch.closed(now):
            raise RefusedError(409)
        if not run.is_over(now):
            raise RefusedError(409, "Job run is in progress")
        _check_runnable(run.job)
        self.standin.rerun(run, selection)
        return web.Response(status=202)


def _check_parameters(job: Job, body: Mapping[str, Any]) -> None:
    for parameter in body.get("parameters", []):
        if not isinstance(parameter, dict) or set(parameter) != {"id", "value"}:
            raise RefusedError(400, "a parameter has id and value")
        if parameter["id"] not in job.parameters:
            raise RefusedError(400, f"Unknown parameter {parameter['id']}")


def _check_runnable(job: Job) -> None:
    """Refuse a one-way job; how the service says that is not documented."""
    if not job.runnable:
        raise RefusedError(400, "Job can not be run")
