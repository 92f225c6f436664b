"""The reject list: packages that a debci server will not test."""

from fnmatch import fnmatchcase
from typing import Any

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.net import clean_message
from bot.providers.debci_calls import DebciCalls
from bot.providers.debci_runs import Place

_REMEMBERED_S = 300.0
_ASKED_FOR_S = 4.0


class RejectList:
    """The list of one server, remembered for some minutes. Thread-safe."""

    def __init__(self, calls: DebciCalls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._read: tuple[float, Any] | None = None

    def refuse(self, place: Place, deadline: Deadline, *, afresh: bool = False) -> None:
        """INVALID if the server will not test `place`; `afresh` asks again first.

        A list that cannot be had refuses nothing: the server itself decides. A bad key is told.
        """
        reason = reason_against(place, self._listing(deadline, afresh=afresh))
        if reason is not None:
            why = f" ({reason})" if reason else ""
            raise ProviderError(
                Kind.INVALID,
                f"{place.package} is in this debci's reject list for {place.suite}/{place.arch}"
                f"{why}: nothing was run.",
            )

    def _listing(self, deadline: Deadline, *, afresh: bool) -> Any:
        now = self._clock.monotonic()
        if self._read is not None and not afresh and now - self._read[0] <= _REMEMBERED_S:
            return self._read[1]
        try:
            listing = self._calls.reject_list(deadline.at_most(_ASKED_FOR_S))
        except ProviderError as error:
            if error.kind is Kind.AUTH:
                raise
            return {}
        self._read = (now, listing)
        return listing


def reason_against(place: Place, listing: Any) -> str | None:
    """Why the server will not test `place`: the comment in its list, perhaps empty; None if
    it will.

    `listing` is the answer of GET `/v1/reject_list`: package > suite > architecture >
    version > comment. As in debci 3.6, wildcards count only for packages that are not listed
    by name, and an entry for single versions does not stop a request.
    """
    packages = listing if isinstance(listing, dict) else {}
    wildcards = [name for name in packages if fnmatchcase(place.package, name)]
    for name in [place.package] if place.package in packages else wildcards:
        versions = _at(_at(packages[name], place.suite), place.arch)
        if isinstance(versions, dict) and "*" in versions:
            return clean_message(str(versions["*"] or ""))
    return None


def _at(level: Any, name: str) -> Any:
    """Suites and architectures arrive spelt out from 3.6; its own papers also show `*`."""
    return level.get(name, level.get("*")) if isinstance(level, dict) else None
