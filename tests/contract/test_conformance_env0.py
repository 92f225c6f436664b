"""env0 passes the suite that every provider passes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.domain.errors import Kind
from bot.domain.providers import BuildContext
from bot.domain.statuses import Status
from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.env0_model import SECRET, Env0Quirks, ModuleTest
from bot.providers.conformance import ProviderConformance, Rig
from bot.providers.env0 import SPEC, Env0Provider
from tests.fakes.reworded import ClockOf

KEY_ID, KEY_SECRET = "canary-env0-key-id", "canary-env0-secret"
ENDLESS_S = 1e9
AGE_S = 60.0
OPEN = {
    "QUEUED": Outcome("SUCCESS", queue_s=ENDLESS_S),
    "IN_PROGRESS": Outcome("SUCCESS", queue_s=1.0, run_s=ENDLESS_S),
}
STATUSES = {
    "QUEUED": Status.QUEUED,
    "IN_PROGRESS": Status.RUNNING,
    "WAITING_FOR_USER": Status.WAITING,
    "SUCCESS": Status.PASSED,
    "FAILURE": Status.FAILED,
    "TIMEOUT": Status.ERRORED,
    "INTERNAL_FAILURE": Status.ERRORED,
    "CANCELLED": Status.ABORTED,
    "ABORTED": Status.ABORTED,
    "SKIPPED": Status.SKIPPED,
}


class Fake:
    """Waits of the provider move the clock and take no time."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        quirks = Env0Quirks(appear_s=0.0)
        self.standin = Env0Standin(self.clock, KEY_ID, KEY_SECRET, quirks=quirks)
        self.standin.add_module("vpc")
        self.runs: dict[str, ModuleTest] = {}

    def add_run(self, word: str) -> str:
        self.clock.advance(1)
        red = ("has_a_default_route",) if word == "FAILURE" else ()
        outcome = OPEN.get(word) or Outcome(word, failed=red)
        run = self.standin.add_run("vpc", outcome, at_s=self.clock.time() - AGE_S)
        self.runs[run.id] = run
        return run.id

    def set_status(self, run_id: str, word: str) -> None:
        self.clock.advance(1)
        red = ["has_a_default_route"] if word == "FAILURE" else []
        self.standin.finish(self.runs[run_id], word, *red)

    def build(self, context: BuildContext) -> Env0Provider:
        return Env0Provider(context, self.clock.advance)


class TestEnv0(ProviderConformance):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        fake = Fake()
        with Server(fake.standin.app) as server:
            yield Rig(
                spec=replace(SPEC, build=fake.build),
                url=server.url,
                settings=lambda url: {
                    "base_url": url,
                    "web_url": url,
                    "api_key_id": KEY_ID,
                    "api_key_secret": KEY_SECRET,
                },
                secrets=(KEY_ID, KEY_SECRET, SECRET),
                pipeline="vpc",
                parameters={"blueprintRevision": "main"},
                statuses=STATUSES,
                unknown_word="SPROUTING",
                add_run=fake.add_run,
                set_status=fake.set_status,
                page_length=10,
                kinds={402: {Kind.FORBIDDEN}},
                clock=ClockOf(fake.clock),
            )
