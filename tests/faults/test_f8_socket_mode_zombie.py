"""F8: a Socket Mode connection that is dead without a sign is noticed and replaced."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.playground.slack.people import BUILDS, OPERATOR
from bot.playground.slack.standin import SlackStandin
from bot.slack import socket_mode
from bot.slack.socket_mode import SocketMode

QUIET_S = 0.6


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin().serve() as standin:
        yield standin


@pytest.fixture
def connect(slack: SlackStandin) -> Iterator[Callable[..., SocketMode]]:
    with ExitStack() as opened:

        def start(url: str = "", quiet_s: float = QUIET_S) -> SocketMode:
            mode = SocketMode(an_app(), slack.app_token, url or slack.api_url, quiet_s=quiet_s)
            mode.start()
            opened.callback(mode.stop)
            return mode

        yield start


def an_app() -> App:
    app = App(
        client=WebClient(),
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id=None, bot_token="xoxb-1"),
        process_before_response=True,
    )

    @app.command("/runs")
    def runs(ack: Ack) -> None:
        ack("here")

    return app


def test_f8_a_connection_that_brings_nothing_is_replaced(
    slack: SlackStandin, connect: Callable[..., SocketMode]
) -> None:
    mode = connect()
    slack.wait_connected()
    slack.wait_for(mode.is_connected, what="readiness")
    first = connection_numbers(slack)
    slack.silence()
    slack.wait_for(lambda: not connection_numbers(slack) & first, 10, "another connection")
    slack.silence(on=False)
    slack.wait_for(mode.is_connected, what="readiness")
    assert slack.slash(OPERATOR, BUILDS, "/runs").acked


def test_f8_the_limits_make_90_seconds() -> None:
    noticed_s = socket_mode.QUIET_S + socket_mode.LOOK_S
    assert noticed_s + socket_mode.HELLO_S < 90


def test_f8_not_ready_while_it_cannot_be_replaced(
    slack: SlackStandin, connect: Callable[..., SocketMode], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "HELLO_S", 0.3)
    mode = connect()
    slack.wait_for(mode.is_connected, what="readiness")
    slack.silence()
    slack.revoke(slack.app_token)
    slack.wait_for(lambda: not mode.is_connected(), 10, "to be not ready")


def test_f8_cut_connections_come_back(
    slack: SlackStandin, connect: Callable[..., SocketMode], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "HELLO_S", 0.3)
    mode = connect()
    slack.wait_for(mode.is_connected, what="readiness")
    first = connection_numbers(slack)
    slack.drop_connections()
    slack.wait_for(lambda: not connection_numbers(slack) & first, 10, "the end of the old one")
    slack.wait_connected()
    slack.wait_for(mode.is_connected, what="readiness")
    assert slack.slash(OPERATOR, BUILDS, "/runs").acked


def test_f8_slack_cannot_be_reached_at_the_start(
    connect: Callable[..., SocketMode], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "HELLO_S", 0.3)
    mode = connect("http://127.0.0.1:9/api/")
    assert not mode.is_connected()
    assert mode.is_alive()


def test_f8_no_message_is_lost_while_connections_are_replaced(
    slack: SlackStandin, connect: Callable[..., SocketMode]
) -> None:
    connect(quiet_s=0.2)
    slack.wait_connected()
    ends_at = time.monotonic() + 3
    outcomes = []
    while time.monotonic() < ends_at:
        outcomes.append(slack.slash(OPERATOR, BUILDS, "/runs"))
    assert all(outcome.acked for outcome in outcomes)


def connection_numbers(slack: SlackStandin) -> set[int]:
    return {connection.number for connection in list(slack._socket.connections)}
