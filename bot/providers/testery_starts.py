"""What is sent to start a run of Testery, anew or once more. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Variable
from bot.providers.testery_replies import RunReply

FILTER = "Regex: "
SECURE = "secure:"
"""Before a variable: store it encrypted. The vendor's own client spells it so."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
_BIGGEST = 2**31 - 1
LOST = (
    "This is a new run with the old one's parameters: this Testery repeats no run by itself. It "
    "does not tell variables, deploy, Playwright project and status name of the old run: they "
    "were left out"
)


def read_list(value: Any) -> Any:
    """Reads `a, b`, or a JSON list for texts that hold commas: `["a{1,2}", "b"]`. A text that
    only begins like one, as a pattern may, is no list. None if nothing stands between commas.
    """
    listed = _json_list(value) if isinstance(value, str) else None
    if isinstance(value, str) and listed is None:
        return _stripped(value.split(",")) or None
    items = value if listed is None else listed
    return _stripped(items) if isinstance(items, list | tuple) else value


def _json_list(text: str) -> list[Any] | None:
    try:
        value = json.loads(text) if text.lstrip().startswith("[") else None
    except ValueError:
        return None
    return value if isinstance(value, list) else None


def _stripped(items: Sequence[Any]) -> tuple[Any, ...]:
    texts = [item.strip() if isinstance(item, str) else item for item in items]
    return tuple(text for text in texts if text != "")


def _with_prefix(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(p if p.startswith(FILTER) else FILTER + p for p in patterns)


def _are_variables(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        name, sign, _ = text.removeprefix(SECURE).partition("=")
        if not sign or not _NAME.fullmatch(name):
            raise ValueError("must be a list of NAME=value")
    return texts


Word = Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=255)]
Amount = Annotated[int | None, Field(ge=1, le=_BIGGEST)]
List = Annotated[tuple[str, ...] | None, BeforeValidator(read_list)]


def _each(change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> AfterValidator:
    return AfterValidator(lambda texts: None if texts is None else change(texts))


class TesteryTrigger(BaseModel):
    """The fields of `POST /test-run-requests-build` that people fill in, under the vendor's
    names; `project` comes from the pipeline. Lists: comma separated, or JSON.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    branch: Word = Field(default=None, description="Branch to test: its newest commit")
    ref: Word = Field(default=None, description="Commit to test")
    environment: Word = Field(
        default=None, description="Key of the environment, if the pipeline names none"
    )
    include_tags: List = Field(
        default=None,
        description="Tags to run, comma separated; [] for all, whatever the project's file says",
    )
    excluded_tags: List = Field(default=None, description="Tags not to run, comma separated")
    test_filters: Annotated[List, _each(_with_prefix)] = Field(
        default=None, description="Regular expressions for tests, comma separated or a JSON list"
    )
    test_suite_id: Word = Field(default=None, description="Test suite: its id, or its name")
    build_id: Word = Field(default=None, description="Id of the build in your own system")
    latest_deploy: bool | None = Field(
        default=None, description="Run the tests last deployed to the environment"
    )
    deploy_id: Word = Field(default=None, description="Deploy that the run belongs to")
    apply_test_selection_rules: bool | None = Field(
        default=None, description="Let the project's testery.yml choose the tests"
    )
    parallelize_by_file: bool | None = Field(
        default=None, description="In parallel by file (true) or by test (false)"
    )
    runners: Amount = Field(default=None, description="Parallel runners")
    copies: Amount = Field(default=None, description="Copies of each test")
    timeout_minutes: Amount = Field(default=None, description="Minutes allowed for the run")
    test_timeout_seconds: Amount = Field(default=None, description="Seconds allowed for a test")
    retry_failed_tests: bool | None = Field(
        default=None, description="Try failed tests once more within the run"
    )
    playwright_project: Word = Field(default=None, description="Playwright project")
    test_name: Word = Field(
        default=None, description="Name of the Git status; the environment is added to it"
    )
    status_name: Word = Field(
        default=None, description="Name of the Git status as it stands; wins over testName"
    )
    update_vcs_status: bool | None = Field(
        default=None, description="Tell the result to the Git host"
    )
    variables: Annotated[List, _each(_are_variables)] = Field(
        default=None,
        repr=False,
        description="NAME=value, comma separated, or secure:NAME=value to store it encrypted; "
        "secrets are better typed as env.NAME=value, which is never shown",
    )

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {k: v for k, v in values.items() if not (isinstance(v, str) and not v.strip())}

    def fields(self) -> dict[str, Any]:
        """What was filled in, by the vendor's names; nothing that is empty, except that an empty
        list of tags to include has a meaning. Without the variables.
        """
        filled = self.model_dump(by_alias=True, exclude={"variables"}, exclude_none=True)
        listed = {n: list(v) if isinstance(v, tuple) else v for n, v in filled.items()}
        return {n: v for n, v in listed.items() if v != [] or n == "includeTags"}


def variables_of(typed: TesteryTrigger, more: Sequence[Variable]) -> list[dict[str, Any]]:
    """As the vendor takes them, in the order typed; each is split at its first `=`. Those of
    `env.NAME=value` win over the same name in the list.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in typed.variables or ():
        name, _, value = text.removeprefix(SECURE).partition("=")
        found[name] = {"key": name, "value": value, "encrypted": text.startswith(SECURE)}
    for one in more:
        is_secure = found.get(one.name, {}).get("encrypted", False)
        found[one.name] = {"key": one.name, "value": one.value, "encrypted": is_secure}
    return list(found.values())


def checked(parameters: Mapping[str, str]) -> TesteryTrigger:
    """Typed parameters as the trigger's; INVALID that names the first one that is wrong."""
    try:
        return TesteryTrigger.model_validate(dict(parameters))
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    what = problem["msg"].removeprefix("Value error, ")
    raise ProviderError(Kind.INVALID, f"{where}: {what}".removeprefix(": "))


def repeated(old: RunReply, typed: TesteryTrigger) -> dict[str, Any]:
    """The fields of a new run like the old one; typed values replace old ones. A commit of the
    old branch is not one of a new branch.
    """
    fields: dict[str, Any] = {
        "ref": old.git_ref,
        "branch": old.branch,
        "buildId": old.build_key,
        "testSuiteId": old.test_suite_id,
        "includeTags": old.include_tags or None,
        "excludedTags": old.excluded_tags or None,
        "testFilters": list(_with_prefix(tuple(old.test_filters))) or None,
        "copies": old.copies or None,
        "timeoutMinutes": old.timeout_minutes or None,
        "testTimeoutSeconds": old.test_timeout_seconds or None,
        "retryFailedTests": old.retry_failed_tests,
        "runners": old.max_runners or None,
        "parallelizeByFile": old.default_to_parallelize_by_file,
    }
    if typed.branch not in {None, old.branch} and not typed.ref:
        fields["ref"] = None
    return {n: v for n, v in {**fields, **typed.fields()}.items() if v is not None}
