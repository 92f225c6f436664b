"""The HTTP side of the debci stand-in: the API under `/api/v1`."""

from collections.abc import Awaitable, Callable
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.playground.vendors import debci_rules as rules
from bot.playground.vendors.base import application, json_reply
from bot.playground.vendors.debci_model import by_place, listing, run_json, until
from bot.playground.vendors.debci_pages import Pages
from bot.playground.vendors.debci_rules import LOW_LEVEL_ERROR, SERVER_ERROR, Refusal

if TYPE_CHECKING:
    from bot.playground.vendors.debci import DebciStandin
    from bot.playground.vendors.debci_model import Run

Handler = Callable[[web.Request], Awaitable[web.Response]]
KeyedHandler = Callable[[web.Request, str], Awaitable[web.Response]]

SINATRA_HEADERS = {
    "X-XSS-Protection": "1; mode=block",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}


def make_app(standin: "DebciStandin") -> web.Application:
    app = application(standin.faults)
    api = Api(standin)
    for method, path, handler in (
        ("GET", "/auth", api.keyed(api.auth)),
        ("GET", "/test", api.keyed(api.list_runs)),
        ("GET", "/reject_list", api.keyed(api.reject_list)),
        ("POST", "/test/publish", api.keyed(api.publish)),
        ("POST", "/test/batch", api.open(api.batch)),
        ("POST", "/test/{suite}/{arch}", api.keyed(api.request_array)),
        ("POST", "/test/{suite}/{arch}/{package}", api.keyed(api.request_one)),
        ("POST", "/retry/{run_id}", api.open(api.retry)),
        ("GET", "/retry/{run_id}", api.open(api.retry_form)),
    ):
        app.router.add_route(method, f"/api/v1{path}", handler)
    app.router.add_route("*", "/api/{rest:.*}", _low_level_error)
    Pages(standin).add_to(app.router)
    app.on_response_prepare.append(_bare_headers)
    return app


async def _low_level_error(_request: web.Request) -> web.Response:
    return web.Response(status=500, body=LOW_LEVEL_ERROR.encode(), headers={"X-Bare": "yes"})


async def _bare_headers(_request: web.Request, reply: web.StreamResponse) -> None:
    """Leave out what the library adds and the application behind Puma does not."""
    for name in ("Date", "Server"):
        reply.headers.popall(name, None)
    if reply.headers.popall("X-Bare", None):
        reply.headers.popall("Content-Type", None)


def text_reply(text: str = "", status: int = 200) -> web.Response:
    """Answer plain text that is labelled HTML, as debci does."""
    reply = web.Response(status=status, body=text.encode(), headers=SINATRA_HEADERS)
    reply.headers["Content-Type"] = "text/html;charset=utf-8"
    return reply


