"""The composed bot: everything wired together, started and stopped in order."""

import logging
import math
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

from slack_sdk import WebClient

from bot.domain.errors import ConfigError, StoreError
from bot.domain.outbox import Outcome
from bot.domain.pipelines import Pattern
from bot.domain.watches import Filter, Watch
from bot.runtime.clock import SystemClock, jitter, new_mark
from bot.runtime.fleet import build_fleet
from bot.runtime.metrics import Metrics
from bot.runtime.settings import Settings, WatchSettings
from bot.runtime.supervisor import Supervisor
from bot.runtime.web import Web, WebServer
from bot.services.acting import Acting
from bot.services.catalog import Catalog
from bot.services.choices import Choices
from bot.services.commands import Commands, Services
from bot.services.explaining import Explaining
from bot.services.histories import Histories
from bot.services.housekeeping import Housekeeping
from bot.services.ledger import Ledger
from bot.services.listing import Listing
from bot.services.lookout import Lookout
from bot.services.parallel import Parallel
from bot.services.patterns import Patterns
from bot.services.poller import Poller
from bot.services.pool import Pool
from bot.services.reading import Reading
from bot.services.rehearsing import Rehearsing
from bot.services.relay import Relay
from bot.services.sending import Sending
from bot.services.watching import Watching
from bot.slack.answering import Answering
from bot.slack.app import create_app
from bot.slack.directory import SlackDirectory
from bot.slack.door import Door
from bot.slack.http import PATH, SlackEndpoint
from bot.slack.identity import Identity
from bot.slack.rendering import RenderContext
from bot.slack.sender import SlackNotifier
from bot.slack.socket_mode import SocketMode
from bot.slack.values import Press, Signer
from bot.slack.web import web_client
from bot.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

COMMAND_WORKERS, COMMAND_BACKLOG = 8, 64
ASK_WORKERS, ASK_BACKLOG = 16, 64
POLL_LANES = 2
SENDERS = 4
DRAIN_S = 10.0
BUTTONS_LIVE = timedelta(days=7)
HOUR_S = 3600.0


