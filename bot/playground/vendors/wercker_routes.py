"""The HTTP side of the Wercker stand-in: API version 3, the profile, and pages for people."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.vendors import wercker_json as shapes
from bot.playground.vendors import wercker_rules as rules
from bot.playground.vendors.base import application, json_reply
from bot.playground.vendors.wercker_model import (
    Application,
    Pipeline,
    Run,
    StepPosition,
    log_text,
    position,
    steps,
)
from bot.playground.vendors.wercker_pages import Pages
from bot.playground.vendors.wercker_rules import Refusal
from bot.playground.vendors.wercker_workflows import workflow_json

if TYPE_CHECKING:
    from bot.playground.vendors.wercker import WerckerStandin

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Routes:
    def __init__(self, standin: "WerckerStandin") -> None:
        self._standin = standin
        self.app = application(standin.faults)
        self.app.middlewares.append(self._api_errors)
        add = self.app.router.add_route
        v3 = "/api/v3"
        for path in (f"{v3}/runs", f"{v3}/runs/"):
            add("GET", path, self._list_runs)
            add("POST", path, self._trigger)
        add("GET", f"{v3}/runs/{{id}}", self._get_run)
        add("GET", f"{v3}/runs/{{id}}/steps", self._list_steps)
        add("PUT", f"{v3}/runs/{{id}}/abort", self._abort)
        add("GET", f"{v3}/runsteps/{{id}}", self._get_step)
        add("GET", f"{v3}/runsteps/{{id}}/log", self._get_log)
        add("GET", f"{v3}/applications/{{owner}}", self._list_applications)
        add("GET", f"{v3}/applications/{{owner}}/{{name}}", self._get_application)
        add("GET", f"{v3}/applications/{{owner}}/{{name}}/pipelines", self._list_pipelines)
        add("GET", f"{v3}/pipelines/{{id}}", self._get_pipeline)
        add("GET", f"{v3}/workflows", self._list_workflows)
        add("GET", f"{v3}/workflows/{{id}}", self._get_workflow)
        add("GET", "/api/v2/profile", self._profile)
        add("GET", "/{owner}/{name}/runs/{pipeline}/{id}", Pages(standin).run)

    async def _list_runs(self, request: web.Request) -> web.Response:
        query = _query(request)
        rules.check_run_query(query)
        limit = rules.check_number(query, "limit", 1, 20, self._standin.quirks.default_limit)
        skip = rules.check_number(query, "skip", 0, 10**9, 0)
        if "pipelineId" in query:
            self._allow(request, self._pipeline(query["pipelineId"]).application)
        if "applicationId" in query:
            self._allow(request, self._application(query["applicationId"]))
        found = [run for run in self._standin.runs if self._matches(run, query)]
        if query.get("sort") != "creationDateAsc":
            found.reverse()
        return self._json([self._summary(run, request) for run in found[skip : skip + limit]])

    def _matches(self, run: Run, query: dict[str, str]) -> bool:
        here = position(run, self._now)
        values = {
            "applicationId": run.pipeline.application.id,
            "pipelineId": run.pipeline.id,
            "branch": run.branch,
            "commit": run.commit_hash,
            "sourceRun": run.source.id if run.source else None,
            "author": run.user.username,
            "tag": run.tag,
            "status": here.status,
            "result": here.result,
        }
        return all(query[key] == value for key, value in values.items() if key in query)

    async def _get_run(self, request: web.Request) -> web.Response:
        return self._json(self._detail(self._visible_run(request), request))

    async def _trigger(self, request: web.Request) -> web.Response:
        self._need_token(request)
        body = rules.check_trigger(await _body(request))
        pipeline = self._pipeline(body["pipelineId"])
        source = self._source(body.get("sourceRunId"), pipeline)
        made = self._standin.create(
            pipeline, body.get("branch"), commit_hash=body.get("commitHash"),
            message=body.get("message"), env=body.get("envVars", []), tag=body.get("tag"),
            source=source, user=self._standin.me,
        )  # fmt: skip
        iso_times = self._standin.quirks.trigger_times == "iso"
        shape = shapes.run_created(made, self._now, _base(request), iso_times=iso_times)
        return self._json(shape, {"X-Wercker-Trace-Id": made.id})

    def _source(self, run_id: str | None, pipeline: Pipeline) -> Run | None:
        if run_id is None:
            if self._standin.quirks.source_needed and pipeline.type == "pipeline":
                raise Refusal(422, "Unable to process the run: it needs a source run")
            return None
        for run in self._standin.runs:
            if run.id == run_id:
                return run
        raise Refusal(422, "Unable to process the run: source run not found")

    async def _abort(self, request: web.Request) -> web.Response:
        self._need_token(request)
        run, quirks = self._visible_run(request), self._standin.quirks
        if not isinstance(await _body(request), dict):
            raise rules.bad("value", "must be an object", "object.base")
        if quirks.ends_before_abort and position(run, self._now).status != "finished":
            self._standin.finish(run.id, quirks.ends_before_abort)
        if position(run, self._now).status == "finished":
            if quirks.abort_of_finished == "refused":
                raise Refusal(422, "Unable to abort the run: it has finished")
        elif not quirks.abort_ignored:
            run.stopped = (self._now, "aborted")
        return self._json(self._detail(run, request))

    async def _list_steps(self, request: web.Request) -> web.Response:
        run = self._visible_run(request)
        known = steps(run, self._now)
        return self._json([shapes.step(run, item, _base(request)) for item in known])

    async def _get_step(self, request: web.Request) -> web.Response:
        run, item = self._step(request)
        return self._json(shapes.step(run, item, _base(request)))

    async def _get_log(self, request: web.Request) -> web.Response:
        run, item = self._step(request)
        return web.Response(text=log_text(run, item, self._now), content_type="text/plain")

    async def _list_applications(self, request: web.Request) -> web.Response:
        query, owner = _query(request), request.match_info["owner"].lower()
        limit = rules.check_number(query, "limit", 1, 100, 20)
        skip = rules.check_number(query, "skip", 0, 10**9, 0)
        sort = rules.check_choice(query, "sort", rules.APPLICATION_SORTS) or "nameAsc"
        owned = [a for a in self._standin.applications if a.owner.username.lower() == owner]
        if not owned:
            raise Refusal(404, "Owner not found")
        shown = [a for a in owned if self._has_token(request) or a.privacy == "public"]
        by_name = sort.startswith("name")
        shown.sort(key=lambda a: (a.name if by_name else "", a.created))
        if sort.endswith("Desc"):
            shown.reverse()
        base = _base(request)
        return self._json([shapes.application(a, base) for a in shown[skip : skip + limit]])

    async def _get_application(self, request: web.Request) -> web.Response:
        found = self._named_application(request)
        return self._json(shapes.application_detail(found, _base(request)))

    async def _list_pipelines(self, request: web.Request) -> web.Response:
        query = _query(request)
        limit = rules.check_number(query, "limit", 1, 100, 20)
        skip = rules.check_number(query, "skip", 0, 10**9, 0)
        items = self._named_application(request).pipelines[skip : skip + limit]
        return self._json([shapes.pipeline(item, _base(request)) for item in items])

    async def _get_pipeline(self, request: web.Request) -> web.Response:
        found = self._pipeline(request.match_info["id"])
        self._allow(request, found.application)
        return self._json(shapes.pipeline_detail(found, _base(request)))

    async def _list_workflows(self, request: web.Request) -> web.Response:
        query = _query(request)
        rules.check_known(query, ("applicationId", "limit", "skip", "sort"))
        rules.check_choice(query, "sort", rules.ENUMS["sort"])
        limit = rules.check_number(query, "limit", 1, 20, 10)
        skip = rules.check_number(query, "skip", 0, 10**9, 0)
        owner = self._application(query.get("applicationId", ""))
        self._allow(request, owner)
        found = [flow for flow in self._standin.workflows if flow.application is owner]
        if query.get("sort") != "creationDateAsc":
            found.reverse()
        base = _base(request)
        page_of = found[skip : skip + limit]
        return self._json([workflow_json(flow, self._now, base) for flow in page_of])

    async def _get_workflow(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        found = next((flow for flow in self._standin.workflows if flow.id == wanted), None)
        if found is None:
            raise Refusal(404, "Workflow not found")
        self._allow(request, found.application)
        return self._json(workflow_json(found, self._now, _base(request), detail=True))

    async def _profile(self, request: web.Request) -> web.Response:
        self._need_token(request)
        me = self._standin.me
        return self._json({"id": me.user_id, "username": me.username, **shapes.user(me)})

    @property
    def _now(self) -> float:
        return self._standin.clock.time()

    def _application(self, application_id: str) -> Application:
        for item in self._standin.applications:
            if item.id == application_id:
                return item
        raise Refusal(404, "Application not found")

    def _named_application(self, request: web.Request) -> Application:
        wanted = (request.match_info["owner"].lower(), request.match_info["name"].lower())
        for item in self._standin.applications:
            if (item.owner.username.lower(), item.name.lower()) == wanted:
                self._allow(request, item)
                return item
        raise Refusal(404, "Application not found")

    def _pipeline(self, pipeline_id: str) -> Pipeline:
        for owner in self._standin.applications:
            for item in owner.pipelines:
                if item.id == pipeline_id:
                    return item
        raise Refusal(404, "Pipeline not found")

    def _visible_run(self, request: web.Request) -> Run:
        for run in self._standin.runs:
            if run.id == request.match_info["id"]:
                self._allow(request, run.pipeline.application)
                return run
        raise Refusal(404, "Run not found")

    def _step(self, request: web.Request) -> tuple[Run, StepPosition]:
        wanted = request.match_info["id"]
        for run in self._standin.runs:
            for item in steps(run, self._now) if wanted in run.step_ids else ():
                if run.step_ids[item.index] == wanted:
                    self._allow(request, run.pipeline.application)
                    return run, item
        raise Refusal(404, "Step not found")

    def _has_token(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        return given == f"Bearer {self._standin.token}"

    def _need_token(self, request: web.Request) -> None:
        if not self._has_token(request):
            raise Refusal(401, rules.UNAUTHORIZED)

    def _allow(self, request: web.Request, owner: Application) -> None:
        """Without a token, public applications can be read."""
        if owner.privacy != "public":
            self._need_token(request)

    def _summary(self, run: Run, request: web.Request) -> dict[str, Any]:
        return self._odd(shapes.run_summary(run, self._now, _base(request)))

    def _detail(self, run: Run, request: web.Request) -> dict[str, Any]:
        return self._odd(shapes.run_detail(run, self._now, _base(request)))

    def _odd(self, shape: dict[str, Any]) -> dict[str, Any]:
        if self._standin.quirks.null_progress:
            shape["progress"] = None
        if self._standin.quirks.masked_variables and "envVars" in shape:
            shape["envVars"] = [{**item, "value": "*****"} for item in shape["envVars"]]
        return shape

    def _json(self, value: Any, headers: dict[str, str] | None = None) -> web.Response:
        charset = "; charset=utf-8" if self._standin.quirks.charset else ""
        reply = json_reply(value, 200, headers, f"application/json{charset}")
        reply.set_cookie("wercker_session", "sample-session", path="/", httponly=True)
        return reply

    @web.middleware
    async def _api_errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a wrong token before anything else, and put every error in Wercker's form."""
        try:
            if request.path.startswith("/api/") and "Authorization" in request.headers:
                self._need_token(request)
            return await handler(request)
        except Refusal as refusal:
            return refusal.reply()
        except web.HTTPException as error:
            if not request.path.startswith("/api/") or error.status not in rules.REASONS:
                raise
            return Refusal(error.status, rules.REASONS[error.status]).reply()


def _base(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _query(request: web.Request) -> dict[str, str]:
    return dict(request.query)


async def _body(request: web.Request) -> Any:
    """Read a JSON body. A wrong content type or broken JSON is refused."""
    if request.content_type != "application/json":
        raise Refusal(400, "Content-Type must be application/json")
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise Refusal(400, "Invalid request payload JSON format") from error
