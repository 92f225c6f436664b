"""The door for providers is open: somebody else's package, installed, tested and used."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from bot.providers import registry
from tests.fakes.stage import Player, Stage

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "fixtures" / "bot_provider_example"
TYPE = "tidepool"
LIMIT_S = 400


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as its author has it; building leaves files beside it."""
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("example") / "tidepool"))


@pytest.fixture(scope="module")
def site(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is installed, without a network."""
    target = tmp_path_factory.mktemp("site")
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    done = run(copy, "-m", "pip", "install", *offline, "--target", str(target), str(copy))
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def run(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BOT_", "SLACK_", "PYTEST_"))}
    return subprocess.run(  # noqa: S603  # our own words
        [sys.executable, *arguments],
        cwd=folder,
        env=kept | environ,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.fixture
def fake(copy: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The example is installed here, and its fake vendor can be imported."""
    monkeypatch.syspath_prepend(str(copy / "tests"))
    monkeypatch.syspath_prepend(str(site))
    yield import_module("fake_tidepool")
    for name in ("fake_tidepool", "bot_provider_tidepool"):
        sys.modules.pop(name, None)


@pytest.mark.timeout(LIMIT_S)
def test_it_passes_the_suite_that_every_provider_passes(copy: Path, site: Path) -> None:
    path = os.pathsep.join([str(site), str(ROOT)])
    quietly = ("-q", "-rs", "-p", "no:cacheprovider")
    done = run(copy, "-m", "pytest", *quietly, "tests", PYTHONPATH=path)
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    assert "Tidepool has no retry" in done.stdout, "the reasons of what is skipped are shown"


def test_it_is_listed_with_its_distribution(copy: Path, site: Path) -> None:
    path = os.pathsep.join([str(site), str(ROOT)])
    done = run(copy, "-m", "bot", "providers", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stdout.splitlines() if line.startswith(TYPE)]
    assert "bot-provider-tidepool 1.0" in line
    assert "Tidepool CI: abort, get, list, trigger" in line
    assert "Tidepool has no retry" in done.stdout


def test_our_own_come_through_the_same_door_and_pass_the_same_suite() -> None:
    doors = registry.found().values()
    ours = {one.type_name for one in doors if one.entry_point.value.startswith("bot.providers.")}
    tests = (path.stem for path in Path(__file__).parent.glob("test_conformance_*.py"))
    tested = {stem.removeprefix("test_conformance_") for stem in tests} - {"itself"}
    assert ours == tested == {"allure", "debci", "env0", "testery", "wercker"}


def test_nothing_of_it_is_imported_before_it_is_named(fake: ModuleType) -> None:
    assert registry.found()[TYPE].origin == "bot-provider-tidepool 1.0"
    registry.load("wercker")
    assert "bot_provider_tidepool" not in sys.modules
    assert registry.load(TYPE).title == "Tidepool CI"
    assert "bot_provider_tidepool" in sys.modules


class TestInSlack:
    @pytest.fixture
    def stage(self, fake: ModuleType, tmp_path: Path) -> Iterator[Stage]:
        with fake.FakeTidepool() as tidepool:
            environ = {
                "BOT_PROVIDERS__TIDEPOOL__BASE_URL": tidepool.url,
                "BOT_PROVIDERS__TIDEPOOL__TOKEN": fake.TOKEN,
            }
            with Stage("socket", tmp_path, environ) as stage:
                stage.tidepool = tidepool  # type: ignore[attr-defined]
                yield stage

    @pytest.fixture
    def olivia(self, stage: Stage) -> Player:
        return stage.person()

    def test_its_parameters_are_in_the_help(self, olivia: Player) -> None:
        shown = olivia.asks("/trigger help tidepool").visible
        for text in ("the name of a pool", "branch", "depth", "How deep to dive, 1 to 9"):
            assert text in shown, shown

    def test_its_parameters_are_checked(self, stage: Stage, olivia: Player) -> None:
        assert "depth" in olivia.asks("/trigger tidepool:shop depth=12").visible
        refused = olivia.asks("/trigger tidepool:shop dept=3").visible
        assert 'no parameter "dept"' in refused
        assert "Did you mean depth?" in refused
        assert not stage.tidepool.runs  # type: ignore[attr-defined]

    def test_a_run_is_started_shown_and_stopped(self, stage: Stage, olivia: Player) -> None:
        card = olivia.acts("/trigger tidepool:shop spring depth=3")
        assert "tidepool:1" in card.visible, card.visible
        [run] = stage.tidepool.runs  # type: ignore[attr-defined]
        assert (run["pool"], run["branch"]) == ("shop", "spring")
        assert "tidepool:1" in olivia.asks("/runs").visible
        olivia.acts("/abort tidepool:1")
        assert run["state"] == "drained"

    def test_what_it_cannot_do_is_said_in_its_own_words(self, stage: Stage, olivia: Player) -> None:
        stage.tidepool.add_run("low")  # type: ignore[attr-defined]
        assert "Tidepool has no retry" in olivia.asks("/retry tidepool:1").visible
        assert (
            "✔ reachable  tidepool  Tidepool CI · as marina"
            in olivia.asks("/runs providers").visible
        )

    def test_a_failure_is_posted(self, stage: Stage, olivia: Player) -> None:
        olivia.asks("/watch tidepool:shop")
        stage.wait(
            lambda: stage.query("SELECT * FROM sources WHERE instance = 'tidepool'"), "source"
        )
        stage.tidepool.add_run("high")  # type: ignore[attr-defined]
        stage.tidepool.add_run("low")  # type: ignore[attr-defined]
        stage.wait(lambda: [m for m in olivia.screen() if "tidepool:2" in m.visible], "the alert")
