"""Who the bot is in Slack, and whether Slack accepts it right now."""

import logging
import threading
from dataclasses import dataclass

from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Self:
    """The answer of `auth.test`."""

    team_id: str
    user_id: str
    bot_id: str
    enterprise_id: str | None
    scopes: frozenset[str]


class Identity:
    """Keeps the last good answer of `auth.test`, so that no request waits for one."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._self: Self | None = None
        self._error = "Slack has not been asked yet"

    def refresh(self) -> bool:
        """Asks Slack; False, with `error` set, when it refuses or cannot be reached."""
        try:
            reply = self._client.auth_test()
            found = Self(
                str(reply["team_id"]),
                str(reply["user_id"]),
                str(reply.get("bot_id") or ""),
                reply.get("enterprise_id"),
                _scopes(reply.headers),
            )
        except SlackApiError as error:
            self._note(str(error.response["error"]))
            return False
        except Exception as error:  # noqa: BLE001  # whatever the network did, it is no answer
            self._note(type(error).__name__)
            return False
        with self._lock:
            self._self, self._error = found, ""
        return True

    @property
    def itself(self) -> Self | None:
        """None until Slack accepted the token once."""
        return self._self

    @property
    def team_id(self) -> str:
        return self._self.team_id if self._self else ""

    @property
    def error(self) -> str:
        """Why Slack refuses the token; empty while it accepts it."""
        return self._error

    def refused(self, error: str) -> None:
        """Notes that Slack refused the token in another call."""
        self._note(error)

    def authorize(self) -> AuthorizeResult | None:
        """What Bolt wants to know before it hands on a request; no network."""
        if self._self is None:
            return None
        return AuthorizeResult(
            enterprise_id=self._self.enterprise_id,
            team_id=self._self.team_id,
            bot_id=self._self.bot_id,
            bot_user_id=self._self.user_id,
            bot_token=self._client.token,
        )

    def _note(self, error: str) -> None:
        with self._lock:
            if error != self._error:
                log.error("slack.refused", extra={"error": error})
            self._error = error


def _scopes(headers: dict[str, str]) -> frozenset[str]:
    found = next((v for k, v in headers.items() if k.lower() == "x-oauth-scopes"), "")
    text = found if isinstance(found, str) else ",".join(found)
    return frozenset(part.strip() for part in text.split(",") if part.strip())
