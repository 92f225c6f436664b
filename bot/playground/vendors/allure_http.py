"""The HTTP face of the Allure TestOps stand-in: tokens, errors, and the rooms behind them."""

import uuid
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.playground.vendors.allure_jobs import AllureJobs
from bot.playground.vendors.allure_launches import AllureLaunches
from bot.playground.vendors.allure_pages import AllurePages
from bot.playground.vendors.allure_replies import AllureReplies
from bot.playground.vendors.allure_requests import RefusedError, read_form
from bot.playground.vendors.allure_results import AllureResults
from bot.playground.vendors.base import json_reply

if TYPE_CHECKING:
    from bot.playground.vendors.allure import AllureStandin

OLD_PREFIX = "/api/rs"
TOKEN_PATH = "/api/uaa/oauth/token"


def install(standin: "AllureStandin") -> None:
    replies = AllureReplies(standin)
    standin.app.middlewares.append(_guard(standin))
    standin.app.add_routes(_Tokens(standin).routes())
    standin.app.add_routes(AllurePages(standin).routes())
    for prefix in ("/api", OLD_PREFIX):
        for room in (AllureLaunches, AllureJobs, AllureResults):
            standin.app.add_routes(room(standin, replies).routes(prefix))
        standin.app.add_routes(_uploads(standin, prefix))


def _guard(standin: "AllureStandin") -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path.startswith("/api/") and request.path != TOKEN_PATH:
                _authorise(standin, request)
                _check_prefix(standin, request.path)
            return await handler(request)
        except RefusedError as refused:
            return refused.reply()
        except web.HTTPException as refused:
            return RefusedError(refused.status, refused.reason).reply()

    return guard


def _authorise(standin: "AllureStandin", request: web.Request) -> None:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind == "Bearer" and standin.tokens.get(value, 0.0) > standin.clock.time():
        return
    if kind == "Api-Token" and standin.quirks.api_token_header and value == standin.api_token:
        return
    raise RefusedError(401)


def _check_prefix(standin: "AllureStandin", path: str) -> None:
    """Refuse the prefix that this installation does not serve; UAA has no old one."""
    served = standin.quirks.prefix
    if served == "both" or path.startswith("/api/uaa/"):
        return
    if path.startswith(OLD_PREFIX + "/") != (served == OLD_PREFIX):
        raise RefusedError(404)


class _Tokens:
    def __init__(self, standin: "AllureStandin") -> None:
        self.standin = standin

    def routes(self) -> list[web.RouteDef]:
        return [web.post(TOKEN_PATH, self.exchange), web.get("/api/uaa/me", self.me)]

    async def me(self, _: web.Request) -> web.Response:
        user = self.standin.user
        return json_reply({"id": 12, "username": user, "email": f"{user}@example.com"})

    async def exchange(self, request: web.Request) -> web.Response:
        form = read_form(request.headers.get("Content-Type", ""), await request.read())
        refusal = _refusal(form, self.standin.api_token)
        if refusal is not None:
            return refusal
        self.standin.exchanges += 1
        token = f"eyJhbGciOiJSUzI1NiJ9.{self.standin.exchanges:06d}.SIGNATURE"
        life_s = self.standin.quirks.jwt_life_s
        self.standin.tokens[token] = self.standin.clock.time() + life_s
        return self.reply(token, life_s)

    def reply(self, token: str, life_s: float) -> web.Response:
        form = self.standin.quirks.token_reply
        if form == "html":
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        full: dict[str, Any] = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": str(int(life_s)) if form == "text" else int(life_s),
            "scope": "openid",
            "jti": str(uuid.uuid5(uuid.NAMESPACE_URL, token)),
        }
        if form == "refresh":
            full["refresh_token"] = "unused"
        kept = {"minimal": {"access_token"}, "no_token": set(full) - {"access_token"}}
        reply = json_reply({key: full[key] for key in full if key in kept.get(form, full)})
        if self.standin.quirks.xsrf_cookie:
            reply.set_cookie("XSRF-TOKEN", "sample")
        return reply


def _refusal(form: dict[str, str], api_token: str) -> web.Response | None:
    if form.get("grant_type") != "apitoken" or form.get("scope") != "openid":
        return _oauth_error(400, "invalid_request", "grant_type and scope are required")
    if not form.get("token"):
        return _oauth_error(400, "invalid_request", "token is required")
    if form["token"] != api_token:
        return _oauth_error(401, "invalid_grant", "Bad credentials")
    return None


def _oauth_error(status: int, error: str, text: str) -> web.Response:
    return json_reply({"error": error, "error_description": text}, status)


def _uploads(standin: "AllureStandin", prefix: str) -> list[web.RouteDef]:
    """Serve the upload calls for one purpose: that a test can see that nobody calls them."""

    async def upload(request: web.Request) -> web.Response:
        standin.uploads.append(f"{request.method} {request.path}")
        return json_reply({})

    paths = (
        "/upload/{rest:.*}",
        "/launch/upload",
        r"/launch/{id:\d+}/upload{rest:.*}",
        r"/jobrun/{id:\d+}/upload{rest:.*}",
    )
    return [web.route("*", prefix + path, upload) for path in paths]
