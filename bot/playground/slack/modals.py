"""Modals on people's screens: filled in, submitted, closed."""

from dataclasses import dataclass

from bot.playground.slack.blocks import view_problems
from bot.playground.slack.choices import addressed, missing
from bot.playground.slack.delivery import Delivery
from bot.playground.slack.messages import Json, elements, find_element
from bot.playground.slack.outcome import Outcome
from bot.playground.slack.payloads import Payloads
from bot.playground.slack.people import Person
from bot.playground.slack.platform import Platform
from bot.playground.slack.response_urls import ResponseUrls


@dataclass(frozen=True, slots=True)
class Modals:
    """Runs on the server's loop. Raises `LookupError` where there is no modal open."""

    platform: Platform
    payloads: Payloads
    delivery: Delivery
    response_urls: ResponseUrls

    async def submit(self, user: str, values: Json, via: str = "") -> Outcome:
        """Submits the topmost modal; `values` by label, block id or action id.

        Raises `ValueError` for a required input left empty, which Slack does not submit.
        """
        view = self._top(user)
        self.fill(user, values)
        empty = missing(view, view["state"]["values"])
        if empty:
            raise ValueError(f"required: {empty}")
        self.platform.views.errors.pop(view["id"], None)
        person = self._person(user)
        payload = self.payloads.submission(person, view, self._view_urls(view, user))
        ack = await self.delivery.send("interactive", payload, via)
        if ack.error:
            return Outcome(payload, ack, error=ack.error)
        answer = ack.payload if isinstance(ack.payload, dict) else {}
        error, errors = self._follow(user, view, answer)
        return Outcome(payload, ack, error=error, errors=errors)

    def fill(self, user: str, values: Json) -> None:
        """Fills in the topmost modal without submitting it; the app is not told."""
        view = self._top(user)
        self.platform.views.fill(view, addressed(view, values))

    async def close(self, user: str, *, everything: bool = False, via: str = "") -> Outcome:
        """Closes the topmost modal; the app is told when the view asked for it."""
        view = self._top(user)
        self.platform.views.close(user, everything=everything)
        payload = self.payloads.closed(self._person(user), view, is_cleared=everything)
        if not view["notify_on_close"]:
            return Outcome(payload, delivered=False)
        ack = await self.delivery.send("interactive", payload, via)
        return Outcome(payload, ack, error=ack.error)

    async def suggest(self, user: str, view: Json, wanted: str, typed: str) -> list[Json]:
        """The options that the app offers for an external select."""
        element = find_element(view["blocks"], wanted)
        if element is None:
            raise LookupError(f"nothing called {wanted!r} in the view")
        payload = self.payloads.suggestion(self._person(user), view, element, typed)
        ack = await self.delivery.send("interactive", payload)
        held = ack.payload if isinstance(ack.payload, dict) else {}
        groups = held.get("option_groups", [])
        return [*held.get("options", []), *(o for g in groups for o in g["options"])]

    def _person(self, user: str) -> Person:
        return self.platform.workspace.people[user]

    def _top(self, user: str) -> Json:
        view = self.platform.views.top(user)
        if view is None:
            raise LookupError(f"{user} has no modal open")
        return view

    def _follow(self, user: str, view: Json, answer: Json) -> tuple[str, dict[str, str]]:
        """Does what `response_action` says; without one the view closes."""
        views, action = self.platform.views, answer.get("response_action", "close")
        if action == "errors":
            return self._complain(view, answer.get("errors") or {})
        if action in {"update", "push"}:
            if self.platform.strict.blocks and view_problems(answer.get("view")):
                return "invalid_arguments", {}
            if action == "update":
                views.update(view, answer["view"])
            else:
                views.push(user, answer["view"])
        else:
            views.close(user, everything=action == "clear")
        return "", {}

    def _complain(self, view: Json, errors: dict[str, str]) -> tuple[str, dict[str, str]]:
        inputs = {b["block_id"] for b in view["blocks"] if b["type"] == "input"}
        if not errors or errors.keys() - inputs:
            return "errors_for_no_input", {}
        self.platform.views.errors[view["id"]] = errors
        self.platform.workspace.changed()
        return "", errors

    def _view_urls(self, view: Json, user: str) -> list[Json]:
        found = []
        for element in elements(view["blocks"]):
            chosen = view["state"]["values"].get(element["block_id"], {})
            held = chosen.get(element["action_id"], {})
            channel = held.get("selected_conversation") or held.get("selected_channel")
            if element.get("response_url_enabled") and channel:
                url = self.response_urls.issue(channel, user)
                place = {key: element[key] for key in ("block_id", "action_id")}
                found.append({**place, "channel_id": channel, "response_url": url})
        return found
