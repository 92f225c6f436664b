"""Small checks from which the shapes of Block Kit are put together.

A check takes a value, its JSON pointer and the report; problems are worded as Slack words them.
"""

from collections.abc import Callable, Mapping
from typing import Any

Report = list[str]
Check = Callable[[Any, str, Report], None]


def problem(report: Report, words: str, pointer: str) -> None:
    report.append(f"{words} [json-pointer:{pointer}]")


def string(most: int, least: int = 0) -> Check:
    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, str):
            problem(report, "must be a string", pointer)
        elif len(value) < least:
            problem(report, f"must be more than {least - 1} characters", pointer)
        elif len(value) > most:
            problem(report, f"must be less than {most + 1} characters", pointer)

    return check


def link(most: int = 3000) -> Check:
    length = string(most, 1)

    def check(value: Any, pointer: str, report: Report) -> None:
        length(value, pointer, report)
        if isinstance(value, str) and ("://" not in value or any(c.isspace() for c in value)):
            problem(report, "must be a valid URL", pointer)

    return check


def boolean(value: Any, pointer: str, report: Report) -> None:
    if not isinstance(value, bool):
        problem(report, "must be a boolean", pointer)


def anything(value: Any, pointer: str, report: Report) -> None:
    """For parts whose shape the stand-in does not know."""
    del value, pointer, report


def integer(least: int, most: int) -> Check:
    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            problem(report, "must be an integer", pointer)
        elif not least <= value <= most:
            problem(report, f"must be between {least} and {most}", pointer)

    return check


def choice(*allowed: str) -> Check:
    def check(value: Any, pointer: str, report: Report) -> None:
        if value not in allowed:
            problem(report, "must be a valid enum value", pointer)

    return check


def items(each: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, list):
            problem(report, "must be an array", pointer)
            return
        if len(value) > most:
            problem(report, f"no more than {most} items allowed", pointer)
        if len(value) < least:
            problem(report, f"no less than {least} items allowed", pointer)
        for index, item in enumerate(value):
            each(item, f"{pointer}/{index}", report)

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """An object with these fields besides `type`, and no others."""
    known = {**required, **optional}

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, dict):
            problem(report, "must be an object", pointer)
            return
        for name in required:
            if value.get(name) is None:
                problem(report, f"missing required field: {name}", pointer)
        for name, held in value.items():
            if name in known:
                if held is not None:
                    known[name](held, f"{pointer}/{name}", report)
            elif name != "type":
                problem(report, f"invalid additional property: {name}", pointer)

    return check


def by_type(shapes: Mapping[str, Check]) -> Check:
    """An object whose `type` says which shape it must have."""

    def check(value: Any, pointer: str, report: Report) -> None:
        if not isinstance(value, dict):
            problem(report, "must be an object", pointer)
        elif value.get("type") is None:
            problem(report, "missing required field: type", pointer)
        elif value["type"] not in shapes:
            problem(report, f"unsupported type: {value['type']}", f"{pointer}/type")
        else:
            shapes[value["type"]](value, pointer, report)

    return check


def plain(most: int, least: int = 1) -> Check:
    return by_type({"plain_text": shape({"text": string(most, least)}, {"emoji": boolean})})


def mrkdwn_or_plain(most: int, least: int = 1) -> Check:
    words = {"text": string(most, least)}
    return by_type(
        {
            "plain_text": shape(words, {"emoji": boolean}),
            "mrkdwn": shape(words, {"verbatim": boolean}),
        }
    )


def both(*checks: Check) -> Check:
    def check(value: Any, pointer: str, report: Report) -> None:
        for one in checks:
            one(value, pointer, report)

    return check
