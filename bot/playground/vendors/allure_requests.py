"""What the Allure TestOps stand-in refuses, and how it reads a request."""

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from email.parser import BytesParser
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web

from bot.playground.vendors.allure_query import BadQueryError, Predicate, compile_query
from bot.playground.vendors.base import json_reply

MESSAGES = {
    401: "Unauthorized",
    403: "Access is denied",
    404: "Not Found",
    409: "Launch is closed",
}
MAX_NAME = 255
T = TypeVar("T")
RUN_FIELDS = {
    "launchName": str,
    "tags": list,
    "links": list,
    "issues": list,
    "parameters": list,
    "envVarValueSets": list,
    "selection": dict,
    "releaseId": int,
}
PLAN_FIELDS = {k: v for k, v in RUN_FIELDS.items() if k not in {"parameters", "selection"}}


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message or MESSAGES.get(status, "Bad Request")

    def reply(self) -> web.Response:
        return json_reply({"status": self.status, "message": self.message}, self.status)


def read_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise RefusedError(400, "Required request body is missing or malformed") from error
    if not isinstance(value, dict):
        raise RefusedError(400, "An object is required")
    return value


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """Read a form in either encoding."""
    if not content_type.startswith("multipart/"):
        return dict(parse_qsl(body.decode()))
    message = BytesParser().parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    if not message.is_multipart():
        return {}
    fields: dict[str, str] = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            fields[name] = value.decode()
    return fields


def check_fields(body: Mapping[str, Any], types: Mapping[str, type], *, strict: bool) -> None:
    unknown = sorted(set(body) - set(types))
    if unknown and strict:
        raise RefusedError(400, f'Unrecognized field "{unknown[0]}"')
    for key, value in body.items():
        if key in types and not isinstance(value, types[key]):
            raise RefusedError(400, f"{key} has the wrong type")


def check_launch_body(body: Mapping[str, Any], types: Mapping[str, type], *, strict: bool) -> None:
    check_fields(body, types, strict=strict)
    if not 1 <= len(body.get("launchName", "")) <= MAX_NAME:
        raise RefusedError(400, f"launchName: size must be between 1 and {MAX_NAME}")
    if any(not isinstance(tag, dict) or not tag.get("name") for tag in body.get("tags", [])):
        raise RefusedError(400, "tags: name is required")


def environment(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Read the environment values of a new launch, by the variable's name."""
    values = [v for some in body.get("envVarValueSets", []) for v in some.get("values", [])]
    return [(str(v.get("variable", {}).get("name")), str(v.get("name"))) for v in values]


def query_predicate(text: str | None, fields: AbstractSet[str]) -> Predicate:
    if not text:
        raise RefusedError(400, "rql is required")
    try:
        return compile_query(text, fields)
    except BadQueryError as error:
        raise RefusedError(400, f"Bad query: {error}") from error


def number(request: web.Request, name: str, otherwise: int | None = None) -> int:
    text = request.query.get(name)
    if text is None and otherwise is not None:
        return otherwise
    if text is None or not text.isdecimal():
        raise RefusedError(400, f"{name} must be a number")
    return int(text)


def page_asked(request: web.Request, size: int, most: int) -> tuple[int, int]:
    """Return the page number, from 0, and its size, which the server cuts to `most`."""
    asked = number(request, "size", size)
    if asked < 1:
        raise RefusedError(400, "size must not be less than one")
    return number(request, "page", 0), min(asked, most)


def ordered(
    rows: Sequence[T], sorts: Sequence[str], keys: Mapping[str, Callable[[T], Any]]
) -> list[T]:
    """Sort by `property,ASC|DESC`, the first one counting most."""
    result = list(rows)
    for sort in reversed(sorts):
        name, _, direction = sort.partition(",")
        if name not in keys or direction.upper() not in {"", "ASC", "DESC"}:
            raise RefusedError(400, f"Cannot sort by {sort}")
        result.sort(key=keys[name], reverse=direction.upper() == "DESC")
    return result
