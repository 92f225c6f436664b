"""Calls to Wercker's API: what is asked, how errors are worded, how lists are read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.net import HttpClient, HttpError, Reply, clean_message
from bot.providers.answers import each_readable, odd_form, parsed, repeats

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Query = Sequence[tuple[str, str]]

VENDOR = "Wercker"
V3 = ("api", "v3")
PAGE_LENGTH = 20  # the most that lists of runs allow; always sent, as real defaults differed
_SHUT_DOWN_HOST = "app.wercker.com"
_REDIRECTS = range(300, 400)
_MEANINGS = {
    Kind.AUTH: "Wercker refused the token, or what was asked for is not visible to this token.",
    Kind.FORBIDDEN: "Wercker does not allow that to this token.",
    Kind.NOT_FOUND: "Wercker does not have that, or it is not visible to this token.",
    Kind.CONFLICT: "Wercker refused: as things stand it cannot be done.",
    Kind.INVALID: "Wercker refused a value it was given.",
}


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """The readable items of one reply. `length` counts all of them, `bad_items` the others."""

    items: tuple[M, ...]
    length: int

    @property
    def bad_items(self) -> int:
        return self.length - len(self.items)


class WerckerApi:
    """Raises ProviderError and nothing else. Shared by threads."""

    def __init__(self, http: HttpClient, base_url: str) -> None:
        self._http = http
        self._is_hosted = urlsplit(base_url).hostname == _SHUT_DOWN_HOST

    def one(self, model: type[M], segments: Sequence[str], deadline: Deadline) -> M:
        """The object at a path; BAD_REPLY if it is not one."""
        return parsed(model, self._json(self._call("GET", segments, deadline)), VENDOR)

    def page(
        self, model: type[M], segments: Sequence[str], deadline: Deadline, query: Query = ()
    ) -> Page[M]:
        """The list at a path, each item read on its own; BAD_REPLY if it is not a list."""
        value = self._json(self._call("GET", segments, deadline, query=query))
        if not isinstance(value, list):
            raise odd_form(VENDOR)
        return Page(tuple(each_readable(model, value)), len(value))

    def text(self, segments: Sequence[str], deadline: Deadline) -> str:
        """Text that is no JSON (a log); a web page in its place is no reply of the API."""
        reply = self._call("GET", segments, deadline)
        if "html" in reply.headers.get("Content-Type", ""):
            raise self._no_api("a web page")
        return reply.text()

    def change(
        self,
        method: str,
        segments: Sequence[str],
        deadline: Deadline,
        body: dict[str, Any],
        secrets: Iterable[str] = (),
    ) -> Any:
        """Sends one change, once. A vendor's message that repeats one of `secrets` is not shown.
        AMBIGUOUS if the reply was lost or is not JSON.
        """
        return self._json(self._call(method, segments, deadline, body=body, secrets=secrets))

    def _call(
        self,
        method: str,
        segments: Sequence[str],
        deadline: Deadline,
        *,
        query: Query = (),
        body: dict[str, Any] | None = None,
        secrets: Iterable[str] = (),
    ) -> Reply:
        try:
            if body is None:
                return self._http.request(method, *segments, deadline=deadline, query=query)
            return self._http.request(method, *segments, deadline=deadline, json=body)
        except ProviderError as error:
            problem = self._worded(error, secrets)
        raise problem  # out here, since the caught error holds the raw reply

    def _json(self, reply: Reply) -> Any:
        try:
            return reply.json()
        except ProviderError as error:
            unreadable = error
        is_page = reply.body.lstrip()[:1] == b"<"
        raise self._no_api("a web page" if is_page else "not JSON", unreadable)

    def _worded(self, error: ProviderError, secrets: Iterable[str]) -> ProviderError:
        """In Wercker's terms. 401 and 404 both mean "not visible to this token"."""
        if not isinstance(error, HttpError):
            return error
        if error.reply.status in _REDIRECTS:
            return self._no_api("a redirect", error)
        if error.kind is Kind.NOT_FOUND and "html" in error.reply.headers.get("Content-Type", ""):
            return self._no_api("a web page")
        said = _vendor_words(error.reply, tuple(secrets))
        return ProviderError(
            error.kind,
            _MEANINGS.get(error.kind, error.message) + (f" It says: {said}" if said else ""),
            detail=f"{error.detail}{_trace(error.reply)}",
            retry_after_s=error.retry_after_s,
        )

    def _no_api(self, what: str, error: ProviderError | None = None) -> ProviderError:
        in_doubt = error is not None and error.kind is Kind.AMBIGUOUS
        message = f"There is no Wercker API at this address: the reply is {what}."
        message += " Whoever runs the bot should check BASE_URL."
        if self._is_hosted:
            message += " The hosted service was shut down on 31 October 2022."
        if in_doubt:
            message += " If there is one, it may have done it: look there before you try again."
        kind = Kind.AMBIGUOUS if in_doubt else Kind.BAD_REPLY
        return ProviderError(kind, message, detail=error.detail if error else "")


def _vendor_words(reply: Reply, secrets: tuple[str, ...]) -> str:
    """`message` of the documented error body, cleaned; the body may also be anything else."""
    body = reply.json_or_none()
    said = body.get("message") if isinstance(body, dict) else None
    if not isinstance(said, str) or repeats(said, secrets):
        return ""
    return clean_message(said)


def _trace(reply: Reply) -> str:
    """The vendor's own name of the exchange, recorded on replies to triggers."""
    trace = clean_message(reply.headers.get("X-Wercker-Trace-Id", ""), 64)
    return f" trace {trace}" if trace else ""
