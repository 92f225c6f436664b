"""What the Testery stand-in refuses, and what it accepts as the body of a new run."""

import json
from typing import Any

BODY_TYPES: dict[str, type | tuple[type, ...]] = {
    "project": str,
    "environment": str,
    "ref": str,
    "branch": str,
    "buildId": str,
    "latestDeploy": bool,
    "deployId": str,
    "testSuiteId": int,
    "includeTags": list,
    "excludedTags": list,
    "testFilters": list,
    "applyTestSelectionRules": bool,
    "parallelizeByFile": bool,
    "runners": int,
    "copies": int,
    "timeoutMinutes": int,
    "testTimeoutSeconds": int,
    "retryFailedTests": bool,
    "playwrightProject": str,
    "testName": str,
    "statusName": str,
    "updateVcsStatus": bool,
    "variables": list,
}
PLAN_BODY_TYPES: dict[str, type | tuple[type, ...]] = {
    "updateVcsStatus": bool,
    "environmentId": int,
    "deployId": str,
    "variables": list,
}
VARIABLE_TYPES = {"key": str, "value": str, "encrypted": bool}


MESSAGES = {401: "Not Authorized", 404: "Resource Not Found", 409: "Conflict"}


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message or MESSAGES.get(status, "Error")


def read_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as error:
        raise RefusedError(400, "Malformed JSON") from error
    if not isinstance(value, dict):
        raise RefusedError(400, "An object is required")
    return value


def check_run_body(body: dict[str, Any], *, strict: bool) -> None:
    for needed in ("project", "environment"):
        if not body.get(needed):
            raise RefusedError(400, f"{needed} is required")
    check_types(body, BODY_TYPES, strict=strict)
    if any(not str(item).startswith("Regex: ") for item in body.get("testFilters", [])):
        raise RefusedError(400, "testFilters must begin with 'Regex: '")


def check_types(
    body: dict[str, Any], types: dict[str, type | tuple[type, ...]], *, strict: bool
) -> None:
    unknown = sorted(set(body) - set(types))
    if strict and unknown:
        raise RefusedError(400, f"Unknown field {unknown[0]}")
    for key, value in body.items():
        if key in types and not _is(value, types[key]):
            raise RefusedError(400, f"{key} has the wrong type")
    for variable in body.get("variables", []):
        _check_variable(variable)


def _check_variable(variable: Any) -> None:
    if not isinstance(variable, dict) or set(variable) != set(VARIABLE_TYPES):
        raise RefusedError(400, "a variable has key, value and encrypted")
    if not all(_is(variable[key], kind) for key, kind in VARIABLE_TYPES.items()):
        raise RefusedError(400, "a variable has the wrong type")


def _is(value: Any, kind: type | tuple[type, ...]) -> bool:
    """Tell types apart as JSON does: true is no number."""
    if isinstance(value, bool) and kind is not bool:
        return False
    return isinstance(value, kind)
