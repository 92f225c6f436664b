"""What people do in channels: they type, press and choose, and see what comes of it."""

import re
from dataclasses import dataclass
from typing import Any

from bot.playground.slack.api_call import ApiError, Arguments
from bot.playground.slack.choices import action_of, option_named
from bot.playground.slack.delivery import Delivery
from bot.playground.slack.messages import Json, Message, find_element
from bot.playground.slack.outcome import Outcome
from bot.playground.slack.payloads import Payloads
from bot.playground.slack.people import BOT_USER, Channel, Person
from bot.playground.slack.platform import Platform
from bot.playground.slack.response_urls import ResponseUrl, ResponseUrls
from bot.playground.slack.socket_mode import Ack
from bot.playground.slack.typed_text import as_sent


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
        command, *rest = re.split(r"[ \n]", typed.strip(), maxsplit=1)
        if self.platform.commands and command not in self.platform.commands:
            self._tell(place, user, f"{command} is not a valid command.")
            return Outcome(delivered=False, error="invalid_command")
        text = as_sent("".join(rest).strip(), self.platform.workspace, with_names=True)
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

    def _person(self, user: str) -> Person:
        return self.platform.workspace.people[user]

    def _channel(self, channel: str, user: str) -> Channel:
        place = self.platform.workspace.channels[channel]
        if user not in place.members:
            raise LookupError(f"{user} is not in #{place.name}")
        return place

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
