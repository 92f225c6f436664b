"""Testery's provider on its stand-in, and what tests of it share."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from bot.domain.clock import Deadline
from bot.domain.errors import ProviderError
from bot.domain.providers import (
    BuildContext,
    OpenRun,
    RetryRequest,
    Started,
    TriggerRequest,
    Variable,
)
from bot.domain.runs import Run
from bot.playground.clock import ManualClock
from bot.playground.faults import Fault, Received
from bot.playground.server import Server
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.testery import TesteryStandin
from bot.playground.vendors.testery_runs import TesteryRun
from bot.providers import testery as adapter
from bot.providers.testery import SOURCE, SPEC
from tests.fakes.net import RealClock

RECORDED = Path(__file__).parents[1] / "recorded" / "testery"
CANARY = "canary-4711"
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LIST = "/api/test-runs"
CREATE = "/api/test-run-requests-build"
RED = Outcome("FAIL", run_s=10, queue_s=0, failed=("test_checkout",))
GREEN = Outcome("PASS", run_s=10, queue_s=0)
ENDLESS = Outcome("PASS", run_s=10**9, queue_s=0)


def recorded(name: str) -> bytes:
    return (RECORDED / f"{name}.json").read_bytes()


class LeapingClock(RealClock):
    """Runs at the machine's pace, and ahead when told."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


class Bench:
    """A stand-in, a provider connected to it, and what travelled between them."""

    def __init__(self, standin: TesteryStandin, url: str) -> None:
        self.standin, self.url = standin, url
        self.clock = LeapingClock()
        self.provider = self.build()

    def build(self, **settings: Any) -> "adapter.TesteryProvider":
        values = {
            "token": self.standin.token, "base_url": f"{self.url}/api", "web_url": self.url,
            "requests_per_minute": 6000, **settings,
        }  # fmt: skip
        context = BuildContext("testery", SPEC.settings.model_validate(values), self.clock)
        return cast("adapter.TesteryProvider", SPEC.build(context))

    def within(self, seconds: float = 10) -> Deadline:
        return Deadline.after(self.clock, seconds)

    def pass_s(self, seconds: float) -> None:
        """For the vendor."""
        cast("ManualClock", self.standin.clock).advance(seconds)

    def to_the_present(self) -> None:
        """Sets the vendor's clock by the provider's."""
        self.pass_s(self.clock.now().timestamp() - self.standin.clock.time())

    def sent(self, act: Callable[[], object]) -> list[str]:
        """The requests that `act` makes, as `GET path`, in order."""
        before = len(self.standin.faults.received)
        act()
        return [f"{r.method} {r.path}" for r in self.standin.faults.received[before:]]

    def changes(self) -> list[Received]:
        return self.standin.faults.requests("POST|PUT|DELETE|PATCH")

    def bodies(self) -> list[Any]:
        return [json.loads(sent.body) for sent in self.changes()]

    def answer(self, path: str, body: Any, status: int = 200, **more: Any) -> Fault:
        headers = more.pop("headers", JSON)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.standin.faults.add(
            Fault(path=path, status=status, body=data, headers=headers, **more)
        )

    def add(self, number: int, outcome: Outcome = GREEN, **request: Any) -> list[TesteryRun]:
        """So many runs of web/qa, each a second younger than the one before."""
        now = self.standin.clock.time()
        return [
            self.standin.add_run("web", "qa", outcome, at_s=now - number + n, **request)
            for n in range(number)
        ]

    def trigger(self, pipeline: str = "web/qa", *env: Variable, **parameters: str) -> Started:
        model = SPEC.trigger.model_validate(parameters)
        request = TriggerRequest(pipeline, model, env, "mark-1", "U1")
        return self.provider.trigger(request, self.within())

    def retry(
        self, run: Run, *env: Variable, scope: Literal["all", "failed"] = "all", **parameters: str
    ) -> Started:
        request = RetryRequest(run, scope, parameters, env, "mark-1", "U1")
        return self.provider.retry(request, self.within())

    def get(self, run: int | str | TesteryRun) -> Run:
        run_id = str(run.id) if isinstance(run, TesteryRun) else str(run)
        return self.provider.get(run_id, self.within())

    def observe(self, cursor: str = "", *open_ids: object, seconds: float = 10) -> Any:
        opened = tuple(OpenRun(str(i), LONG_AGO, None) for i in open_ids)
        return self.provider.observe(SOURCE, cursor, opened, self.within(seconds))

    def finished(self, outcome: Outcome = RED, **request: Any) -> Run:
        made = self.standin.add_run("web", "qa", outcome, **request)
        self.pass_s(60)
        return self.get(made)

    def running(self) -> Run:
        made = self.standin.add_run("web", "qa", ENDLESS)
        self.pass_s(30)
        return self.get(made)


@contextmanager
def opened() -> Iterator[Bench]:
    """An account with two projects, two environments and an archived one."""
    standin = TesteryStandin(ManualClock(), "sample-token")
    standin.add_project("web", "Web")
    standin.add_project("checkout-e2e", "Checkout")
    standin.add_environment("qa", "QA")
    standin.add_environment("staging", "Staging")
    standin.add_environment("old", "Old", archived=True)
    with Server(standin.app) as server:
        yield Bench(standin, server.url)


def raised(act: Callable[[], object]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        act()
    return caught.value


def everything(error: BaseException) -> str:
    """All that an error could tell, with what it was made from."""
    seen: list[str] = []
    current: BaseException | None = error
    while current is not None:
        seen.append(f"{current!r} {current} {vars(current)!r}")
        current = current.__cause__ or current.__context__
    return " ".join(seen)


def ids(runs: Any) -> set[int]:
    return {int(run.ref.run_id) for run in runs}
