"""What is sent to debci for one run: the parameters people give, the trigger text, the form."""

import json
import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.domain.providers import TriggerRequest
from bot.providers.debci_runs import Place
from bot.providers.settings import CommaList, comma_list

# debci puts pins and sources into a line for its worker, parted by spaces: none may hold one.
_PIN = re.compile(r"[A-Za-z0-9*][A-Za-z0-9+.:*,/_~-]*")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._~-]*")

Pins = tuple[tuple[str, ...], ...]


def read_pins(value: Any) -> Any:
    """Reads `src:foo,unstable; bar,baz,experimental` or `[["src:foo", "unstable"], …]`.

    The last name of a group is the suite from which the packages before it are taken.
    """
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError("must be a JSON array of arrays, or src:foo,unstable") from None
    return [comma_list(group) for group in value.split(";") if group.strip()]


def _checked_pins(pins: Pins) -> Pins:
    if any(len(group) < 2 for group in pins):  # noqa: PLR2004  # a package and a suite
        raise ValueError("must name packages and then their suite, as in src:foo,unstable")
    if not all(_PIN.fullmatch(name) for group in pins for name in group):
        raise ValueError("must hold names of packages and suites without spaces")
    suites = [group[-1] for group in pins]
    if len(set(suites)) < len(suites):
        raise ValueError("must name each suite once: put its packages into one group")
    return pins


def _checked_sources(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_SOURCE.fullmatch(name) for name in names):
        raise ValueError("must be names of apt sources that the server's administrator has set up")
    return names


def _one_line(text: str) -> str:
    """Free text without control characters; white space becomes single spaces."""
    spaced = (" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)
    return " ".join("".join(spaced).split())


class TriggerParameters(BaseModel):
    """What a request may hold besides suite, architecture and package, under debci's names.

    Empty values count as not given, and what is not given is not sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    priority: int | None = Field(
        default=None, ge=1, le=10, description="1 to 10; the server's default is 5"
    )
    pin_packages: Annotated[Pins, BeforeValidator(read_pins), AfterValidator(_checked_pins)] = (
        Field(
            default=(),
            alias="pin-packages",
            description="packages to take from another suite: src:foo,unstable; bar,experimental",
        )
    )
    is_private: bool | None = Field(
        default=None, description="leave the run out of the server's public pages"
    )
    trigger: Annotated[str, AfterValidator(_one_line)] = Field(
        default="", max_length=200, description="why the run is wanted; the bot's mark is added"
    )
    extra_apt_sources: Annotated[CommaList, AfterValidator(_checked_sources)] = Field(
        default=(),
        alias="extra-apt-sources",
        description="apt sources that the server's administrator has defined",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {
            name: value
            for name, value in values.items()
            if value is not None and not (isinstance(value, str) and not value.strip())
        }


def trigger_text(parameters: TriggerParameters, request: TriggerRequest) -> str:
    """`slack/REQUESTER/MARK`, after the person's own text if there is one. debci stores it
    and gives it back unchanged, so the run can be told by it. Readers of runs take the mark
    away again (`debci_runs`).
    """
    mark = f"slack/{request.requester}/{request.mark}"
    return f"{parameters.trigger} {mark}" if parameters.trigger else mark


def form_of(place: Place, parameters: TriggerParameters, trigger: str) -> dict[str, str]:
    """The fields of POST `/v1/test/SUITE/ARCH`, for one run.

    It is the array form with one item, as the form for one run drops the trigger text.
    `tests` must be a form field: debci refuses it as a JSON body.
    """
    item: dict[str, Any] = {"package": place.package, "trigger": trigger}
    if parameters.pin_packages:
        item["pin-packages"] = [list(group) for group in parameters.pin_packages]
    if parameters.is_private is not None:
        item["is_private"] = parameters.is_private
    if parameters.extra_apt_sources:
        item["extra-apt-sources"] = list(parameters.extra_apt_sources)
    form = {"tests": json.dumps([item])}
    if parameters.priority is not None:
        form["priority"] = str(parameters.priority)
    return form
