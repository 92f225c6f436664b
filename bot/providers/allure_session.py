"""The exchange of the personal token for short-lived access tokens.

Section 1 of the vendor facts: `POST /api/uaa/oauth/token`, for every API_PREFIX. Neither token
is in an error, a `repr` or a log line.
"""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.net import HttpClient, HttpError, Reply
from bot.providers.allure_errors import is_shield, shielded

EARLY_S = 60.0  # before its end a token is renewed
PROVEN_S = 30.0  # for so long an accepted token is trusted to be accepted again
QUIET_S = 30.0  # for so long no exchange is tried after the personal token was refused
_ASSUMED_LIFE_S = 3600.0
_LONGEST_LIFE_S = 7 * 86400.0
_TOKEN = re.compile(r"[!-~]{1,16000}")
_REFUSALS = frozenset({400, 401})
_REFUSED = (
    "Allure TestOps refused the API token; whoever runs the bot should make a new one in its "
    "user menu."
)


@dataclass(frozen=True, slots=True, eq=False)
class AccessToken:
    """Good for API calls until it is refused; `renew_at` is a moment of the monotonic clock."""

    value: str = field(repr=False)
    renew_at: float

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.value}", "Accept": "application/json"}


class Session:
    """Gives out the access token. Thread-safe: there is one exchange at a time, and all who
    wait for it share what comes of it, be it a token or an error. After a refusal nothing is
    exchanged for 30 s, so that nobody can cause a storm of logins.
    """

    def __init__(self, http: HttpClient, api_token: str, clock: Clock) -> None:
        self._http, self._api_token, self._clock = http, api_token, clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._rounds = 0  # exchanges that came to an end
        self._failure: ProviderError | None = None
        self._quiet_until = clock.monotonic()
        self._proven: tuple[AccessToken, float] | None = None

    def __repr__(self) -> str:
        return "Session(***)"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown to anybody, though a reply may repeat it."""
        token = self._token
        return (self._api_token, *([token.value] if token else []))

    def token(self, deadline: Deadline) -> AccessToken:
        """The token in use, renewed 60 s before its end. AUTH if no token is to be had."""
        token = self._token
        if token is not None and self._clock.monotonic() < token.renew_at:
            return token
        return self._replace(token, deadline)

    def renew(self, refused: AccessToken, deadline: Deadline) -> AccessToken:
        """A token other than the refused one: somebody else's, or a new one."""
        return self._replace(refused, deadline)

    def drop(self, refused: AccessToken) -> None:
        """Makes the next call exchange anew, unless that happened already."""
        with self._lock:
            if self._token is refused:
                self._token = None

    def give_up(self, refused: AccessToken) -> ProviderError:
        """The error for a new token that was refused too; starts a quiet time."""
        with self._lock:
            self._fail(ProviderError(Kind.AUTH, _REFUSED, detail="401 with a new access token"))
            if self._token is refused:
                self._token = None
        return ProviderError(Kind.AUTH, _REFUSED, detail="401 with a new access token")

    def accepted(self, token: AccessToken) -> None:
        self._proven = (token, self._clock.monotonic() + PROVEN_S)

    def is_proven(self, token: AccessToken) -> bool:
        """True if the vendor accepted this very token within the last 30 s."""
        proven = self._proven
        return proven is not None and proven[0] is token and self._clock.monotonic() < proven[1]

    def _replace(self, old: AccessToken | None, deadline: Deadline) -> AccessToken:
        rounds = self._rounds
        if not self._lock.acquire(timeout=deadline.remaining_s()):
            raise ProviderError(
                Kind.UNAVAILABLE,
                "Allure TestOps did not hand out an access token in time; nothing was done.",
            )
        try:
            if self._token is not None and self._token is not old:
                return self._token
            is_quiet = self._clock.monotonic() < self._quiet_until
            if self._failure is not None and (is_quiet or self._rounds != rounds):
                raise _copy(self._failure)
            return self._exchange(deadline)
        finally:
            self._lock.release()

    def _exchange(self, deadline: Deadline) -> AccessToken:
        self._token = self._failure = None
        began_at = self._clock.monotonic()
        outcome = self._ask(deadline)
        self._rounds += 1
        if isinstance(outcome, ProviderError):
            self._fail(outcome)
            raise _copy(outcome)
        self._token = AccessToken(outcome[0], began_at + _useful_s(outcome[1]))
        return self._token

    def _ask(self, deadline: Deadline) -> tuple[str, float] | ProviderError:
        """The token and its life in seconds. Errors are returned, so that none drags along the
        reply: it may repeat the token.
        """
        form = {"grant_type": "apitoken", "scope": "openid", "token": self._api_token}
        try:
            reply = self._http.request(
                "POST", "api", "uaa", "oauth", "token", deadline=deadline, form=form,
                headers={"Accept": "application/json"}, changes=False,
            )  # fmt: skip
        except ProviderError as error:
            return _worded(error)
        return _read(reply)

    def _fail(self, failure: ProviderError) -> None:
        self._failure = failure
        if failure.kind is Kind.AUTH:
            self._quiet_until = self._clock.monotonic() + QUIET_S


def _read(reply: Reply) -> tuple[str, float] | ProviderError:
    """`access_token` is the only declared field; without `expires_in` an hour is assumed."""
    body = reply.json_or_none()
    value = body.get("access_token") if isinstance(body, dict) else None
    if isinstance(body, dict) and isinstance(value, str) and _TOKEN.fullmatch(value):
        return value, _life_s(body.get("expires_in"))
    return ProviderError(
        Kind.BAD_REPLY,
        "Allure TestOps handed out no access token: there may be something else at this "
        "address. Whoever runs the bot should check BASE_URL.",
        detail=f"token exchange: reply {reply.status}, {len(reply.body)} bytes",
    )


def _life_s(value: Any) -> float:
    """`expires_in`, in seconds, is a number or text (seen by two clients)."""
    is_readable = isinstance(value, int | float | str) and not isinstance(value, bool)
    try:
        seconds = float(value) if is_readable else 0.0
    except (ValueError, OverflowError):
        seconds = 0.0
    return min(seconds, _LONGEST_LIFE_S) if seconds > 0 else _ASSUMED_LIFE_S


def _useful_s(life_s: float) -> float:
    """A token that lives shortly is renewed at half its life."""
    return max(life_s - EARLY_S, life_s / 2)


def _worded(error: ProviderError) -> ProviderError:
    """400 and 401 both mean a bad token (declared in the OpenAPI)."""
    if not isinstance(error, HttpError):
        return error
    if is_shield(error.reply):
        return shielded(error)
    detail = f"token exchange: {error.detail}"
    if error.reply.status in _REFUSALS:
        return ProviderError(Kind.AUTH, _REFUSED, detail=detail)
    if error.kind in {Kind.NOT_FOUND, Kind.INVALID}:
        message = (
            "There is no Allure TestOps at this address; whoever runs the bot should check "
            "BASE_URL."
        )
        return ProviderError(Kind.BAD_REPLY, message, detail=detail)
    return ProviderError(
        error.kind, error.message, detail=detail, retry_after_s=error.retry_after_s
    )


def _copy(error: ProviderError) -> ProviderError:
    """An error of one's own for each thread: tracebacks are not for sharing."""
    return ProviderError(
        error.kind, error.message, detail=error.detail, retry_after_s=error.retry_after_s
    )
