"""A newsroom with Testery, env0 and Allure TestOps; `Quintet` has Wercker and debci too."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.playground.faults import Received
from bot.playground.vendors.allure import AllureStandin
from bot.playground.vendors.course import Outcome
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.testery import TesteryStandin
from tests.fakes.newsroom import Newsroom
from tests.fakes.stage import Transport

TESTERY_TOKEN = "canary-testery-token"
ENV0_KEY_ID, ENV0_KEY_SECRET = "canary-env0-key", "canary-env0-secret"
ALLURE_TOKEN = "canary-allure-token"
CHECKOUT, VPC, WEB = "checkout/staging", "vpc", "web-regression"
VARIABLES = [{"key": "DB_PASSWORD", "value": "canary-of-an-environment", "encrypted": True}]
RED: dict[str, dict[str, Any]] = {
    "testery": {"status": "FAIL", "failed": ("test_refund",)},
    "env0": {"status": "FAILURE", "failed": ("creates_three_subnets",)},
    "allure": {"status": "failed", "failed": ("Login",)},
}
INSTANCES = ("testery", "env0", "allure")


class Trio(Newsroom):
    """Each CI service has one or two pipelines; nothing waits on the stand-ins' clock."""

    way: Transport = "socket"

    def __init__(self, folder: Path, **environ: str | None) -> None:
        super().__init__(folder, **environ)
        self.testery = TesteryStandin(self.clock, TESTERY_TOKEN)
        self.env0 = Env0Standin(self.clock, ENV0_KEY_ID, ENV0_KEY_SECRET)
        self.allure = AllureStandin(self.clock, ALLURE_TOKEN)
        self.vendors = {"testery": self.testery, "env0": self.env0, "allure": self.allure}
        self._make_pipelines()

    def providers(self) -> dict[str, str]:
        ours = {
            "TESTERY__BASE_URL": f"{self.url('testery')}/api",
            "TESTERY__WEB_URL": self.url("testery"),
            "TESTERY__TOKEN": TESTERY_TOKEN,
            "ENV0__BASE_URL": self.url("env0"),
            "ENV0__WEB_URL": self.url("env0"),
            "ENV0__API_KEY_ID": ENV0_KEY_ID,
            "ENV0__API_KEY_SECRET": ENV0_KEY_SECRET,
            "ALLURE__BASE_URL": self.url("allure"),
            "ALLURE__TOKEN": ALLURE_TOKEN,
            "ALLURE__PROJECTS": str(self.project),
            **{f"{name.upper()}__REQUESTS_PER_MINUTE": "6000" for name in INSTANCES},
        }
        return {f"BOT_PROVIDERS__{name}": value for name, value in ours.items()}

    def canaries(self) -> set[str]:
        pair = f"{ENV0_KEY_ID}:{ENV0_KEY_SECRET}".encode()
        return super().canaries() | {base64.b64encode(pair).decode(), *self.allure.tokens}

    def changes(self, instance: str = "") -> list[Received]:
        """Without the exchange of Allure's token, which changes nothing."""
        return [r for r in super().changes(instance) if not r.path.endswith("/oauth/token")]

    def variables(self) -> list[Any]:
        environments = [one.variables for one in self.testery.environments]
        return [*super().variables(), *environments, *(run.request for run in self.testery.runs)]

    def adds(self, instance: str, status: str = "", age_s: float = 100.0, **more: Any) -> str:
        """Hands in a run in the past; `status` is the vendor's word, none for one under way.
        Returns its name.
        """
        took_s = 30.0 if status else age_s * 2
        failed = more.pop("failed", ())
        note = more.pop("note", None)
        outcome = Outcome(status or "PASS", took_s, 4.0, failed=failed, note=note)
        at_s = self.clock.time() - age_s
        if instance == "testery":
            project, environment = CHECKOUT.split("/")
            more = {"at_s": at_s, "branch": "main", **more}
            return f"testery:{self.testery.add_run(project, environment, outcome, **more).id}"
        if instance == "env0":
            return f"env0:{self.env0.add_run(VPC, outcome, at_s=at_s, **more).id}"
        return f"allure:{self.allure.add_run(WEB, outcome, at_s=at_s, **more).id}"

    def _make_pipelines(self) -> None:
        self.testery.add_project("checkout", suites=("Smoke", "Full"))
        self.testery.add_environment("staging", "Staging", variables=VARIABLES)
        self.testery.add_environment("qa", "QA")
        self.env0.add_module(VPC)
        self.env0.add_module("dns", test_enabled=False)
        self.env0.quirks.appear_s = 0.0
        self.project = self.allure.add_project("Acme shop")
        self.job = self.allure.add_job(self.project, WEB, parameters=("chrome", "staging"))
        self.plan = self.allure.add_test_plan(self.project, self.job)
        self.allure.quirks.reopen_delay_s = 0.0


class Quintet(Trio):
    """All five, in one channel."""

    def __init__(self, folder: Path, **environ: str | None) -> None:
        super().__init__(folder, **environ)
        self.vendors |= {"wercker": self.wercker, "debci": self.debci}

    def providers(self) -> dict[str, str]:
        return {**Newsroom.providers(self), **super().providers()}


def open_trio(tmp_path: Path) -> Iterator[Trio]:
    """To be made a fixture."""
    with Trio(tmp_path) as made:
        yield made


def open_quintet(tmp_path: Path) -> Iterator[Quintet]:
    """To be made a fixture."""
    with Quintet(tmp_path) as made:
        yield made
