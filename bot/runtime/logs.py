"""Logs: one JSON object a line on stderr, short, and without any secret."""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

LONGEST_LINE = 8 * 1024
MASK = "•••"
_OWN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "taskName"}


class JsonFormatter(logging.Formatter):
    """`event`, `level`, `time`, `logger`, the fields of `extra`, and for a fault its traceback.

    Secrets given here are masked wherever they stand; control characters are escaped by JSON.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(sorted(set(secrets), key=len, reverse=True))

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line |= {k: v for k, v in vars(record).items() if k not in _OWN}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)[-4096:]
        return self._short(json.dumps(line, default=str, ensure_ascii=True))

    def _short(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK).replace(json.dumps(secret)[1:-1], MASK)
        if len(text) <= LONGEST_LINE:
            return text
        cut = {"event": "log.cut", "text": text[: LONGEST_LINE // 2]}
        return json.dumps(cut)


def configure(
    secrets: Iterable[str], stream: TextIO | None = None, level: int = logging.INFO
) -> None:
    """Sends every log line of the process to `stream` (stderr) in this form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name in ("slack_bolt", "slack_sdk", "waitress", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
