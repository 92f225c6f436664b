"""The demo's life on Testery: end-to-end tests of a shop, on two environments."""

import random
from collections.abc import Callable
from typing import Any

from bot.playground.vendors.base import hex_id
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.testery import TesteryStandin
from bot.playground.vendors.testery_runs import TesteryRun

DAY_S = 86400.0
PATIENCE_S = 180.0
CHECKOUT, SEARCH = "checkout", "search"
STAGING, QA = "staging", "qa"
TESTS = {
    CHECKOUT: (
        "tests/test_cart.py::test_add_to_cart",
        "tests/test_cart.py::test_cart_total",
        "tests/test_payment.py::test_pay_by_card",
        "tests/test_payment.py::test_pay_by_voucher",
        "tests/test_payment.py::test_declined_card",
        "tests/test_delivery.py::test_delivery_date",
        "tests/test_delivery.py::test_pick_up_in_store",
        "tests/test_receipt.py::test_receipt_by_mail",
    ),
    SEARCH: (
        "tests/test_search.py::test_by_name",
        "tests/test_search.py::test_by_category",
        "tests/test_search.py::test_typing_error",
        "tests/test_filters.py::test_price_range",
        "tests/test_filters.py::test_in_stock",
    ),
}
BRANCHES = ("main", "main", "main", "gift-cards", "faster-search")
PAST_FAILURES = {4, 9, 10, 17}


class TesteryLife:
    __test__ = False  # no test class, whatever its name begins with

    def __init__(self, testery: TesteryStandin, randomness: random.Random) -> None:
        self._testery = testery
        self._random = randomness
        self._build = 400
        self._last: dict[str, TesteryRun] = {}
        testery.plan.usual = Outcome("PASS", run_s=16.0, queue_s=3.0)

    def seed(self) -> None:
        for key, tests in TESTS.items():
            self._testery.add_project(key, tests=tests, suites=("Smoke", "Full"))
        self._testery.add_environment(STAGING, "Staging")
        self._testery.add_environment(QA, "QA")
        self._testery.add_test_plan("nightly")
        for index in range(24, 0, -1):
            age_s = index * 4 * DAY_S / 24 + self._random.uniform(600, 3600)
            project = SEARCH if index % 3 == 0 else CHECKOUT
            took_s = self._random.uniform(90, 300)
            past = self._red(project, took_s) if index in PAST_FAILURES else _green(took_s)
            self._start(project, past, age_s=age_s)

    def opening(self) -> list[tuple[float, Callable[[], object]]]:
        """Fail on checkout, with one tag more, after about half a minute; search passes."""
        red = Outcome("FAIL", 18.0, 3.0, failed=("test_declined_card",))
        return [
            (8.0, lambda: self._start(CHECKOUT, red, branch="main", tags=("smoke", "payment"))),
            (20.0, lambda: self._start(SEARCH, _green(25.0), branch="main")),
        ]

    def act(self) -> None:
        project = self._random.choice((CHECKOUT, SEARCH))
        branch = self._random.choice(BRANCHES)
        took_s = self._random.uniform(12, 40)
        last = self._last.get(project)
        now = self._testery.clock.time()
        if branch == "main" and last is not None and last.status(now) == "FAIL":
            if now - last.course.created_s < PATIENCE_S:
                branch = "gift-cards"  # leave the red run to the person who watches
            self._start(project, _green(took_s), branch=branch)
        elif self._random.random() < 0.15:
            self._start(project, self._red(project, took_s), branch=branch)
        else:
            self._start(project, _green(took_s), branch=branch)

    def _red(self, project: str, took_s: float) -> Outcome:
        if self._random.random() < 0.2:
            note = "Could not check out the tests from version control"
            return Outcome("FAIL", took_s / 4, 3.0, note=note, tests=False)
        names = self._random.sample(TESTS[project], self._random.choice((1, 1, 2)))
        return Outcome("FAIL", took_s, 3.0, failed=tuple(names))

    def _start(
        self,
        project: str,
        outcome: Outcome,
        *,
        branch: str | None = None,
        age_s: float = 0.0,
        tags: tuple[str, ...] = ("smoke",),
    ) -> None:
        self._build += 1
        branch = branch or self._random.choice(BRANCHES)
        request: dict[str, Any] = {
            "branch": branch,
            "ref": hex_id(self._random, 40),
            "buildId": str(self._build),
            "testName": f"{project} end to end",
            "includeTags": list(tags),
        }
        at_s = self._testery.clock.time() - age_s
        environment = STAGING if branch == "main" else QA
        made = self._testery.add_run(project, environment, outcome, at_s=at_s, **request)
        if branch == "main":
            self._last[project] = made


def _green(took_s: float) -> Outcome:
    return Outcome("PASS", took_s, 3.0)
