"""A debci server of one's own, 3.6 or 3.12: what it holds, and the script of what happens.

The HTTP side is in `debci_routes` and `debci_pages`. Use it with a `Server`:

    debci = DebciStandin(ManualClock(), {"1111…": "chatops"}, version="3.12")
    debci.script("hello", Outcome("fail"), Outcome("pass", late_by_s=30))
    with Server(debci.app) as server: ...
"""

import math
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from bot.playground.clock import Clock
from bot.playground.faults import FaultPlan
from bot.playground.vendors.debci_model import NEVER, Outcome, Run, Status, Version
from bot.playground.vendors.debci_routes import make_app
from bot.playground.vendors.debci_rules import Rejected, Wanted

SUITES = ("unstable", "testing", "stable")
ARCHITECTURES = ("amd64", "arm64", "i386")


class DebciStandin:
    """Promise: nothing moves but by the clock, by a request or by a call from the test.

    `keys` maps an `Auth-Key` to its user. Knobs: `broker_down` (a request answers 500 and its
    run stays pending for ever), `workers` (architectures that have one; runs of the others
    stay pending), `apt_sources` (names that a request may give), `default_outcome`.
    """

    def __init__(
        self,
        clock: Clock,
        keys: Mapping[str, str],
        version: Version = "3.12",
        *,
        suites: Sequence[str] = SUITES,
        architectures: Sequence[str] = ARCHITECTURES,
        reject_list: Iterable[Rejected] = (),
        faults: FaultPlan | None = None,
    ) -> None:
        self.clock = clock
        self.keys = dict(keys)
        self.version: Version = version
        self.suites = tuple(suites)
        self.architectures = tuple(architectures)
        self.reject_list = list(reject_list)
        self.faults = faults or FaultPlan()
        self.apt_sources = ["example-extra"]
        self.workers = set(self.architectures)
        self.broker_down = False
        self.default_outcome = Outcome("pass")
        self.runs: list[Run] = []
        self._scripts: dict[str, deque[Outcome]] = {}
        self._package_ids: dict[str, int] = {}
        self._lock = threading.RLock()  # a test and the server's loop both come here
        self.app: web.Application = make_app(self)

    def script(self, package: str, *outcomes: Outcome) -> None:
        """Plan how the next runs of this package end, one outcome each, then the default."""
        self._scripts.setdefault(package, deque()).extend(outcomes)

    def add_run(
        self,
        package: str,
        suite: str = "testing",
        arch: str = "amd64",
        *,
        outcome: Outcome | None = None,
        user: str | None = None,
        age_s: float = 0.0,
        **options: Any,
    ) -> Run:
        """Put in a run that was requested `age_s` ago; `options` are the rest of `Wanted`."""
        owner = user or next(iter(self.keys.values()))
        asked = Wanted(package, **options)
        with self._lock:
            made = self._make(asked, suite, arch, owner, self.clock.time() - age_s)
            made.outcome = outcome or self._next(package, arch)
            return made

    def run(self, run_id: int) -> Run:
        """Find a run. Raises LookupError."""
        for run in self.runs:
            if run.run_id == run_id:
                return run
        raise LookupError(run_id)

    def status(self, run_id: int) -> Status | None:
        run = self.run(run_id)
        return run.status if run.is_over(self.clock.time()) else None

    def finish(
        self,
        run_id: int,
        status: Status,
        worker_date: float | None = None,
        late_by_s: float = 0.0,
        message: str | None = None,
    ) -> None:
        """End a run at `worker_date` (default now); the result shows `late_by_s` later."""
        run = self.run(run_id)
        ended = self.clock.time() if worker_date is None else worker_date
        planned = run.outcome or Outcome()
        run.outcome = replace(
            planned,
            status=status,
            duration_s=ended - run.created,
            late_by_s=late_by_s,
            message=message,
        )

    def is_rejected(self, package: str, suite: str, arch: str) -> bool:
        return any(line.covers(package, suite, arch) for line in self.reject_list)

    def request(
        self, asked: Sequence[Wanted], suite: str, arch: str, user: str, priority: int = 5
    ) -> bool:
        """Make the runs, then queue them. False if the queue is down: they stay pending.

        A rejected package makes a failed run in 3.6 and nothing in 3.12.
        """
        with self._lock:
            made = []
            for one in asked:
                rejected = self.is_rejected(one.package, suite, arch)
                if rejected and self.version == "3.12":
                    continue
                run = self._make(one, suite, arch, user, self.clock.time())
                run.priority = priority
                run.outcome = None if rejected else NEVER
                made += [] if rejected else [run]
            return self._queue(made)

    def retry(self, run: Run) -> bool:
        """Request a run again, for its first requestor. False if the queue is down."""
        pins = tuple(tuple(pin) for pin in run.pins)
        asked = Wanted(run.package, run.trigger, pins, run.is_private, tuple(run.apt_sources))
        return self.request([asked], run.suite, run.arch, run.user)

    def _queue(self, runs: Sequence[Run]) -> bool:
        if runs and self.broker_down:
            return False
        for run in runs:
            run.outcome = self._next(run.package, run.arch)
        return True

    def _next(self, package: str, arch: str) -> Outcome:
        if arch not in self.workers:
            return NEVER
        planned = self._scripts.get(package)
        return planned.popleft() if planned else self.default_outcome

    def _make(self, asked: Wanted, suite: str, arch: str, user: str, created: float) -> Run:
        users = list(dict.fromkeys(self.keys.values()))
        made = Run(
            run_id=len(self.runs) + 1,
            user=user,
            package=asked.package,
            suite=suite,
            arch=arch,
            created=math.floor(created * 1000) / 1000,
            outcome=NEVER,
            package_id=self._package_ids.setdefault(asked.package, len(self._package_ids) + 1),
            requestor_id=users.index(user) + 1 if user in users else 0,
            trigger=asked.trigger,
            pins=[list(pin) for pin in asked.pins],
            is_private=asked.is_private,
            apt_sources=list(asked.apt_sources),
        )
        self.runs.append(made)
        return made
