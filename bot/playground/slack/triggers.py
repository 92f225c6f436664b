"""Trigger ids: each lets the app open one view, soon after the interaction."""

import secrets
from dataclasses import dataclass, field

from bot.playground.clock import Clock
from bot.playground.slack.strictness import Strictness


@dataclass(frozen=True, slots=True)
class Trigger:
    user: str
    made_at: float


@dataclass(slots=True)
class Triggers:
    clock: Clock
    strict: Strictness
    _open: dict[str, Trigger] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def issue(self, user: str) -> str:
        trigger_id = f"{len(self._open) + 1000}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._open[trigger_id] = Trigger(user, self.clock.time())
        return trigger_id

    def exchange(self, trigger_id: str) -> str:
        """The user whose trigger this was; raises `KeyError` with Slack's error name."""
        trigger = self._open.get(trigger_id)
        if trigger is None:
            raise KeyError("invalid_trigger_id")
        if self.strict.trigger_ids:
            if trigger_id in self._used:
                raise KeyError("exchanged_trigger_id")
            if self.clock.time() - trigger.made_at > self.strict.trigger_id_s:
                raise KeyError("expired_trigger_id")
        self._used.add(trigger_id)
        return trigger.user
