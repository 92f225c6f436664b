"""The one door for providers, ours and anybody's: the entry-point group `bot.providers`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from bot.domain.clock import Clock
from bot.domain.errors import ConfigError
from bot.domain.providers import BuildContext, Provider, ProviderSpec

GROUP = "bot.providers"


@dataclass(frozen=True, slots=True)
class Found:
    """An installed provider type, not yet imported; `origin` is the distribution it is from."""

    type_name: str
    origin: str
    entry_point: EntryPoint


def found() -> dict[str, Found]:
    """The installed provider types by name. Nothing is imported."""
    declared = {one.name: one for one in _of_source_tree()}
    declared |= {one.name: one for one in entry_points(group=GROUP)}
    return {name: Found(name, _origin(one), one) for name, one in sorted(declared.items())}


def load(type_name: str) -> ProviderSpec:
    """Imports one provider type. ConfigError if it is not installed or broken."""
    known = found()
    if type_name not in known:
        installed = ", ".join(known) or "none"
        raise ConfigError(f'no provider type "{type_name}" is installed; there are: {installed}')
    try:
        spec = known[type_name].entry_point.load()
    except Exception as error:
        raise ConfigError(
            f'provider type "{type_name}" ({known[type_name].origin}) cannot be imported: '
            f"{type(error).__name__}"
        ) from error
    if not isinstance(spec, ProviderSpec):
        raise ConfigError(
            f'provider type "{type_name}" ({known[type_name].origin}) is broken: its entry point '
            "is not a ProviderSpec"
        )
    return spec


def build(
    spec: ProviderSpec, instance: str, values: Mapping[str, Any], prefix: str, clock: Clock
) -> Provider:
    """Makes an instance from its settings. `prefix` is put before the names in ConfigErrors."""
    try:
        settings = spec.settings.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError("\n".join(complaints(error, prefix))) from None
    try:
        return spec.build(BuildContext(instance, settings, clock))
    except ConfigError as error:
        raise ConfigError(f"{prefix}…: {error.message}", error.detail) from error


def complaints(error: ValidationError, prefix: str) -> list[str]:
    """One line for each bad setting: its variable and what is wrong, never its value."""
    lines = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        name = prefix + "__".join(str(part) for part in one["loc"]).upper()
        lines.append(f"{name}: {_words(one['type'], one['msg'])}")
    return lines


def _words(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "there is no such setting"
    if kind == "missing":
        return "must be set"
    return message.removeprefix("Value error, ")


def secret_names(spec: ProviderSpec) -> set[str]:
    """The settings of a provider that are secret."""
    return {
        name
        for name, field in spec.settings.model_fields.items()
        if field.annotation is SecretStr or SecretStr in getattr(field.annotation, "__args__", ())
    }


def _of_source_tree() -> list[EntryPoint]:
    """Our own entry points where the package runs from its source and is not installed."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    if not project.is_file():
        return []
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    declared: dict[str, str] = table["entry-points"][GROUP]
    return [EntryPoint(name, value, GROUP) for name, value in declared.items()]


def _origin(one: EntryPoint) -> str:
    return f"{one.dist.name} {one.dist.version}" if one.dist is not None else "this source"
