"""The Bolt app: every listener answers inline and at once, the work goes elsewhere."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any, cast

from slack_bolt import Ack as BoltAck
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware import Middleware
from slack_sdk import WebClient

from bot.domain.errors import BotError
from bot.domain.intents import Topic
from bot.slack import incoming
from bot.slack.door import Door
from bot.slack.identity import Identity

log = logging.getLogger(__name__)

COMMANDS = ("runs", "trigger", "abort", "retry", "watch")


def create_app(
    door: Door, identity: Identity, client: WebClient, *, signing_secret: str, prefix: str
) -> App:
    """Registers the listeners. `prefix` is that of the slash commands (`ci-` for /ci-runs).

    Without a signing secret the app is for Socket Mode only.
    """
    logging.getLogger("slack_bolt").setLevel(logging.WARNING)  # at INFO it logs raw bodies
    app = App(
        name="bot",
        client=client,
        signing_secret=signing_secret,
        authorize=_authorize(identity),
        process_before_response=True,
        raise_error_for_unhandled_request=True,
        request_verification_enabled=bool(signing_secret),
    )
    app.error(_say_fault)
    app.middleware(_ForUs())
    _register_commands(app, door, prefix)
    _register_events(app, door, identity)
    _register_presses(app, door)
    return app


def _authorize(identity: Identity) -> Callable[..., AuthorizeResult]:
    def authorize() -> AuthorizeResult:
        """No parameters: Bolt passes what is named here, and nothing is needed."""
        result = identity.authorize()
        if result is None:
            raise BotError(f"Slack does not accept the bot's token ({identity.error}).")
        return result

    return authorize


def _register_commands(app: App, door: Door, prefix: str) -> None:
    @app.command(re.compile(r"^/.*$"))
    def on_command(ack: BoltAck, body: dict[str, Any]) -> None:
        name = str(body["command"]).removeprefix("/").removeprefix(prefix)
        if name not in COMMANDS:
            ack(text=f"I know {', '.join(f'/{prefix}{c}' for c in COMMANDS)}.")
            return
        answer = door.slash(
            incoming.slash(body), cast("Topic", name), str(body.get("text") or "")
        ).body()
        if answer is None:
            ack()
        else:
            ack(**answer)


def _register_events(app: App, door: Door, identity: Identity) -> None:
    @app.event("app_mention")
    @app.event("message")
    def on_event(ack: BoltAck, body: dict[str, Any]) -> None:
        ack()
        arrived = incoming.event(body)
        itself = identity.itself
        if arrived is not None and itself is not None:
            text = str(body["event"].get("text") or "")
            door.sentence(arrived, incoming.without_mention(text, itself.user_id))


def _register_presses(app: App, door: Door) -> None:
    @app.action(re.compile(".*"))
    def on_press(ack: BoltAck, body: dict[str, Any]) -> None:
        ack()
        action = body["actions"][0]
        chosen = action.get("selected_option") or {}
        value = action.get("value") or chosen.get("value")
        if value:
            door.press(incoming.press(body), str(value))


class _ForUs(Middleware):
    """Acknowledges what nothing here is for, and lets nothing else of Bolt look at it: for some of
    it that raises past `app.error`, when it matches listeners and when it names their arguments
    (seen with slack-bolt 1.30).
    """

    def process(
        self,
        *,
        req: BoltRequest,
        resp: BoltResponse,
        next: Callable[[], object],  # noqa: A002  # Bolt passes it by this name
    ) -> BoltResponse:
        if "command" in req.body or "event" in req.body or _is_press(req.body):
            next()
            return resp
        log.warning("payload.unknown", extra={"type": str(req.body.get("type"))[:40]})
        return BoltResponse(status=200)


def _is_press(body: dict[str, Any]) -> bool:
    actions = body.get("actions")
    is_one = isinstance(actions, list) and actions and isinstance(actions[0], dict)
    return body.get("type") == "block_actions" and bool(is_one)


def _say_fault(error: Exception) -> BoltResponse:
    """A 200 with a text: over Socket Mode anything else is never acknowledged at all (seen)."""
    log.error("listener.failed", exc_info=error)
    text = "That did not work: there is a fault in the bot, and nothing was done."
    if isinstance(error, BotError):
        text = error.message
    return BoltResponse(
        status=200,
        headers={"content-type": ["application/json"]},
        body=json.dumps({"response_type": "ephemeral", "text": text}),
    )
