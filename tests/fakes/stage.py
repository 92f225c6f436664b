"""The composed bot between a local Slack and local CI services, all over real sockets.

    with Stage("socket", folder) as stage:
        olivia = stage.person()
        answer = olivia.asks("/runs")

A test plays people and looks at their screens, and at what the CI services received.
"""

import json
import logging
import re
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, cast
from urllib.request import urlopen

from bot.playground.clock import ManualClock, WallClock
from bot.playground.faults import Fault, FaultPlan, Received
from bot.playground.server import Server
from bot.playground.slack.messages import Message
from bot.playground.slack.outcome import Outcome
from bot.playground.slack.people import BOT_USER, BUILDS, OPERATOR
from bot.playground.slack.standin import SlackStandin
from bot.playground.slack.strictness import Strictness
from bot.playground.vendors.debci import DebciStandin
from bot.playground.vendors.env0_model import SECRET
from bot.playground.vendors.wercker import PipelineSpec, WerckerStandin
from bot.runtime.bot import Bot
from bot.runtime.logs import JsonFormatter
from bot.runtime.settings import read

T = TypeVar("T")
Transport = Literal["socket", "http"]
Entry = Literal["slash", "mention", "message"]

TRANSPORTS: tuple[Transport, ...] = ("socket", "http")
ENTRIES: tuple[Entry, ...] = ("slash", "mention", "message")
WERCKER_TOKEN = "canary-wercker-token"
DEBCI_KEY = "canary-debci-key"
SHOP, DEPLOY, CATALOG = "acme/shop/build", "acme/shop/deploy", "acme/catalog/build"
LIMIT_S = 10.0
_CANARY = re.compile(rb"canary[\w-]+")
QUIET = ("slack_bolt", "slack_sdk", "urllib3", "waitress", "asyncio", "aiohttp")


