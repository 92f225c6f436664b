"""Calls to Allure TestOps' report service: tokens, pages, and how answers are read.

Reads are repeated once with a new token after a 401. A change is sent exactly once, with a
token that the vendor accepted within the last half minute.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.net import HttpClient, HttpError, Reply
from bot.providers.allure_errors import no_api, worded
from bot.providers.allure_session import AccessToken, Session
from bot.providers.answers import each_readable, odd_form, parsed
from bot.providers.visibility import INVISIBLE

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Query = Sequence[tuple[str, str]]

VENDOR = "Allure TestOps"
MOST_ITEMS = 100  # of a page: the limit is assumed, the largest default seen is 100
ME = ("api", "uaa", "me")  # UAA has no `rs` in its path (section 1 of the vendor facts)
_UNAUTHORIZED = 401
_ACCEPTING = frozenset({400, 404, 409})  # refusals that come after a look at the token
_NO_BODY: Any = object()


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """The readable items of one page; `bad_items` counts the others."""

    items: tuple[M, ...]
    bad_items: int
    is_last: bool


class AllureApi:
    """Raises ProviderError and nothing else. Shared by threads. `prefix` is `/api` or
    `/api/rs`; paths come without it.
    """

    def __init__(self, http: HttpClient, session: Session, prefix: str) -> None:
        self._http, self._session = http, session
        self._prefix = tuple(prefix.strip("/").split("/"))

    def me(self, deadline: Deadline) -> Any:
        """The user that the token acts for (its form is not documented)."""
        return self._json(self._read(ME, deadline, ()))

    def one(self, model: type[M], path: Sequence[str], deadline: Deadline) -> M:
        """The object at a path; BAD_REPLY if it is not one."""
        return parsed(model, self._json(self._read(self._full(path), deadline, ())), VENDOR)

    def array(self, model: type[M], path: Sequence[str], deadline: Deadline) -> tuple[M, ...]:
        """A list that is not paged; BAD_REPLY if it is not one. Odd entries are left out."""
        value = self._json(self._read(self._full(path), deadline, ()))
        if not isinstance(value, list):
            raise odd_form(VENDOR)
        return tuple(each_readable(model, value))

    def raw(self, path: Sequence[str], deadline: Deadline) -> Any:
        return self._json(self._read(self._full(path), deadline, ()))

    def page(
        self, model: type[M], path: Sequence[str], deadline: Deadline, query: Query
    ) -> Page[M]:
        """One page, each item read on its own; BAD_REPLY if it is not a page."""
        value = self._json(self._read(self._full(path), deadline, query))
        content = value.get("content") if isinstance(value, dict) else None
        if not isinstance(content, list):
            raise odd_form(VENDOR)
        items = tuple(each_readable(model, content))
        return Page(items, len(content) - len(items), _is_last(value))

    def every(
        self, model: type[M], path: Sequence[str], deadline: Deadline, query: Query, pages: int
    ) -> tuple[M, ...]:
        """The items of at most so many pages of 100."""
        found: list[M] = []
        for number in range(pages):
            paging = [*query, ("page", str(number)), ("size", str(MOST_ITEMS))]
            page = self.page(model, path, deadline, paging)
            found += page.items
            if page.is_last:
                break
        return tuple(found)

    def change(
        self,
        path: Sequence[str],
        deadline: Deadline,
        body: dict[str, Any] = _NO_BODY,
        secrets: Iterable[str] = (),
    ) -> Reply:
        """Sends one POST, once; AMBIGUOUS if its answer was lost. Before it, a token that was
        not accepted lately is tried on a read. AUTH if it is refused all the same: nothing was
        done then. A vendor's message that repeats one of `secrets` is not shown.
        """
        token = self._proven_token(deadline)
        outcome = self._send("POST", self._full(path), token, deadline, body=body)
        if isinstance(outcome, Reply):
            return self._checked(outcome)
        if _is_unauthorized(outcome):
            self._session.drop(token)
        raise self._worded(outcome, token, secrets)

    def json_of(self, reply: Reply) -> Any:
        """The body of a change's answer; AMBIGUOUS if it is not JSON."""
        return self._json(reply)

    def _full(self, path: Sequence[str]) -> tuple[str, ...]:
        return (*self._prefix, *path)

    def _proven_token(self, deadline: Deadline) -> AccessToken:
        token = self._session.token(deadline)
        if self._session.is_proven(token):
            return token
        try:
            self._read(ME, deadline, ())
        except ProviderError as error:
            if error.kind not in INVISIBLE:  # it was no refusal of the token
                raise
        return self._session.token(deadline)

    def _read(self, path: tuple[str, ...], deadline: Deadline, query: Query) -> Reply:
        token = self._session.token(deadline)
        outcome = self._send("GET", path, token, deadline, query=query)
        if _is_unauthorized(outcome):
            token = self._session.renew(token, deadline)
            outcome = self._send("GET", path, token, deadline, query=query)
            if _is_unauthorized(outcome):
                raise self._session.give_up(token)
        if isinstance(outcome, Reply):
            return outcome
        raise self._worded(outcome, token)

    def _send(
        self,
        method: str,
        path: tuple[str, ...],
        token: AccessToken,
        deadline: Deadline,
        *,
        query: Query = (),
        body: Any = _NO_BODY,
    ) -> Reply | ProviderError:
        """Errors are returned: raised from here they would drag along the raw reply."""
        json = {} if body is _NO_BODY else {"json": body}
        try:
            reply = self._http.request(
                method, *path, deadline=deadline, query=query, headers=token.headers, **json
            )
        except ProviderError as error:
            if isinstance(error, HttpError) and error.reply.status in _ACCEPTING:
                self._session.accepted(token)
            return error
        self._session.accepted(token)
        return reply

    def _checked(self, reply: Reply) -> Reply:
        """Most changes are answered with an empty body; a page says that nobody took them."""
        if reply.body.lstrip()[:1] == b"<":
            raise no_api(ProviderError(Kind.AMBIGUOUS, ""), "a web page")
        return reply

    def _json(self, reply: Reply) -> Any:
        try:
            return reply.json()
        except ProviderError as error:
            problem = error
        is_page = reply.body.lstrip()[:1] == b"<"
        raise no_api(problem, "a web page" if is_page else "not JSON")

    def _worded(
        self, error: ProviderError, token: AccessToken, secrets: Iterable[str] = ()
    ) -> ProviderError:
        return worded(error, (*self._session.secrets, token.value, *secrets))


def optional(read: Callable[[], T]) -> T | None:
    """A part of a launch; None where 403 or 404 says that it cannot be had, which does not mean
    that the launch is missing (section 3 of the vendor facts).
    """
    try:
        return read()
    except ProviderError as error:
        if error.kind not in INVISIBLE:
            raise
    return None


def _is_unauthorized(outcome: Reply | ProviderError) -> bool:
    return isinstance(outcome, HttpError) and outcome.reply.status == _UNAUTHORIZED


def _is_last(envelope: dict[str, Any]) -> bool:
    """`last`, or `number + 1 >= totalPages`, or empty `content` (read in a client)."""
    if envelope.get("last") is True or not envelope["content"]:
        return True
    number, pages = envelope.get("number"), envelope.get("totalPages")
    return isinstance(number, int) and isinstance(pages, int) and number + 1 >= pages
