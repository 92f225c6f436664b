"""How soon Slack gets its acknowledgement, beside a bare Bolt app in the same run.

    python -m tests.bench.bench_acks

Prints milliseconds for `/runs help` in the composed bot, for an inline echo in a Bolt app
behind the same kind of server, and for `/runs help` while twelve provider calls of two seconds
each are under way.
"""

import logging
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

from slack_bolt import Ack, App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

from bot.playground.clock import WallClock
from bot.playground.faults import Fault
from bot.playground.server import Server
from bot.playground.slack.delivery import signed_headers
from bot.playground.slack.people import BUILDS, HOME_TEAM, OPERATOR
from bot.playground.slack.standin import SlackStandin
from bot.playground.vendors.wercker import WerckerStandin
from bot.runtime.bot import Bot
from bot.runtime.settings import read
from bot.runtime.web import WebServer

ROUNDS = 200
FORM = "application/x-www-form-urlencoded"


class Caller:
    """Sends signed slash commands, each with a trigger of its own."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._count = 0

    def ack_ms(self, url: str, text: str) -> float:
        self._count += 1
        body = urlencode(
            {
                "command": "/runs",
                "text": text,
                "team_id": HOME_TEAM,
                "channel_id": BUILDS,
                "user_id": OPERATOR,
                "trigger_id": f"bench.{self._count}",
                "response_url": "http://127.0.0.1:9/none",
            }
        )
        headers = signed_headers(self._secret, body.encode()) | {"Content-Type": FORM}
        request = urllib.request.Request(url, body.encode(), headers)  # noqa: S310  # loopback
        started = time.perf_counter()
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            reply.read()
        return (time.perf_counter() - started) * 1000


@contextmanager
def bolt_echo(secret: str) -> Iterator[str]:
    app = App(
        signing_secret=secret,
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id=HOME_TEAM, bot_token="x"),
        process_before_response=True,
    )

    @app.command("/runs")
    def echo(ack: Ack, body: dict[str, str]) -> None:
        ack(text=body["text"])

    server = WebServer(SlackRequestHandler(app), "127.0.0.1", 0)
    server.start()
    yield f"http://127.0.0.1:{server.port}/slack/events"
    server.stop()


@contextmanager
def composed_bot(slack: SlackStandin, wercker: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        bot = Bot(
            read(
                {
                    "SLACK_API_URL": slack.api_url,
                    "SLACK_BOT_TOKEN": slack.bot_token,
                    "SLACK_SIGNING_SECRET": slack.signing_secret,
                    "DATABASE_URL": f"sqlite:///{folder}/bench.db",
                    "PORT": "0",
                    "BOT_BIND_HOST": "127.0.0.1",
                    "BOT_OPERATORS": "*",
                    "BOT_PROVIDERS__WERCKER__TOKEN": "bench-token",
                    "BOT_PROVIDERS__WERCKER__BASE_URL": wercker,
                }
            )
        )
        bot.start()
        try:
            yield f"http://127.0.0.1:{bot.port}/slack/events"
        finally:
            bot.stop()


def timed(rounds: int, call: Callable[[], float]) -> list[float]:
    return sorted(call() for _ in range(rounds))


def show(what: str, times_ms: list[float]) -> None:
    p99 = times_ms[int(len(times_ms) * 0.99) - 1]
    print(f"{what:<44} median {statistics.median(times_ms):6.1f} ms   p99 {p99:6.1f} ms")


def main() -> None:
    wercker = WerckerStandin(WallClock(), "bench-token")
    wercker.add_application("acme", "shop")
    slack = SlackStandin()
    caller = Caller(slack.signing_secret)
    logging.disable(logging.CRITICAL)
    with ExitStack() as open_:
        open_.enter_context(slack.serve())
        vendor = open_.enter_context(Server(wercker.app))
        echo = open_.enter_context(bolt_echo(slack.signing_secret))
        bot = open_.enter_context(composed_bot(slack, vendor.url))
        timed(20, lambda: caller.ack_ms(echo, "help") + caller.ack_ms(bot, "help"))
        pairs = [(caller.ack_ms(echo, "help"), caller.ack_ms(bot, "help")) for _ in range(ROUNDS)]
        show("Bolt, inline echo", sorted(one for one, _ in pairs))
        show("/runs help", sorted(one for _, one in pairs))
        wercker.faults.add(Fault(delay_s=2.0))
        run = "wercker:577a4dbc3ec144923a02b6f9"
        show("twelve slow reads, their acks", timed(12, lambda: caller.ack_ms(bot, run)))
        show("/runs help meanwhile", timed(50, lambda: caller.ack_ms(bot, "help")))


if __name__ == "__main__":
    main()
