"""What vendors, networks and people send when they do not send what they should."""

import gzip
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

HOSTILE_IDS = {
    "empty": "",
    "dots": "..",
    "one dot": ".",
    "path": "a/b",
    "way up": "../../admin",
    "encoded dots": "%2e%2e",
    "encoded slash": "a%2Fb",
    "query": "1?x=y",
    "fragment": "1#x",
    "semicolon": "1;x",
    "backslash": "..\\x",
    "line break": "1\r\nX-Injected: yes",
    "NUL": "1\x00",
    "space": "1 2",
    "very long": "1" * 5000,
    "other digits": "١٢٣",  # Arabic digits, which \d and isdigit take
    "right to left": "1\u202e2",
    "half a character": "1\ud800",
    "newline at the end": "1\n",
}

HOSTILE_KEYS = {**HOSTILE_IDS, "glob": "[", "way up inside": "a/../../b", "dots at end": "a/b/.."}

HUGE_BYTES = 24 * 1024 * 1024
_BOMB_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class OddBody:
    """`is_hopeless`: no reply of any JSON API can look so."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    is_hopeless: bool = True


def _bomb() -> bytes:
    piece = gzip.compress(b" " * (1024 * 1024))
    return piece * (_BOMB_BYTES // (1024 * 1024))  # members one after the other are one body


ODD_BODIES = {
    "empty": OddBody(b"", is_hopeless=False),
    "white space": OddBody(b" \n "),
    "page": OddBody(b"<!doctype html><title>Log in</title>", {"Content-Type": "text/html"}),
    "truncated": OddBody(b'{"id": 1, "items": [{"id'),
    "not UTF-8": OddBody(b'{"id": "\xff\xfe', {}),
    "nothing but NaN": OddBody(b"NaN"),
    "NaN": OddBody(b'{"id": NaN, "items": [NaN]}', is_hopeless=False),
    "endless number": OddBody(b'{"id": 1e999999}', is_hopeless=False),
    "deep": OddBody(b"[" * 100_000),
    "deep but closed": OddBody(b"[" * 500 + b"]" * 500),
    "huge": OddBody(b'{"pad": "' + b"x" * HUGE_BYTES + b'"}'),
    "gzip bomb": OddBody(_bomb(), {"Content-Encoding": "gzip"}),
    "gzip that is none": OddBody(b"{}", {"Content-Encoding": "gzip"}),
    "null": OddBody(b"null", is_hopeless=False),
    "number": OddBody(b"7", is_hopeless=False),
    "text": OddBody(b'"ok"', is_hopeless=False),
    "true": OddBody(b"true", is_hopeless=False),
    "no object": OddBody(b"{}", is_hopeless=False),
    "no list": OddBody(b"[]", is_hopeless=False),
    "list of anything": OddBody(b'[null, 7, "x", [], {}, {"id": {}}]', is_hopeless=False),
    "half a character": OddBody(b'{"id": "\\ud800"}', is_hopeless=False),
}


@dataclass(frozen=True, slots=True)
class Wait:
    """`exactly` is what the header asks for; None where it asks for nothing readable or where
    the time of day decides.
    """

    header: str
    exactly: float | None = None


RETRY_AFTERS = {
    "none": Wait(""),
    "seconds": Wait("7", 7.0),
    "nothing": Wait("0", 0.0),
    "minutes": Wait("120", 120.0),
    "negative": Wait("-5", 0.0),
    "for ever": Wait("1000000000", 900.0),
    "longer than for ever": Wait("9" * 400),
    "past date": Wait("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    "far date": Wait("Wed, 21 Oct 2915 07:28:00 GMT", 900.0),
    "broken date": Wait("Wed, 99 Oct 2015 99:28:00 GMT"),
    "word": Wait("soon"),
    "not a number": Wait("NaN"),
    "injection": Wait("7; drop table runs"),
}


def echo(headers: Mapping[str, str], body: bytes) -> tuple[bytes, ...]:
    """Error bodies that repeat the whole request, in several shapes."""
    told = " ".join([*headers.values(), _basic(headers), unquote_plus(body.decode())])
    shapes = {"message": told, "error": told, "errors": [told], "detail": {"reason": told}}
    return (
        json.dumps(shapes).encode(),
        told.encode(),
        json.dumps([{"message": told}]).encode(),
        f"<html><body><pre>{told}</pre></body></html>".encode(),
    )


def _basic(headers: Mapping[str, str]) -> str:
    scheme, _, packed = headers.get("authorization", "").partition(" ")
    return b64decode(packed).decode() if scheme == "Basic" else ""
