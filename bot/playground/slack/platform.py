"""What all parts of the stand-in share."""

from dataclasses import dataclass, field

from bot.playground.clock import Clock
from bot.playground.slack.limits import Limits
from bot.playground.slack.messages import Json
from bot.playground.slack.strictness import Strictness
from bot.playground.slack.triggers import Triggers
from bot.playground.slack.views import Views
from bot.playground.slack.workspace import Workspace

BOT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "chat:write.public",
        "commands",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "team:read",
        "usergroups:read",
        "users:read",
    }
)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One Web API call as the stand-in understood it, with its outcome."""

    method: str
    args: Json
    reply: Json


@dataclass(slots=True)
class Platform:
    """`url` is where the stand-in is reached, without a slash at the end."""

    clock: Clock
    strict: Strictness
    workspace: Workspace
    views: Views
    triggers: Triggers
    limits: Limits
    bot_token: str = "xoxb-sample-bot-token"
    app_token: str = "xapp-sample-app-token"
    signing_secret: str = "sample-signing-secret"
    scopes: set[str] = field(default_factory=lambda: set(BOT_SCOPES))
    app_scopes: set[str] = field(default_factory=lambda: {"connections:write"})
    revoked: set[str] = field(default_factory=set)
    url: str = ""
    commands: dict[str, str] = field(default_factory=dict)
    """The app's slash commands and their usage hints; while empty, any command is the app's."""
    calls: list[ApiCall] = field(default_factory=list)

    @classmethod
    def sample(cls, clock: Clock, strict: Strictness) -> "Platform":
        workspace = Workspace(clock)
        return cls(
            clock,
            strict,
            workspace,
            Views(workspace),
            Triggers(clock, strict),
            Limits(clock),
        )
