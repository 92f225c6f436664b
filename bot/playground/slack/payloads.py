"""The payloads that Slack sends, field by field."""

import secrets
from dataclasses import dataclass
from typing import Any

from bot.playground.slack.api_content import message_json
from bot.playground.slack.messages import Json, Message
from bot.playground.slack.people import APP_ID, BOT_USER, HOME_TEAM, Channel, Person
from bot.playground.slack.platform import Platform

VERIFICATION = "sample-verification-token"
"""Deprecated by Slack, still sent; no receiver may rely on it."""


@dataclass(frozen=True, slots=True)
class Payloads:
    platform: Platform

    def slash(
        self, person: Person, channel: Channel, command: str, text: str, response_url: str
    ) -> Json:
        """All values are strings, as in a form; `text` is there even when empty."""
        return {
            "token": VERIFICATION,
            "team_id": person.team_id,
            "team_domain": self.platform.workspace.domain(person.team_id),
            "channel_id": channel.id,
            "channel_name": channel.name_in_payloads,
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": self.platform.triggers.issue(person.id),
        }

    def message_action(
        self, person: Person, message: Message, action: Json, response_url: str
    ) -> Json:
        """A press on an element of a message; an ephemeral message is not repeated in it."""
        channel = self.platform.workspace.channels[message.channel]
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.ephemeral_for is not None,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        shown = {} if message.ephemeral_for else {"message": message_json(self.platform, message)}
        return {
            **self._interaction("block_actions", person),
            "container": container,
            "channel": {"id": channel.id, "name": channel.name_in_payloads},
            **shown,
            "state": {"values": {}},
            "response_url": response_url,
            "actions": [self._action(action)],
        }

    def view_action(self, person: Person, view: Json, action: Json) -> Json:
        return {
            **self._interaction("block_actions", person),
            "container": {"type": "view", "view_id": view["id"]},
            "view": view,
            "actions": [self._action(action)],
        }

    def submission(self, person: Person, view: Json, response_urls: list[Json]) -> Json:
        interaction = self._interaction("view_submission", person)
        return {**interaction, "view": view, "response_urls": response_urls}

    def closed(self, person: Person, view: Json, *, is_cleared: bool) -> Json:
        interaction = self._interaction("view_closed", person)
        del interaction["trigger_id"]
        return {**interaction, "view": view, "is_cleared": is_cleared}

    def suggestion(self, person: Person, view: Json, element: Json, typed: str) -> Json:
        interaction = self._interaction("block_suggestion", person)
        del interaction["trigger_id"]
        return {
            **interaction,
            "container": {"type": "view", "view_id": view["id"]},
            "view": view,
            "action_id": element["action_id"],
            "block_id": element["block_id"],
            "value": typed,
        }

    def mention(self, person: Person, message: Message) -> Json:
        return self._event(person, message, {"type": "app_mention"})

    def direct_message(self, person: Person, message: Message) -> Json:
        return self._event(person, message, {"type": "message", "channel_type": "im"})

    def _interaction(self, kind: str, person: Person) -> Json:
        workspace = self.platform.workspace
        return {
            "type": kind,
            "user": {
                "id": person.id,
                "username": person.name,
                "name": person.name,
                "team_id": person.team_id,
            },
            "api_app_id": APP_ID,
            "token": VERIFICATION,
            "trigger_id": self.platform.triggers.issue(person.id),
            "team": {"id": HOME_TEAM, "domain": workspace.domain(HOME_TEAM)},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _action(self, action: Json) -> Json:
        return {**action, "action_ts": self.platform.workspace.next_ts()}

    def _event(self, person: Person, message: Message, kind: Json) -> Json:
        """One Events API callback; a person of another workspace brings their team along."""
        event: Json = {
            **kind,
            "user": person.id,
            "ts": message.ts,
            "client_msg_id": secrets.token_hex(16),
            "text": message.text,
            "team": person.team_id,
            "channel": message.channel,
            "event_ts": message.ts,
        }
        if message.thread_ts:
            event["thread_ts"] = message.thread_ts
        if person.is_stranger:
            event |= {"user_team": person.team_id, "source_team": person.team_id}
        return {**self._callback(message), "event": event}

    def _callback(self, message: Message) -> Json:
        channel = self.platform.workspace.channels[message.channel]
        authorization: dict[str, Any] = {
            "enterprise_id": None,
            "team_id": HOME_TEAM,
            "user_id": BOT_USER,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        return {
            "token": VERIFICATION,
            "team_id": HOME_TEAM,
            "context_team_id": HOME_TEAM,
            "api_app_id": APP_ID,
            "type": "event_callback",
            "event_id": self.platform.workspace.next_id("Ev0"),
            "event_time": int(self.platform.clock.time()),
            "authorizations": [authorization],
            "is_ext_shared_channel": channel.is_ext_shared,
            "event_context": secrets.token_hex(8),
        }
