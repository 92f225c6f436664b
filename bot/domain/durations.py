"""Durations as people type them: `45m`, `2h`, `1d`, `1h30m`."""

import re
from datetime import timedelta

_PART = re.compile(r"(\d{1,6})([smhdw])")
_WHOLE = re.compile(r"(?:\d{1,6}[smhdw]){1,5}")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> timedelta | None:
    """The duration, or None if the text is not one."""
    if not _WHOLE.fullmatch(text.lower()):
        return None
    parts = _PART.findall(text.lower())
    return sum((timedelta(**{_UNITS[unit]: int(n)}) for n, unit in parts), timedelta())
