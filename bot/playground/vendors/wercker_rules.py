"""What Wercker accepts, and the errors it answers with.

The recorded errors are the wrong `status` and `result`, and 401. The wording of all others is
made up in the same form: the vendor's documentation gives the keys only.
"""

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.playground.vendors.base import json_reply

ID = re.compile(r"[0-9a-f]{24}")
ENUMS = {
    "status": ("notstarted", "started", "finished", "running"),
    "result": ("aborted", "unknown", "passed", "failed"),
    "sort": ("creationDateDesc", "creationDateAsc"),
}
RUN_FILTERS = ("applicationId", "pipelineId", "branch", "commit", "sourceRun", "author", "tag")
APPLICATION_SORTS = ("nameAsc", "nameDesc", "createdAtAsc", "createdAtDesc")
TRIGGER_TEXTS = ("pipelineId", "branch", "commitHash", "message", "sourceRunId", "tag")
REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    422: "Unprocessable Entity",
    500: "Internal Server Error",
}
UNAUTHORIZED = "You are not authorized to access the resource"


class Refusal(Exception):  # noqa: N818  (an answer, not a fault of the program)
    def __init__(self, status: int, message: str, details: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.details = details

    def reply(self) -> web.Response:
        body = {"statusCode": self.status, "error": REASONS[self.status], "message": str(self)}
        if self.details is not None:
            body["details"] = self.details
        return json_reply(body, self.status)


def bad(path: str, problem: str, kind: str, **context: Any) -> Refusal:
    message = f"{path} {problem}"
    context = {**context, "key": path}
    detail = {"message": message, "path": path, "type": kind, "context": context}
    return Refusal(400, message, [detail])


def check_choice(query: Mapping[str, str], key: str, choices: tuple[str, ...]) -> str | None:
    value = query.get(key)
    if value is not None and value not in choices:
        valids = ", ".join(choices)
        raise bad(key, f"must be one of {valids}", "any.allowOnly", valids=valids)
    return value


def check_number(query: Mapping[str, str], key: str, low: int, high: int, default: int) -> int:
    text = query.get(key)
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise bad(key, "must be a number", "number.base")
    if int(text) < low:
        raise bad(key, f"must be larger than or equal to {low}", "number.min", limit=low)
    if int(text) > high:
        raise bad(key, f"must be less than or equal to {high}", "number.max", limit=high)
    return int(text)


def check_known(given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in given:
        if key not in known:
            raise bad(key, "is not allowed", "object.allowUnknown")


def check_run_query(query: Mapping[str, str]) -> None:
    """Refuse what is not a legal question for runs; `limit` and `skip` are checked elsewhere."""
    check_known(query, (*RUN_FILTERS, *ENUMS, "limit", "skip"))
    for key, choices in ENUMS.items():
        check_choice(query, key, choices)
    if not query.get("applicationId") and not query.get("pipelineId"):
        raise bad("value", "must contain applicationId or pipelineId", "object.missing")
    for key in ("applicationId", "pipelineId", "sourceRun"):
        if key in query and not ID.fullmatch(query[key]):
            raise bad(key, "must be an id", "string.regex.base")


def check_trigger(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise bad("value", "must be an object", "object.base")
    check_known(body, (*TRIGGER_TEXTS, "envVars"))
    for key in TRIGGER_TEXTS:
        if key in body:
            _check_text(key, body[key])
    if "pipelineId" not in body:
        raise bad("pipelineId", "is required", "any.required")
    if "commitHash" in body and "branch" not in body:
        raise bad("commitHash", "needs branch", "object.with", peer="branch")
    _check_variables(body.get("envVars", []))
    return body


def _check_text(key: str, value: Any) -> None:
    if not isinstance(value, str):
        raise bad(key, "must be a string", "string.base")
    if not value:
        raise bad(key, "is not allowed to be empty", "any.empty")


def _check_variables(variables: Any) -> None:
    if not isinstance(variables, list):
        raise bad("envVars", "must be an array", "array.base")
    for index, variable in enumerate(variables):
        if not isinstance(variable, dict) or set(variable) != {"key", "value"}:
            raise bad(f"envVars.{index}", "must have key and value", "object.base")
        if not all(isinstance(text, str) for text in variable.values()) or not variable["key"]:
            raise bad(f"envVars.{index}", "must be strings", "string.base")
