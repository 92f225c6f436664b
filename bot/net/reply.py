"""What a vendor answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.errors import Kind, ProviderError
from bot.net.strict_json import BadJsonError, parse_json
from bot.net.words import clean_text


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` ignores case. `changes` says that this answers a change, of which an
    unreadable answer means that it may have been done.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    service: str = ""
    changes: bool = False

    def json(self) -> Any:
        """The parsed body. BAD_REPLY (AMBIGUOUS for a change) if it is not strict JSON, is
        nested deeper than 64 levels or holds more than half a million values.
        """
        try:
            return parse_json(self.body)
        except BadJsonError as error:
            raise self._unreadable(str(error)) from error

    def json_or_none(self) -> Any:
        """For the bodies of error replies, which may be anything."""
        try:
            return parse_json(self.body)
        except BadJsonError:
            return None

    def text(self) -> str:
        """Decoded as UTF-8; control characters are gone except newline, tab and ESC."""
        return clean_text(self.body.decode("utf-8-sig", "replace"))

    def _unreadable(self, problem: str) -> ProviderError:
        if self.body.lstrip()[:1] == b"<":
            problem = "a page"
        kind = Kind.AMBIGUOUS if self.changes else Kind.BAD_REPLY
        return ProviderError(
            kind,
            f"{self.service or 'The vendor'} answered with something that is not the data it "
            "should be"
            + (", so it may or may not have been done; look there first." if self.changes else ".")
            + " If this goes on, whoever runs the bot should check its address.",
            detail=f"reply {self.status}, {len(self.body)} bytes: {problem}",
        )
