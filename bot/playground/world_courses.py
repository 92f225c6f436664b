"""The demo's life on Testery, env0 and Allure TestOps, whose stand-ins plan runs alike."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.playground.vendors.allure import AllureStandin
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.testery import TesteryStandin

DAY_S = 86400.0
PAST_RUNS = 14
PAST_FAILURES = {3, 9}
Start = Callable[[Outcome, float | None], object]


class CourseLife:
    """Life for a stand-in that plans with `Outcome`; `prepare` makes its pipelines."""

    def __init__(
        self,
        prepare: Callable[[], Sequence[Start]],
        green: Outcome,
        red: Outcome,
        now: Callable[[], float],
        randomness: random.Random,
        first_s: float,
    ) -> None:
        self._prepare = prepare
        self._green = green
        self._red = red
        self._now = now
        self._random = randomness
        self._first_s = first_s
        self._pipelines: Sequence[Start] = ()

    def seed(self) -> None:
        self._pipelines = self._prepare()
        for index in range(PAST_RUNS, 0, -1):
            age_s = index * 3 * DAY_S / PAST_RUNS + self._random.uniform(600, 3600)
            outcome = self._red if index in PAST_FAILURES else self._green
            took = replace(outcome, run_s=self._random.uniform(40, 300))
            self._pipelines[index % len(self._pipelines)](took, self._now() - age_s)

    def opening(self) -> list[tuple[float, Callable[[], object]]]:
        """Start one green run, at a moment of its own for each service."""
        return [(self._first_s, lambda: self._pipelines[0](self._green, None))]

    def act(self) -> None:
        outcome = self._red if self._random.random() < 0.15 else self._green
        moved = replace(outcome, run_s=self._random.uniform(10, 30))
        self._random.choice(self._pipelines)(moved, None)


def testery_life(testery: TesteryStandin, randomness: random.Random) -> CourseLife:
    def prepare() -> list[Start]:
        testery.add_project("shop", "Shop")
        testery.add_environment("staging", "Staging")
        testery.add_environment("production", "Production")
        return [
            lambda outcome, at_s: testery.add_run("shop", "staging", outcome, at_s=at_s),
            lambda outcome, at_s: testery.add_run("shop", "production", outcome, at_s=at_s),
        ]

    green = Outcome("PASS", run_s=12, queue_s=2)
    red = Outcome("FAIL", run_s=14, queue_s=2, failed=("test_checkout",))
    testery.plan.usual = green
    return CourseLife(prepare, green, red, testery.clock.time, randomness, 5.0)


def env0_life(env0: Env0Standin, randomness: random.Random) -> CourseLife:
    def prepare() -> list[Start]:
        for name in ("network", "database"):
            env0.add_module(name)
        return [
            lambda outcome, at_s: env0.add_run("network", outcome, at_s=at_s),
            lambda outcome, at_s: env0.add_run("database", outcome, at_s=at_s),
        ]

    green = Outcome("SUCCESS", run_s=14, queue_s=2)
    red = Outcome("FAILURE", run_s=14, queue_s=2, failed=("has_a_default_route",))
    env0.plan.usual = green
    return CourseLife(prepare, green, red, env0.clock.time, randomness, 18.0)


def allure_life(allure: AllureStandin, randomness: random.Random) -> CourseLife:
    def prepare() -> list[Start]:
        project = allure.add_project("Shop")
        jobs = [allure.add_job(project, name) for name in ("shop-api", "shop-web")]
        return [
            lambda outcome, at_s: allure.add_run(jobs[0], outcome, at_s=at_s),
            lambda outcome, at_s: allure.add_run(jobs[1], outcome, at_s=at_s),
        ]

    green = Outcome("passed", run_s=12, queue_s=2)
    red = Outcome("failed", run_s=14, queue_s=2, failed=("Checkout with saved card",))
    allure.plan.usual = green
    return CourseLife(prepare, green, red, allure.clock.time, randomness, 24.0)
