from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.store import Store
from tests.fakes.store_engines import ENGINES, Engine


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine = ENGINES[request.param](tmp_path)
    yield engine
    engine.end()


@pytest.fixture
def store(engine: Engine) -> Store:
    return engine.start()
