"""JSON from strangers: no bottomless nesting, no memory blow-up, no endless numbers."""

import json
import math
import re
from typing import Any

MAX_DEPTH = 64
MAX_VALUES = 500_000
_MOST_DIGITS = 1000
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


class BadJsonError(Exception):
    """Says what is wrong and holds nothing of the text."""


def parse_json(body: bytes) -> Any:
    """Broken UTF-8 and half surrogate pairs become U+FFFD, numbers that are not finite or of
    thousands of digits become null; all else that is wrong is refused.
    """
    if not body.strip():
        raise BadJsonError("empty")
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MAX_VALUES:
        raise BadJsonError("too many values")
    value = _load(body.decode("utf-8-sig", "replace"))
    if _is_deeper_than(MAX_DEPTH, value):
        raise BadJsonError("nested too deep")
    return value


def _load(text: str) -> Any:
    problem = "not JSON"
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_short)
        if value is not None or text.strip() == "null":
            return _whole(value) if _HALF.search(text) else value
        problem = "a number that is not finite"
    except RecursionError:
        problem = "nested too deep"
    except ValueError:
        pass
    # Raised out here, since the caught error holds the whole text.
    raise BadJsonError(problem)


def _no_number(_word: str) -> None:
    """In place of NaN and the like: it must cost its own item only, and no other of the page."""


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _short(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _whole(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _is_deeper_than(depth: int, value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(depth):
        if not level:
            return False
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return bool(level)
