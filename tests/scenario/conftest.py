import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.playground.slack.people import BUILDS
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import TRANSPORTS, Player, Stage, Transport

SetUp = Callable[..., Stage]
SHARED_THREADS = {"net-watchdog"}


@pytest.fixture(autouse=True)
def threads_end() -> Iterator[None]:
    """Every thread that a test started is gone after it, but for one that the process keeps."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and t.name not in SHARED_THREADS]
    for thread in left:
        thread.join(5)
    assert not [t.name for t in left if t.is_alive()]


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> Transport:
    return request.param


@pytest.fixture
def set_up(transport: Transport, tmp_path: Path) -> Iterator[SetUp]:
    """Starts a stage with other settings: `set_up(BOT_OPERATORS="*")`, None for unset."""
    with ExitStack() as opened:

        def start(**environ: str | None) -> Stage:
            return opened.enter_context(Stage(transport, tmp_path, environ))

        yield start


@pytest.fixture
def stage(set_up: SetUp) -> Stage:
    return set_up()


@pytest.fixture
def olivia(stage: Stage) -> Player:
    """An operator."""
    return stage.person()


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Callable[..., Newsroom]]:
    with ExitStack() as opened:
        yield lambda **environ: opened.enter_context(Newsroom(tmp_path, **environ))


@pytest.fixture
def room(newsroom: Callable[..., Newsroom]) -> Newsroom:
    """Everything is watched."""
    return newsroom(BOT_ALERT_CHANNEL=BUILDS)
