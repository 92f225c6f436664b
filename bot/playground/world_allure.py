"""The demo's life on Allure TestOps: regression launches of a web shop and its API."""

import random
from collections.abc import Callable

from bot.playground.vendors.allure import AllureStandin
from bot.playground.vendors.allure_model import RED, Job, Launch
from bot.playground.vendors.course import Outcome

DAY_S = 86400.0
PATIENCE_S = 180.0
WEB, API = "web-regression", "payments-api"
TESTS = {
    WEB: (
        "tests.checkout.CheckoutTest::Checkout with saved card",
        "tests.checkout.CheckoutTest::Checkout as a guest",
        "tests.checkout.RefundTest::Refund to voucher",
        "tests.login.LoginTest::Login",
        "tests.login.LoginTest::Login with a wrong password",
        "tests.search.SearchTest::Search by name",
        "tests.search.SearchTest::Search in a category",
    ),
    API: (
        "tests.api.PaymentTest::Accept a payment",
        "tests.api.PaymentTest::Refuse an expired card",
        "tests.api.RefundTest::Refund a part",
        "tests.api.LimitTest::Limit of the day",
    ),
}
NAMES = {WEB: ("Smoke main", "Web regression", "Smoke release/7.2"), API: ("Payments API",)}
PAST_FAILURES = {4, 9, 15}


class AllureLife:
    def __init__(
        self, allure: AllureStandin, randomness: random.Random, ci_url: str | None = None
    ) -> None:
        """Prepare; with `ci_url` (the stand-in's own address) CI links lead somewhere."""
        self._allure = allure
        self._random = randomness
        self._ci_url = ci_url
        self._last: dict[str, Launch] = {}
        allure.plan.usual = Outcome("passed", run_s=16.0, queue_s=3.0)

    def seed(self) -> None:
        project = self._allure.add_project("Acme shop")
        jobs = [self._add_job(project, WEB, "gitlab"), self._add_job(project, API, "jenkins")]
        self._allure.add_test_plan(project, *jobs)
        for index in range(18, 0, -1):
            age_s = index * 4 * DAY_S / 18 + self._random.uniform(600, 3600)
            job = API if index % 3 == 0 else WEB
            took_s = self._random.uniform(90, 300)
            past = self._red(job, took_s) if index in PAST_FAILURES else _green(took_s)
            self._start(job, past, age_s=age_s)

    def _add_job(self, project: int, name: str, kind: str) -> Job:
        url = f"{self._ci_url}/ci/{name}" if self._ci_url else None
        parameters = ("chrome", "staging") if name == WEB else ()
        tests = TESTS[name]
        return self._allure.add_job(
            project, name, kind, url=url, parameters=parameters, tests=tests
        )

    def opening(self) -> list[tuple[float, Callable[[], object]]]:
        """Pass on the API, then fail on the web within the first minute."""
        red = Outcome("failed", 22.0, 3.0, failed=("Refund to voucher",))
        return [
            (6.0, lambda: self._start(API, _green(20.0))),
            (26.0, lambda: self._start(WEB, red)),
        ]

    def act(self) -> None:
        job = self._random.choice((WEB, API))
        took_s = self._random.uniform(15, 45)
        last, now = self._last.get(job), self._allure.clock.time()
        if last is not None and _is_red(last, now):
            if now - last.created_s > PATIENCE_S:
                self._start(job, _green(took_s))
        elif self._random.random() < 0.15:
            self._start(job, self._red(job, took_s))
        else:
            self._start(job, _green(took_s))

    def _red(self, job: str, took_s: float) -> Outcome:
        if self._random.random() < 0.2:
            return Outcome("run_failure", 5.0, 3.0, note="Could not start the pipeline")
        name = self._random.choice(TESTS[job])
        if self._random.random() < 0.3:
            return Outcome("failed", took_s, 3.0, broken=(name,))
        return Outcome("failed", took_s, 3.0, failed=(name,))

    def _start(self, job: str, outcome: Outcome, *, age_s: float = 0.0) -> None:
        at_s = self._allure.clock.time() - age_s
        name = self._random.choice(NAMES[job])
        environment = [("Branch", "main"), ("Browser", "chrome")] if job == WEB else []
        self._last[job] = self._allure.add_run(
            job, outcome, name=name, at_s=at_s, tags=("smoke",), environment=environment
        )


def _is_red(launch: Launch, now: float) -> bool:
    stages = {run.stage(now) for run in launch.job_runs}
    red = any(result.check.status in RED for result in launch.results(now))
    return red or "run_failure" in stages


def _green(took_s: float) -> Outcome:
    return Outcome("passed", took_s, 3.0)
