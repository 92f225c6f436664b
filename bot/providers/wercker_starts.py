"""What is sent to start a run of Wercker, anew or once more. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Variable
from bot.providers.wercker_replies import EnvVar, RunDetail

_MASKS = frozenset("*•")
_LEAST_MASK = 3

Word = Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=255)]


class WerckerTrigger(BaseModel):
    """The fields of `POST /runs` that people fill in, under the vendor's names."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    branch: Word = Field(
        default=None, description="Branch to run; the application's default branch if left out"
    )
    commit_hash: Word = Field(
        default=None,
        alias="commitHash",
        description="Commit to run, needs a branch; its newest commit if left out",
    )
    message: Annotated[str | None, StringConstraints(max_length=2000)] = Field(
        default=None, description="Text of the run; the commit's message if left out"
    )
    tag: Word = Field(default=None, description="Git tag")
    source_run_id: Annotated[
        str | None, StringConstraints(strip_whitespace=True, pattern=r"^([0-9a-f]{24})?$")
    ] = Field(
        default=None,
        alias="sourceRunId",
        description="Id of the run whose output is the input, as in a chain",
    )

    @model_validator(mode="after")
    def _commit_needs_branch(self) -> Self:
        if self.commit_hash and not self.branch:
            raise ValueError("commitHash needs branch")
        return self

    def fields(self) -> dict[str, str]:
        """What was filled in, by the vendor's names; nothing that is empty."""
        filled = self.model_dump(by_alias=True)
        return {name: value for name, value in filled.items() if value and value.strip()}


@dataclass(frozen=True, slots=True)
class Start:
    """A body for `POST /runs`; `secrets` are the values in it, `note` what differs from before."""

    body: dict[str, Any]
    secrets: tuple[str, ...] = ()
    note: str = ""

    def __repr__(self) -> str:
        return f"Start({sorted(self.body)})"


def start(pipeline_id: str, fields: Mapping[str, str], variables: Sequence[Variable]) -> Start:
    """A new run. Variables stay in the order typed: later ones may use earlier ones."""
    return _start({"pipelineId": pipeline_id, **fields}, [(v.name, v.value) for v in variables])


def repeat(old: RunDetail, parameters: Mapping[str, str], variables: Sequence[Variable]) -> Start:
    """The old run once more. A chained one is repeated from its source, without branch and
    commit, as the vendor's own client does; typed parameters and variables replace old values.
    INVALID if the parameters are not the trigger's.
    """
    typed = checked(parameters)
    source_id = typed.get("sourceRunId") or (old.source_run.id if old.source_run else None)
    fields: dict[str, str | None] = {"sourceRunId": source_id}
    if source_id is None:
        is_new_branch = typed.get("branch") not in {None, old.branch}
        commit = None if is_new_branch or not old.branch else old.commit_hash
        fields = {"branch": old.branch, "commitHash": commit}
    fields |= {"message": old.message, **typed}
    known, lost = _known_variables(old)
    filled = {name: value for name, value in fields.items() if value}
    if "commitHash" in filled and "branch" not in filled:
        raise ProviderError(Kind.INVALID, "commitHash needs branch.")
    body = {"pipelineId": old.pipeline.id, **filled}
    return _start(body, _replaced(known, variables), _told(lost, variables))


def checked(parameters: Mapping[str, str]) -> dict[str, str]:
    """The filled-in ones of typed parameters. A commit may stand alone: the branch is old."""
    try:
        model = WerckerTrigger.model_validate({"branch": "-", **parameters})
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
    else:
        return {name: value for name, value in model.fields().items() if name in parameters}
    where = ".".join(str(part) for part in problem["loc"])
    raise ProviderError(Kind.INVALID, f"{where}: {problem['msg']}".removeprefix(": "))


def _start(body: dict[str, Any], variables: Sequence[tuple[str, str]], note: str = "") -> Start:
    if variables:
        body["envVars"] = [{"key": name, "value": value} for name, value in variables]
    return Start(body, tuple(value for _, value in variables), note)


def _known_variables(old: RunDetail) -> tuple[list[tuple[str, str]], list[str]]:
    """The old variables, and the names of those whose value the reply does not give (assumed:
    protected ones may be missing or masked).
    """
    known, lost = [], []
    for item in old.env_vars:
        variable = EnvVar.model_validate(item) if isinstance(item, dict) else EnvVar()
        if variable.key and variable.value is not None and not _is_masked(variable.value):
            known.append((variable.key, variable.value))
        else:
            lost.append(variable.key or "?")
    return known, lost


def _is_masked(value: str) -> bool:
    return len(value) >= _LEAST_MASK and len(set(value)) == 1 and value[0] in _MASKS


def _replaced(old: list[tuple[str, str]], typed: Sequence[Variable]) -> list[tuple[str, str]]:
    """Typed values in the place of old ones, so that what builds on them still does."""
    given = {variable.name: variable.value for variable in typed}
    names = {name for name, _ in old}
    kept = [(name, given.get(name, value)) for name, value in old]
    return kept + [(v.name, v.value) for v in typed if v.name not in names]


def _told(lost: Sequence[str], typed: Sequence[Variable]) -> str:
    names = [name for name in lost if name not in {variable.name for variable in typed}]
    if not names:
        return ""
    return f"Wercker does not show the value of {', '.join(names)}: left out, so its own holds."