class Bot:
    """One process that listens, polls and sends. `start` then `stop`, each once.

    `settings` must name a Slack bot token and either an app token or a signing secret;
    ConfigError otherwise, and for providers that cannot be built.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = _require_slack(settings)
        self._secrets = settings.secrets()
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._fatal = threading.Event()
        self._fleet = build_fleet(settings, self._clock)
        self._store = SqliteStore(settings.database_path, self._clock, new_mark)
        self._ledger = Ledger()
        self._client: WebClient = web_client(self._token, settings.slack_api_url)
        self._identity = Identity(self._client)
        self._pool = Pool("command", COMMAND_WORKERS, COMMAND_BACKLOG)
        self._ask_pool = Pool("ask", ASK_WORKERS, ASK_BACKLOG)
        self._signer = Signer(self._token)
        self._supervisor = Supervisor(self._clock, self._died)
        self._poller = Poller(
            self._store,
            self._fleet,
            self._clock,
            min_interval_s=settings.poll.min_interval_s,
            max_interval_s=settings.poll.max_interval_s,
            jitter=jitter,
            on_poll=lambda result: self._metrics.polls.labels(result).inc(),
        )
        self._lookout = Lookout(
            self._store,
            self._fleet,
            self._clock,
            max_interval_s=settings.poll.max_interval_s,
        )
        self._notifier = SlackNotifier(self._client, self._identity, self._context_of)
        self._relay = Relay(
            self._store,
            self._notifier,
            self._clock,
            jitter=jitter,
            unseen=settings.unseen,
            on_outcome=self._count,
            on_look=lambda sight: self._metrics.looks.labels(sight.value).inc(),
        )
        self._door = self._build_door()
        self._build_loops()
        self._socket_mode, endpoint = self._build_listeners()
        self._web = WebServer(
            Web(unready=self.unready, metrics=self._metrics.text, slack=endpoint, slack_path=PATH),
            settings.bind_host,
            settings.port,
        )
        self._metrics.watch("bot_outbox_depth", "Messages not yet sent", self._depth)
        self._metrics.watch("bot_command_load", "Commands under way", lambda: self._pool.load)

    # Life

    def start(self) -> None:
        """Starts everything, or nothing: what was started is ended before any error leaves here.
        StoreError if the database cannot be used.
        """
        try:
            self._store.open()
            Housekeeping(self._store).start(self._settings_watches())
            self._poller.plan()
            self._identity.refresh()
            self._web.start()
            if self._socket_mode is not None:
                self._socket_mode.start()
            self._supervisor.start()
        except BaseException:
            self._end()
            raise
        log.info("bot.started", extra={"instances": list(self._fleet.names), "port": self.port})

    def run(self, stop: threading.Event) -> bool:
        """Watches over the threads until `stop`; False if one of them died for good."""
        while not stop.wait(1.0):
            self._supervisor.check()
            if self._fatal.is_set() or not self._web.is_alive():
                log.critical("bot.dying")
                return False
        return True

    def stop(self) -> None:
        """Ends in good order, within some 20 s; what is left is reported after the next start."""
        self._end()
        log.info("bot.stopped")

    @property
    def port(self) -> int:
        """The port it listens on, on loopback or wherever BOT_BIND_HOST says."""
        return self._web.port

    def unready(self) -> tuple[str, ...]:
        """Codes of what keeps the bot from working; empty when it works."""
        because = []
        if self._identity.error:
            because.append("slack_refuses_token")
        if self._socket_mode is not None and not self._socket_mode.is_connected():
            because.append("socket_mode_not_connected")
        if not self._store.is_writable():
            because.append("database_not_writable")
        if self._supervisor.stale():
            because.append("thread_stuck")
        return (*because, *self._relay.unready())

    # Parts

    def _build_door(self) -> Door:
        groups = frozenset(o for o in self._settings.operators if o.startswith("S"))
        directory = SlackDirectory(self._client, self._identity, groups, self._clock)
        choices = Choices(self._fleet, self._store)
        parallel = Parallel(self._ask_pool)
        sending = Sending(self._store, self._ledger, self._clock, self._poller.sources_of)
        patterns = Patterns(self._fleet, choices, parallel)
        services = Services(
            Listing(self._fleet, self._store, choices, parallel, self._clock),
            Reading(choices, self._clock),
            Catalog(self._fleet, self._store, parallel, self._clock),
            Acting(self._store, choices, self._clock, new_mark, sending),
            Watching(self._fleet, self._store, patterns, self._clock, self._replan),
            Explaining(self._store, choices, self._clock),
            Rehearsing(self._fleet, self._store, patterns, self._clock),
            Histories(self._store, choices, self._clock),
        )
        commands = Commands(
            services,
            self._fleet,
            self._store,
            self._ledger,
            directory,
            frozenset(self._settings.operators),
            self._clock,
        )
        answering = Answering(self._client, self._context_of, new_mark, self._identity.refused)
        return Door(commands, self._store, self._pool, answering, self._signer, self._clock)

    def _build_listeners(self) -> tuple[SocketMode | None, SlackEndpoint | None]:
        settings = self._settings
        secret = settings.slack_signing_secret
        app = create_app(
            self._door,
            self._identity,
            web_client(None, settings.slack_api_url),
            signing_secret=""
            if settings.is_socket_mode or not secret
            else secret.get_secret_value(),
            prefix=settings.command_prefix,
        )
        if settings.slack_app_token is not None:
            token = settings.slack_app_token.get_secret_value()
            return SocketMode(app, token, settings.slack_api_url), None
        return None, SlackEndpoint(app, secret.get_secret_value() if secret else "")

    def _build_loops(self) -> None:
        add = self._supervisor.add
        for name in self._fleet.names:
            for lane in range(1, POLL_LANES + 1):
                add(f"poll-{name}-{lane}", self._poll_turn(name), self._poll_pause)
        for number in range(1, SENDERS + 1):
            add(f"send-{number}", self._relay.send_next, self._send_pause)
        self._planner = add("plan", self._plan_turn, lambda: 30.0)
        self._identifier = add(
            "identity", self._identity_turn, lambda: 3.0 if self._identity.error else 10.0
        )
        add("lookout", self._lookout_turn, lambda: min(1.0, self._settings.poll.max_interval_s))
        add("ledger", self._ledger_turn, lambda: 1.0)
        add("clean", self._clean_turn, lambda: 60.0)
        self._cleaned_at = self._clock.monotonic()

    def _poll_turn(self, name: str) -> Callable[[], bool]:
        return lambda: self._poller.poll_next((name,))

    def _poll_pause(self) -> float:
        return _pause(self._store.seconds_to_due_source(), 1.0)

    def _send_pause(self) -> float:
        return _pause(self._store.seconds_to_due_message(), 0.25)

    def _plan_turn(self) -> bool:
        self._poller.plan()
        return False

    def _identity_turn(self) -> bool:
        self._identity.refresh()
        return False

    def _lookout_turn(self) -> bool:
        self._lookout.look()
        return False

    def _ledger_turn(self) -> bool:
        self._ledger.catch_up()
        return False

    def _clean_turn(self) -> bool:
        if self._clock.monotonic() - self._cleaned_at >= HOUR_S:
            self._cleaned_at = self._clock.monotonic()
            Housekeeping(self._store).clean()
        return False

    def _end(self) -> None:
        """Ends what runs, from the edge inwards. A part that fails at it leaves none running."""
        with ExitStack() as ends:
            ends.callback(self._store.close)
            ends.callback(self._write_the_rest)
            ends.callback(self._fleet.close)
            ends.callback(self._ask_pool.close)
            ends.callback(self._supervisor.stop, DRAIN_S / 2)
            ends.callback(self._drain)
            ends.callback(self._pool.close)
            if self._socket_mode is not None:
                ends.callback(self._socket_mode.stop)
            ends.callback(self._web.stop)

    # What the parts tell each other

    def _context_of(self, channel: str) -> RenderContext:
        return RenderContext(
            now=self._clock.now(),
            prefix=self._settings.command_prefix,
            channel=channel,
            secrets=self._secrets,
            sign=partial(self._sign, channel),
        )

    def _sign(self, channel: str, press: Press) -> str:
        return self._signer.sign(press, channel, self._clock.now() + BUTTONS_LIVE)

    def _replan(self) -> None:
        self._planner.wake.set()

    def _count(self, outcome: Outcome) -> None:
        self._metrics.sends.labels(outcome.value).inc()
        if outcome is Outcome.APP_REFUSED:
            self._identifier.wake.set()

    def _depth(self) -> float:
        """Not a number while the database does not tell."""
        try:
            return float(self._store.outbox_depth())
        except StoreError:
            return math.nan

    def _died(self, name: str) -> None:
        log.critical("thread.died_twice", extra={"loop": name})
        self._fatal.set()

    def _drain(self) -> None:
        """Lets commands under way come to their end."""
        ends_at = self._clock.monotonic() + DRAIN_S
        waiting = threading.Event()
        while self._pool.load and self._clock.monotonic() < ends_at:
            waiting.wait(0.05)

    def _write_the_rest(self) -> None:
        """What still cannot be written is reported as interrupted after the next start."""
        try:
            self._ledger.catch_up()
        except StoreError as error:
            log.warning("ledger.lost", extra={"detail": error.detail})

    def _settings_watches(self) -> list[Watch]:
        now = self._clock.now()
        watches = [_watch(one, now) for one in self._settings.watches]
        if self._settings.alert_channel:
            everything = Pattern("*", "*")
            watches.append(Watch(self._settings.alert_channel, everything, "settings", now))
        return watches


def _pause(due_in_s: float | None, most_s: float) -> float:
    return most_s if due_in_s is None else max(0.02, min(due_in_s, most_s))


def _watch(one: WatchSettings, now: datetime) -> Watch:
    named = {"branch": one.branch, "env": one.env, "by": one.by}
    filters = tuple(Filter(key, tuple(v.split(","))) for key, v in named.items() if v)  # type: ignore[arg-type]
    return Watch(
        channel=one.channel,
        pattern=Pattern.parse(one.pipeline),
        made_by="settings",
        since=now,
        filters=filters,
        preset=one.on,
        mention=one.mention,
    )


def _require_slack(settings: Settings) -> str:
    lines = []
    if settings.slack_bot_token is None:
        lines.append("SLACK_BOT_TOKEN: must be set (the bot token, xoxb-…)")
    if settings.slack_app_token is None and settings.slack_signing_secret is None:
        lines.append(
            "SLACK_SIGNING_SECRET: must be set for HTTP, or SLACK_APP_TOKEN for Socket Mode"
        )
    if lines or settings.slack_bot_token is None:
        raise ConfigError("\n".join(lines))
    return settings.slack_bot_token.get_secret_value()
