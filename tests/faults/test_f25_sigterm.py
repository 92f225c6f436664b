"""F25: SIGTERM under load, to a bot of its own process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bot.playground.faults import Fault
from bot.playground.slack.people import BUILDS
from tests.fakes.newsroom import Newsroom

Open = Callable[..., Newsroom]


def test_f25_sigterm_settles_what_is_in_flight(newsroom: Open, tmp_path: Path) -> None:
    room = newsroom(BOT_ALERT_CHANNEL=BUILDS, PORT="0")
    room.polls_twice()
    room.stop_bot()
    room.slack.faults.add(Fault(path="/api/chat.postMessage", delay_s=1.0))
    child = start(room, tmp_path)
    try:
        runs = [room.ends("failed", branch=f"b{number}") for number in range(12)]
        room.wait(lambda: room.slack.faults.requests(path="/api/chat.postMessage"), "a send", 60)
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(25) == 0
        assert time.monotonic() - began < 25
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    left = room.query("SELECT state, is_ambiguous FROM outbox")
    assert not [row for row in left if row["state"] == "sending" or row["is_ambiguous"]]
    room.slack.faults.clear()
    room.start_bot()
    for run in runs:
        room.wait(lambda: room.query("SELECT 1 FROM outbox WHERE state = 'waiting'") == [], run.id)
    ids = [m.metadata["event_payload"]["id"] for m in room.told() if m.metadata]
    assert len(ids) == len(set(ids))


def start(room: Newsroom, folder: Path) -> subprocess.Popen[bytes]:
    environ = {**os.environ, **room.environ()}
    command = [sys.executable, "-m", "bot", "serve"]
    here = str(Path(__file__).parents[2])
    with (folder / "serve.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own program
            command, env={**environ, "PYTHONPATH": here}, cwd=folder, stderr=log
        )
