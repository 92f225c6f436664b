"""The Slack app manifest: made here once, so that what is asked for is what is used."""

from typing import Any

import yaml

from bot.slack.app import COMMANDS
from bot.slack.http import PATH

SCOPES = {
    "app_mentions:read": "the words behind @bot",
    "channels:history": "finding an alert again whose answer was lost",
    "chat:write": "alerts, cards and answers",
    "chat:write.public": "watching a public channel without an invitation",
    "commands": "the slash commands",
    "groups:history": "the same in private channels",
    "im:history": "direct messages to the bot",
    "usergroups:read": "operators named by user group",
    "users:read": "telling guests from full members",
}
EVENTS = ("app_mention", "message.im")
_DESCRIPTIONS = {
    "runs": ("List runs, or show one", "[run | failing | running | mine | help] [filters]"),
    "trigger": ("Start a run", "<pipeline> [branch] [name=value …] [dry]"),
    "abort": ("Stop a run", "<run> [reason]"),
    "retry": ("Repeat a run", "<run> [failed | all] [dry]"),
    "watch": ("Choose what this channel hears about", "<pipeline | * | list | off | help>"),
}


def manifest(*, prefix: str, is_socket_mode: bool, url: str) -> dict[str, Any]:
    """The manifest for this command prefix; `url` is the public address in HTTP mode."""
    request_url = {} if is_socket_mode else {"request_url": f"{url.rstrip('/')}{PATH}"}
    return {
        "display_information": {
            "name": "CI bot",
            "description": "Lists, starts, stops and repeats test runs, and tells when one fails",
            "background_color": "#1f3a4d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "ci-bot", "always_online": True},
            "slash_commands": [_command(name, prefix, request_url) for name in COMMANDS],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": is_socket_mode,
            "token_rotation_enabled": False,
        },
    }


def _command(name: str, prefix: str, request_url: dict[str, str]) -> dict[str, Any]:
    description, hint = _DESCRIPTIONS[name]
    url = {"url": request_url["request_url"]} if request_url else {}
    return {
        "command": f"/{prefix}{name}",
        **url,
        "description": description,
        "usage_hint": hint,
        "should_escape": True,
    }


def as_yaml(value: dict[str, Any]) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
