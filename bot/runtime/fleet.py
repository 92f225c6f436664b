"""From the settings to the configured provider instances."""

from collections.abc import Mapping

from bot.domain.clock import Clock
from bot.domain.errors import ConfigError
from bot.providers import registry
from bot.runtime.settings import PREFIX, Settings
from bot.services.fleet import Fleet, Instance


def build_fleet(settings: Settings, clock: Clock) -> Fleet:
    """Builds every configured instance. ConfigError with all complaints, one a line."""
    instances: list[Instance] = []
    complaints: list[str] = []
    for name, values in settings.providers.items():
        try:
            instances.append(build_instance(name, values, clock))
        except ConfigError as error:
            complaints.append(error.message)
    if complaints:
        raise ConfigError("\n".join(complaints))
    return Fleet(instances)


def build_instance(name: str, values: Mapping[str, str], clock: Clock) -> Instance:
    """One instance; its type is TYPE, or its name where that is left out."""
    prefix = f"{PREFIX}PROVIDERS__{name.upper()}__"
    own = dict(values)
    type_name = own.pop("type", name)
    try:
        spec = registry.load(type_name)
    except ConfigError as error:
        raise ConfigError(f"{prefix}TYPE: {error.message}", error.detail) from error
    provider = registry.build(spec, name, own, prefix, clock)
    return Instance.of(name, spec, provider)
