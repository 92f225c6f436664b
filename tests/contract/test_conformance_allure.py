"""Allure TestOps passes the suite that every provider passes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.domain.errors import Kind
from bot.domain.providers import BuildContext
from bot.domain.statuses import Status
from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.allure import AllureStandin
from bot.playground.vendors.allure_http import TOKEN_PATH
from bot.playground.vendors.allure_model import AllureQuirks
from bot.playground.vendors.course import Outcome
from bot.providers.allure import SPEC, AllureProvider
from bot.providers.conformance import ProviderConformance, Received, Rig
from tests.fakes.reworded import ClockOf

TOKEN = "canary-allure-token"
JOB = "web-regression"
ENDLESS_S = 1e9
AGE_S = 60.0
RED = "Login"
OUTCOMES = {
    "scheduled": Outcome("passed", queue_s=ENDLESS_S),
    "in_progress": Outcome("passed", queue_s=1.0, run_s=ENDLESS_S),
    "failed": Outcome("failed", failed=(RED,)),
    "failed without results": Outcome("failed", tests=False),
    "cancelled": Outcome("cancelled", tests=False),
}
STATUSES = {
    "scheduled": Status.QUEUED,
    "in_progress": Status.RUNNING,
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "failed without results": Status.ERRORED,
    "run_failure": Status.ERRORED,
    "cancelled": Status.ABORTED,
}


class Fake:
    """Waits of the provider move the clock and take no time."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.standin = AllureStandin(self.clock, TOKEN, quirks=AllureQuirks(reopen_delay_s=0.0))
        self.project = self.standin.add_project("Acme shop")
        self.standin.add_job(self.project, JOB)

    def add_run(self, word: str) -> str:
        self.clock.advance(1)
        outcome = OUTCOMES.get(word) or Outcome(word, tests=word in STATUSES)
        run = self.standin.add_run(JOB, outcome, at_s=self.clock.time() - AGE_S)
        return str(run.id)

    def set_status(self, run_id: str, word: str) -> None:
        launch = self.standin.launch(int(run_id))
        self.standin.finish(launch, word, *([RED] if word == "failed" else []))
        self.clock.advance(10)

    def build(self, context: BuildContext) -> AllureProvider:
        return AllureProvider(context, self.clock.advance)


def is_change(request: Received) -> bool:
    """To open a launch that is open does nothing, so that step is none of them."""
    return request.method == "POST" and not request.path.endswith("/reopen")


def is_login(request: Received) -> bool:
    return request.path == TOKEN_PATH


class TestAllure(ProviderConformance):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        fake = Fake()
        with Server(fake.standin.app) as server:
            yield Rig(
                spec=replace(SPEC, build=fake.build),
                url=server.url,
                settings=lambda url: {
                    "base_url": url,
                    "token": TOKEN,
                    "projects": str(fake.project),
                },
                required={"base_url"},
                secrets=(TOKEN,),
                pipeline=f"{fake.project}/{JOB}",
                statuses=STATUSES,
                add_run=fake.add_run,
                set_status=fake.set_status,
                is_login=is_login,
                is_change=is_change,
                kinds={423: {Kind.UNAVAILABLE}},
                page_length=50,
                clock=ClockOf(fake.clock),
            )
