"""Requests as they leave: body, headers, credential."""

import json as json_format
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from urllib.parse import urlencode

from requests import PreparedRequest, Request, RequestException
from requests.auth import AuthBase

ABSENT: Final = object()  # no JSON body, where None would be the JSON null


class UnsendableError(Exception):
    """The request cannot be put on the wire, or not without becoming another one."""


@dataclass(frozen=True, slots=True)
class Payload:
    content: bytes | None = None
    content_type: str = ""

    @classmethod
    def of(cls, json: object, form: Mapping[str, str] | None) -> "Payload":
        """ValueError if both are given, or if the value has no JSON form."""
        if json is not ABSENT and form is not None:
            raise ValueError("either json or form")
        if json is not ABSENT:
            return cls(json_format.dumps(json, allow_nan=False).encode(), "application/json")
        if form is not None:
            return cls(urlencode(form).encode(), "application/x-www-form-urlencoded")
        return cls()


def prepare(
    method: str,
    url: str,
    *,
    payload: Payload,
    headers: Mapping[str, str],
    auth: AuthBase | None,
    closing: bool,
) -> PreparedRequest:
    """`closing` asks the server to close the connection afterwards."""
    own = {"User-Agent": user_agent(), "Accept": "*/*", "Accept-Encoding": "identity"}
    if payload.content_type:
        own["Content-Type"] = payload.content_type
    if closing:
        own["Connection"] = "close"
    request = Request(method, url, headers={**own, **headers}, data=payload.content, auth=auth)
    try:
        prepared = request.prepare()
        "".join(str(part) for pair in prepared.headers.items() for part in pair).encode("latin-1")
    except (RequestException, ValueError):
        pass
    else:
        return prepared
    # Raised out here, since the caught error may hold a header's value.
    raise UnsendableError


@cache
def user_agent() -> str:
    """Our name and version, looked up once."""
    try:
        return f"ci-chat-bot/{version('ci-chat-bot')}"
    except PackageNotFoundError:  # run from a bare checkout
        return "ci-chat-bot/0"
