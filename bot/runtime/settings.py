"""The settings: environment, then `.env`, then `bot.toml`; every complaint names its variable."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, SettingsConfigDict

from bot.domain.errors import ConfigError
from bot.domain.outbox import Unseen
from bot.domain.runs import is_instance_name
from bot.domain.watches import Preset
from bot.providers.registry import complaints
from bot.providers.settings import CommaList, is_loopback

PREFIX = "BOT_"
SHORTEST_SECRET = 8
_CHANNEL = re.compile(r"[CGD][A-Za-z0-9_-]+")
_OPERATOR = re.compile(r"\*|[UWSCGD][A-Za-z0-9_-]+")


def _api_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme == "https" and parts.hostname:
        return text.rstrip("/") + "/"
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return text.rstrip("/") + "/"
    raise ValueError("must be https; plain http is for loopback hosts only")


def _channel(text: str) -> str:
    if not _CHANNEL.fullmatch(text):
        raise ValueError("must be a channel id such as C0123ABCD (not a name)")
    return text


def _operators(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        if not _OPERATOR.fullmatch(text):
            raise ValueError(
                "takes user ids (U…), user-group ids (S…), channel ids (C…) and *, comma separated"
            )
    return texts


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{0,20}", text):
        raise ValueError("takes up to 20 lower-case letters, digits, - and _")
    return text


def _database_url(text: str) -> str:
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return text
    if text.startswith(("postgresql://", "postgres://")):
        raise ValueError("PostgreSQL is not supported yet; use sqlite:///PATH")
    raise ValueError("must be sqlite:///PATH")


Channel = Annotated[str, AfterValidator(_channel)]


class PollSettings(BaseModel):
    """Seconds between two polls of a source: while runs are under way, and at the most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_interval_s: float = Field(
        default=10.0, ge=0.05, le=86400, description="seconds between polls while runs are open"
    )
    max_interval_s: float = Field(
        default=300.0, ge=0.05, le=86400, description="seconds between polls at the most"
    )

    @model_validator(mode="before")
    @classmethod
    def _follow(cls, values: Any) -> Any:
        """One of the two alone moves the other, so that min ≤ max holds."""
        if not isinstance(values, dict):
            return values
        names = ("min_interval_s", "max_interval_s")
        given = {name: values[name] for name in names if name in values}
        if len(given) == 1:
            try:
                number = float(next(iter(given.values())))
            except (TypeError, ValueError):
                return values
            if "min_interval_s" in given and number > 300:  # noqa: PLR2004
                return values | {"max_interval_s": number}
            if "max_interval_s" in given and number < 10:  # noqa: PLR2004
                return values | {"min_interval_s": number}
        return values

    @model_validator(mode="after")
    def _ordered(self) -> "PollSettings":
        if self.min_interval_s > self.max_interval_s:
            raise ValueError("MIN_INTERVAL_S must not be above MAX_INTERVAL_S")
        return self


class WatchSettings(BaseModel):
    """One entry of BOT_WATCHES."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Channel
    pipeline: str = Field(min_length=1, max_length=500)
    branch: str | None = None
    env: str | None = None
    by: str | None = None
    on: Preset = Preset.CHANGES
    mention: str | None = None


class Settings(BaseSettings):
    """Everything the bot is told from outside. Secrets are SecretStr and stay out of `repr`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    slack_bot_token: SecretStr | None = Field(
        default=None, validation_alias="SLACK_BOT_TOKEN", description="the bot token (`xoxb-…`)"
    )
    slack_app_token: SecretStr | None = Field(
        default=None,
        validation_alias="SLACK_APP_TOKEN",
        description="the app-level token (`xapp-…`); set, the bot uses Socket Mode",
    )
    slack_signing_secret: SecretStr | None = Field(
        default=None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="needed in HTTP mode, that is without an app token",
    )
    slack_api_url: Annotated[str, AfterValidator(_api_url)] = Field(
        default="https://slack.com/api/",
        validation_alias="SLACK_API_URL",
        description="plain http for loopback hosts only",
    )
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///bot.db",
        validation_alias="DATABASE_URL",
        description="`sqlite:///PATH`; one slash more for an absolute path",
    )
    port: int = Field(
        default=3000,
        ge=0,
        le=65535,
        validation_alias="PORT",
        description="serves `/healthz`, `/readyz`, `/metrics`, and `/slack/events` in HTTP mode",
    )
    bind_host: str = Field(
        default="0.0.0.0",  # noqa: S104  # a platform's router comes from outside
        description="the address to listen on; `127.0.0.1` behind a proxy on the same machine",
    )
    providers: dict[str, dict[str, str]] = Field(
        default={}, repr=False, description="the providers, see below"
    )
    operators: Annotated[CommaList, NoDecode, AfterValidator(_operators)] = Field(
        default=(),
        description="who may trigger, abort, retry and watch: user ids, user-group ids, channel "
        "ids, comma separated; `*` is every full member; unset: nobody",
    )
    watches: tuple[WatchSettings, ...] = Field(
        default=(),
        description="JSON list of watches made at the start: "
        '`[{"channel": "C…", "pipeline": "wercker:…", "branch": "main", "on": "changes"}]`',
    )
    alert_channel: Channel | None = Field(
        default=None, description="a channel id that watches everything"
    )
    unseen: Unseen = Field(
        default=Unseen.RESEND,
        description="what to do with a message whose answer from Slack was lost, where the "
        "channel's history may not be read: `resend` (it may stand there twice) or `hold` (it "
        "may be missing)",
    )
    poll: PollSettings = PollSettings()
    command_prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="", description="`ci-` makes `/ci-runs` …, where the names clash"
    )

    @property
    def is_socket_mode(self) -> bool:
        return self.slack_app_token is not None

    @property
    def database_path(self) -> Path:
        return Path(self.database_url.removeprefix("sqlite:///"))

    def secrets(self) -> tuple[str, ...]:
        """Every secret value that is long enough to be told from a common word."""
        named = (self.slack_bot_token, self.slack_app_token, self.slack_signing_secret)
        values = [one.get_secret_value() for one in named if one is not None]
        values += [v for one in self.providers.values() for k, v in one.items() if _is_secret(k)]
        return tuple(value for value in values if len(value) >= SHORTEST_SECRET)


