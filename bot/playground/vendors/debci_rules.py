"""What debci accepts, and the texts it refuses with; the ends of lines are as recorded."""

import fnmatch
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.\-]+")
SERVER_ERROR = "<h1>Internal Server Error</h1>"
LOW_LEVEL_ERROR = "An unhandled lowlevel error occurred. The application logs may have details.\n"


class Refusal(Exception):  # noqa: N818  (an answer, not a fault of the program)
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line of the reject list; `package` may hold shell wildcards, the others `*`.

    A line for one version does not stop a request: the version is not known by then.
    """

    package: str
    suite: str = "*"
    arch: str = "*"
    version: str = "*"
    comment: str = ""

    def covers(self, package: str, suite: str, arch: str) -> bool:
        return (
            fnmatch.fnmatchcase(package, self.package)
            and self.suite in {"*", suite}
            and self.arch in {"*", arch}
            and self.version == "*"
        )


def reject_list_json(
    rejected: Iterable[Rejected], suites: Sequence[str], architectures: Sequence[str]
) -> dict[str, Any]:
    """Shape package > suite > architecture > version > comment, with `*` expanded."""
    shape: dict[str, Any] = {}
    for line in rejected:
        for suite in suites if line.suite == "*" else (line.suite,):
            for arch in architectures if line.arch == "*" else (line.arch,):
                place = shape.setdefault(line.package, {}).setdefault(suite, {})
                place.setdefault(arch, {})[line.version] = f"{line.comment}\n"
    return shape


@dataclass(frozen=True, slots=True)
class Wanted:
    """One run asked for."""

    package: str
    trigger: str | None = None
    pins: tuple[tuple[str, ...], ...] = ()
    is_private: bool = False
    apt_sources: tuple[str, ...] = ()


def leading_int(text: str) -> int:
    """Read as Ruby does: what begins with a number is cut to it, anything else is 0."""
    found = re.match(r"\s*([+-]?[0-9]+)", text)
    return int(found[1]) if found else 0


def parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refusal(400, f"Invalid JSON: 859: unexpected token at '{text}'") from error


def parse_since(text: str | None) -> int:
    if text is None:
        return 0
    if not re.match(r"\s*[+-]?[0-9]", text):
        raise Refusal(500, SERVER_ERROR)
    return leading_int(text)


def parse_priority(fields: Mapping[str, str]) -> int:
    priority = leading_int(fields.get("priority", "5"))
    if not 1 <= priority <= 10:
        raise Refusal(400, f"Invalid priority: {priority}\n")
    return priority


def parse_single(package: str, fields: Mapping[str, str], known_sources: Iterable[str]) -> Wanted:
    """Read the fields of a request for one run; the reject list has been asked before."""
    if not PACKAGE.fullmatch(package):
        raise Refusal(400, f"Invalid package name: {package}\n")
    private = fields.get("is_private", "false")
    if private not in {"true", "false"}:
        raise Refusal(400, f"{_bad_bool(package)}\n")
    sources = parse_json(fields.get("extra_apt_sources", "[]"))
    if not isinstance(sources, list):
        raise Refusal(500, SERVER_ERROR)
    unknown = [str(name) for name in sources if name not in set(known_sources)]
    if unknown:
        raise Refusal(400, f"Invalid extra apt sources: {', '.join(unknown)}")
    return Wanted(package, is_private=private == "true", apt_sources=tuple(sources))


def parse_tests(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read the field `tests`: an array of objects."""
    if "tests" not in fields:
        raise Refusal(400, "Error: No tests")
    items = parse_json(fields["tests"])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refusal(500, SERVER_ERROR)
    return items


def check_items(
    items: Iterable[dict[str, Any]], is_rejected: Any, known_sources: Iterable[str]
) -> None:
    """Refuse the whole array if any item is bad, with a line for each problem."""
    known = set(known_sources)
    problems = []
    for item in items:
        package = item.get("package")
        name = "" if package is None else str(package)
        if not is_rejected(name) and not (isinstance(package, str) and PACKAGE.fullmatch(package)):
            problems.append(f"Invalid package name: {name}")
        elif not isinstance(item.get("is_private", False), bool):
            problems.append(_bad_bool(name))
        else:
            sources = item.get("extra-apt-sources", [])
            unknown = [str(source) for source in sources if source not in known]
            if unknown:
                names = ", ".join(unknown)
                problems.append(f"Invalid value for extra_apt_sources: {names}")
    if problems:
        raise Refusal(400, "Invalid request: " + "\n".join(problems))


def wanted(item: dict[str, Any]) -> Wanted:
    """Take a checked item. Malformed pins are a server error."""
    pins = item.get("pin-packages") or []
    if not isinstance(pins, list) or not all(_is_pin(pin) for pin in pins):
        raise Refusal(500, SERVER_ERROR)
    return Wanted(
        item["package"],
        item.get("trigger"),
        tuple(tuple(pin) for pin in pins),
        item.get("is_private", False),
        tuple(item.get("extra-apt-sources", ())),
    )


def _is_pin(pin: Any) -> bool:
    return isinstance(pin, list) and len(pin) > 1 and all(isinstance(text, str) for text in pin)


def _bad_bool(package: str) -> str:
    return f"Invalid value for bool parameter is_private for package: {package}"


def check_batch(
    items: Iterable[dict[str, Any]], suites: Sequence[str], architectures: Sequence[str]
) -> None:
    problems: list[str] = []
    for index, item in enumerate(items):
        if item.get("suite") not in suites:
            known = ", ".join(suites)
            where = f"at request index {index}, available suites: {known}"
            problems.append(f"Wrong suite ({item.get('suite')}) {where}")
        problems += _arch_problems(index, item.get("arch") or [], architectures)
        for number, test in enumerate(item.get("tests") or []):
            if not PACKAGE.fullmatch(str(test.get("package", ""))):
                where = f"at request index {index} and test index {number}"
                problems.append(f"Invalid package name {where}")
    if problems:
        raise Refusal(400, "Error: " + "\n".join(problems))


def _arch_problems(index: int, wanted_archs: Any, architectures: Sequence[str]) -> list[str]:
    if not wanted_archs:
        return [f"No archs are specified at request index {index}"]
    wrong = ", ".join(arch for arch in wanted_archs if arch not in architectures)
    known = ", ".join(architectures)
    text = f"Wrong archs ({wrong}) at request index {index}, available archs: {known}"
    return [text] if wrong else []
