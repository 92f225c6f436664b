"""A real debci 3.6 on this machine: broker, web server, worker and collector on loopback.

Needs root and Debian 12's packages: `apt-get install --no-install-recommends debci
debci-collector rabbitmq-server puma` (not `debci-worker`, which would build a test bed).
Everything runs as the user `debci`, in a folder of its own and on ports of its own.

A package ends by its name: `…-fail` fails, any other passes, after a quarter of a second.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

SUITES = ("unstable", "testing")
ARCHITECTURES = ("amd64", "arm64")  # arm64 has no worker: its runs stay pending
_READY_WITHIN_S = 60
_AS_DEBCI = ("setpriv", "--reuid=debci", "--regid=debci", "--clear-groups", "--no-new-privs")
_RACKUP = """
require 'rack/static'
use Rack::Static, urls: ['/data'], root: '{root}', header_rules: [
  [/log\\.gz$/, {{'Content-Encoding' => 'gzip', 'Content-Type' => 'text/plain; charset=utf-8'}}]
]
run Rack::Builder.parse_file('/usr/share/debci/config.ru')[0]
"""


def wait_until(is_ready: Callable[[], bool], what: str, limit_s: float = _READY_WITHIN_S) -> None:
    """Returns as soon as `is_ready()`; AssertionError after `limit_s`."""
    ends_at = time.monotonic() + limit_s
    while not is_ready():
        assert time.monotonic() < ends_at, f"{what} took longer than {limit_s} s"
        time.sleep(0.05)


def free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass
class RealDebci:
    """A running server. `key` belongs to the user `chatops`."""

    folder: Path
    url: str
    key: str = field(repr=False)
    environment: dict[str, str] = field(repr=False)
    web: subprocess.Popen[bytes]
    worker: subprocess.Popen[bytes]
    collector: subprocess.Popen[bytes]
    broker: subprocess.Popen[bytes]

    def ruby(self, script: str) -> str:
        """What `script` prints, with debci's own classes at hand."""
        return _output(["ruby", "-rdebci", "-rdebci/job", "-e", script], self.environment)

    def jobs(self) -> int:
        """The number of runs in its database."""
        return int(self.ruby("print Debci::Job.count"))

    @contextmanager
    def paused(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """Stops a daemon and all it has started, for a while."""
        os.killpg(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGCONT)

    def stop_broker(self) -> None:
        _end(self.broker)


@contextmanager
def real_debci() -> Iterator[RealDebci]:
    """Starts a server and ends all of its processes, by their ids."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="real-debci-", dir="/var/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        amqp, dist, epmd, http = free_ports(4)
        _configure(folder, amqp, http)
        environment = _environment(folder, amqp, dist, epmd)

        def start(name: str, *command: str, cwd: str = "/") -> subprocess.Popen[bytes]:
            process = _start(folder / f"{name}.log", command, environment, cwd)
            stack.callback(_end, process)
            return process

        start("epmd", "epmd", "-address", "127.0.0.1", "-port", str(epmd))
        broker = start("broker", "/usr/lib/rabbitmq/bin/rabbitmq-server")
        wait_until(lambda: _has_queues(amqp), "the broker")
        _output(["debci", "migrate"], environment)
        _output(["debci", "update"], environment)
        key = _output(["debci", "api", "setkey", "chatops"], environment).split()[-1]
        bind = f"tcp://127.0.0.1:{http}"
        rackup = str(folder / "config.ru")
        web = start("web", "puma", "-e", "production", "-b", bind, rackup, cwd="/usr/share/debci")
        wait_until(lambda: _answers(f"http://127.0.0.1:{http}/api/v1/auth", key), "the web server")
        yield RealDebci(
            folder=folder,
            url=f"http://127.0.0.1:{http}",
            key=key,
            environment=environment,
            web=web,
            worker=start("worker", "debci", "worker"),
            collector=start("collector", "debci", "collector"),
            broker=broker,
        )


def _configure(folder: Path, amqp: int, http: int) -> None:
    settings = {
        "backend": "fake",
        "suite_list": " ".join(SUITES),
        "arch_list": " ".join(ARCHITECTURES),
        "data_basedir": str(folder / "data"),
        "amqp_server": f"amqp://127.0.0.1:{amqp}",
        "url_base": f"http://127.0.0.1:{http}",
    }
    lines = [f'debci_{name}="{value}"\n' for name, value in settings.items()]
    for name in ("etc/conf.d", "data", "home"):
        (folder / name).mkdir(parents=True)
    (folder / "etc/conf.d/it.conf").write_text("".join(lines))
    (folder / "etc/reject_list").write_text("# too big\nblocked-* testing amd64\n")
    (folder / "config.ru").write_text(_RACKUP.format(root=folder))
    folder.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, "debci", "debci")


def _environment(folder: Path, amqp: int, dist: int, epmd: int) -> dict[str, str]:
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "RACK_ENV": "production",
        "debci_config_dir": str(folder / "etc"),
        "DEBCI_FAKE_COMMAND": (
            'sleep 0.25; case "$debci_test_package" in *-fail) exit 1;; esac; echo done'
        ),
        "ERL_EPMD_PORT": str(epmd),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "it@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(amqp),
        "RABBITMQ_DIST_PORT": str(dist),
        "RABBITMQ_MNESIA_BASE": str(folder / "home/mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "home/log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "home/plugins"),
        "RABBITMQ_PID_FILE": str(folder / "home/broker.pid"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none-either"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }


def _start(
    log: Path, command: tuple[str, ...], environment: dict[str, str], cwd: str
) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603  # fixed commands
            [*_AS_DEBCI, *command],
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and its group; a second call does nothing."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


def _output(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603  # fixed commands
        [*_AS_DEBCI, *command],
        env=environment,
        cwd="/",
        capture_output=True,
        timeout=60,
        check=True,
    )
    return done.stdout.decode()


def _has_queues(amqp: int) -> bool:
    command = ["amqp-declare-queue", f"--url=amqp://127.0.0.1:{amqp}", "-d", "-q", "debci_results"]
    done = subprocess.run(command, capture_output=True, timeout=10, check=False)  # noqa: S603  # fixed
    return done.returncode == 0


def _answers(url: str, key: str) -> bool:
    with closing(requests.Session()) as session:
        session.trust_env = False
        try:
            return session.get(url, headers={"Auth-Key": key}, timeout=5).ok
        except requests.ConnectionError:
            return False
