"""What stands where a provider should be that cannot be used: it says so, whatever is asked.

So the other instances work, and the channels that watch this one are told that the bot cannot
see it.
"""

from typing import NoReturn

from pydantic import BaseModel, ConfigDict

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import Pipeline
from bot.domain.providers import Capability, Health, Observation, OpenRun, ProviderSpec
from bot.domain.runs import Run

SOURCE = "*"
"""Its polls fail, which is how the watching channels hear of it."""


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BrokenProvider:
    """Thread-safe. Every call raises UNAVAILABLE."""

    def __init__(self, why: str) -> None:
        self._why = why

    def sources(self, pattern: str) -> tuple[str, ...]:
        del pattern
        return (SOURCE,)

    def run_id_in(self, url: str) -> str | None:
        del url
        return None

    def check(self, deadline: Deadline) -> Health:
        self._refuse(deadline)

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        self._refuse(source, cursor, open_runs, deadline)

    def recent(self, pattern: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
        self._refuse(pattern, limit, deadline)

    def get(self, run_id: str, deadline: Deadline) -> Run:
        self._refuse(run_id, deadline)

    def pipelines(self, deadline: Deadline) -> tuple[Pipeline, ...]:
        self._refuse(deadline)

    def find_pipeline(self, key: str, deadline: Deadline) -> Pipeline:
        self._refuse(key, deadline)

    def _refuse(self, *_: object) -> NoReturn:
        raise ProviderError(Kind.UNAVAILABLE, self._why)


def broken_spec(type_name: str) -> ProviderSpec:
    """The description of what can do nothing."""
    return ProviderSpec(
        type_name=type_name,
        title=type_name,
        settings=_Nothing,
        trigger=_Nothing,
        build=lambda context: BrokenProvider(context.instance),
        id_pattern=r"[A-Za-z0-9._~-]{1,128}",
        capabilities=frozenset(),
        pipeline_form="none: the provider is broken",
        refusals=dict.fromkeys(Capability, f"The provider of {type_name} is broken."),
    )