def _is_secret(name: str) -> bool:
    return any(word in name for word in ("token", "secret", "key", "password"))


def load(environ: Mapping[str, str], folder: Path) -> Settings:
    """Reads the settings. ConfigError with one line for each bad or unknown variable."""
    merged = {k: v for k, v in dotenv_values(folder / ".env").items() if v is not None}
    merged |= environ
    return read(merged, _toml(folder / "bot.toml"))


def read(environ: Mapping[str, str], file: Mapping[str, Any] | None = None) -> Settings:
    """The settings from these values alone; those of `file` yield to the environment."""
    variables = {k.upper(): v for k, v in environ.items()}
    unknown = [f"{name}: there is no such setting" for name in _unknown(variables)]
    try:
        source = _Source(Settings, variables)
        values = _merged(dict(file or {}), source())
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(unknown + _lines(error))) from None
    except ValueError as error:  # a list or table that is not JSON
        name = re.search(r'field "(\w+)"', str(error))
        field = f"{PREFIX}{name[1].upper()}" if name else "a setting"
        raise ConfigError("\n".join([*unknown, f"{field}: must be JSON"])) from None
    unknown += [
        f"{PREFIX}PROVIDERS__{instance.upper()}: not a name people could type"
        for instance in settings.providers
        if not is_instance_name(instance)
    ]
    if unknown:
        raise ConfigError("\n".join(unknown))
    return settings


class _Source(EnvSettingsSource):
    """pydantic's reading of nested variables, from a mapping instead of the process."""

    def __init__(self, settings: type[BaseSettings], variables: Mapping[str, str]) -> None:
        self._variables = {k.lower(): v for k, v in variables.items()}
        super().__init__(settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {k: v for k, v in self._variables.items() if v != ""}


def _unknown(variables: Mapping[str, str]) -> list[str]:
    known = {name.upper() for name in Settings.model_fields}
    return sorted(
        name
        for name in variables
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).split("__")[0] not in known
    )


def _lines(error: ValidationError) -> list[str]:
    lines = complaints(error, "")
    own = {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_API_URL"}
    own |= {"DATABASE_URL", "PORT"}
    return [line if line.split(":")[0] in own else PREFIX + line for line in lines]


def _merged(low: dict[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in high.items():
        if isinstance(value, dict) and isinstance(low.get(key), dict):
            low[key] = _merged(dict(low[key]), value)
        else:
            low[key] = value
    return low


def _toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"bot.toml cannot be read: {type(error).__name__}") from error
    for name, table in values.get("providers", {}).items():
        if not isinstance(table, dict):
            raise ConfigError(f"bot.toml: providers.{name} must be a table")
        values["providers"][name] = {k: _text(v) for k, v in table.items()}
    _refuse_secrets(values)
    return values


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _refuse_secrets(values: dict[str, Any]) -> None:
    names = [name for name in values if name.startswith("slack_") and name != "slack_api_url"]
    for instance, table in values.get("providers", {}).items():
        names += [f"providers.{instance}.{k}" for k in table if _is_secret(k)]
    if names:
        raise ConfigError(
            f"bot.toml: {', '.join(names)} may be secret and belongs into the environment or .env"
        )
