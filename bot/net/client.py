"""The HTTP client that every provider uses."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from requests import PreparedRequest
from requests.auth import AuthBase

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.net.address import Address
from bot.net.echoes import credentials, masked
from bot.net.errors import Break, Broken, breakage, refusal, too_often
from bot.net.exchange import exchange
from bot.net.outgoing import ABSENT, Payload, UnsendableError, prepare
from bot.net.pace import Pace
from bot.net.reply import Reply
from bot.net.retry_after import parse_retry_after
from bot.net.transport import GuardedAdapter
from bot.net.watchdog import guarded

SUCCESS: Final = range(200, 300)
_MAX_BODY_BYTES = 8 * 1024 * 1024
_READS = frozenset({"GET", "HEAD"})
_WAITING_STATUSES = frozenset({429, 503})
_SECOND_TRY_STATUSES = frozenset({502, 503, 504})
_SECOND_TRY_BREAKS = frozenset({Break.UNREACHABLE, Break.LOST, Break.UNRESOLVED})
_SECOND_TRY_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class _Call:
    """One `request` while it is on its way."""

    method: str
    path: str
    changes: bool
    accept: Collection[int]
    deadline: Deadline
    started_at: float

    def told(self, outcome: object) -> str:
        """For the log: no query, no header, no body."""
        took_s = self.deadline.clock.monotonic() - self.started_at
        return f"{self.method} {self.path}: {outcome} after {took_s:.2f} s"


class HttpClient:
    """Talks to one vendor for one instance. Thread-safe.

    Nothing is followed, nothing is read from the environment, and a call ends at its deadline
    or after `timeout_s`, whatever the other side does. `service` is the name people know the
    vendor by; `setting` is what ConfigError calls the base URL. `wait` pauses a thread.
    """

    def __init__(
        self,
        *,
        service: str,
        base_url: str,
        clock: Clock,
        auth: AuthBase | None = None,
        timeout_s: float = 10.0,
        requests_per_minute: int = 60,
        max_body_bytes: int = _MAX_BODY_BYTES,
        setting: str = "BASE_URL",
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.service = service
        self._address = Address.parse(base_url, setting)
        self._clock = clock
        self._auth = auth
        self._timeout_s = timeout_s
        self._max_body_bytes = max_body_bytes
        self._pace = Pace(clock, requests_per_minute)
        self._wait = wait or threading.Event().wait
        self._kept_open = GuardedAdapter(pool_connections=1)

    def __repr__(self) -> str:
        return f"HttpClient({self.service!r}, {self._address.origin!r})"

    def request(
        self,
        method: str,
        *segments: str,
        deadline: Deadline,
        query: Sequence[tuple[str, str]] = (),
        json: object = ABSENT,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        trailing_slash: bool = False,
        accept: Collection[int] = SUCCESS,
        changes: bool | None = None,
    ) -> Reply:
        """Sends one request below the base URL and returns the answer if its status is in
        `accept`; HttpError for any other status, ProviderError if there is no answer.

        `changes` says whether the call changes anything; by default all but GET and HEAD do.
        A read is tried a second time after a lost connection, 502, 503 or 504. A change is
        sent at most once, on a connection of its own: UNAVAILABLE means that nothing was
        done, AMBIGUOUS that it may have been.
        """
        call = _Call(
            method=method,
            path=self._address.path_of(segments, trailing_slash=trailing_slash),
            changes=method not in _READS if changes is None else changes,
            accept=accept,
            deadline=deadline.at_most(self._timeout_s),
            started_at=deadline.clock.monotonic(),
        )
        url = self._address.url_of(call.path, query)
        prepared = self._prepare(call, url, Payload.of(json, form), headers or {})
        self._await_turn(call)
        outcome = self._attempt(call, prepared, alone=call.changes)
        if not call.changes and self._is_worth_another(call, outcome):
            self._wait(_SECOND_TRY_PAUSE_S)
            outcome = self._attempt(call, prepared, alone=True)
        return self._settle(call, _without_echo(outcome, prepared, accept))

    def _prepare(
        self, call: _Call, url: str, payload: Payload, headers: Mapping[str, str]
    ) -> PreparedRequest:
        try:
            return prepare(
                call.method,
                url,
                payload=payload,
                headers=headers,
                auth=self._auth,
                closing=call.changes,
            )
        except UnsendableError as error:
            raise ProviderError(
                Kind.INVALID,
                f"That cannot be asked of {self.service}; check what you typed.",
                detail=call.told("not a valid request"),
            ) from error

    def _await_turn(self, call: _Call) -> None:
        """Waits for the budget. RATE_LIMITED if the vendor may not be asked in time."""
        self._check_pause(call)
        wait_s = self._pace.reserve(call.deadline.remaining_s())
        if wait_s is None:
            raise too_often(self.service, self._pace.wait_s(), call.told("no budget, not sent"))
        if wait_s > 0:
            self._wait(wait_s)
            self._check_pause(call)
        if call.deadline.remaining_s() <= 0:
            late = Broken(Break.TIMEOUT, sent=False)
            raise breakage(self.service, late, call.told("no time, not sent"), changes=call.changes)

    def _check_pause(self, call: _Call) -> None:
        paused_s = self._pace.paused_s()
        if paused_s > 0:
            raise too_often(self.service, paused_s, call.told("paused, not sent"))

    def _attempt(self, call: _Call, request: PreparedRequest, *, alone: bool) -> Reply | Broken:
        """`alone` uses a connection that nothing used before and nothing uses after."""
        adapter = GuardedAdapter(pool_connections=1) if alone else self._kept_open
        try:
            with guarded(call.deadline) as guard:
                return exchange(
                    adapter,
                    request,
                    guard,
                    accept=call.accept,
                    max_body_bytes=self._max_body_bytes,
                )
        finally:
            if alone:
                adapter.close()

    def _is_worth_another(self, call: _Call, outcome: Reply | Broken) -> bool:
        """Whether a read is tried again: after a passing fault, within time and budget."""
        if isinstance(outcome, Broken):
            passing = outcome.how in _SECOND_TRY_BREAKS
        else:
            passing = (
                outcome.status in _SECOND_TRY_STATUSES
                and outcome.status not in call.accept
                and not self._asked_to_wait_s(outcome)
            )
        left_s = call.deadline.remaining_s() - _SECOND_TRY_PAUSE_S
        return passing and left_s > 0 and self._pace.reserve(_SECOND_TRY_PAUSE_S) is not None

    def _settle(self, call: _Call, outcome: Reply | Broken) -> Reply:
        """Returns an accepted reply; raises what anything else means."""
        if isinstance(outcome, Broken):
            raise breakage(self.service, outcome, call.told(outcome), changes=call.changes)
        reply = replace(outcome, service=self.service, changes=call.changes)
        if reply.status in call.accept:
            return reply
        wait_s = self._asked_to_wait_s(reply)
        self._pace.pause(wait_s or 0.0)
        raise refusal(self.service, reply, wait_s, call.told(reply.status))

    def _asked_to_wait_s(self, reply: Reply) -> float | None:
        if reply.status not in _WAITING_STATUSES:
            return None
        return parse_retry_after(reply.headers.get("Retry-After"), self._clock.now())


def _without_echo(
    outcome: Reply | Broken, request: PreparedRequest, accept: Collection[int]
) -> Reply | Broken:
    """Adapters show what a refusal says, so it must not hold our credential."""
    if isinstance(outcome, Broken) or outcome.status in accept:
        return outcome
    return masked(outcome, credentials(request))
