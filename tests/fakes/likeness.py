"""Compares what a stand-in answers with what was recorded: keys, kinds of value, forms of time."""

import json
import re
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parents[1] / "recorded"
FORMS = {
    "iso milliseconds": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "space and zone": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0000"),
    "key": re.compile(r"[0-9A-F]{40}"),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


def recorded(vendor: str, name: str) -> Any:
    return json.loads((RECORDED / vendor / f"{name}.json").read_text())


def differences(actual: Any, wanted: Any, where: str = "$") -> list[str]:
    """List how `actual` is unlike `wanted`; null is like any value, an empty list like any list."""
    if actual is None or wanted is None:
        return []
    if _kind(actual) != _kind(wanted):
        return [f"{where}: {_kind(actual)} instead of {_kind(wanted)}"]
    if isinstance(wanted, dict):
        return _of_objects(actual, wanted, where)
    if isinstance(wanted, list) and wanted:
        return [d for item in actual for d in differences(item, wanted[0], f"{where}[]")]
    return []


def _of_objects(actual: dict[str, Any], wanted: dict[str, Any], where: str) -> list[str]:
    missing = [f"{where}.{key} is missing" for key in wanted if key not in actual]
    extra = [f"{where}.{key} is unknown" for key in actual if key not in wanted]
    common = [key for key in wanted if key in actual]
    inner = [d for key in common for d in differences(actual[key], wanted[key], f"{where}.{key}")]
    return missing + extra + inner


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "milliseconds" if value > 10**12 else "int"
    if isinstance(value, str):
        forms = [name for name, form in FORMS.items() if form.fullmatch(value)]
        return forms[0] if forms else "text"
    return type(value).__name__
