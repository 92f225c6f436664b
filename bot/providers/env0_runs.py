"""Runs of env0 as read: the list of a module, one run, and its deployment's steps and logs.

A run has two ids: its own, by which it is read, and that of its deployment, by which steps, logs
and web pages go. Where people give the deployment's, the run is looked for.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Run, RunRef
from bot.providers.env0_addresses import Links
from bot.providers.env0_api import Env0Api, Items
from bot.providers.env0_modules import LIST_S, Module, Modules
from bot.providers.env0_replies import DeploymentReply, RunReply, is_id
from bot.providers.env0_words import (
    author_of,
    branch_of,
    commit_of,
    counts_of,
    failing_files,
    parameters_of_run,
    status_of,
    title_of,
)
from bot.providers.failing import with_failing
from bot.providers.memory import Memory

_AT_ONCE = 6
_SEARCHED_MODULES = 40
_HOME_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Listed:
    """The runs of one module, newest first. Runs without an id of their own are bad items."""

    module: Module
    runs: tuple[RunReply, ...]
    bad_items: int = 0


class Runs:
    """Thread-safe. Which module an environment belongs to does not change: it is remembered."""

    def __init__(
        self, instance: str, api: Env0Api, modules: Modules, links: Links, clock: Clock
    ) -> None:
        self._instance, self._api, self._modules, self._links = instance, api, modules, links
        self._homes: Memory[str, str] = Memory(clock, _HOME_S)
        self._homeless: Memory[str, bool] = Memory(clock, LIST_S)
        self._run_ids: Memory[str, str] = Memory(clock, _HOME_S)

    def listed(self, module: Module, deadline: Deadline) -> Listed:
        """One request: the vendor lists all runs of a module at once and in no order, and takes
        no paging parameter.
        """
        path = ("module", module.module_id, "tests")
        found: Items[RunReply] = self._api.items(RunReply, path, deadline)
        runs = sorted((run for run in found.items if run.id), key=_age)
        for run in runs:
            self._learn(run, module.module_id)
        return Listed(module, tuple(runs), found.bad_items + len(found.items) - len(runs))

    def listed_all(
        self, modules: Sequence[Module], deadline: Deadline
    ) -> list[Listed | ProviderError]:
        """The lists of several modules, six at a time, or why one could not be had."""
        if not modules:
            return []

        def read(module: Module) -> Listed | ProviderError:
            try:
                return self.listed(module, deadline)
            except ProviderError as error:
                return error

        with ThreadPoolExecutor(_AT_ONCE, "env0-lists") as pool:
            return list(pool.map(read, modules))

    def read(self, run_id: str, deadline: Deadline) -> RunReply:
        """One run by its own id. NOT_FOUND too if it is of another organization."""
        reply = self._api.one(RunReply, ("module", "tests", checked(run_id)), deadline)
        if reply.organization_id != self._modules.organization_id(deadline):
            raise ProviderError(Kind.NOT_FOUND, "That run is of another organization of env0.")
        if reply.id is None:
            reply = reply.model_copy(update={"id": run_id})
        if reply.module_id:
            self._learn(reply, reply.module_id)
        return reply

    def find(self, any_id: str, deadline: Deadline) -> RunReply:
        """One run by its own id or that of its deployment, as pages show it."""
        try:
            return self.read(self._run_ids.get(any_id) or any_id, deadline)
        except ProviderError as error:
            if error.kind is not Kind.NOT_FOUND or not is_id(any_id):
                raise
            problem = error
        found = self._of_deployment(any_id, deadline)
        if found is None:
            raise problem
        return found

    def known_run_id(self, deployment_log_id: str) -> str:
        """The run of a deployment if it was seen lately, else the deployment's own id."""
        return self._run_ids.get(deployment_log_id) or deployment_log_id

    def deployment(self, deployment_log_id: str, deadline: Deadline) -> DeploymentReply:
        path = ("environments", "deployments", deployment_log_id)
        return self._api.one(DeploymentReply, path, deadline)

    def run(self, reply: RunReply, deadline: Deadline) -> Run:
        """In the domain's words; looks the module up where the reply does not name it."""
        return self.run_of(reply, self.home(reply, deadline), deadline)

    def run_of(self, reply: RunReply, module: Module, deadline: Deadline) -> Run:
        """No request, save for the project of the link where no reply has told it so far."""
        project_id = reply.variables.project_id or self._modules.project_id(deadline)
        run = Run(
            ref=RunRef(self._instance, reply.id or ""),
            pipeline=PipelineRef(self._instance, module.key),
            status=status_of(reply.status),
            raw_status=reply.status or "",
            title=title_of(reply),
            branch=branch_of(reply),
            commit=commit_of(reply),
            author=author_of(reply),
            created=reply.created_at or reply.queued_at,
            started=reply.started_at,
            finished=reply.finished_at,
            url=self._links.page(project_id, reply.environment_id, reply.deployment_log_id),
            counts=counts_of(reply.test_summary),
            aliases=module.aliases,
            parameters=parameters_of_run(reply),
        )
        return with_failing(run, failing_files(reply))

    def home(self, reply: RunReply, deadline: Deadline) -> Module:
        """The module of a run. `moduleId` may be missing: then by its environment; where that
        does not tell either, a module without id, with the environment's id as its key.
        """
        module_id = reply.module_id or self._homes.get(reply.environment_id)
        if module_id is None:
            self._search(reply.environment_id, deadline, lambda _run: False)
            module_id = self._homes.get(reply.environment_id)
        if module_id is None:
            return Module("", reply.environment_id)
        return self._modules.by_id(module_id, deadline)

    def _of_deployment(self, deployment_log_id: str, deadline: Deadline) -> RunReply | None:
        try:
            environment_id = self.deployment(deployment_log_id, deadline).environment_id
        except ProviderError as error:
            if error.kind in {Kind.NOT_FOUND, Kind.FORBIDDEN, Kind.BAD_REPLY, Kind.INVALID}:
                return None
            raise
        return self._search(
            environment_id, deadline, lambda run: run.deployment_log_id == deployment_log_id
        )

    def _search(
        self, environment_id: str, deadline: Deadline, is_it: Callable[[RunReply], bool]
    ) -> RunReply | None:
        """Looks for a run in the module of an environment, or in 40 modules if that is not
        known; those not found are not looked for again for ten minutes.
        """
        home = self._homes.get(environment_id)
        if home is None and self._homeless.get(environment_id):
            return None
        modules = [m for m in self._modules.all(deadline) if home in {None, m.module_id}]
        for one in self.listed_all(modules[:_SEARCHED_MODULES], deadline):
            if isinstance(one, ProviderError):
                continue
            found = next((run for run in one.runs if is_it(run)), None)
            if found is not None:
                return found.model_copy(update={"module_id": one.module.module_id})
        if self._homes.get(environment_id) is None:
            self._homeless.put(environment_id, value=True)
        return None

    def _learn(self, run: RunReply, module_id: str) -> None:
        self._homes.put(run.environment_id, module_id)
        if run.id:
            self._run_ids.put(run.deployment_log_id, run.id)


def checked(run_id: str) -> str:
    """The id, if it can be one: nothing else goes into a path. NOT_FOUND otherwise."""
    if not is_id(run_id):
        raise ProviderError(Kind.NOT_FOUND, "That is not the id of an env0 run.")
    return run_id


def _age(run: RunReply) -> float:
    """Newest first; runs without any time come last, as listed."""
    return -run.made_at.timestamp() if run.made_at else 0.0
