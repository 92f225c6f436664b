"""F8 through the composed bot: a peer that is gone without a sign, and a name that is not known
yet when the bot starts.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.playground.slack.people import BUILDS, OPERATOR
from bot.slack import connection, socket_mode
from bot.slack.socket_mode import SocketMode
from tests.fakes.newsroom import Newsroom
from tests.fakes.relay import Relay
from tests.fakes.stage import Transport

LONG_S = 3600.0


class Relayed(Newsroom):
    """Slack is reached through a relay."""

    way: Transport = "socket"
    relay: Relay

    def start_bot(self) -> None:
        with ExitStack() as opening:
            self.relay = opening.enter_context(Relay(self._servers["slack"].port))
            self.slack.url = self.relay.url
            super().start_bot()
            self._closing = opening.pop_all()

    def stop_bot(self) -> None:
        super().stop_bot()
        self._closing.close()

    def is_heard(self) -> bool:
        """Whether a command is acknowledged; Slack may still choose a dead connection for it."""
        return self.slack.slash(OPERATOR, BUILDS, "/runs help").acked


@pytest.fixture
def relayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Relayed]]:
    """Starts a bot with short limits: for silence, for a hello, between two pings."""
    with ExitStack() as opened:

        def start(quiet_s: float, ping_s: float) -> Relayed:
            monkeypatch.setattr("bot.runtime.bot.SocketMode", partial(SocketMode, quiet_s=quiet_s))
            monkeypatch.setattr(socket_mode, "HELLO_S", 0.5)
            monkeypatch.setattr(connection, "PING_INTERVAL_S", ping_s)
            monkeypatch.setattr("bot.slack.web.TIMEOUT_S", 1)
            room = opened.enter_context(Relayed(tmp_path, BOT_ALERT_CHANNEL=BUILDS))
            room.slack.strict.ack_limit_s = 0.5
            room.polls_twice()
            return room

        yield start


@pytest.mark.parametrize(
    ("quiet_s", "ping_s"),
    [pytest.param(0.6, LONG_S, id="by its silence"), pytest.param(LONG_S, 0.2, id="by its pings")],
)
def test_f8_a_peer_that_is_gone_without_a_sign_is_replaced(
    relayed: Callable[..., Relayed], quiet_s: float, ping_s: float
) -> None:
    """Each of the two ways to notice it is enough by itself."""
    room = relayed(quiet_s, ping_s)
    known = room.slack.connections
    room.relay.silence()
    room.wait(lambda: room.slack.connections > known, "another connection")
    room.wait(room.is_heard, "a command that is heard")
    room.wait(lambda: not room.bot.unready(), "readiness")


def test_f8_red_while_slack_is_out_of_reach_and_nothing_is_lost(
    relayed: Callable[..., Relayed],
) -> None:
    room = relayed(0.6, 0.2)
    room.relay.is_dead = True
    room.relay.silence()
    run = room.ends("failed")
    room.wait(lambda: "socket_mode_not_connected" in room.bot.unready(), "red")
    room.polls_twice()
    assert [m for m in room.told() if run.id in m.visible] == []
    room.relay.is_dead = False
    room.wait(lambda: not room.bot.unready(), "readiness")
    room.wait(room.is_heard, "a command that is heard")
    room.waits_for(run.id)
    assert len([m for m in room.told() if run.id in m.visible]) == 1


def test_f8_either_way_to_notice_takes_less_than_90_seconds() -> None:
    """The client takes four pings without an answer for the end, and looks once a ping."""
    by_pings_s = connection.PING_INTERVAL_S * (4 + 1)
    by_silence_s = socket_mode.QUIET_S + socket_mode.LOOK_S
    assert max(by_pings_s, by_silence_s) + socket_mode.HELLO_S < 90


def test_f8_a_name_that_is_known_only_after_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine whose bot is up before its network: not ready, and ready by itself."""
    resolve, is_known = socket.getaddrinfo, [False]

    def late(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host in {"localhost", b"localhost"}:
            if not is_known[0]:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            host = "127.0.0.1"
        return resolve(host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", late)
    monkeypatch.setattr(socket_mode, "LOOK_S", 0.2)
    with Named(tmp_path, BOT_ALERT_CHANNEL=BUILDS) as room:
        assert "socket_mode_not_connected" in room.bot.unready()
        assert "slack_refuses_token" in room.bot.unready()
        room.polls_twice()
        run = room.ends("failed")
        room.polls_twice()
        is_known[0] = True
        room.wait(lambda: not room.bot.unready(), "readiness")
        room.waits_for(run.id)
        assert room.slack.slash(OPERATOR, BUILDS, "/runs help").acked


class Named(Newsroom):
    """Slack is reached by name, and need not be there when the bot starts."""

    way: Transport = "socket"

    def start_bot(self) -> None:
        self.slack.url = self.slack.url.replace("127.0.0.1", "localhost")
        super().start_bot()

    def connect(self, port: int) -> None:
        del port
