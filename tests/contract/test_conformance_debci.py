"""debci passes the suite that every provider passes, in both versions."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast, get_args

import pytest

from bot.domain.statuses import Status
from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.debci import DebciStandin
from bot.playground.vendors.debci_model import NEVER, Outcome, Version
from bot.playground.vendors.debci_model import Status as Word
from bot.providers.conformance import ProviderConformance, Rig
from bot.providers.debci import SPEC
from tests.fakes.reworded import ClockOf, Reworded

KEY = "canary-debci-key"
LATE_S = 40.0
STATUSES = {
    "(none)": Status.QUEUED,
    "pass": Status.PASSED,
    "fail": Status.FAILED,
    "tmpfail": Status.ERRORED,
    "neutral": Status.SKIPPED,
}


class Fake:
    """`set_status` lets the worker end at once, and the result come in much later."""

    def __init__(self, version: Version) -> None:
        self.clock = ManualClock(1_795_293_706.3)
        self.standin = DebciStandin(self.clock, {KEY: "chatops"}, version)
        self.reworded = Reworded(self.standin.app, "run_id")

    def add_run(self, word: str) -> str:
        self.clock.advance(100)
        known = word in get_args(Word)
        ended = replace(Outcome(), status=cast("Word", word if known else "pass"))
        outcome = NEVER if word == "(none)" else ended
        run = self.standin.add_run("hello", outcome=outcome, age_s=60.0)
        if not known and word not in STATUSES:
            self.reworded.say(run.run_id, status=word)
        return str(run.run_id)

    def set_status(self, run_id: str, word: str) -> None:
        self.clock.advance(LATE_S)
        ended = self.standin.run(int(run_id)).created + 1
        late_by_s = self.clock.time() - ended
        self.standin.finish(int(run_id), cast("Word", word), ended, late_by_s)


class DebciConformance(ProviderConformance):
    version: Version

    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        fake = Fake(self.version)
        with Server(fake.standin.app) as server:
            yield Rig(
                spec=SPEC,
                url=server.url,
                settings=lambda url: {"base_url": url, "token": KEY},
                secrets=(KEY,),
                pipeline="testing/amd64/hello",
                parameters={"priority": "3"},
                statuses=STATUSES,
                add_run=fake.add_run,
                set_status=fake.set_status,
                page_length=100,
                plain_calls={"check", "log"},
                clock=ClockOf(fake.clock),
            )


class TestDebci36(DebciConformance):
    version: Version = "3.6"


class TestDebci312(DebciConformance):
    version: Version = "3.12"
