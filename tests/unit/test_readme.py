"""The README's tables are made from the models, and its commands exist."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.providers import registry
from bot.runtime.settings import PollSettings, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    return "" if value in (None, (), {}, "", False) else f"`{value}`"


def row(name: str, field: FieldInfo) -> str:
    return f"| `{name}` | {default_of(field)} | {field.description or ''} |"


def settings_table() -> str:
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        if name == "poll":
            lines += [
                row(f"BOT_POLL__{inner.upper()}", one)
                for inner, one in PollSettings.model_fields.items()
            ]
            continue
        variable = str(field.validation_alias or f"BOT_{name.upper()}")
        lines.append(row("BOT_PROVIDERS__<NAME>__…" if name == "providers" else variable, field))
    return "\n".join(lines)


def providers_table() -> str:
    lines = ["| type | settings | pipelines |", "|---|---|---|"]
    for type_name in registry.found():
        spec = registry.load(type_name)
        names = ", ".join(setting(n, f) for n, f in spec.settings.model_fields.items())
        lines.append(f"| `{type_name}` | {names} | {spec.pipeline_form} |")
    return "\n".join(lines)


def setting(name: str, field: FieldInfo) -> str:
    default = default_of(field)
    note = {"": "", "required": " (required)"}.get(default, f" [{default}]")
    return f"`{name.upper()}`{note}"


def between(start: str, end: str) -> str:
    found = re.search(f"<!-- {start}.*?-->\n(.*?)\n?<!-- {end} -->", README, re.DOTALL)
    assert found, f"the README has no part between {start} and {end}"
    return found[1].strip()


def test_the_settings_table_is_the_model() -> None:
    assert between("settings:", "end of settings") == settings_table()


def test_the_providers_table_is_the_models() -> None:
    assert between("providers:", "end of providers") == providers_table()


@pytest.mark.parametrize("heading", ["## Try it", "## Test it"])
def test_a_heading_has_one_fenced_command_line(heading: str) -> None:
    part = README.split(f"{heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)\n```", part, re.DOTALL)
    assert len(blocks) == 1
    assert "\n" not in blocks[0]


def test_every_settings_field_is_explained() -> None:
    models: list[type[BaseModel]] = [Settings, PollSettings]
    bare = [
        name
        for model in models
        for name, field in model.model_fields.items()
        if not field.description and name != "poll"
    ]
    assert bare == []


def test_every_promise_names_its_tests() -> None:
    promises = re.split(r"(?m)^(?=\d\. )", README.split("## Promises")[1].split("## Licence")[0])
    source = (ROOT / "tests" / "faults" / "test_promises.py").read_text(encoding="utf-8")
    there = set(re.findall(r"def (test_promise_\w+)", source))
    named = [set(re.findall(r"`(test_promise_\w+)`", promise)) for promise in promises[1:]]
    assert set().union(*named) == there
    for number, names in enumerate(named, 1):
        assert names
        assert all(name.startswith(f"test_promise_{number}_") for name in names)


def test_links_to_files_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def write_tables() -> None:
    """Puts the tables into the README: `python -c "…"` as CONTRIBUTING says."""
    text = README
    for start, end, table in (
        ("settings:", "end of settings", settings_table()),
        ("providers:", "end of providers", providers_table()),
    ):
        pattern = f"(<!-- {start}.*?-->\n).*?(<!-- {end} -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}\n{t}\n\n{m[2]}", text, flags=re.DOTALL)
    (ROOT / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_tables()
