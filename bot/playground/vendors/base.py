"""What the vendor stand-ins share: an application with faults, replies, times and ids.

Randomness comes from a `random.Random(seed)` that the caller hands in, never from the module.
A stand-in keeps its `FaultPlan` as `faults`; what it received is `faults.received`.
"""

import html
import json
import random
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from bot.playground.clock import utc
from bot.playground.faults import FaultPlan

MAX_BODY_BYTES = 8 * 1024 * 1024


def application(faults: FaultPlan) -> web.Application:
    """Make an empty application in which every request passes through `faults` first."""
    return web.Application(middlewares=[faults.middleware()], client_max_size=MAX_BODY_BYTES)


def json_reply(
    value: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> web.Response:
    """Compact JSON with non-ASCII characters as they are, and no charset unless asked for."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    reply = web.Response(status=status, body=body, headers=headers)
    reply.headers["Content-Type"] = content_type
    return reply


def page(title: str, lines: Iterable[str], status: int = 200) -> web.Response:
    """Render a plain page for people, to which a link of the bot may lead."""
    rows = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><h1>{html.escape(title)}</h1>{rows}"
    )
    return web.Response(status=status, text=text, content_type="text/html")


def iso_ms(seconds: float) -> str:
    """Milliseconds and a Z: `2016-07-04T11:51:24.851Z`."""
    return utc(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def hex_id(randomness: random.Random, digits: int = 24) -> str:
    return f"{randomness.getrandbits(digits * 4):0{digits}x}"
