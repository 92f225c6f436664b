"""From the settings to the configured provider instances."""

import logging
from collections.abc import Mapping

from bot.domain.clock import Clock
from bot.domain.errors import ConfigError
from bot.providers import registry
from bot.providers.broken import BrokenProvider, broken_spec
from bot.runtime.settings import PREFIX, Settings
from bot.services.fleet import Fleet, Instance

log = logging.getLogger(__name__)


def build_fleet(settings: Settings, clock: Clock) -> Fleet:
    """Builds every configured instance. ConfigError with all complaints about settings, one a
    line. A provider that is itself broken stops nothing: its place is taken by one that says so.
    """
    instances: list[Instance] = []
    complaints: list[str] = []
    for name, values in settings.providers.items():
        try:
            instances.append(build_instance(name, values, clock))
        except registry.BrokenProviderError as error:
            instances.append(_broken(name, values, error))
        except ConfigError as error:
            complaints.append(error.message)
    if complaints:
        raise ConfigError("\n".join(complaints))
    return Fleet(instances)


def build_instance(name: str, values: Mapping[str, str], clock: Clock) -> Instance:
    """One instance; its type is TYPE, or its name where that is left out. ConfigError, and
    BrokenProviderError if it is the provider's own fault.
    """
    prefix = f"{PREFIX}PROVIDERS__{name.upper()}__"
    own = dict(values)
    type_name = own.pop("type", name)
    try:
        spec = registry.load(type_name)
    except registry.BrokenProviderError:
        raise
    except ConfigError as error:
        raise ConfigError(f"{prefix}TYPE: {error.message}", error.detail) from error
    provider = registry.build(spec, name, own, prefix, clock)
    return Instance.of(name, spec, provider)


def _broken(name: str, values: Mapping[str, str], error: ConfigError) -> Instance:
    fields = {"instance": name, "problem": error.message, "detail": error.detail}
    log.error("provider.broken", extra=fields)
    spec = broken_spec(values.get("type", name))
    return Instance.of(name, spec, BrokenProvider(error.message))
