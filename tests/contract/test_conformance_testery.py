"""Testery passes the suite that every provider passes."""

from collections.abc import Iterator

import pytest

from bot.domain.statuses import Status
from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.testery import TesteryStandin
from bot.providers.conformance import ProviderConformance, Rig
from bot.providers.testery import SPEC
from tests.fakes.reworded import ClockOf

TOKEN = "canary-testery-token"
ENDLESS_S = 1e9
AGE_S = 60.0
OPEN = {
    "SUBMITTED": Outcome("PASS", queue_s=ENDLESS_S),
    "QUEUED": Outcome("PASS", queue_s=AGE_S * 1.5),
    "RUNNING": Outcome("PASS", queue_s=1.0, run_s=ENDLESS_S),
}
STATUSES = {
    "SUBMITTED": Status.QUEUED,
    "QUEUED": Status.QUEUED,
    "RUNNING": Status.RUNNING,
    "PASS": Status.PASSED,
    "FAIL": Status.FAILED,
    "ERROR": Status.ERRORED,
    "CANCELED": Status.ABORTED,
}


class Fake:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.standin = TesteryStandin(self.clock, TOKEN)
        self.standin.add_project("shop")
        self.standin.add_environment("staging")

    def add_run(self, word: str) -> str:
        self.clock.advance(1)
        red = ("test_checkout",) if word == "FAIL" else ()
        outcome = OPEN.get(word) or Outcome(word, failed=red)
        run = self.standin.add_run("shop", "staging", outcome, at_s=self.clock.time() - AGE_S)
        return str(run.id)

    def set_status(self, run_id: str, word: str) -> None:
        self.clock.advance(1)
        self.standin.finish(int(run_id), word, *(["test_checkout"] if word == "FAIL" else []))


class TestTestery(ProviderConformance):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        fake = Fake()
        with Server(fake.standin.app) as server:
            yield Rig(
                spec=SPEC,
                url=server.url,
                settings=lambda url: {"base_url": f"{url}/api", "web_url": url, "token": TOKEN},
                secrets=(TOKEN,),
                pipeline="shop/staging",
                parameters={"branch": "main", "includeTags": "smoke,fast"},
                statuses=STATUSES,
                unknown_word="SPROUTING",
                add_run=fake.add_run,
                set_status=fake.set_status,
                page_length=100,
                clock=ClockOf(fake.clock),
            )
