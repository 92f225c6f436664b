"""A bot that can be killed at any point, as a child process of a test.

Run as a program this is a nursery: it has everything imported, and for each line on stdin it
forks a child that is `bot serve` with the environment of that line. So a start costs a fraction
of a second, and a kill is a real one: SIGKILL, whatever the process is doing.

Points inside the bot are named `before fetch`, `after commit of record_poll` and so on; what
leads there is wrapped here, so the bot knows nothing of it.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Self

from sqlite_utils import Database

from bot.runtime.cli import main
from bot.services.fleet import Instance
from bot.slack.sender import SlackNotifier
from bot.store.sqlite import SqliteStore

COMMITS = (
    "claim_source",
    "record_poll",
    "claim_message",
    "settle_sent",
)
COMMAND_COMMITS = ("record_command", "accept_command", "end_command", "is_first_time")
CALLS: dict[str, tuple[type, str]] = {
    "fetch": (Instance, "poll"),
    "send": (SlackNotifier, "send"),
    "look": (SlackNotifier, "find"),
    "change": (Instance, "change"),
}
WHENS = ("before", "after")
ALERT_POINTS = (
    *(f"{when} {what}" for what in ("fetch", "send") for when in WHENS),
    *(f"{when} commit of {verb}" for verb in (*COMMITS, "interrupt_commands") for when in WHENS),
)
COMMAND_POINTS = (
    *(f"{when} change" for when in WHENS),
    *(f"{when} commit of {verb}" for verb in COMMAND_COMMITS for when in WHENS),
)


class Nursery:
    """Forks bots on request. One at a time; use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        here = str(Path(__file__).parents[2])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.killable"],
            cwd=here,
            env={**os.environ, "PYTHONPATH": here},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def start(self, environ: dict[str, str], point: str = "", nth: int = 1) -> int:
        """Forks a bot that kills itself when it comes to `point` for the nth time; its pid."""
        order = {"environ": environ, "point": point, "nth": nth, "folder": str(self._folder)}
        return int(self._ask(order))

    def ends(self, pid: int, within_s: float) -> bool:
        """Whether the bot is gone by then, by whatever way."""
        return self._ask({"ends": pid, "within_s": within_s}) == "True"

    def _ask(self, order: dict[str, Any]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


def log_name(pid: int) -> str:
    return f"serve-{pid}.log"


def kill(pid: int) -> None:
    """SIGKILL; a process that is gone already is fine."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _nurse() -> None:
    """Until stdin ends; then the last child ends too."""
    pid = 0
    for line in sys.stdin:
        order = json.loads(line)
        if "ends" in order:
            answer = str(_ends(order["ends"], order["within_s"]))
        else:
            pid = os.fork()
            if pid == 0:
                _serve(order)
            answer = str(pid)
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()
    if pid and not _ends(pid, 0):
        kill(pid)


def _ends(pid: int, within_s: float) -> bool:
    until = time.monotonic() + within_s
    pause = 0.005
    while True:
        try:
            gone, _status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return True
        if gone or time.monotonic() > until:
            return bool(gone)
        select.select([], [], [], pause)


def _serve(order: dict[str, Any]) -> NoReturn:
    code = 1
    try:
        os.chdir(order["folder"])
        log = os.open(log_name(os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(log, 2)
        os.dup2(nothing, 1)
        os.dup2(nothing, 0)
        os.environ.update(order["environ"])
        if order["point"]:
            _wire(Fuse(order["point"], order["nth"]))
        code = main(["serve"])
    finally:
        os._exit(code)


class Fuse:
    """Ends the process when it comes to its point for the nth time."""

    def __init__(self, point: str, nth: int) -> None:
        self._point = point
        self._left = nth
        self._lock = threading.Lock()

    def passes(self, point: str) -> None:
        if point != self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def _wire(fuse: Fuse) -> None:
    for name, (owner, method) in CALLS.items():
        setattr(owner, method, _watched(fuse, getattr(owner, method), name))
    verb = threading.local()
    for name in (*COMMITS, "interrupt_commands", *COMMAND_COMMITS):
        setattr(SqliteStore, name, _named(verb, getattr(SqliteStore, name), name))
    execute = Database.execute

    def committing(self: Database, sql: str, *arguments: Any) -> Any:
        if sql != "COMMIT":
            return execute(self, sql, *arguments)
        point = f"commit of {getattr(verb, 'name', '')}"
        fuse.passes(f"before {point}")
        result = execute(self, sql, *arguments)
        fuse.passes(f"after {point}")
        return result

    Database.execute = committing


def _watched(fuse: Fuse, method: Callable[..., Any], name: str) -> Callable[..., Any]:
    def watched(*arguments: Any, **more: Any) -> Any:
        fuse.passes(f"before {name}")
        result = method(*arguments, **more)
        fuse.passes(f"after {name}")
        return result

    return watched


def _named(verb: threading.local, method: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Notes which verb of the store the thread is in."""

    def named(*arguments: Any, **more: Any) -> Any:
        verb.name = name
        try:
            return method(*arguments, **more)
        finally:
            verb.name = ""

    return named


if __name__ == "__main__":
    _nurse()
