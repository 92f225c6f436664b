from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.newsroom import Newsroom

Open = Callable[..., Newsroom]


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[Open]:
    """Starts a bot beside a local Slack, with other settings where told so."""
    with ExitStack() as opened:
        yield lambda **environ: opened.enter_context(Newsroom(tmp_path, **environ))