class Api:
    def __init__(self, standin: "DebciStandin") -> None:
        self._standin = standin

    def open(self, handler: Handler) -> Handler:
        """Wrap a handler that looks at no key."""

        async def answer(request: web.Request) -> web.Response:
            try:
                return await handler(request)
            except Refusal as refusal:
                return text_reply(str(refusal), refusal.status)

        return answer

    def keyed(self, handler: KeyedHandler) -> Handler:
        """Wrap a handler that needs a key: 403 without, and `Auth-User` on every answer."""

        async def answer(request: web.Request) -> web.Response:
            user = self._standin.keys.get(request.headers.get("Auth-Key", ""))
            if user is None:
                return text_reply("Invalid key\n", 403)
            try:
                reply = await handler(request, user)
            except Refusal as refusal:
                reply = text_reply(str(refusal), refusal.status)
            reply.headers["Auth-User"] = user
            return reply

        return answer

    async def auth(self, _request: web.Request, _user: str) -> web.Response:
        return text_reply()

    async def list_runs(self, request: web.Request, user: str) -> web.Response:
        since = rules.parse_since(request.query.get("since"))
        now, version = self._standin.clock.time(), self._standin.version
        runs = list(self._standin.runs)
        found = listing((run for run in runs if run.user == user), since, now, version)
        places = by_place(runs)
        shown = [run_json(run, places, now, version) for run in found]
        return _json({"until": until(found), "results": shown})

    async def reject_list(self, _request: web.Request, _user: str) -> web.Response:
        s = self._standin
        return _json(rules.reject_list_json(s.reject_list, s.suites, s.architectures))

    async def request_one(self, request: web.Request, user: str) -> web.Response:
        suite, arch, fields, priority = await self._checked(request)
        package = request.match_info["package"]
        if self._standin.is_rejected(package, suite, arch):
            texts = {
                "3.6": f"RejectListed package: {package}\n",
                "3.12": f"Package: {package} is in the reject list\n",
            }
            raise Refusal(400, texts[self._standin.version])
        asked = rules.parse_single(package, fields, self._standin.apt_sources)
        return self._created(self._standin.request([asked], suite, arch, user, priority))

    async def request_array(self, request: web.Request, user: str) -> web.Response:
        suite, arch, fields, priority = await self._checked(request)
        items = rules.parse_tests(fields)

        def is_rejected(package: str) -> bool:
            return self._standin.is_rejected(package, suite, arch)

        rules.check_items(items, is_rejected, self._standin.apt_sources)
        asked = []
        for item in items:
            try:
                asked.append(rules.wanted(item))
            except Refusal:
                self._leave_unqueued(asked, suite, arch, user)
                raise
        return self._created(self._standin.request(asked, suite, arch, user, priority))

    async def retry(self, request: web.Request) -> web.Response:
        text = request.match_info["run_id"]
        run = self._find(rules.leading_int(text))
        if run is None:
            raise Refusal(400, f"Job ID not known: {text}")
        if self._standin.is_rejected(run.package, run.suite, run.arch):
            problem = "is in the REJECT list and cannot be retried"
            raise Refusal(403, f"Package {run.package} {problem}")
        if not self._standin.retry(run):
            raise Refusal(500, SERVER_ERROR)
        return text_reply()

    async def retry_form(self, request: web.Request) -> web.Response:
        reply = text_reply("", 302)
        target = f"/user/:user/retry/{request.match_info['run_id']}"
        reply.headers["Location"] = f"{request.scheme}://{request.host}{target}"
        return reply

    async def publish(self, request: web.Request, user: str) -> web.Response:
        fields = await _fields(request)
        if "run_ids" not in fields:
            raise Refusal(500, SERVER_ERROR)
        for text in fields["run_ids"].split(","):
            run = self._find(rules.leading_int(text))
            if run is not None and run.user == user and run.is_private:
                run.is_private, run.published = False, self._standin.clock.time()
        return text_reply()

    async def batch(self, request: web.Request) -> web.Response:
        items = rules.parse_tests(await _fields(request))
        rules.check_batch(items, self._standin.suites, self._standin.architectures)
        if items:
            raise Refusal(500, SERVER_ERROR)
        return text_reply("", 201)

    async def _checked(self, request: web.Request) -> tuple[str, str, dict[str, str], int]:
        suite, arch = request.match_info["suite"], request.match_info["arch"]
        if arch not in self._standin.architectures:
            raise Refusal(400, f"Invalid architecture: {arch}\n")
        if suite not in self._standin.suites:
            raise Refusal(400, f"Invalid suite: {suite}\n")
        fields = await _fields(request)
        return suite, arch, fields, rules.parse_priority(fields)

    def _leave_unqueued(self, asked: list[rules.Wanted], suite: str, arch: str, user: str) -> None:
        was_down, self._standin.broker_down = self._standin.broker_down, True
        self._standin.request(asked, suite, arch, user)
        self._standin.broker_down = was_down

    def _created(self, is_queued: bool) -> web.Response:  # noqa: FBT001
        if not is_queued:
            raise Refusal(500, SERVER_ERROR)
        return text_reply("", 201)

    def _find(self, run_id: int) -> "Run | None":
        return next((run for run in self._standin.runs if run.run_id == run_id), None)


async def _fields(request: web.Request) -> dict[str, str]:
    """Merge the query and the form; a later field of the same name wins, a file is read."""
    body = await request.read()
    fields: dict[str, str] = dict(request.query)
    if request.content_type == "multipart/form-data":
        return fields | _multipart(request.headers["Content-Type"], body)
    return fields | dict(parse_qsl(body.decode(), keep_blank_values=True))


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    """Read the parts from the bytes: the stream has been read when the request was recorded."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + body, policy=policy.HTTP)
    fields = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        fields[str(name)] = content.decode() if isinstance(content, bytes) else ""
    return fields


def _json(value: Any) -> web.Response:
    return json_reply(value, headers={"X-Content-Type-Options": "nosniff"})
