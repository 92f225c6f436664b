"""Wercker passes the suite that every provider passes."""

from collections.abc import Iterator
from typing import cast

import pytest

from bot.domain.statuses import Status
from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.wercker import WerckerStandin
from bot.playground.vendors.wercker_model import Result, State
from bot.providers.conformance import ProviderConformance, Rig
from bot.providers.wercker import SPEC
from tests.fakes.reworded import ClockOf, Reworded

BUILD = "acme/shop/build"
TOKEN = "canary-wercker-token"
PLANTED = "canary-in-a-variable"
STATUSES = {
    "notstarted/unknown": Status.QUEUED,
    "started/unknown": Status.RUNNING,
    "running/unknown": Status.RUNNING,
    "finished/passed": Status.PASSED,
    "finished/failed": Status.FAILED,
    "finished/aborted": Status.ABORTED,
    "finished/unknown": Status.UNKNOWN,
}


class Fake:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.standin = WerckerStandin(self.clock, TOKEN)
        self.standin.add_application("acme", "shop", ["build"])
        self.reworded = Reworded(self.standin.app)

    def add_run(self, word: str) -> str:
        self.clock.advance(1)
        status, _, result = word.partition("/")
        known = word in STATUSES and status != "started"
        run = self.standin.add_run(
            BUILD,
            status=cast("State", status if known else "running"),
            result=cast("Result", result if known else "unknown"),
            env=[{"key": "DEPLOY_TOKEN", "value": PLANTED}],
        )
        if not known:
            self.reworded.say(run.id, status=status, result=result)
        return run.id

    def set_status(self, run_id: str, word: str) -> None:
        self.clock.advance(1)
        self.reworded.say(run_id)
        self.standin.finish(run_id, cast("Result", word.partition("/")[2]))


class TestWercker(ProviderConformance):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        fake = Fake()
        with Server(fake.standin.app) as server:
            yield Rig(
                spec=SPEC,
                url=server.url,
                settings=lambda url: {
                    "base_url": url,
                    "token": TOKEN,
                    "applications": "acme/shop",
                },
                secrets=(TOKEN, PLANTED),
                pipeline=BUILD,
                parameters={"branch": "main", "message": "hello"},
                statuses=STATUSES,
                unknown_word="finished/sprouting",
                add_run=fake.add_run,
                set_status=fake.set_status,
                page_length=20,
                plain_calls={"log"},
                clock=ClockOf(fake.clock),
            )
