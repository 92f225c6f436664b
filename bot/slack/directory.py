"""What Slack says about people: membership and user groups, kept for a short while."""

import logging
import threading
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.domain.access import Person
from bot.domain.clock import Clock
from bot.slack.identity import Identity

log = logging.getLogger(__name__)

KEPT_S = 60.0
"""For how long an answer is good: a right that was taken away works no longer than that."""
MOST_PEOPLE = 5000


class SlackDirectory:
    """Thread-safe. `groups` are the user-group ids among BOT_OPERATORS."""

    def __init__(
        self, client: WebClient, identity: Identity, groups: frozenset[str], clock: Clock
    ) -> None:
        self._client = client
        self._identity = identity
        self._groups = groups
        self._clock = clock
        self._lock = threading.Lock()
        self._members: dict[str, tuple[float, bool | None]] = {}
        self._group_users: dict[str, tuple[float, frozenset[str]]] = {}

    @property
    def home_team(self) -> str:
        return self._identity.team_id

    def person(self, user_id: str, team_id: str) -> Person:
        """Membership is None, and groups are left out, where Slack does not answer."""
        groups = frozenset(g for g in self._groups if user_id in self._users_of(g))
        return Person(user_id, team_id, self._is_full_member(user_id), groups)

    def _is_full_member(self, user_id: str) -> bool | None:
        known = self._members.get(user_id)
        if known is not None and known[0] > self._clock.monotonic():
            return known[1]
        found = self._ask_membership(user_id)
        if found is not None:
            with self._lock:
                if len(self._members) >= MOST_PEOPLE:
                    self._members.clear()
                self._members[user_id] = (self._clock.monotonic() + KEPT_S, found)
        return found

    def _ask_membership(self, user_id: str) -> bool | None:
        try:
            user = self._client.users_info(user=user_id)["user"]
        except SlackApiError as error:
            log.warning("directory.failed", extra={"error": error.response["error"]})
            return False if error.response["error"] == "user_not_found" else None
        except Exception as error:  # noqa: BLE001  # no answer, for whatever reason
            log.warning("directory.failed", extra={"error": type(error).__name__})
            return None
        return is_full_member(user, self._identity.team_id)

    def _users_of(self, group: str) -> frozenset[str]:
        known = self._group_users.get(group)
        if known is not None and known[0] > self._clock.monotonic():
            return known[1]
        try:
            users = frozenset(self._client.usergroups_users_list(usergroup=group)["users"])
        except SlackApiError as error:
            log.warning("directory.failed", extra={"error": error.response["error"]})
            return frozenset()
        except Exception as error:  # noqa: BLE001  # no answer, for whatever reason
            log.warning("directory.failed", extra={"error": type(error).__name__})
            return frozenset()
        with self._lock:
            self._group_users[group] = (self._clock.monotonic() + KEPT_S, users)
        return users


def is_full_member(user: dict[str, Any], home_team: str) -> bool:
    """Whether a `users.info` answer is about a full member of the home workspace."""
    flags = ("is_restricted", "is_ultra_restricted", "is_stranger", "is_bot", "deleted")
    if any(user.get(flag) for flag in flags):
        return False
    return user.get("team_id") in {home_team, None}
