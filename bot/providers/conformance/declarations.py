"""What a spec says about its provider, and what its settings promise."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from bot.domain.errors import ConfigError
from bot.domain.providers import Capability, is_able
from bot.domain.runs import is_run_id
from bot.providers import registry
from bot.providers.conformance.bench import PREFIX, Bench
from bot.providers.conformance.odd import HOSTILE_IDS
from bot.providers.conformance.rig import INSTANCE, Rig

CANARY = "kanarie 4711"
_TYPE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SECRET_WORDS = re.compile(r"token|secret|password|credential")


class Declarations:
    def test_declared_capabilities_are_the_implemented_ones(self, rig: Rig, bench: Bench) -> None:
        provider = bench.provider()
        able = {capability for capability in Capability if is_able(provider, capability)}
        assert able == rig.spec.capabilities

    def test_every_missing_capability_has_a_sentence_that_says_so(self, rig: Rig) -> None:
        missing = set(Capability) - rig.spec.capabilities
        assert set(rig.spec.refusals) == missing
        for capability, sentence in rig.spec.refusals.items():
            assert len(sentence.split()) >= 3, f"{capability}: {sentence!r} is no sentence"
            assert sentence.rstrip()[-1] in ".!", f"{capability}: {sentence!r} has no end"

    def test_names_and_forms_are_fit_for_people(self, rig: Rig) -> None:
        spec = rig.spec
        assert _TYPE_NAME.fullmatch(spec.type_name), spec.type_name
        assert spec.title.strip() == spec.title != ""
        assert spec.pipeline_form.strip(), "pipeline_form shows people how a key is written"
        if Capability.RETRY in spec.capabilities:
            assert "all" in spec.retry_scopes
            assert spec.retry_scopes <= {"all", "failed"}
            assert spec.retry_is_native or spec.retry_note, "say what an emulated retry is"

    def test_id_pattern_takes_real_ids_and_no_hostile_ones(self, rig: Rig) -> None:
        pattern = re.compile(rig.spec.id_pattern)
        for word in rig.statuses:
            run_id = rig.add_run(word)
            assert pattern.fullmatch(run_id), f"{run_id!r} is a run of the fake"
            assert is_run_id(run_id), f"{run_id!r} is not safe in a URL"
        taken = [name for name, text in HOSTILE_IDS.items() if pattern.fullmatch(text)]
        assert not taken, f"id_pattern takes {taken}"

    def test_every_trigger_parameter_is_described(self, rig: Rig) -> None:
        fields = rig.spec.trigger.model_fields
        bare = [name for name, field in fields.items() if not (field.description or "").strip()]
        assert not bare, f"no description: {bare}"

    def test_trigger_parameters_are_checked(self, rig: Rig) -> None:
        rig.spec.trigger.model_validate(dict(rig.parameters))
        with pytest.raises(ValueError, match="no_such_parameter"):
            rig.spec.trigger.model_validate({**rig.parameters, "no_such_parameter": "x"})

    def test_the_bare_word_fills_a_parameter_that_exists(self, rig: Rig) -> None:
        names = {_outer_name(n, f) for n, f in rig.spec.trigger.model_fields.items()}
        assert rig.spec.bare_parameter is None or rig.spec.bare_parameter in names

    def test_secret_settings_are_secret(self, rig: Rig) -> None:
        secret = registry.secret_names(rig.spec)
        values = rig.settings("http://127.0.0.1:9")
        named = {n for n in rig.spec.settings.model_fields if _SECRET_WORDS.search(n)}
        named |= {name for name, value in values.items() if str(value) in rig.secrets}
        assert named <= secret, f"to be SecretStr: {sorted(named - secret)}"
        assert all(len(one) >= 6 for one in rig.secrets), "a secret to look for needs 6 characters"

    def test_only_credentials_must_be_set(self, rig: Rig) -> None:
        fields = rig.spec.settings.model_fields
        needed = {name for name, field in fields.items() if field.is_required()}
        assert needed <= registry.secret_names(rig.spec) | {*rig.required}
        missing = [name for name in needed if name in _complaints(rig, {})]
        assert len(missing) == len(needed), "what is missing is named"

    def test_unknown_settings_are_refused_by_name(self, rig: Rig) -> None:
        told = _complaints(rig, {**rig.settings("http://127.0.0.1:9"), "no_such_setting": CANARY})
        assert "no_such_setting" in told
        assert CANARY not in told

    def test_plain_http_is_for_this_machine_only(self, rig: Rig) -> None:
        values = rig.settings("http://127.0.0.1:9")
        urls = [name for name in rig.spec.settings.model_fields if name.endswith("url")]
        assert urls, "a provider has a base_url, for tests if for nothing else"
        for name in urls:
            for url in ("http://ci.example.org", "http://127.0.0.1.example.org", "ftp://x", "x"):
                told = _complaints(rig, {**values, name: url})
                assert name in told, f"{name} took {url}"
                assert url not in told.replace("https", ""), f"{name}: the value is shown"

    def test_no_complaint_about_settings_shows_a_value(self, rig: Rig) -> None:
        values = dict(rig.settings("http://127.0.0.1:9"))
        for name in rig.spec.settings.model_fields:
            for odd in (f"\x00{CANARY}", f"[{CANARY}", f"https://user:{CANARY}@x/?{CANARY}#"):
                assert CANARY not in _complaints(rig, {**values, name: odd}), name

    def test_no_instance_shows_its_secrets(self, rig: Rig, bench: Bench) -> None:
        provider = bench.provider()
        shown = [repr(provider), str(provider), *map(repr, _inside(provider))]
        settings = rig.spec.settings.model_validate(dict(rig.settings(bench.front.url)))
        bench.check_hidden("\n".join([*shown, repr(settings), str(settings)]), "a repr")


def _complaints(rig: Rig, values: dict[str, Any]) -> str:
    """What a person is told of these settings, in lower case names; empty if they are taken."""
    try:
        registry.build(rig.spec, INSTANCE, values, PREFIX, rig.clock)
    except ConfigError as error:
        text = f"{error.message}\n{error.detail}"
        names = rig.spec.settings.model_fields
        for name in [*names, "no_such_setting"]:
            text = text.replace(f"{PREFIX}{name.upper()}", name)
        return text
    return ""


def _outer_name(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _inside(provider: object) -> Iterator[object]:
    yield from getattr(provider, "__dict__", {}).values()
