"""Calls to Testery's API: what is asked, how errors are worded, how lists are read."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.net import HttpClient, HttpError, Reply, clean_message
from bot.providers.answers import each_readable, odd_form, parsed, readable, repeats
from bot.providers.testery_replies import RunReply

M = TypeVar("M", bound=BaseModel)
Query = Sequence[tuple[str, str]]

_VENDOR = "Testery"
SUCCESS = range(200, 300)
_HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}
_MEANINGS = {
    Kind.AUTH: "Testery refused the token; whoever runs the bot should renew it.",
    Kind.FORBIDDEN: "Testery does not allow that to this token.",
    Kind.NOT_FOUND: "Testery does not know that in this account: a token sees one account only.",
    Kind.CONFLICT: "Testery refused: as things stand it cannot be done.",
    Kind.INVALID: "Testery refused a value it was given.",
}


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """The readable items of one reply. `length` counts all of them, `bad_items` the others."""

    items: tuple[M, ...]
    length: int

    @property
    def bad_items(self) -> int:
        return self.length - len(self.items)


class TesteryApi:
    """Raises ProviderError and nothing else. Shared by threads. `token` is only for keeping it
    out of what the vendor says.
    """

    def __init__(self, http: HttpClient, token: str) -> None:
        self._http = http
        self._token = token

    def one(self, model: type[M], segments: Sequence[str], deadline: Deadline) -> M:
        """The object at a path; BAD_REPLY if it is not one."""
        return parsed(model, self.value(segments, deadline), _VENDOR)

    def value(self, segments: Sequence[str], deadline: Deadline) -> Any:
        """Whatever JSON is at a path."""
        return self._call("GET", segments, deadline).json()

    def page(
        self, model: type[M], segments: Sequence[str], deadline: Deadline, query: Query = ()
    ) -> Page[M]:
        """The list at a path, each item read on its own; BAD_REPLY if it is not a list."""
        value = self._call("GET", segments, deadline, query=query).json()
        if not isinstance(value, list):
            raise odd_form(_VENDOR)
        return Page(tuple(each_readable(model, value)), len(value))

    def runs(self, page: int, limit: int, deadline: Deadline) -> Page[RunReply]:
        """A page of the account's runs, newest first; `page` counts from 0, without a trailing
        slash (published example).
        """
        query = [("page", str(page)), ("limit", str(limit))]
        return self.page(RunReply, ("test-runs",), deadline, query)

    def change(
        self,
        method: str,
        segments: Sequence[str],
        deadline: Deadline,
        body: dict[str, Any],
        *,
        secrets: Iterable[str] = (),
        accept: Collection[int] = SUCCESS,
    ) -> Reply:
        """Sends one change, once. A vendor's message that repeats one of `secrets` is not shown.
        AMBIGUOUS if the reply was lost.
        """
        return self._call(method, segments, deadline, body=body, secrets=secrets, accept=accept)

    def _call(
        self,
        method: str,
        segments: Sequence[str],
        deadline: Deadline,
        *,
        query: Query = (),
        body: dict[str, Any] | None = None,
        secrets: Iterable[str] = (),
        accept: Collection[int] = SUCCESS,
    ) -> Reply:
        send = partial(
            self._http.request,
            method,
            *segments,
            deadline=deadline,
            query=query,
            headers=_HEADERS,
            accept=accept,
        )
        try:
            return send() if body is None else send(json=body)
        except ProviderError as error:
            problem = self._worded(error, (self._token, *secrets))
        raise problem  # out here, since the caught error holds the raw reply

    def _worded(self, error: ProviderError, secrets: Sequence[str]) -> ProviderError:
        if not isinstance(error, HttpError):
            return error
        said = vendor_words(error.reply, secrets)
        return ProviderError(
            error.kind,
            _MEANINGS.get(error.kind, error.message) + (f" It says: {said}" if said else ""),
            detail=error.detail,
            retry_after_s=error.retry_after_s,
        )


def run_in(value: Any) -> RunReply | None:
    """`value` as a run, if it is one."""
    return readable(RunReply, value)


def vendor_words(reply: Reply, secrets: Sequence[str]) -> str:
    """What an error reply says: `message` of the documented body, or a plain text. A web page
    says nothing, and nor does a text that repeats a secret of ours.
    """
    body = reply.json_or_none()
    said = body.get("message") if isinstance(body, dict) else body
    if body is None and reply.body.lstrip()[:1] not in {b"<", b"{", b"["}:
        said = reply.text()
    if not isinstance(said, str) or repeats(said, secrets):
        return ""
    return clean_message(said)
