"""What people do: they type, press, choose and submit, and see what comes of it."""

from dataclasses import dataclass, field
from typing import Any

from bot.playground.slack.api_call import ApiError, Arguments
from bot.playground.slack.blocks import view_problems
from bot.playground.slack.choices import action_of, addressed, missing, option_named
from bot.playground.slack.delivery import Delivery
from bot.playground.slack.messages import Json, Message, elements, find_element
from bot.playground.slack.payloads import Payloads
from bot.playground.slack.people import BOT_USER, Channel, Person
from bot.playground.slack.platform import Platform
from bot.playground.slack.response_urls import ResponseUrl, ResponseUrls
from bot.playground.slack.socket_mode import Ack
from bot.playground.slack.typed_text import as_sent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one interaction.

    `error` is what Slack would say (`operation_timeout`, `dispatch_failed`, …), empty when the
    app took it. `answer` is the message that the ack carried, `errors` a modal's complaints by
    block id. `confirm` is the dialog that was shown first; denied, nothing is delivered.
    """

    payload: Json = field(default_factory=dict)
    ack: Ack = field(default_factory=Ack)
    delivered: bool = True
    error: str = ""
    answer: Message | None = None
    confirm: Json | None = None
    errors: dict[str, str] = field(default_factory=dict)
    typed: Message | None = None

    @property
    def acked(self) -> bool:
        return self.delivered and not self.ack.error

    @property
    def acked_s(self) -> float:
        return self.ack.took_s


@dataclass(frozen=True, slots=True)
class Interactions:
    """Runs on the server's loop. Raises `LookupError` where a person could not do such a thing."""

    platform: Platform
    payloads: Payloads
    delivery: Delivery
    response_urls: ResponseUrls

    async def slash(
        self, user: str, channel: str, typed: str, via: str = "", forged: Json | None = None
    ) -> Outcome:
        """`typed` begins with the command; `forged` fields replace those that Slack would send."""
        person, place = self._person(user), self._channel(channel, user)
        command, _, rest = typed.strip().partition(" ")
        if self.platform.commands and command not in self.platform.commands:
            self._tell(place, user, f"{command} is not a valid command.")
            return Outcome(delivered=False, error="invalid_command")
        text = as_sent(rest.strip(), self.platform.workspace, with_names=True)
        url = self.response_urls.issue(place.id, user)
        payload = self.payloads.slash(person, place, command, text, url) | (forged or {})
        ack = await self.delivery.send("slash_commands", payload, via)
        if ack.error:
            self._failed(place, user, command, ack.error)
            return Outcome(payload, ack, error=ack.error)
        return self._answered(place, user, typed.strip(), payload, ack)

    async def mention(
        self, user: str, channel: str, text: str, thread_ts: str | None = None, via: str = ""
    ) -> Outcome:
        """`@bot text`; delivered where the bot is a member."""
        place = self._channel(channel, user)
        bot = self.platform.workspace.people[BOT_USER].name
        said = text if f"@{bot}" in text else f"@{bot} {text}"
        message = self._say(place, user, said, thread_ts)
        heard = BOT_USER in place.members and "app_mentions:read" in self.platform.scopes
        payload = self.payloads.mention(self._person(user), message)
        return await self._event(payload, message, heard=heard, via=via)

    async def direct_message(
        self, user: str, text: str, thread_ts: str | None = None, via: str = ""
    ) -> Outcome:
        place = self.platform.workspace.open_dm(user)
        message = self._say(place, user, text, thread_ts)
        payload = self.payloads.direct_message(self._person(user), message)
        heard = "im:history" in self.platform.scopes
        return await self._event(payload, message, heard=heard, via=via)

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Talk among people; the bot is not told."""
        return self._say(self._channel(channel, user), user, text, thread_ts)

    async def press(
        self,
        user: str,
        where: Message | Json,
        wanted: str,
        *,
        chosen: Any = None,
        within: str = "",
        confirm: bool = True,
        via: str = "",
    ) -> Outcome:
        """Presses a button or chooses an option, by label or action id, in a message or a view.

        `chosen` is what a select or an input was set to; `within` names the block. With
        `confirm=False` the person turns the dialog down, if there is one.
        """
        blocks = where.blocks if isinstance(where, Message) else where["blocks"]
        element = find_element(blocks, wanted, within)
        if element is None:
            raise LookupError(f"nothing called {wanted!r} to press")
        if chosen is None and element["type"] == "overflow":
            chosen = option_named(element, wanted)
        dialog = element.get("confirm")
        if dialog and not confirm:
            return Outcome(delivered=False, confirm=dialog)
        payload = self._action_payload(self._person(user), where, element, chosen)
        ack = await self.delivery.send("interactive", payload, via)
        if ack.error and isinstance(where, Message):
            channel = self.platform.workspace.channels[where.channel]
            self._failed(channel, user, "This action", ack.error)
        return Outcome(payload, ack, error=ack.error, confirm=dialog)

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

    def _channel(self, channel: str, user: str) -> Channel:
        place = self.platform.workspace.channels[channel]
        if user not in place.members:
            raise LookupError(f"{user} is not in #{place.name}")
        return place

    def _top(self, user: str) -> Json:
        view = self.platform.views.top(user)
        if view is None:
            raise LookupError(f"{user} has no modal open")
        return view

    def _say(self, place: Channel, user: str, text: str, thread_ts: str | None) -> Message:
        sent = as_sent(text, self.platform.workspace, with_names=False)
        return self.platform.workspace.post(place.id, user, sent, thread_ts=thread_ts)

    async def _event(self, payload: Json, typed: Message, *, heard: bool, via: str) -> Outcome:
        if not heard:
            return Outcome(payload, delivered=False, typed=typed)
        ack = await self.delivery.send_event(payload, via)
        return Outcome(payload, ack, error=ack.error, typed=typed)

    def _failed(self, place: Channel, user: str, what: str, error: str) -> None:
        words = "did not respond" if error == "operation_timeout" else "failed"
        self._tell(place, user, f"{what} {words} ({error})")

    def _tell(self, place: Channel, user: str, text: str) -> None:
        """What Slack itself says to one person."""
        self.platform.workspace.post(
            place.id, BOT_USER, text, ephemeral_for=user, subtype="slack_error"
        )

    def _answered(self, place: Channel, user: str, typed: str, payload: Json, ack: Ack) -> Outcome:
        held = {"text": ack.payload} if isinstance(ack.payload, str) else ack.payload or {}
        shown_to_all = held.get("response_type") == "in_channel"
        if shown_to_all:
            self.platform.workspace.post(place.id, user, typed, subtype="slash_command")
        if not held.get("text") and not held.get("blocks"):
            return Outcome(payload, ack)
        given = ResponseUrl(place.id, user, 0)
        try:
            answer = self.response_urls.answer(given, Arguments(held))
        except ApiError as refusal:
            error = str(refusal.body["error"])
            self._failed(place, user, payload["command"], error)
            return Outcome(payload, ack, error=error)
        return Outcome(payload, ack, answer=answer and answer.copy())

    def _action_payload(
        self, person: Person, where: Message | Json, element: Json, chosen: Any
    ) -> Json:
        action = action_of(element, chosen)
        if isinstance(where, Message):
            message = self.platform.workspace.find(where.channel, where.ts) or where
            url = self.response_urls.issue(message.channel, person.id, message)
            return self.payloads.message_action(person, message, action, url)
        view = self.platform.views.find(where["id"]) or where
        if element["type"] not in {"button", "overflow"}:
            address = f"{element['block_id']}/{element['action_id']}"
            self.platform.views.fill(view, {address: chosen})
        return self.payloads.view_action(person, view, action)

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
