"""What the env0 stand-in refuses, in the vendor's words where they are known."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import web

from bot.playground.vendors.base import json_reply
from bot.playground.vendors.env0_model import Module

DEPLOYMENT_TYPES = {"deploy", "destroy", "prPlan", "task", "driftDetection", "moduleTest"}


class RefusedError(Exception):
    """A request that is answered with an error: text, or JSON when it is not `plain`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        plain: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.plain = plain
        self.headers = headers

    def reply(self) -> web.Response:
        if self.plain:
            return web.Response(status=self.status, text=self.message, headers=self.headers)
        return json_reply({"message": self.message}, self.status, self.headers)


def read_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise RefusedError(400, "/body must be object") from error
    if not isinstance(value, dict):
        raise RefusedError(400, "/body must be object")
    return value


def check_fields(body: Mapping[str, Any], types: Mapping[str, type]) -> None:
    if set(body) - set(types):
        raise RefusedError(400, "/body must NOT have additional properties")
    for key, value in body.items():
        if not isinstance(value, types[key]):
            raise RefusedError(400, f"/body/{key} must be string")


def check_deployment(body: Mapping[str, Any]) -> None:
    fields = ("deploymentType", "blueprintRevision", "triggerName", "comment")
    check_fields(body, dict.fromkeys(fields, str))
    if body.get("deploymentType") not in DEPLOYMENT_TYPES:
        raise RefusedError(400, "/body/deploymentType must be equal to one of the allowed values")
    if body["deploymentType"] != "moduleTest":
        raise RefusedError(422, "Unprocessable Entity")
    if body.get("blueprintRevision") == "":
        raise RefusedError(400, "/body/blueprintRevision must NOT have fewer than 1 characters")


def check_query(request: web.Request, known: Collection[str]) -> None:
    if set(request.query) - set(known):
        raise RefusedError(400, "/query must NOT have additional properties")


def check_enabled(module: Module) -> None:
    if not module.test_enabled or module.deleted:
        raise RefusedError(422, "Unprocessable Entity")
