"""`bot serve` and its sisters as processes of their own."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.runtime.cli import main
from tests.fakes.stage import DEBCI_KEY, SHOP, WERCKER_TOKEN, Stage, Transport

SECRETS = (WERCKER_TOKEN, DEBCI_KEY, "xoxb-sample-bot-token", "xapp-sample-app-token",
           "sample-signing-secret")  # fmt: skip


class Process:
    """A child process, with its output gathered as it comes."""

    def __init__(self, folder: Path, environ: dict[str, str], *arguments: str) -> None:
        self.child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "bot", *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=pair)
            for pair in ((self.child.stdout, self.out), (self.child.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def ends(self, limit_s: float = 25) -> int:
        code = self.child.wait(limit_s)
        for reader in self._readers:
            reader.join(5)
        return code

    def end(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.ends()

    def event(self, name: str) -> dict[str, Any] | None:
        lines = [json.loads(line) for line in list(self.err)]
        return next((line for line in lines if line["event"] == name), None)

    def _read(self, stream: Any, lines: list[str]) -> None:
        with stream:
            lines.extend(stream)


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that came to its end."""

    code: int
    out: str
    err: str


class Serving:
    """A stage whose bot is a process."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        stage.stop_bot()
        self.stage = stage
        self.process = Process(folder, stage.environ(), "serve")
        started = stage.wait(lambda: self.process.event("bot.started"), "bot.started", 20)
        self.port = int(started["port"])
        stage.connect(self.port)

    def get(self, path: str) -> tuple[int, str]:
        return get(f"http://127.0.0.1:{self.port}{path}")


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture
def serving(stage: Stage, tmp_path: Path) -> Iterator[Serving]:
    served = Serving(stage, tmp_path)
    yield served
    served.process.end()


def test_a_life(serving: Serving) -> None:
    """Starts, answers, acts, and stops in order on SIGTERM; logs are JSON lines on stderr."""
    stage = serving.stage
    olivia = stage.person()
    assert serving.get("/healthz")[0] == 200
    stage.wait(lambda: serving.get("/readyz")[0] == 200, "readiness")
    assert json.loads(serving.get("/readyz")[1]) == {"ready": True, "because": []}
    assert serving.get("/")[0] == 404
    olivia.asks("/watch wercker:*")
    card = olivia.acts(f"/trigger wercker:{SHOP} env.X=canary-variable")
    assert "— done" in card.text
    stage.wait(lambda: 'bot_polls_total{result="ok"}' in serving.get("/metrics")[1], "a poll")

    metrics = serving.get("/metrics")[1]
    for name in ("acme", "wercker", "debci", olivia.user, olivia.channel):
        assert name not in metrics

    serving.process.child.send_signal(signal.SIGTERM)
    assert serving.process.ends() == 0
    assert serving.process.out == []
    lines = [json.loads(line) for line in serving.process.err]
    assert all({"time", "level", "event", "logger"} <= line.keys() for line in lines)
    assert lines[-1]["event"] == "bot.stopped"
    for secret in (*SECRETS, "canary-variable"):
        assert secret not in "".join(serving.process.err)


def test_interrupted_from_the_keyboard(serving: Serving) -> None:
    serving.process.child.send_signal(signal.SIGINT)

    assert serving.process.ends() == 0
    assert serving.process.out == []


def test_readiness_follows_what_slack_says_to_the_token(serving: Serving) -> None:
    stage = serving.stage
    stage.wait(lambda: serving.get("/readyz")[0] == 200, "readiness")
    stage.slack.revoke(stage.slack.bot_token)
    stage.person().does("/runs failing share")

    def is_red() -> bool:
        status, body = serving.get("/readyz")
        return status == 503 and "slack_refuses_token" in body

    stage.wait(is_red, "readiness to be red", 5)
    assert serving.get("/healthz")[0] == 200
    stage.slack._platform.revoked.clear()
    stage.wait(lambda: serving.get("/readyz")[0] == 200, "readiness again", 15)


def test_it_stops_in_time_though_a_vendor_hangs(serving: Serving) -> None:
    stage = serving.stage
    stage.break_down("wercker", hang=True)
    olivia = stage.person()
    olivia.asks("/watch debci:*")
    olivia.does("/runs provider=wercker")
    olivia.does(f"/trigger wercker:{SHOP}")

    serving.process.child.send_signal(signal.SIGTERM)
    assert serving.process.ends(25) == 0


def test_a_restart_reports_what_it_interrupted_and_repeats_nothing(
    stage: Stage, tmp_path: Path
) -> None:
    served = Serving(stage, tmp_path)
    stage.break_down("wercker", method="POST", delay_s=5)
    olivia = stage.person()
    olivia.asks(f"/trigger wercker:{SHOP}")
    stage.wait(stage.changes, "the request")
    served.process.child.kill()
    served.process.ends()

    again = Serving.__new__(Serving)
    again.stage = stage
    again.process = Process(tmp_path, stage.environ(), "serve")
    try:
        report = stage.wait(
            lambda: [m for m in olivia.screen() if "A restart interrupted" in m.text],
            "a report",
            20,
        )[0]
        assert f"trigger wercker:{SHOP}" in report.text
        assert "unknown whether it arrived" in report.text
        assert len(stage.changes()) == 1
        assert [row["state"] for row in stage.audit()] == ["interrupted"]
    finally:
        again.process.end()


def test_a_second_bot_on_the_same_file_is_refused(serving: Serving, tmp_path: Path) -> None:
    second = Process(tmp_path, serving.stage.environ(), "serve")

    assert second.ends() == 1
    assert second.event("bot.refused") is not None
    assert second.out == []


# Settings and the short commands


@pytest.fixture(params=["socket"])
def transport(request: pytest.FixtureRequest) -> Transport:
    return request.param


@pytest.fixture(params=["socket", "http"])
def either(request: pytest.FixtureRequest) -> str:
    return str(request.param)


CANARY = "canary-setting"
BROKEN = {
    "SLACK_API_URL": f"ftp://{CANARY}",
    "DATABASE_URL": f"mysql://{CANARY}",
    "PORT": CANARY,
    "BOT_OPERATORS": CANARY,
    "BOT_ALERT_CHANNEL": f"#{CANARY}",
    "BOT_WATCHES": f"[{CANARY}",
    "BOT_POLL__MIN_INTERVAL_S": CANARY,
    "BOT_COMMAND_PREFIX": f"/{CANARY}!",
    "BOT_NOTHING_OF_OURS": CANARY,
    "BOT_PROVIDERS__WERCKER__BASE_URL": f"http://{CANARY}.example",
    "BOT_PROVIDERS__WERCKER__NONSENSE": CANARY,
    "BOT_PROVIDERS__OTHER__TYPE": CANARY,
    "BOT_PROVIDERS__DEBCI__TIMEOUT_S": CANARY,
}


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ended]]:
    """Runs a command in this process, which is quicker than a process of its own."""
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, logging.root.manager.disable

    def run(environ: dict[str, str], *arguments: str) -> Ended:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        code = main(arguments)
        return Ended(code, *capsys.readouterr())

    yield run
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    logging.disable(disabled)


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("verb", ["serve", "check"])
def test_a_wrong_setting_is_named_and_its_value_is_not(
    stage: Stage, command: Callable[..., Ended], name: str, verb: str
) -> None:
    ended = command(stage.environ() | {name: BROKEN[name]}, verb)

    assert ended.code == 2
    said = ended.err + ended.out
    assert name in said
    assert CANARY not in said.replace(name, "")
    if verb == "serve":
        assert ended.out == ""
        lines = [json.loads(line) for line in ended.err.splitlines()]
        assert {line["event"] for line in lines} == {"bot.refused"}


def test_all_that_is_wrong_is_said_at_once(stage: Stage, tmp_path: Path) -> None:
    process = Process(tmp_path, stage.environ() | {"PORT": "x", "BOT_OPERATORS": "y"}, "serve")

    assert process.ends() == 2
    assert process.out == []
    problems = [json.loads(line)["problem"] for line in process.err]
    assert [problem.partition(":")[0] for problem in problems] == ["PORT", "BOT_OPERATORS"]


@pytest.mark.parametrize("missing", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "both"])
def test_a_missing_token_is_named(
    stage: Stage, command: Callable[..., Ended], missing: str
) -> None:
    names = ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"] if missing == "both" else [missing]
    environ = {k: v for k, v in stage.environ().items() if k not in names}
    ended = command(environ, "serve")

    assert ended.code == 2
    assert all(name in ended.err for name in names)


@pytest.mark.parametrize("role", ["web", "worker"])
def test_roles_need_a_database_of_several(
    stage: Stage, command: Callable[..., Ended], role: str
) -> None:
    ended = command(stage.environ(), role)

    assert ended.code == 2
    assert "PostgreSQL" in ended.err
    assert ended.out == ""


def test_check_when_all_is_well(stage: Stage, tmp_path: Path) -> None:
    process = Process(tmp_path, stage.environ(), "check")

    assert process.ends() == 0
    table = "".join(process.out)
    assert re.search(r"^slack +ok ", table, re.MULTILINE)
    assert re.search(r"^provider wercker +ok .*robin-sample", table, re.MULTILINE)
    assert re.search(r"^provider debci +ok .*ci-bot", table, re.MULTILINE)
    assert not any(secret in table for secret in SECRETS)


def test_check_tells_the_age_of_the_polls_beside_a_running_bot(
    stage: Stage, command: Callable[..., Ended]
) -> None:
    assert "never polled yet" in command(stage.environ(), "check").out
    stage.person().acts(f"/watch wercker:{SHOP}")
    stage.wait(lambda: stage.query("SELECT 1 FROM sources WHERE good_poll IS NOT NULL"), "a poll")
    ended = command(stage.environ(), "check")

    assert re.search(r"^provider wercker +ok .*polled .* ago", ended.out, re.MULTILINE)
    assert re.search(r"^provider debci +ok .*never polled yet", ended.out, re.MULTILINE)


def test_check_when_something_fails(stage: Stage, command: Callable[..., Ended]) -> None:
    stage.break_down("wercker", status=401)
    stage.slack.scopes.discard("usergroups:read")
    ended = command(stage.environ(), "check")

    assert ended.code == 1
    table = ended.out
    assert re.search(r"^slack +failed .*usergroups:read", table, re.MULTILINE)
    assert re.search(r"^provider wercker +failed ", table, re.MULTILINE)
    assert re.search(r"^provider debci +ok ", table, re.MULTILINE)


def test_check_without_providers(stage: Stage, command: Callable[..., Ended]) -> None:
    environ = {k: v for k, v in stage.environ().items() if not k.startswith("BOT_PROVIDERS")}
    ended = command(environ, "check")

    assert ended.code == 1
    assert "BOT_PROVIDERS__<NAME>__" in ended.out


def test_providers(tmp_path: Path) -> None:
    process = Process(tmp_path, {}, "providers")

    assert process.ends() == 0
    table = "".join(process.out)
    assert re.search(r"^wercker .*Wercker: abort, get, list, log, retry", table, re.MULTILINE)
    assert re.search(r"^debci .*debci: get, list, log, retry, trigger", table, re.MULTILINE)
    assert "debci has no abort" in table


def test_migrate(stage: Stage, tmp_path: Path, command: Callable[..., Ended]) -> None:
    fresh = tmp_path / "fresh.db"
    environ = stage.environ() | {"DATABASE_URL": f"sqlite:///{fresh}"}
    for _ in range(2):
        ended = command(environ, "migrate")
        assert ended.code == 0
        assert "up to date" in ended.out
    assert fresh.exists()


def test_migrate_a_file_that_is_no_database(
    stage: Stage, tmp_path: Path, command: Callable[..., Ended]
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    environ = stage.environ() | {"DATABASE_URL": f"sqlite:///{broken}"}
    ended = command(environ, "migrate")

    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1
    assert broken.read_bytes() == b"this is no database" * 100


def test_the_manifest(command: Callable[..., Ended], either: str) -> None:
    secret = {"SLACK_SIGNING_SECRET": "s"} if either == "http" else {"SLACK_APP_TOKEN": "xapp-1"}
    environ = secret | {"BOT_COMMAND_PREFIX": "ci-"}
    ended = command(environ, "manifest", "--json")

    assert ended.code == 0
    manifest = json.loads(ended.out)
    commands = [one["command"] for one in manifest["features"]["slash_commands"]]
    assert commands == ["/ci-runs", "/ci-trigger", "/ci-abort", "/ci-retry", "/ci-watch"]
    assert manifest["settings"]["socket_mode_enabled"] is (either == "socket")
    assert ("request_url" in manifest["settings"]["interactivity"]) is (either == "http")


def test_an_unknown_command(tmp_path: Path) -> None:
    process = Process(tmp_path, {}, "nonsense")

    assert process.ends() == 2
    assert "nonsense" in "".join(process.err)
