"""What is sent to start a launch of Allure TestOps: of a job, or of a test plan. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Variable
from bot.providers.allure_replies import ID, JobReply
from bot.providers.settings import CommaList

MOST_NAME = 255
"""The server refuses a longer launch name (read in a vendor client)."""
_PAIR = re.compile(r"(?P<id>[1-9][0-9]{0,18})\s*=(?P<value>.*)", re.DOTALL)


def _read_parameters(value: Any) -> Any:
    """`31=firefox, 32=staging`, or JSON as the vendor takes it: `[{"id": 31, "value": "a,b"}]`."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return ()
    if value.lstrip().startswith("["):
        return _read_json(value)
    pairs = [_PAIR.fullmatch(part.strip()) for part in value.split(",")]
    if not all(pairs):
        raise ValueError("must be id=value, id=value (or the vendor's own JSON)")
    return tuple((int(pair["id"]), pair["value"]) for pair in pairs if pair)


def _read_json(text: str) -> tuple[tuple[int, str], ...]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("must be a JSON list of id and value") from None
    if not all(
        isinstance(item, dict)
        and set(item) == {"id", "value"}
        and ID.fullmatch(str(item["id"]))
        and isinstance(item["value"], str)
        for item in items
    ):
        raise ValueError("must be a JSON list of id and value")
    return tuple((int(item["id"]), item["value"]) for item in items)


def _check_links(links: tuple[str, ...]) -> tuple[str, ...]:
    if not all(re.fullmatch(r"https?://[!-~]{1,2000}", link) for link in links):
        raise ValueError("must be web addresses, separated by commas")
    return links


class AllureTrigger(BaseModel):
    """The fields of `POST /job/{id}/run` and `POST /testplan/{id}/run` that people fill in,
    under the vendor's names. `testPlanId` is in the path and chooses the second call.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    launch_name: Annotated[str | None, StringConstraints(strip_whitespace=True)] = Field(
        default=None,
        alias="launchName",
        description="Name of the launch, cut to 255 characters; made from the job's if left out",
    )
    tags: CommaList = Field(default=(), description="Tags of the launch: smoke, nightly")
    links: Annotated[CommaList, AfterValidator(_check_links)] = Field(
        default=(), description="Web addresses to show with the launch"
    )
    parameters: Annotated[tuple[tuple[int, str], ...], BeforeValidator(_read_parameters)] = Field(
        default=(),
        description="Values for the job's parameters by their ids, as they have no names: "
        "31=firefox, 32=staging",
    )
    release_id: Annotated[int | None, Field(gt=0)] = Field(
        default=None, alias="releaseId", description="Release to count it to (newer servers only)"
    )
    test_plan_id: Annotated[int | None, Field(gt=0)] = Field(
        default=None,
        alias="testPlanId",
        description="Run this test plan of the project instead of a job",
    )

    @model_validator(mode="after")
    def _plan_has_no_parameters(self) -> Self:
        if self.test_plan_id and self.parameters:
            raise ValueError("a test plan takes no parameters: leave out parameters or testPlanId")
        return self


def body_of(
    typed: AllureTrigger, otherwise_named: str, variables: Sequence[Variable]
) -> tuple[dict[str, Any], str]:
    """The body, and a note on what differs from what was typed. Nothing empty is sent."""
    name = typed.launch_name or otherwise_named
    body: dict[str, Any] = {
        "launchName": name[:MOST_NAME],
        "tags": [{"name": tag} for tag in typed.tags],
        "links": [{"url": link} for link in typed.links],
        "parameters": [{"id": number, "value": value} for number, value in typed.parameters],
        "envVarValueSets": _value_sets(variables),
        "releaseId": typed.release_id,
    }
    is_cut = len(name) > MOST_NAME
    note = f"The launch's name was cut to {MOST_NAME} characters." if is_cut else ""
    return {key: value for key, value in body.items() if value}, note


def check_parameters(typed: AllureTrigger, job: JobReply) -> None:
    """INVALID, with what there is, for a parameter that the job does not have."""
    known: Mapping[int, str] = {p.id: p.value or "" for p in job.parameters}
    strange = [str(number) for number, _ in typed.parameters if number not in known]
    if not strange:
        return
    shown = ", ".join(f"{number} (now {value[:60]})" for number, value in known.items()) or "none"
    raise ProviderError(
        Kind.INVALID,
        f"The job has no parameter {', '.join(strange)}; it has: {shown}. Nothing was sent.",
    )


def _value_sets(variables: Sequence[Variable]) -> list[dict[str, Any]]:
    """One set with a value for each variable, in the order typed."""
    values = [{"name": v.value, "variable": {"name": v.name}} for v in variables]
    return [{"values": values}] if values else []
