"""A stand-in of env0 and its module tests: the scripting side, and what it holds.

The HTTP side is in `env0_http`. Pipelines are scripted by module name.
"""

from typing import Any

from aiohttp import web

from bot.playground.clock import Clock
from bot.playground.faults import FaultPlan
from bot.playground.vendors import env0_http
from bot.playground.vendors.base import application
from bot.playground.vendors.course import Course, Outcome, Plan
from bot.playground.vendors.env0_model import Env0Quirks, Module, ModuleTest, Person, identity

DEFAULT_TESTS = (
    "tests/subnets.tftest.hcl::creates_three_subnets",
    "tests/subnets.tftest.hcl::spreads_over_zones",
    "tests/routes.tftest.hcl::has_a_default_route",
    "tests/routes.tftest.hcl::keeps_private_routes_private",
)
SAM = Person()


class Env0Standin:
    """The API of env0 at the root of the host, and the page of a deployment beside it."""

    def __init__(
        self,
        clock: Clock,
        key_id: str,
        key_secret: str,
        faults: FaultPlan | None = None,
        *,
        organization: str = "Acme",
        quirks: Env0Quirks | None = None,
        seed: int = 0,
    ) -> None:
        self.clock = clock
        self.key_id = key_id
        self.key_secret = key_secret
        self.faults = faults if faults is not None else FaultPlan()
        self.quirks = quirks if quirks is not None else Env0Quirks()
        self.plan = Plan(Outcome("SUCCESS"))
        self.organizations: list[dict[str, Any]] = []
        self.modules: list[Module] = []
        self.runs: list[ModuleTest] = []
        self._number = seed * 1_000_000
        self.app: web.Application = application(self.faults)
        env0_http.install(self)
        self.add_organization(organization)

    def new_id(self, kind: str) -> str:
        self._number += 1
        return identity(kind, self._number)

    def add_organization(self, name: str) -> dict[str, Any]:
        organization = {"id": self.new_id("organization"), "name": name}
        self.organizations.append(organization)
        return organization

    def project_id(self, organization_id: str) -> str:
        """Return the project that holds the module tests of an organization."""
        return identity(f"project/{organization_id}", 0)

    def add_module(
        self,
        name: str,
        provider: str = "aws",
        *,
        tests: tuple[str, ...] = DEFAULT_TESTS,
        test_enabled: bool = True,
        pull_requests: bool = True,
        deleted: bool = False,
        organization_id: str | None = None,
    ) -> Module:
        module = Module(
            id=self.new_id("module"),
            organization_id=organization_id or str(self.organizations[0]["id"]),
            environment_id=self.new_id("environment"),
            template_id=self.new_id("template"),
            name=name,
            provider=provider,
            tests=tests,
            test_enabled=test_enabled,
            pull_requests=pull_requests,
            deleted=deleted,
            created_s=self.clock.time(),
        )
        self.modules.append(module)
        return module

    def script(self, *outcomes: Outcome, pipeline: str | None = None) -> None:
        """Plan what the next runs come to, of one module (by name) or of any."""
        self.plan.add(outcomes, pipeline)

    def add_run(
        self,
        module: str | Module,
        outcome: Outcome | None = None,
        *,
        at_s: float | None = None,
        revision: str | None = "main",
        person: Person | None = SAM,
        git_user: str | None = None,
        pr_number: str | None = None,
        comment: str | None = None,
    ) -> ModuleTest:
        """Add a run that is seen at once; with `person=None` and `git_user` it came from VCS."""
        module = self.module(module) if isinstance(module, str) else module
        outcome = outcome or self.plan.take(module.name)
        created_s = self.clock.time() if at_s is None else at_s
        run = ModuleTest(
            id=self.new_id("run"),
            deployment_id=self.new_id("deployment"),
            module=module,
            course=Course(created_s, outcome.queue_s, outcome.run_s),
            outcome=outcome,
            revision=revision,
            person=person,
            git_user=git_user,
            pr_number=pr_number,
            comment=comment,
        )
        self.runs.append(run)
        return run

    def start(self, module: Module, revision: str | None, comment: str | None) -> ModuleTest:
        """Start a run as a caller of the API does: it is seen after `quirks.appear_s`."""
        run = self.add_run(module, revision=revision or module.default_revision, comment=comment)
        run.appears_s = self.clock.time() + self.quirks.appear_s
        run.log_appears_s = self.clock.time() + self.quirks.log_appear_s
        return run

    def finish(self, run: ModuleTest, status: str, *failed: str) -> None:
        """End a run now as `SUCCESS`, `FAILURE`, `TIMEOUT`, ... or let it show any other word."""
        now, old = self.clock.time(), run.outcome
        if status in {"CANCELLED", "ABORTED"}:
            self.stop(run, status, now)
            return
        run.stopped_as = run.aborting_from_s = None
        run.outcome = Outcome(status, old.run_s, old.queue_s, failed, note=old.note)
        run.course.complete(now)

    def stop(self, run: ModuleTest, word: str, at_s: float) -> None:
        """End a run at `at_s` as CANCELLED or ABORTED, with its tests undone."""
        if run.course.ended(self.clock.time()) is not None:  # it waits for a person
            run.course.complete(self.clock.time())
        run.course.stop(at_s)
        run.stopped_as = word

    def abort(self, run: ModuleTest) -> None:
        """Begin to abort a running run: it is ABORTING for `quirks.abort_s`."""
        now = self.clock.time()
        run.aborting_from_s = now
        self.stop(run, "ABORTED", now + self.quirks.abort_s)

    def module(self, name: str) -> Module:
        """Find a module by name or id; KeyError when there is none."""
        for module in self.modules:
            if name in {module.name, module.id}:
                return module
        raise KeyError(name)
