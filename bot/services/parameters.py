"""Trigger parameters: from what was typed to the provider's own model, and back into words."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from bot.domain.errors import UserError
from bot.domain.providers import Variable
from bot.domain.replies import ParameterHelp, PreviewLine, TriggerHelp
from bot.services.fleet import Instance, nearest

MASK = "•••"


def field_names(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The parameters of a trigger model under the vendor's own names."""
    return {
        (field.validation_alias if isinstance(field.validation_alias, str) else field.alias)
        or name: field
        for name, field in model.model_fields.items()
    }


def named(one: Instance, bare: str | None, typed: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The typed parameters by name, the bare word under its own; empty ones are left out."""
    parameters = dict(typed)
    if bare is not None:
        name = one.spec.bare_parameter
        if name is None:
            raise UserError(
                f'{one.spec.title} takes no bare word; what is "{bare}"? '
                f"Its parameters: {_known(one.spec.trigger)}.",
                help_command="/trigger help",
            )
        if name in parameters:
            raise UserError(f'"{bare}" and {name}= are both the {name}; give one.')
        parameters = {name: bare, **parameters}
    return {name: value for name, value in parameters.items() if value != ""}


def check_names(one: Instance, parameters: Mapping[str, str]) -> None:
    """UserError, with the valid names, for a parameter this provider does not have."""
    names = field_names(one.spec.trigger)
    for name in parameters:
        if name not in names:
            close = nearest(name, names)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise UserError(
                f'{one.spec.title} has no parameter "{name}".{hint} '
                f"Its parameters: {_known(one.spec.trigger)}"
                f"{', env.NAME=value' if one.spec.takes_variables else ''}.",
                help_command="/trigger help",
            )


def build(one: Instance, parameters: Mapping[str, str], variables: Sequence[Variable]) -> BaseModel:
    """The provider's trigger model; UserError that names the parameter and what it takes."""
    check_names(one, parameters)
    if variables and not one.spec.takes_variables:
        raise UserError(f"{one.spec.title} takes no env.NAME=value.", help_command="/trigger help")
    try:
        return one.spec.trigger.model_validate(dict(parameters))
    except ValidationError as error:
        raise UserError(_sentence(error, one.spec.trigger), help_command="/trigger help") from None


def _known(model: type[BaseModel]) -> str:
    return ", ".join(field_names(model)) or "none"


def _sentence(error: ValidationError, model: type[BaseModel]) -> str:
    """The first complaint, with the parameter's name, what it takes, and not its value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    field = field_names(model).get(where)
    takes = f". It takes: {field.description}" if field is not None and field.description else ""
    return f"{where}: {what}{takes}" if where else what


def preview(
    target: str, parameters: Mapping[str, str], variables: Sequence[Variable]
) -> tuple[PreviewLine, ...]:
    """What would be sent. The values of variables may be secret: never shown."""
    return (
        PreviewLine("pipeline", target, "typed"),
        *(PreviewLine(name, value, "typed") for name, value in parameters.items()),
        *(PreviewLine(f"env.{one.name}", MASK, "typed") for one in variables),
    )


def trigger_help(one: Instance) -> TriggerHelp:
    parameters = tuple(
        ParameterHelp(name, field.description or _type_name(field), field.is_required())
        for name, field in field_names(one.spec.trigger).items()
    )
    return TriggerHelp(
        one.name, one.spec.title, one.spec.pipeline_form, parameters, one.spec.takes_variables
    )


def _type_name(field: FieldInfo) -> str:
    kind: Any = field.annotation
    return getattr(kind, "__name__", str(kind))
