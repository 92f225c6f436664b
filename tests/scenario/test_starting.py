"""A start that fails leaves nothing running: no thread, no socket, no lock on the database."""

import threading
from pathlib import Path

import pytest

from bot.runtime.supervisor import Supervisor
from bot.slack.identity import Identity
from tests.fakes.stage import Stage, Transport


class StartError(Exception):
    """Raised in the middle of a start."""


def _fail(*_: object) -> None:
    raise StartError


@pytest.mark.parametrize(
    ("part", "step"),
    [(Identity, "refresh"), (Supervisor, "start"), (Stage, "connect")],
    ids=["before the listeners", "after the listeners", "when all runs"],
)
def test_a_start_that_fails_leaves_nothing_running(
    part: type, step: str, transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    with monkeypatch.context() as patched:
        patched.setattr(part, step, _fail)
        with pytest.raises(StartError), Stage(transport, tmp_path):
            pytest.fail("the stage must not open")
    left = {thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()}
    assert left <= {"net-watchdog"}
    with Stage(transport, tmp_path) as stage:  # on the same file, whose lock is free again
        assert stage.person().asks("/runs")
