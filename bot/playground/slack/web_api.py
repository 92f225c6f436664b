"""The Web API under `/api/<method>`: tokens, scopes, limits and Slack's error names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from bot.playground.slack import api_chat, api_conversations, api_people, api_views
from bot.playground.slack.api_call import STRUCTURED, ApiError, Arguments, read_arguments
from bot.playground.slack.channel_access import need_scope
from bot.playground.slack.messages import Json
from bot.playground.slack.platform import ApiCall, Platform

Handler = Callable[[Platform, Arguments], Json]


@dataclass(frozen=True, slots=True)
class Method:
    """`tier` 0 has a limit of its own. `app_level` methods take the app token."""

    run: Handler
    tier: int
    scope: str = ""
    app_level: bool = False


METHODS: Mapping[str, Method] = {
    "auth.test": Method(api_people.auth_test, 0),
    "blocks.validate": Method(api_views.blocks_validate, 4),
    "bots.info": Method(api_people.bots_info, 3, "users:read"),
    "chat.delete": Method(api_chat.delete, 3, "chat:write"),
    "chat.getPermalink": Method(api_chat.get_permalink, 0),
    "chat.postEphemeral": Method(api_chat.post_ephemeral, 0, "chat:write"),
    "chat.postMessage": Method(api_chat.post_message, 0, "chat:write"),
    "chat.update": Method(api_chat.update, 3, "chat:write"),
    "conversations.history": Method(api_conversations.history, 3),
    "conversations.info": Method(api_conversations.info, 3),
    "conversations.list": Method(api_conversations.list_all, 2),
    "conversations.members": Method(api_conversations.members, 4),
    "conversations.open": Method(api_conversations.open_dm, 3, "im:write"),
    "conversations.replies": Method(api_conversations.replies, 3),
    "team.info": Method(api_people.team_info, 3, "team:read"),
    "usergroups.list": Method(api_people.usergroups_list, 2, "usergroups:read"),
    "usergroups.users.list": Method(api_people.usergroup_users, 2, "usergroups:read"),
    "users.info": Method(api_people.users_info, 4, "users:read"),
    "users.list": Method(api_people.users_list, 2, "users:read"),
    "views.open": Method(api_views.open_view, 4),
    "views.publish": Method(api_views.publish, 4),
    "views.push": Method(api_views.push, 4),
    "views.update": Method(api_views.update, 4),
}


class WebApi:
    """`connections_open` is the method that Socket Mode brings."""

    def __init__(self, platform: Platform, connections_open: Handler) -> None:
        self._platform = platform
        self._methods = {
            **METHODS,
            "apps.connections.open": Method(
                connections_open, 3, "connections:write", app_level=True
            ),
        }

    async def handle(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        arguments = Arguments()
        try:
            arguments = await read_arguments(request)
            reply, status, headers = self._run(name, arguments), 200, {}
        except ApiError as refusal:
            reply, status, headers = refusal.body, refusal.status, refusal.headers
        self._platform.calls.append(ApiCall(name, self._understood(arguments), reply))
        return web.json_response(reply, status=status, headers={**headers, **self._scopes(name)})

    def _run(self, name: str, arguments: Arguments) -> Json:
        method = self._methods.get(name)
        if method is None:
            raise ApiError("unknown_method", req_method=name)
        self._check_token(method, arguments.token)
        if method.scope:
            need_scope(self._platform, method.scope, app_level=method.app_level)
        if method.tier and self._platform.strict.tier_limits:
            wait_s = self._platform.limits.take_call(name, method.tier)
            if wait_s:
                raise ApiError("ratelimited", 429, wait_s)
        return {"ok": True, **method.run(self._platform, arguments)}

    def _check_token(self, method: Method, token: str) -> None:
        platform = self._platform
        if not token:
            raise ApiError("not_authed")
        if token in platform.revoked:
            raise ApiError("token_revoked")
        if token not in {platform.bot_token, platform.app_token}:
            raise ApiError("invalid_auth")
        if (token == platform.app_token) != method.app_level:
            raise ApiError("not_allowed_token_type")

    def _scopes(self, name: str) -> dict[str, str]:
        method = self._methods.get(name)
        granted = (
            self._platform.app_scopes if method and method.app_level else self._platform.scopes
        )
        accepted = {"x-accepted-oauth-scopes": method.scope} if method and method.scope else {}
        return {"x-oauth-scopes": ",".join(sorted(granted)), **accepted}

    def _understood(self, arguments: Arguments) -> Json:
        understood = dict(arguments.given)
        for name in STRUCTURED & understood.keys():
            try:
                understood[name] = arguments.structure(name)
            except ApiError:
                continue
        return understood
