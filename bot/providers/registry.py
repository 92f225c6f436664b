"""The one door for providers, ours and anybody's: the entry-point group `bot.providers`."""

import re
import threading
import tomllib
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from bot.domain.clock import Clock
from bot.domain.errors import ConfigError
from bot.domain.providers import BuildContext, Capability, Provider, ProviderSpec, is_able

T = TypeVar("T")

GROUP = "bot.providers"
LIMIT_S = 10.0
"""How long importing a provider, or making an instance, may take."""
_CALLS = (
    "check", "sources", "observe", "recent", "get", "pipelines", "find_pipeline", "run_id_in",
)  # fmt: skip


class BrokenProviderError(ConfigError):
    """An installed provider that does not work: its author is to blame, not the settings.
    `message` names its distribution.
    """


@dataclass(frozen=True, slots=True)
class Found:
    """An installed provider type, not yet imported; `origin` is the distribution it is from."""

    type_name: str
    origin: str
    entry_point: EntryPoint

    def __str__(self) -> str:
        return f'provider type "{self.type_name}" ({self.origin})'


def found() -> dict[str, Found]:
    """The installed provider types by name. Nothing is imported."""
    declared = {one.name: one for one in _of_source_tree()}
    declared |= {one.name: one for one in entry_points(group=GROUP)}
    return {name: Found(name, _origin(one), one) for name, one in sorted(declared.items())}


def load(type_name: str) -> ProviderSpec:
    """Imports one provider type and no other. ConfigError if it is not installed,
    BrokenProviderError if it cannot be used.
    """
    known = found()
    if type_name not in known:
        installed = ", ".join(known) or "none"
        raise ConfigError(f"no provider type of that name is installed; there are: {installed}")
    one = known[type_name]
    spec = _tried(one.entry_point.load, f"{one} cannot be imported")
    problem = _problem_of(spec, type_name)
    if problem:
        raise BrokenProviderError(f"{one} is broken: {problem}")
    return spec  # type: ignore[no-any-return]  # `_problem_of` has looked


def build(
    spec: ProviderSpec, instance: str, values: Mapping[str, Any], prefix: str, clock: Clock
) -> Provider:
    """Makes an instance from its settings. `prefix` is put before the names in ConfigErrors;
    BrokenProviderError for what is not the settings' fault.
    """
    broken = f'provider type "{spec.type_name}" cannot be set up'
    try:
        settings = _tried(
            lambda: spec.settings.model_validate(dict(values)), broken, ValidationError
        )
    except ValidationError as error:
        raise ConfigError("\n".join(complaints(error, prefix))) from None
    context = BuildContext(instance, settings, clock)
    try:
        provider = _tried(lambda: spec.build(context), broken, ConfigError)
    except BrokenProviderError:
        raise
    except ConfigError as error:
        raise ConfigError(f"{prefix}…: {error.message}", error.detail) from error
    lacking = _lacking(spec, provider)
    if lacking:
        raise BrokenProviderError(f"{broken}: it has no {', '.join(lacking)}")
    return provider


def complaints(error: ValidationError, prefix: str) -> list[str]:
    """One line for each bad setting: its variable and what is wrong, never its value."""
    lines = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        name = prefix + "__".join(str(part) for part in one["loc"]).upper()
        lines.append(f"{name}: {_words(one['type'], one['msg'])}")
    return lines


def secret_names(spec: ProviderSpec) -> set[str]:
    """The settings of a provider that are secret."""
    return {
        name
        for name, field in spec.settings.model_fields.items()
        if field.annotation is SecretStr or SecretStr in getattr(field.annotation, "__args__", ())
    }


def _tried(work: Callable[[], T], what: str, *passing: type[Exception]) -> T:
    """The result of a stranger's code, which may raise anything and may never end: all that
    is not `passing` is BrokenProviderError.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # told to whoever waits
            future.set_exception(error)

    threading.Thread(target=run, name="provider-setup", daemon=True).start()
    try:
        return future.result(LIMIT_S)
    except passing:
        raise
    except Exception as error:
        if not future.done():
            raise BrokenProviderError(f"{what}: it did not end within {LIMIT_S:g} s") from None
        raise _blamed(what, error) from error
    except SystemExit as error:
        raise _blamed(what, error) from error


def _blamed(what: str, error: BaseException) -> BrokenProviderError:
    return BrokenProviderError(f"{what}: {type(error).__name__}", _place(error))


def _place(error: BaseException) -> str:
    """Where it was raised, without its text, which may hold a setting."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _problem_of(spec: Any, type_name: str) -> str:
    """What is wrong with a spec; empty if it can be used."""
    if not isinstance(spec, ProviderSpec):
        return "its entry point is not a ProviderSpec"
    if spec.type_name != type_name:
        return f"its spec calls itself {spec.type_name!r}"
    for name in ("settings", "trigger"):
        model = getattr(spec, name)
        if not isinstance(model, type) or not issubclass(model, BaseModel):
            return f"its {name} are not a pydantic model"
    try:
        re.compile(spec.id_pattern)
    except (re.error, TypeError):
        return "its id_pattern is not a regular expression"
    is_told = isinstance(spec.refusals, Mapping) and all(map(str, spec.refusals.values()))
    known = isinstance(spec.capabilities, frozenset) and spec.capabilities <= set(Capability)
    return "" if is_told and known else "its capabilities or refusals are none"


def _lacking(spec: ProviderSpec, provider: object) -> list[str]:
    """The calls that an instance should have, and has not."""
    calls = [name for name in _CALLS if not callable(getattr(provider, name, None))]
    return calls or sorted(c for c in spec.capabilities if not is_able(provider, c))  # type: ignore[arg-type]


def _words(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "there is no such setting"
    if kind == "missing":
        return "must be set"
    return message.removeprefix("Value error, ")


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
