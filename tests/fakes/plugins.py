"""Installed provider packages, sane and broken ones, as small as they get."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Install = Callable[..., None]

SANE = """
from datetime import UTC, datetime
from pydantic import BaseModel, SecretStr
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import Pipeline, PipelineRef
from bot.domain.providers import (
    Capability, Health, Observation, ProviderSpec, Started,
)
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status


class Settings(BaseModel):
    model_config = {"extra": "forbid"}
    token: SecretStr = SecretStr("canary-plugin-token")


class Parameters(BaseModel):
    model_config = {"extra": "forbid"}


class Plugin:
    def __init__(self, context):
        self.instance = context.instance

    def run(self, run_id="1", **fields):
        made = datetime(2026, 1, 1, tzinfo=UTC)
        given = {"status": Status.PASSED, "raw_status": "ok", "created": made, "finished": made}
        return Run(
            RunRef(self.instance, run_id), PipelineRef(self.instance, "all"), **(given | fields)
        )

    def check(self, deadline):
        return Health("somebody")

    def sources(self, pattern):
        return ("all",)

    def observe(self, source, cursor, open_runs, deadline):
        return Observation((self.run(),), cursor)

    def recent(self, pattern, limit, deadline):
        return (self.run(),)

    def get(self, run_id, deadline):
        return self.run(run_id)

    def pipelines(self, deadline):
        return (Pipeline(PipelineRef(self.instance, "all")),)

    def find_pipeline(self, key, deadline):
        if key != "all":
            raise ProviderError(Kind.NOT_FOUND, "No such pipeline.", known=("all",))
        return Pipeline(PipelineRef(self.instance, "all"))

    def run_id_in(self, url):
        return None

    def trigger(self, request, deadline):
        return Started(self.run("2"))


def spec(build=Plugin, **more):
    given = dict(
        type_name="NAME", title="Plugin", settings=Settings, trigger=Parameters, build=build,
        id_pattern="[0-9]+", capabilities=frozenset({Capability.GET, Capability.LIST}),
        pipeline_form="all",
    )
    return ProviderSpec(**(given | more))


SPEC = spec()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a provider type: the sane one with `more` lines behind it, or other `source`."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def put(name: str, more: str = "", source: str = SANE) -> None:
        module = f"plugin_{name}_{tmp_path.name}".replace("-", "_")
        (folder / f"{module}.py").write_text(source.replace("NAME", name) + more)
        info = folder / f"{module}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: bot-provider-{name}\nVersion: 1.2\n"
        )
        (info / "entry_points.txt").write_text(f"[bot.providers]\n{name} = {module}:SPEC\n")
        monkeypatch.delitem(sys.modules, module, raising=False)

    return put
