"""JSON from strangers: no NaN, no bottomless nesting, no memory blow-up."""

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 64
MAX_VALUES = 500_000
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


class BadJsonError(Exception):
    """Says what is wrong and holds nothing of the text."""


def parse_json(body: bytes) -> Any:
    """Broken UTF-8 and half surrogate pairs become U+FFFD; all else that is wrong is refused."""
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
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        return _whole(value) if _HALF.search(text) else value
    except RecursionError:
        problem = "nested too deep"
    except _NotFiniteError:
        problem = "a number that is not finite"
    except ValueError:
        pass
    # Raised out here, since the caught error holds the whole text.
    raise BadJsonError(problem)


class _NotFiniteError(ValueError):
    pass


def _refuse(_word: str) -> NoReturn:
    raise _NotFiniteError


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _NotFiniteError
    return number


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
