"""The app manifest: the file is what the program prints, within Slack's limits."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.runtime.manifest import SCOPES, manifest
from bot.slack.app import COMMANDS

ROOT = Path(__file__).parents[2]
SOURCES = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "bot" / "slack").glob("*.py"))
USED_BY = {
    "app_mentions:read": '"app_mention"',
    "channels:history": "conversations_history",
    "groups:history": "conversations_history",
    "im:history": '"message"',
    "chat:write": "chat_postMessage",
    "chat:write.public": "chat_postMessage",
    "commands": "app.command",
    "usergroups:read": "usergroups_users_list",
    "users:read": "users_info",
}


def test_the_file_is_what_the_program_prints() -> None:
    in_file = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    assert in_file == manifest(prefix="", is_socket_mode=True, url="")


def test_no_scope_is_asked_for_that_nothing_uses() -> None:
    assert set(SCOPES) == set(USED_BY)
    assert [scope for scope, call in USED_BY.items() if call not in SOURCES] == []


@pytest.mark.parametrize("is_socket_mode", [True, False])
@pytest.mark.parametrize("prefix", ["", "ci-"])
def test_it_keeps_slacks_limits(prefix: str, is_socket_mode: bool) -> None:  # noqa: FBT001
    made: dict[str, Any] = manifest(
        prefix=prefix, is_socket_mode=is_socket_mode, url="https://bot.example.com/"
    )
    commands = made["features"]["slash_commands"]
    assert [c["command"] for c in commands] == [f"/{prefix}{name}" for name in COMMANDS]
    for one in commands:
        assert len(one["command"]) <= 32
        assert len(one["description"]) <= 2000
        assert len(one["usage_hint"]) <= 1000
        assert one.get("url") == (
            None if is_socket_mode else "https://bot.example.com/slack/events"
        )
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
    assert len(made["features"]["bot_user"]["display_name"]) <= 80
    for part in ("interactivity", "event_subscriptions"):
        assert ("request_url" in made["settings"][part]) is not is_socket_mode
    assert made["settings"]["socket_mode_enabled"] is is_socket_mode
