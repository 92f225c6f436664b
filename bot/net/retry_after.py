"""How long a vendor asks us to wait."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 900.0
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,9})?([eE][+-]?[0-9]{1,3})?")
_LONGEST_DATE = 64


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds within 0 … 900 from a `Retry-After` header; None if it says nothing readable."""
    text = (value or "").strip()
    if _NUMBER.fullmatch(text):
        return _limit(float(text))
    moment = _date(text)
    return None if moment is None else _limit((moment - now).total_seconds())


def _date(text: str) -> datetime | None:
    if not text or len(text) > _LONGEST_DATE:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _limit(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_S)
