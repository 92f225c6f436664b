r"""The part of Allure's query language that clients are known to use.

`closed = false`, `name ~= "text"`, `launch = 12 and (status = "failed" or status = "broken")`,
`status in ["failed", "broken"]`. Text is quoted with `"`; `\\` escapes `"` and itself.
"""

import operator
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

Row = Mapping[str, Any]
Predicate = Callable[[Row], bool]

TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\["\\])*")|(?P<number>-?\d+)|(?P<word>[A-Za-z_]\w*)"""
    r"""|(?P<mark>~=|!=|<=|>=|[=<>()\[\],]))"""
)
CONSTANTS = {"true": True, "false": False, "null": None}


class BadQueryError(ValueError):
    """A query that is refused with 400."""


def _contains(value: Any, part: Any) -> bool:
    return str(part).lower() in str(value).lower()


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "~=": _contains,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def compile_query(text: str, fields: AbstractSet[str]) -> Predicate:
    """Turn a query into a predicate on rows; raises BadQueryError."""
    parser = _Parser(_tokens(text), fields)
    predicate = parser.either()
    parser.expect_end()
    return predicate


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise BadQueryError(f"Unexpected character at {at}")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], fields: AbstractSet[str]) -> None:
        self._tokens = tokens
        self._fields = fields

    def either(self) -> Predicate:
        parts = [self._both()]
        while self._word("or"):
            parts.append(self._both())
        return lambda row: any(part(row) for part in parts)

    def expect_end(self) -> None:
        if self._tokens:
            raise BadQueryError(f"Unexpected {self._tokens[0][1]}")

    def _both(self) -> Predicate:
        parts = [self._one()]
        while self._word("and"):
            parts.append(self._one())
        return lambda row: all(part(row) for part in parts)

    def _one(self) -> Predicate:
        if self._word("not"):
            inner = self._one()
            return lambda row: not inner(row)
        if self._mark("("):
            inner = self.either()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        kind, field = self._take()
        if kind != "word" or field not in self._fields:
            raise BadQueryError(f"Unknown field {field}")
        if self._word("in"):
            values = self._list()
            return lambda row: row[field] in values
        kind, sign = self._take()
        if sign not in COMPARE:
            raise BadQueryError(f"Unknown operator {sign}")
        compare, value = COMPARE[sign], self._value()
        return lambda row: _same_kind(row[field], value) and compare(row[field], value)

    def _list(self) -> list[Any]:
        self._expect("[")
        values = [self._value()]
        while self._mark(","):
            values.append(self._value())
        self._expect("]")
        return values

    def _value(self) -> Any:
        kind, text = self._take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind == "number":
            return int(text)
        if kind == "word" and text in CONSTANTS:
            return CONSTANTS[text]
        raise BadQueryError(f"Unexpected {text}: text must be quoted")

    def _take(self) -> tuple[str, str]:
        if not self._tokens:
            raise BadQueryError("Unexpected end")
        return self._tokens.pop(0)

    def _word(self, wanted: str) -> bool:
        return self._skip("word", wanted)

    def _mark(self, wanted: str) -> bool:
        return self._skip("mark", wanted)

    def _skip(self, kind: str, wanted: str) -> bool:
        if not self._tokens or self._tokens[0] != (kind, wanted):
            return False
        self._tokens.pop(0)
        return True

    def _expect(self, wanted: str) -> None:
        if not self._mark(wanted):
            raise BadQueryError(f"Expected {wanted}")


def _same_kind(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and isinstance(
        left, str
    ) == isinstance(right, str)
