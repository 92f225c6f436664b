"""The demo's life on env0: module tests of the infrastructure, on commits and by hand."""

import random
from collections.abc import Callable

from bot.playground.vendors.base import hex_id
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.env0_model import ModuleTest, Person

DAY_S = 86400.0
PATIENCE_S = 180.0
TESTS = {
    "vpc": (
        "tests/subnets.tftest.hcl::creates_three_subnets",
        "tests/subnets.tftest.hcl::spreads_over_zones",
        "tests/routes.tftest.hcl::has_a_default_route",
        "tests/routes.tftest.hcl::keeps_private_routes_private",
    ),
    "postgres": (
        "tests/backups.tftest.hcl::keeps_seven_days",
        "tests/access.tftest.hcl::is_not_public",
        "tests/access.tftest.hcl::asks_for_tls",
    ),
}
PEOPLE = (
    Person("Ada Sample", "ada.sample@example.com", "auth0|5f0a01"),
    Person("Ben Sample", "ben.sample@example.com", "auth0|5f0a02"),
)
PAST_FAILURES = {3, 8, 13}


class Env0Life:
    def __init__(self, env0: Env0Standin, randomness: random.Random) -> None:
        self._env0 = env0
        self._random = randomness
        self._pull_request = 480
        self._last: dict[str, ModuleTest] = {}
        env0.plan.usual = Outcome("SUCCESS", run_s=16.0, queue_s=3.0)

    def seed(self) -> None:
        for name, tests in TESTS.items():
            self._env0.add_module(name, tests=tests)
        self._env0.add_module("dns", test_enabled=False, pull_requests=False)
        for index in range(16, 0, -1):
            age_s = index * 4 * DAY_S / 16 + self._random.uniform(600, 3600)
            module = "postgres" if index % 3 == 0 else "vpc"
            took_s = self._random.uniform(90, 300)
            past = self._red(module, took_s) if index in PAST_FAILURES else _green(took_s)
            self._start(module, past, age_s=age_s)

    def opening(self) -> list[tuple[float, Callable[[], object]]]:
        """Pass on vpc, then fail on postgres within the first minute."""
        red = Outcome("FAILURE", 20.0, 3.0, failed=("is_not_public",), note="Test assertion failed")
        return [
            (5.0, lambda: self._start("vpc", _green(24.0))),
            (30.0, lambda: self._start("postgres", red)),
        ]

    def act(self) -> None:
        module = self._random.choice(tuple(TESTS))
        took_s = self._random.uniform(15, 45)
        last, now = self._last.get(module), self._env0.clock.time()
        if last is not None and last.status(now) == "FAILURE":
            if now - last.course.created_s > PATIENCE_S:
                self._start(module, _green(took_s))
        elif self._random.random() < 0.15:
            self._start(module, self._red(module, took_s))
        else:
            self._start(module, _green(took_s))

    def _red(self, module: str, took_s: float) -> Outcome:
        if self._random.random() < 0.2:
            return Outcome("TIMEOUT", took_s, 3.0, note="The time limit was exceeded")
        name = self._random.choice(TESTS[module])
        return Outcome("FAILURE", took_s, 3.0, failed=(name,), note="Test assertion failed")

    def _start(self, module: str, outcome: Outcome, *, age_s: float = 0.0) -> None:
        at_s = self._env0.clock.time() - age_s
        revision = hex_id(self._random, 20)
        if self._random.random() < 0.4:
            self._pull_request += 1
            number = str(self._pull_request)
            made = self._env0.add_run(
                module,
                outcome,
                at_s=at_s,
                revision=revision,
                person=None,
                git_user="ada-sample",
                pr_number=number,
            )
        else:
            person = self._random.choice(PEOPLE)
            made = self._env0.add_run(module, outcome, at_s=at_s, revision="main", person=person)
        self._last[module] = made


def _green(took_s: float) -> Outcome:
    return Outcome("SUCCESS", took_s, 3.0)
