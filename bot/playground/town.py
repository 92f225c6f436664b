"""Everything that is local in the demo: a Slack, CI services, and life in them."""

from concurrent.futures import Future
from contextlib import ExitStack
from typing import Self

from bot.playground.clock import WallClock
from bot.playground.server import Server
from bot.playground.slack.people import CI_ALERTS, OPERATORS_GROUP
from bot.playground.slack.standin import SlackStandin
from bot.playground.slack.strictness import Strictness
from bot.playground.vendors.allure import AllureStandin
from bot.playground.vendors.debci import DebciStandin
from bot.playground.vendors.debci_rules import Rejected
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.testery import TesteryStandin
from bot.playground.vendors.wercker import WerckerStandin
from bot.playground.world import World

WERCKER_TOKEN = "sample-wercker-token"
TESTERY_TOKEN = "sample-testery-token"
ENV0_KEY_ID = "sample-env0-key"
ENV0_KEY_SECRET = "sample-env0-secret"
ALLURE_TOKEN = "sample-allure-token"
DEBCI_KEY = "99999999-aaaa-4bbb-8ccc-dddddddddddd"


class Town:
    """Starts on entering, ends on leaving. `port` is that of the page, 0 for a free one."""

    def __init__(self, port: int) -> None:
        clock = WallClock()
        self.slack = SlackStandin(clock, Strictness())
        self._wercker = WerckerStandin(clock, WERCKER_TOKEN)
        self._debci = DebciStandin(
            clock, {DEBCI_KEY: "ci-bot"}, reject_list=(Rejected("acme-blocked"),)
        )
        self._page = Server(self.slack.app, port)
        self._testery = TesteryStandin(clock, TESTERY_TOKEN)
        self._env0 = Env0Standin(clock, ENV0_KEY_ID, ENV0_KEY_SECRET)
        self._allure = AllureStandin(clock, ALLURE_TOKEN)
        self._services = {
            "wercker": Server(self._wercker.app),
            "debci": Server(self._debci.app),
            "testery": Server(self._testery.app),
            "env0": Server(self._env0.app),
            "allure": Server(self._allure.app),
        }
        self._world = World(
            clock,
            wercker=self._wercker,
            debci=self._debci,
            testery=self._testery,
            env0=self._env0,
            allure=self._allure,
        )
        self._open = ExitStack()
        self._life: Future[None] | None = None

    @property
    def url(self) -> str:
        """The page."""
        return self._page.url

    def environ(self) -> dict[str, str]:
        """The bot's settings that point it here; nothing else tells it that this is no Slack."""
        return {
            "SLACK_API_URL": f"{self._page.url}/api/",
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "BOT_OPERATORS": OPERATORS_GROUP,
            "BOT_ALERT_CHANNEL": CI_ALERTS,
            "BOT_POLL__MIN_INTERVAL_S": "1",
            "BOT_POLL__MAX_INTERVAL_S": "3",
            "BOT_PROVIDERS__WERCKER__BASE_URL": self._services["wercker"].url,
            "BOT_PROVIDERS__WERCKER__TOKEN": WERCKER_TOKEN,
            "BOT_PROVIDERS__WERCKER__APPLICATIONS": "acme/shop,acme/catalog",
            "BOT_PROVIDERS__DEBCI__BASE_URL": self._services["debci"].url,
            "BOT_PROVIDERS__DEBCI__TOKEN": DEBCI_KEY,
            "BOT_PROVIDERS__TESTERY__BASE_URL": f"{self._services['testery'].url}/api",
            "BOT_PROVIDERS__TESTERY__WEB_URL": self._services["testery"].url,
            "BOT_PROVIDERS__TESTERY__TOKEN": TESTERY_TOKEN,
            "BOT_PROVIDERS__ENV0__BASE_URL": self._services["env0"].url,
            "BOT_PROVIDERS__ENV0__WEB_URL": self._services["env0"].url,
            "BOT_PROVIDERS__ENV0__API_KEY_ID": ENV0_KEY_ID,
            "BOT_PROVIDERS__ENV0__API_KEY_SECRET": ENV0_KEY_SECRET,
            "BOT_PROVIDERS__ALLURE__BASE_URL": self._services["allure"].url,
            "BOT_PROVIDERS__ALLURE__TOKEN": ALLURE_TOKEN,
            "BOT_PROVIDERS__ALLURE__PROJECTS": ",".join(map(str, self._allure.projects)),
        }

    def __enter__(self) -> Self:
        self._world.seed()
        self._open.enter_context(self._page)
        self.slack.url = self._page.url
        for server in self._services.values():
            self._open.enter_context(server)
        return self

    def live(self) -> None:
        """Lets time begin: runs start, fail and pass by themselves from now on."""
        self._life = self._page.submit(self._world.live())

    def __exit__(self, *exc: object) -> None:
        if self._life is not None:
            self._life.cancel()
        self._open.close()
