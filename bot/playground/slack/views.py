"""Modals open on people's screens, and Home tabs."""

import secrets
from dataclasses import dataclass, field

from bot.playground.slack.choices import view_values
from bot.playground.slack.messages import Json
from bot.playground.slack.people import APP_ID, BOT_ID, HOME_TEAM
from bot.playground.slack.workspace import Workspace

MOST_STACKED = 3


@dataclass(slots=True)
class Views:
    workspace: Workspace
    stacks: dict[str, list[Json]] = field(default_factory=dict)
    homes: dict[str, Json] = field(default_factory=dict)
    filled: dict[str, Json] = field(default_factory=dict)
    """What a person put into a view, by view id and `block_id/action_id`.

    It outlives an update of the view where both ids stay the same, as it does in Slack's clients.
    """
    errors: dict[str, dict[str, str]] = field(default_factory=dict)
    """The app's complaints about a submission, by view id and block id."""

    def top(self, user: str) -> Json | None:
        stack = self.stacks.get(user)
        return stack[-1] if stack else None

    def open(self, user: str, view: Json) -> Json:
        kept = self._keep(view, {})
        self.stacks[user] = [kept]
        return self._changed(kept)

    def push(self, user: str, view: Json) -> Json | None:
        """None when three views are open already."""
        stack = self.stacks.setdefault(user, [])
        if len(stack) >= MOST_STACKED:
            return None
        under = (
            {"previous_view_id": stack[-1]["id"], "root_view_id": stack[0]["id"]} if stack else {}
        )
        kept = self._keep(view, under)
        stack.append(kept)
        return self._changed(kept)

    def update(self, held: Json, view: Json) -> Json:
        """Replaces the contents of `held` in its place; it gets a new hash."""
        same = {key: held[key] for key in ("id", "root_view_id", "previous_view_id")}
        fresh = self._keep(view, same)
        held.clear()
        held.update(fresh)
        return self._changed(held)

    def publish(self, user: str, view: Json) -> Json:
        held = self.homes.get(user)
        kept = self._keep(view, {"id": held["id"]} if held else {})
        self.homes[user] = kept
        return self._changed(kept)

    def close(self, user: str, *, everything: bool = False) -> None:
        stack = self.stacks.get(user, [])
        del stack[0 if everything else -1 :]
        self.workspace.changed()

    def find(self, view_id: str = "", external_id: str = "") -> Json | None:
        every = [view for stack in self.stacks.values() for view in stack]
        every += self.homes.values()
        return next(
            (
                view
                for view in every
                if view["id"] == view_id or (external_id and view["external_id"] == external_id)
            ),
            None,
        )

    def fill(self, view: Json, filled: Json) -> None:
        """Puts what was filled in, now and before, into the view's state."""
        held = self.filled.setdefault(view["id"], {})
        held.update(filled)
        view["state"] = {"values": view_values(view, held)}

    def _keep(self, view: Json, same: Json) -> Json:
        view_id = self.workspace.next_id("V0")
        return {
            "id": view_id,
            "team_id": HOME_TEAM,
            "app_id": APP_ID,
            "app_installed_team_id": HOME_TEAM,
            "bot_id": BOT_ID,
            "title": None,
            "submit": None,
            "close": None,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "root_view_id": same.get("id", view_id),
            "previous_view_id": None,
            **view,
            "blocks": self.workspace.with_ids(view["blocks"]),
            "state": {"values": {}},
            "hash": f"{int(self.workspace.clock.time())}.{secrets.token_hex(4)}",
            **same,
        }

    def _changed(self, view: Json) -> Json:
        self.workspace.changed()
        return view
