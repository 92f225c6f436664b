"""F29, T18: a provider that is broken is named, and stops nothing but itself."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import ConfigError, Kind, ProviderError
from bot.domain.providers import Capability
from bot.providers import registry
from bot.runtime import check
from bot.runtime.clock import SystemClock
from bot.runtime.fleet import build_fleet
from bot.runtime.settings import Settings, read
from bot.services.fleet import Instance
from tests.fakes.net import within
from tests.fakes.plugins import Install, install
from tests.fakes.stage import SHOP, Stage

assert install  # a fixture
GOOD = {
    "BOT_PROVIDERS__WERCKER__TOKEN": "canary-wercker-token",
    "BOT_PROVIDERS__WERCKER__BASE_URL": "http://127.0.0.1:9",
}
BROKEN = {
    "import": ("raise RuntimeError('canary-text')\n", "cannot be imported: RuntimeError"),
    "exit": ("raise SystemExit(0)\n", "cannot be imported: SystemExit"),
    "syntax": ("def\n", "cannot be imported: SyntaxError"),
    "hang": ("import threading; threading.Event().wait(30)\n", "did not end within"),
    "no spec": ("SPEC = None\n", "not a ProviderSpec"),
    "no name": ("del SPEC\n", "cannot be imported: AttributeError"),
    "other name": ("SPEC = spec(type_name='other')\n", "calls itself 'other'"),
    "pattern": ("SPEC = spec(id_pattern='(')\n", "not a regular expression"),
    "settings": ("SPEC = spec(settings=dict)\n", "not a pydantic model"),
    "build": ("SPEC = spec(build=lambda c: 1 / 0)\n", "cannot be set up: ZeroDivisionError"),
    "nothing": ("SPEC = spec(build=lambda c: None)\n", "has no check, sources"),
    "promise": ("SPEC = spec(capabilities=frozenset(Capability))\n", "has no abort"),
}
NONSENSE = {
    "nothing": "None",
    "a number": "7",
    "another instance": "type(self)(type('C', (), {'instance': 'other'})).run()",
    "a time without zone": "self.run(created=datetime(2026, 1, 1))",
    "a status of its own": "self.run(status='passed')",
    "half a character": "self.run(title='\\ud800')",
}
FAULTS = {
    "raises": "raise ValueError('canary-plugin-token')",
    "exits": "raise SystemExit(1)",
    "errs oddly": "raise ProviderError('no kind', 7)",
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "LIMIT_S", 0.5)


def settings(**environ: str) -> Settings:
    return read(GOOD | environ)


def with_acme() -> Settings:
    return settings(BOT_PROVIDERS__ACME__TOKEN="canary-plugin-token")


def method(name: str, body: str) -> str:
    """Lines that replace one call of the sane provider."""
    return f"\ndef _replaced(self, *_):\n    {body}\n\nPlugin.{name} = _replaced\n"


@pytest.fixture
def acme(install: Install) -> Iterator[Callable[[str], Instance]]:
    made = []

    def build(more: str) -> Instance:
        install("acme", more)
        made.append(build_fleet(with_acme(), SystemClock()).get("acme"))
        return made[0]

    yield build
    for one in made:
        one.close()


def asked(one: Instance, call: Callable[[Any], Any], seconds: float = 5) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        one.ask(call, within(seconds))
    assert "canary" not in caught.value.message + caught.value.detail
    return caught.value


class TestAtTheStart:
    @pytest.mark.parametrize("what", BROKEN)
    def test_the_others_are_there_and_the_broken_one_says_why(
        self, install: Install, what: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        source, words = BROKEN[what]
        install("acme", source)
        fleet = build_fleet(with_acme(), SystemClock())
        assert fleet.names == ("wercker", "acme")
        assert Capability.TRIGGER in fleet.get("wercker").spec.capabilities
        error = asked(fleet.get("acme"), lambda p: p.check(within(5)))
        assert error.kind is Kind.UNAVAILABLE
        assert words in error.message
        assert [r.message for r in caplog.records if r.levelno > logging.INFO] == [
            "provider.broken"
        ]
        fleet.close()

    @pytest.mark.parametrize("what", BROKEN)
    def test_f29_check_names_the_package(self, install: Install, what: str) -> None:
        source, words = BROKEN[what]
        install("acme", source)
        rows = check.check(with_acme(), SystemClock())
        [row] = [row for row in rows if row.what == "provider acme"]
        assert row.verdict == "failed"
        assert words in row.words
        assert "acme" in row.words
        assert "canary" not in check.table(rows)

    def test_the_list_of_providers_goes_on(self, install: Install) -> None:
        install("acme", "raise RuntimeError\n")
        lines: list[str] = []
        assert check.providers_table(lines.append) == 1
        told = "\n".join(lines)
        assert "bot-provider-acme 1.2" in told
        assert "BROKEN" in told
        assert "Wercker" in told

    def test_settings_that_are_wrong_still_stop_the_start(self, install: Install) -> None:
        install("acme")
        wrong = settings(BOT_PROVIDERS__ACME__TOKE="canary-plugin-token")
        with pytest.raises(ConfigError) as caught:
            build_fleet(wrong, SystemClock())
        assert not isinstance(caught.value, registry.BrokenProviderError)
        assert caught.value.message == "BOT_PROVIDERS__ACME__TOKE: there is no such setting"

    def test_a_type_that_is_not_installed_still_stops_the_start(self) -> None:
        with pytest.raises(
            ConfigError, match=r"BOT_PROVIDERS__ACME__TYPE: no provider type of that name"
        ):
            build_fleet(with_acme(), SystemClock())

    def test_only_named_types_are_imported(self, install: Install) -> None:
        """T18."""
        install("acme", "raise RuntimeError\n")
        install("other", "raise RuntimeError\n")
        before = set(sys.modules)
        build_fleet(settings(), SystemClock()).close()
        registry.found()
        assert not [name for name in set(sys.modules) - before if name.startswith("plugin_")]


class TestAtWork:
    @pytest.mark.parametrize("what", FAULTS)
    @pytest.mark.parametrize("call", ["check", "get", "recent", "observe", "find_pipeline"])
    def test_f29_what_a_call_raises_stays_with_it(
        self, acme: Callable[[str], Instance], what: str, call: str
    ) -> None:
        one = acme(method(call, FAULTS[what]))
        given: dict[str, tuple[Any, ...]] = {
            "check": (),
            "get": ("1",),
            "recent": ("*", 5),
            "observe": ("all", "", ()),
            "find_pipeline": ("all",),
        }
        error = asked(one, lambda p: getattr(p, call)(*given[call], within(5)))
        assert error.kind is Kind.BAD_REPLY

    @pytest.mark.parametrize("what", NONSENSE)
    def test_nonsense_is_told_as_such(self, acme: Callable[[str], Instance], what: str) -> None:
        one = acme(method("get", f"return {NONSENSE[what]}"))
        assert asked(one, lambda p: p.get("1", within(5))).kind is Kind.BAD_REPLY

    @pytest.mark.parametrize("what", NONSENSE)
    def test_nonsense_after_a_change_leaves_a_doubt(
        self, acme: Callable[[str], Instance], what: str
    ) -> None:
        more = "SPEC = spec(capabilities=SPEC.capabilities | {Capability.TRIGGER})\n"
        body = (
            f"return {NONSENSE[what]}" if what == "nothing" else f"return Started({NONSENSE[what]})"
        )
        if what == "nothing":
            body = "return None"
        one = acme(more + method("trigger", body))
        with pytest.raises(ProviderError) as caught:
            one.change(lambda p: p.trigger(None, within(5)), within(5))  # type: ignore[attr-defined]
        assert caught.value.kind is Kind.AMBIGUOUS

    @pytest.mark.parametrize("what", NONSENSE)
    def test_good_runs_are_kept_and_bad_ones_counted(
        self, acme: Callable[[str], Instance], what: str
    ) -> None:
        listed = f"(self.run('1'), {NONSENSE[what]}, self.run('2'))"
        one = acme(
            method("observe", f"return Observation({listed}, 'c', 1)")
            + method("recent", f"return {listed}")
        )
        seen = one.poll(lambda p: p.observe("all", "", (), within(5)), within(5))
        assert [run.ref.run_id for run in seen.runs] == ["1", "2"]
        assert seen.bad_items == 2
        runs = one.ask(lambda p: p.recent("*", 5, within(5)), within(5))
        assert [run.ref.run_id for run in runs] == ["1", "2"]

    def test_f29_what_never_returns_is_left_alone(self, acme: Callable[[str], Instance]) -> None:
        release = threading.Event()
        sys.modules["acme_release"] = release  # type: ignore[assignment]
        wait = "import sys; sys.modules['acme_release'].wait(30)"
        one = acme("".join(method(n, wait) for n in ("get", "sources", "run_id_in")))
        try:
            late = asked(one, lambda p: p.get("1", within(0.1)), seconds=0.1)
            assert late.kind is Kind.UNAVAILABLE
            with pytest.raises(ProviderError):
                one.provider.sources("*")
            assert one.provider.run_id_in("https://acme.example.org/1") is None
            health = one.ask(lambda p: p.check(within(5)), within(5))
            assert health.account == "somebody"
        finally:
            release.set()
            del sys.modules["acme_release"]

    @pytest.mark.parametrize("body", ["raise ValueError", "return 7", "return [1]"])
    def test_what_asks_nobody_may_fail_too(
        self, acme: Callable[[str], Instance], body: str
    ) -> None:
        one = acme(method("sources", body) + method("run_id_in", body))
        with pytest.raises(ProviderError):
            one.provider.sources("*")
        assert one.provider.run_id_in("https://acme.example.org/1") is None


class TestInSlack:
    @pytest.mark.parametrize("what", ["import", "build"])
    def test_f29_broken_from_the_start(self, install: Install, tmp_path: Path, what: str) -> None:
        install("acme", BROKEN[what][0])
        environ = {"BOT_PROVIDERS__ACME__TOKEN": "canary-plugin-token"}
        with Stage("socket", tmp_path, environ) as stage:
            stage.wercker.add_run(SHOP)
            olivia = stage.person()
            assert SHOP in olivia.asks("/runs").visible
            providers = olivia.asks("/runs providers").visible
            assert BROKEN[what][1] in providers
            assert "✔ reachable  wercker" in providers
            assert "acme" in olivia.asks("/trigger acme:all").visible
            started = olivia.acts(f"/trigger wercker:{SHOP}")
            assert len(stage.changes("wercker")) == 1, started.visible
            assert not stage.bot.unready()

    def test_f29_broken_at_work(self, install: Install, tmp_path: Path) -> None:
        """Whatever it raises or returns, in lists, polls and addresses."""
        calls = ("check", "recent", "observe", "sources", "run_id_in", "pipelines")
        install("acme", "".join(method(name, "return [object()]") for name in calls))
        environ = {
            "BOT_PROVIDERS__ACME__TOKEN": "canary-plugin-token",
            "BOT_ALERT_CHANNEL": "C0BUILDS",
        }
        with Stage("socket", tmp_path, environ) as stage:
            run = stage.wercker.add_run(SHOP)
            olivia = stage.person()
            listed = olivia.asks("/runs").visible
            assert SHOP in listed
            assert "acme" in listed
            assert "✔ reachable  wercker" in olivia.asks("/runs providers").visible
            url = f"{stage.url('wercker')}/acme/shop/runs/build/{run.id}"
            assert run.id in olivia.asks(f"/runs {url}").visible
            assert "thread.died" not in stage.log.events()
            assert not stage.bot.unready()