class Stage:
    """Starts on entering and ends on leaving; `environ` adds to the bot's settings or, with
    None, takes away from them. The CI services live on `clock`, which stands still.
    """

    def __init__(
        self, transport: Transport, folder: Path, environ: Mapping[str, str | None] | None = None
    ) -> None:
        self.transport = transport
        self.clock = ManualClock(time.time() - 3600)
        self.slack = SlackStandin(WallClock(), Strictness(retry_waits_s=(0.0, 0.1)))
        self.wercker = WerckerStandin(self.clock, WERCKER_TOKEN)
        self.debci = DebciStandin(self.clock, {DEBCI_KEY: "ci-bot"})
        self.database = folder / "bot.db"
        self.log = LogKeeper()
        self.vendors: dict[str, Any] = {"wercker": self.wercker, "debci": self.debci}
        self._environ = dict(environ or {})
        self._open = ExitStack()
        self._servers = {"slack": Server(self.slack.app)}
        self._secrets: set[str] = set()
        self._metrics = ""
        self.bot: Bot
        self._running: Bot | None = None
        self._make_applications()

    def __enter__(self) -> Self:
        self._servers |= {name: Server(one.app) for name, one in self.vendors.items()}
        with ExitStack() as opening:
            for server in self._servers.values():
                opening.enter_context(server)
            self.slack.url = self._servers["slack"].url
            opening.enter_context(self.log)
            opening.callback(self.stop_bot)
            self.start_bot()
            self._open = opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        """Ends all; AssertionError if anything secret was shown or kept anywhere."""
        self._open.close()
        if kind is None:
            check_secrets(self.canaries(), self.places())

    # The bot

    def environ(self) -> dict[str, str]:
        """The settings that point a bot here."""
        values: dict[str, str | None] = {
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "DATABASE_URL": f"sqlite:///{self.database}",
            "PORT": "0",
            "BOT_BIND_HOST": "127.0.0.1",
            "BOT_OPERATORS": OPERATOR,
            "BOT_POLL__MIN_INTERVAL_S": "0.2",
            "BOT_POLL__MAX_INTERVAL_S": "0.4",
            **self.providers(),
        }
        if self.transport == "socket":
            values["SLACK_APP_TOKEN"] = self.slack.app_token
        else:
            values["SLACK_SIGNING_SECRET"] = self.slack.signing_secret
        values |= self._environ
        return {name: value for name, value in values.items() if value is not None}

    def providers(self) -> dict[str, str]:
        """The settings of the CI services."""
        return {
            "BOT_PROVIDERS__WERCKER__BASE_URL": self.url("wercker"),
            "BOT_PROVIDERS__WERCKER__TOKEN": WERCKER_TOKEN,
            "BOT_PROVIDERS__WERCKER__APPLICATIONS": "acme/shop,acme/catalog",
            "BOT_PROVIDERS__WERCKER__REQUESTS_PER_MINUTE": "6000",
            "BOT_PROVIDERS__DEBCI__BASE_URL": self.url("debci"),
            "BOT_PROVIDERS__DEBCI__TOKEN": DEBCI_KEY,
            "BOT_PROVIDERS__DEBCI__REQUESTS_PER_MINUTE": "6000",
        }

    def start_bot(self) -> None:
        """Starts a bot and returns once it can be reached. If it never can, leaving ends it."""
        settings = read(self.environ())
        self.log.secrets = settings.secrets()
        self._secrets.update(settings.secrets())
        self.bot = Bot(settings)
        self.bot.start()
        self._running = self.bot
        self.connect(self.bot.port)

    def connect(self, port: int) -> None:
        """Lets Slack reach a bot that listens on `port`, or has opened a connection by itself."""
        if self.transport == "socket":
            self.slack.wait_connected()
        else:
            self.slack.request_url = f"http://127.0.0.1:{port}/slack/events"

    def stop_bot(self) -> None:
        """Ends the bot that runs, if one does."""
        running, self._running = self._running, None
        if running is not None:
            with urlopen(f"http://127.0.0.1:{running.port}/metrics", timeout=LIMIT_S) as reply:
                self._metrics += reply.read().decode()
            running.stop()

    def url(self, service: str) -> str:
        return self._servers[service].url

    # What there is

    def person(self, user: str = OPERATOR, channel: str = BUILDS) -> "Player":
        return Player(self, user, channel)

    def faults(self, instance: str) -> FaultPlan:
        """Faults of one CI service, and the record of what it received."""
        return cast("FaultPlan", self.vendors[instance].faults)

    def break_down(self, instance: str, **fault: Any) -> Fault:
        """Lets a CI service misbehave; see `Fault`."""
        return self.faults(instance).add(Fault(**fault))

    def changes(self, instance: str = "") -> list[Received]:
        """Every request so far that asks a CI service to change anything."""
        wanted = [instance] if instance else list(self.vendors)
        return [r for one in wanted for r in self.faults(one).requests("POST|PUT|PATCH|DELETE")]

    def body(self) -> Any:
        """The body of the only change that was sent to Wercker."""
        (change,) = self.changes("wercker")
        return json.loads(change.body)

    def audit(self) -> list[dict[str, Any]]:
        """The recorded commands, oldest first."""
        return self.query("SELECT * FROM commands ORDER BY id")

    def query(self, sql: str) -> list[dict[str, Any]]:
        conn = sqlite3.connect(self.database)
        try:
            conn.row_factory = sqlite3.Row
            return [dict(row) for row in conn.execute(sql)]
        finally:
            conn.close()

    def stored_bytes(self) -> bytes:
        """The database file with all that belongs to it."""
        files = self.database.parent.glob(f"{self.database.name}*")
        return b"".join(path.read_bytes() for path in files)

    def posted(self) -> str:
        """Everything that was ever sent to Slack, screens and calls."""
        calls = [json.dumps([c.method, c.args], default=str) for c in self.slack.calls()]
        received = [r.body.decode(errors="replace") for r in self.slack.faults.received]
        return "\n".join((*calls, *received))

    def canaries(self) -> set[str]:
        """What must never be seen: the settings' secrets, those of Slack and of env0, and
        whatever begins with `canary` among the variables that a CI service holds or got.
        """
        slack = {self.slack.bot_token, self.slack.app_token, self.slack.signing_secret}
        typed = {m.decode() for r in self.changes() for m in _CANARY.findall(r.body)}
        return slack | self._secrets | {SECRET} | typed | set(planted(self.variables()))

    def variables(self) -> list[Any]:
        """The variables that the CI services hold, in their own form."""
        return [run.env for run in self.wercker.runs]

    def places(self) -> dict[str, str]:
        """Whatever left the bot or was kept by it; a bot that still runs has not told all."""
        return {
            "Slack": self.posted(),
            "the log": self.log.text,
            "the database": self.stored_bytes().decode("latin-1"),
            "/metrics": self._metrics,
        }

    def marked_up(self, message: Message) -> str:
        """What Slack reads for mentions, links and markup: a message without its plain texts."""
        return "\n".join([message.text, *_mrkdwn(message.blocks)])

    def wait(self, seen: Callable[[], T], what: str, limit_s: float = LIMIT_S) -> T:
        """The first true value of `seen()`; AssertionError after `limit_s`."""
        return self.slack.wait_for(seen, limit_s, what)

    def _make_applications(self) -> None:
        build = PipelineSpec("build", then=())
        deploy = PipelineSpec("deploy", "deploy", "pipeline")
        self.wercker.add_application("acme", "shop", [build, deploy])
        self.wercker.add_application("acme", "catalog", ["build"])


