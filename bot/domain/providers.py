"""What a provider is: its description, what it can do, and the calls it answers.

A provider implements `Provider` and those of the smaller protocols that its vendor allows;
`ProviderSpec.capabilities` says the same in words, and the conformance suite holds the two
together. Every call takes a `Deadline` and raises `ProviderError` and nothing else.
Instances are shared by threads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from bot.domain.clock import Clock, Deadline
from bot.domain.pipelines import Pipeline
from bot.domain.runs import Log, Run, Step, TestResult


class Capability(StrEnum):
    GET = "get"
    LIST = "list"
    TRIGGER = "trigger"
    ABORT = "abort"
    RETRY = "retry"
    STEPS = "steps"
    TESTS = "tests"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment value to hand to the vendor. The value may be secret: never shown."""

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TriggerRequest:
    """A run to be started.

    `parameters` is an instance of the spec's trigger model. `mark` is a unique, opaque text
    of letters, digits and dashes, by which a run can be found again where the vendor returns
    no id. `requester` is a Slack user id.
    """

    pipeline: str
    parameters: BaseModel
    variables: tuple[Variable, ...]
    mark: str
    requester: str


@dataclass(frozen=True, slots=True)
class RetryRequest:
    """A run to be repeated, as just read; `parameters` and `variables` replace old values."""

    run: Run
    scope: Literal["all", "failed"]
    parameters: Mapping[str, str]
    variables: tuple[Variable, ...]
    mark: str
    requester: str


@dataclass(frozen=True, slots=True)
class Started:
    """A run that the vendor accepted. `run` is None when it cannot be seen yet (`note` says
    what is known); `note` also tells what was lost or differs.
    """

    run: Run | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of one authenticated call: whose credential it is, and remarks in words."""

    account: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """What one poll saw. `runs` newest first or in any order; `cursor` is handed back next
    time. `bad_items` counts entries that could not be read and were left out.
    """

    runs: tuple[Run, ...]
    cursor: str
    bad_items: int = 0


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that was not over when last read."""

    run_id: str
    first_seen: datetime
    created: datetime | None


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What an instance is made from. `settings` is an instance of the spec's settings model."""

    instance: str
    settings: BaseModel
    clock: Clock


class Provider(Protocol):
    """The calls that every provider answers."""

    def check(self, deadline: Deadline) -> Health:
        """One authenticated read that proves the credential."""

    def sources(self, pattern: str) -> tuple[str, ...]:
        """The source keys whose polling shows every pipeline that `pattern` (a key or a
        glob) names. No I/O. Empty if nothing can be listed; ConfigError says why.
        """

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        """The runs of a source that are new or may have changed since `cursor` (empty at the
        first time), with every run of `open_runs` among them, read one by one if need be.
        """

    def recent(self, pattern: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
        """About `limit` of the newest runs of the pipelines that `pattern` names, newest first."""

    def get(self, run_id: str, deadline: Deadline) -> Run: ...

    def pipelines(self, deadline: Deadline) -> tuple[Pipeline, ...]:
        """The pipelines this credential is set up to show, for lists and suggestions."""

    def find_pipeline(self, key: str, deadline: Deadline) -> Pipeline:
        """The pipeline people mean by `key`; NOT_FOUND with `known` names if there is none."""

    def run_id_in(self, url: str) -> str | None:
        """The run a pasted URL of this instance is about. No I/O; None if it is not ours."""


@runtime_checkable
class Triggers(Protocol):
    def trigger(self, request: TriggerRequest, deadline: Deadline) -> Started:
        """Sends exactly one request; AMBIGUOUS if its answer was lost."""


@runtime_checkable
class Aborts(Protocol):
    def abort(self, run: Run, deadline: Deadline) -> Run:
        """Asks the vendor to stop `run` (just read, not over); returns it as it then stands."""


@runtime_checkable
class Retries(Protocol):
    def retry(self, request: RetryRequest, deadline: Deadline) -> Started: ...


@runtime_checkable
class HasSteps(Protocol):
    def steps(self, run_id: str, deadline: Deadline) -> tuple[Step, ...]: ...


@runtime_checkable
class HasTests(Protocol):
    def tests(self, run_id: str, deadline: Deadline) -> tuple[TestResult, ...]:
        """Failed tests first."""


@runtime_checkable
class HasLog(Protocol):
    def log(self, run_id: str, step: str | None, deadline: Deadline) -> Log:
        """The log of a step (by name or id), or of the first failed one, or of the run."""


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """Everything about one provider type, as the value of its `bot.providers` entry point.

    `id_pattern` must fully match a run id. `refusals` says for each missing capability what
    the vendor can do instead. `retry_is_native` is False where a retry is a new run made from
    the old one. `abort_note` says what an abort leaves undone. `takes_variables` allows
    `env.NAME=value`. `bare_parameter` is the trigger field that one bare word fills.
    `runs_reopen` is True where a run that is over can move again under its old id.
    `pipeline_form` shows people how a key is written.
    """

    type_name: str
    title: str
    settings: type[BaseModel]
    trigger: type[BaseModel]
    build: Callable[[BuildContext], Provider]
    id_pattern: str
    capabilities: frozenset[Capability]
    pipeline_form: str
    retry_is_native: bool = True
    retry_scopes: frozenset[str] = frozenset({"all"})
    retry_note: str = ""
    abort_note: str = ""
    takes_variables: bool = False
    bare_parameter: str | None = None
    runs_reopen: bool = False
    refusals: Mapping[Capability, str] = field(default_factory=dict)


def is_able(provider: Provider, capability: Capability) -> bool:
    """Whether the object has the calls of `capability`, whatever its spec claims."""
    protocol = _CALLS.get(capability)
    return protocol is None or isinstance(provider, protocol)


_CALLS: dict[Capability, type] = {
    Capability.TRIGGER: Triggers,
    Capability.ABORT: Aborts,
    Capability.RETRY: Retries,
    Capability.STEPS: HasSteps,
    Capability.TESTS: HasTests,
    Capability.LOG: HasLog,
}
