"""One Web API call: its arguments, and how it may end badly."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.playground.slack.messages import Json

STRUCTURED = {"blocks", "attachments", "metadata", "view", "message"}
"""Arguments that a form carries as JSON text."""


class ApiError(Exception):
    """A refusal under Slack's own name for it; answered with HTTP 200 unless told otherwise."""

    def __init__(self, error: str, status: int = 200, retry_after_s: int = 0, **more: Any) -> None:
        super().__init__(error)
        self.body: Json = {"ok": False, "error": error, **more}
        self.status = status
        self.headers = {"Retry-After": str(retry_after_s)} if retry_after_s else {}


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was sent, whether as a form, as JSON or in the query."""

    given: Json = field(default_factory=dict)
    token: str = ""

    def text(self, name: str, default: str = "") -> str:
        held = self.given.get(name)
        return default if held is None else str(held)

    def need(self, name: str, error: str = "invalid_arguments") -> str:
        held = self.text(name)
        if not held:
            words = f"[ERROR] missing required field: {name}"
            raise ApiError(error, response_metadata={"messages": [words]})
        return held

    def flag(self, name: str, *, default: bool = False) -> bool:
        held = self.given.get(name)
        return default if held is None else str(held).lower() in {"1", "true", "t"}

    def number(self, name: str, default: int, most: int) -> int:
        held = self.text(name)
        if not held:
            return default
        if not held.isdecimal() or not 1 <= int(held) <= most:
            raise ApiError("invalid_limit" if name == "limit" else "invalid_arguments")
        return int(held)

    def structure(self, name: str, error: str = "invalid_arguments") -> Any:
        """A part that may have come as JSON text; raises `error` when that does not parse."""
        held = self.given.get(name)
        if not isinstance(held, str):
            return held
        try:
            return json.loads(held) if held else None
        except ValueError:
            raise ApiError(error) from None


async def read_arguments(request: web.Request) -> Arguments:
    """The token counts in the header, or in a form; in a JSON body Slack ignores it."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        given.update(_json_body(await request.text()))
        given.pop("token", None)
    else:
        given.update({k: v for k, v in (await request.post()).items() if isinstance(v, str)})
    kind, _, held = request.headers.get("Authorization", "").partition(" ")
    token = held if kind.lower() == "bearer" else given.get("token", "")
    given.pop("token", None)
    return Arguments(given, token.strip())


def _json_body(body: str) -> Json:
    try:
        held = json.loads(body or "{}")
    except ValueError:
        raise ApiError("invalid_json") from None
    if not isinstance(held, dict):
        raise ApiError("json_not_object")
    return held