class Player:
    """A person before Slack, in one channel."""

    def __init__(self, stage: Stage, user: str, channel: str) -> None:
        self.stage = stage
        self.user = user
        self.channel = channel

    def where(self, entry: Entry) -> str:
        """The channel in which this way in is used, and answered."""
        return self.stage.slack.dm(self.user) if entry == "message" else self.channel

    def screen(self, entry: Entry = "slash") -> list[Message]:
        """What the bot has said and this person sees there, oldest first."""
        seen = self.stage.slack.messages(self.where(entry), self.user)
        return [m for m in seen if m.user == BOT_USER and m.subtype != "slack_error"]

    def does(self, command: str, entry: Entry = "slash", thread_ts: str | None = None) -> Outcome:
        """Sends `runs failing` by one of the ways in. It must be acknowledged."""
        slack, words = self.stage.slack, command.removeprefix("/")
        if entry == "slash":
            outcome = slack.slash(self.user, self.channel, f"/{words}")
        elif entry == "mention":
            outcome = slack.mention(self.user, self.channel, words, thread_ts)
        else:
            outcome = slack.direct_message(self.user, words, thread_ts)
        assert outcome.acked, f"{command}: {outcome.error or 'not delivered'}"
        return outcome

    def asks(self, command: str, entry: Entry = "slash", **more: Any) -> Message:
        """Sends a command and returns the first thing the bot then shows to this person."""
        return self.after(lambda: self.does(command, entry, **more), entry, command)

    def after(self, deed: Callable[[], object], entry: Entry = "slash", what: str = "") -> Message:
        """Does something and returns the first message of the bot that follows."""
        known = {m.ts for m in self.screen(entry)}
        deed()
        fresh = lambda: [m for m in self.screen(entry) if m.ts not in known]  # noqa: E731
        return self.stage.wait(fresh, f"an answer to {what or deed}")[0]

    def acts(self, command: str, entry: Entry = "slash", **more: Any) -> Message:
        """Sends a mutation and returns its card as it stands when it is settled."""
        return self.settled(self.asks(command, entry, **more))

    def settled(self, card: Message) -> Message:
        """A card once it is no longer being sent."""

        def done() -> Message | None:
            found = self.again(card)
            return found if "— sending" not in found.visible else None

        return cast("Message", self.stage.wait(done, f"the end of {card.visible}"))

    def again(self, message: Message) -> Message:
        """A message as it stands now."""
        seen = self.stage.slack.messages(message.channel, self.user)
        return next(m for m in seen if m.ts == message.ts)

    def presses(self, message: Message, label: str, **more: Any) -> Outcome:
        outcome = self.stage.slack.press(self.user, message, label, **more)
        assert outcome.acked or not outcome.delivered, outcome.error
        return outcome

    def press_answer(self, message: Message, label: str) -> Message:
        """Presses a button and returns the first message of the bot that follows."""
        return self.after(lambda: self.presses(message, label), what=label)

    def sees_nothing_new(self, entry: Entry = "slash") -> bool:
        """Whether nothing is shown until an answer to a later question is there."""
        known = {m.ts for m in self.screen(entry)}
        answer = self.asks("/runs providers", entry)
        return {m.ts for m in self.screen(entry)} - known == {answer.ts}


def planted(value: Any) -> Iterator[str]:
    """Every text in it that begins with `canary`."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, str) and value.startswith("canary"):
        yield value
    for item in value if isinstance(value, list) else ():
        yield from planted(item)


def check_secrets(canaries: Collection[str], places: Mapping[str, str]) -> None:
    """AssertionError that names the places where a secret stands, and never the secret."""
    found = [name for name, text in places.items() if any(one in text for one in canaries)]
    assert not found, f"a secret stands in {', '.join(found)}"


def _mrkdwn(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield str(value["text"])
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _mrkdwn(item)


class LogKeeper(logging.Handler):
    """Keeps the log lines as `bot serve` would write them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.secrets: tuple[str, ...] = ()
        self.lines: list[str] = []
        self._levels: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(JsonFormatter(self.secrets).format(record))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines]

    def __enter__(self) -> Self:
        for name, level in {"": logging.INFO, **dict.fromkeys(QUIET, logging.WARNING)}.items():
            logger = logging.getLogger(name)
            self._levels[name] = logger.level
            logger.setLevel(level)
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *exc: object) -> None:
        logging.getLogger().removeHandler(self)
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
