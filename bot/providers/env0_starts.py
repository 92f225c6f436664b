"""Starting module tests of env0, anew or once more.

No documented call starts a module test. A test is a deployment in an environment of its module,
so one is started there, as the last test was; that env0 accepts this for `moduleTest` is assumed.
The answer names the deployment, not the run: the run is then looked for in the module's list.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Started
from bot.domain.runs import Run
from bot.net import clean_message
from bot.providers.answers import readable
from bot.providers.env0_api import Env0Api, UnknownPathError
from bot.providers.env0_modules import Module, Modules
from bot.providers.env0_replies import Identified, RunReply
from bot.providers.env0_runs import Runs

LOOKS_S = (0.5, 1.0, 1.5, 2.0, 2.5, 2.5)
"""Waits before each look for a new run, ten seconds together."""
_LEAST_S = 1.0
"""What must be left of the deadline for a look."""
_HOPELESS = frozenset({Kind.AUTH, Kind.FORBIDDEN, Kind.RATE_LIMITED})


class Env0Trigger(BaseModel):
    """The fields of a deployment that people fill in, under the vendor's names."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    blueprint_revision: Annotated[
        str | None, StringConstraints(strip_whitespace=True, max_length=255)
    ] = Field(
        default=None,
        alias="blueprintRevision",
        description="Branch, tag or commit to test; the one configured in env0 if left out",
    )
    comment: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=500)] = (
        Field(default=None, description="Remark on the deployment; who asked is added")
    )


def body_of(trigger: Env0Trigger, requester: str, mark: str) -> dict[str, Any]:
    """The body of the deployment, with nothing that is empty."""
    asked = f"requested from chat by {requester} ({mark})"
    fields = {
        "deploymentType": "moduleTest",
        "blueprintRevision": trigger.blueprint_revision,
        "triggerName": "user",
        "comment": f"{trigger.comment}: {asked}" if trigger.comment else asked,
    }
    return {name: value for name, value in fields.items() if value}


def repeated(old: RunReply, parameters: Mapping[str, str]) -> Env0Trigger:
    """The fields with which an old run is repeated; typed ones replace its own. INVALID if they
    are not the trigger's, CONFLICT if the old run does not tell what it tested.
    """
    typed = {name: value for name, value in parameters.items() if value.strip()}
    revision = old.blueprint_revision or old.variables.commit_hash
    if revision is None and "blueprintRevision" not in typed:
        raise ProviderError(
            Kind.CONFLICT,
            "env0 does not tell which revision this run tested, so it cannot be repeated; give "
            "blueprintRevision=… or start a new run.",
        )
    try:
        return Env0Trigger.model_validate({"blueprintRevision": revision, **typed})
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    raise ProviderError(Kind.INVALID, f"{where}: {problem['msg']}")


class Starts:
    """Each start sends one change and no other. Thread-safe. `wait` pauses the thread."""

    def __init__(
        self, api: Env0Api, modules: Modules, runs: Runs, wait: Callable[[float], object]
    ) -> None:
        self._api, self._modules, self._runs, self._wait = api, modules, runs, wait

    def refuse_disabled(self, module_id: str, deadline: Deadline) -> None:
        """CONFLICT unless the module, asked for now, has its tests on."""
        module = self._modules.fresh(module_id, deadline)
        if not module.module_test_enabled:
            name = clean_message(module.module_name or module_id, 100)
            raise ProviderError(
                Kind.CONFLICT,
                f"Tests of module {name} are off in env0; nothing was sent. Somebody must turn "
                "them on in the settings of the module there.",
            )

    def environment_of(self, module: Module, deadline: Deadline) -> str:
        """Where the newest test of the module ran; CONFLICT if there was none."""
        runs = self._runs.listed(module, deadline).runs
        if not runs:
            raise ProviderError(
                Kind.CONFLICT,
                "This module has no test run yet, so its test environment is not known; nothing "
                "was sent. Its first test must be started by a commit or in env0.",
            )
        return runs[0].environment_id

    def in_environment(
        self, environment_id: str, body: dict[str, Any], module: Module, deadline: Deadline
    ) -> Started:
        """AMBIGUOUS if the answer was lost or names no deployment."""
        path = ("environments", environment_id, "deployments")
        answer = readable(Identified, self._api.change("POST", path, deadline, body))
        if answer is None:
            raise _unnamed()
        return self._followed(answer.id, module, deadline)

    def directly(self, body: dict[str, Any], module: Module, deadline: Deadline) -> Started:
        """By `POST /module/{id}/tests`, which is assumed and in no documentation. UNSUPPORTED
        if the gateway does not know it.
        """
        revision = body.get("blueprintRevision")
        fields = {"blueprintRevision": revision} if revision else {}
        try:
            answer = self._api.change(
                "POST", ("module", module.module_id, "tests"), deadline, fields
            )
        except UnknownPathError:
            problem = ProviderError(
                Kind.UNSUPPORTED,
                "This env0 has no direct start of module tests; nothing was sent. Whoever runs "
                "the bot should unset DIRECT_TRIGGER.",
            )
        else:
            return self._of_answer(answer, module, deadline)
        raise problem

    def _of_answer(self, answer: Any, module: Module, deadline: Deadline) -> Started:
        run = readable(RunReply, answer)
        if run is None:
            raise _unnamed()
        if run.id:
            return Started(self._runs.run_of(run, module, deadline))
        return self._followed(run.deployment_log_id, module, deadline)

    def _followed(self, deployment_log_id: str, module: Module, deadline: Deadline) -> Started:
        """Looks for the run for about ten seconds. Nothing that happens here hides that the
        start was accepted.
        """
        problem = ""
        for pause_s in LOOKS_S if module.module_id else ():
            if deadline.remaining_s() < pause_s + _LEAST_S:
                break
            self._wait(pause_s)
            try:
                run = self._look(deployment_log_id, module, deadline)
            except ProviderError as error:
                problem = error.message
                if error.kind in _HOPELESS:
                    break
            else:
                if run is not None:
                    return Started(run)
        return Started(None, self._note(deployment_log_id, problem, deadline))

    def _look(self, deployment_log_id: str, module: Module, deadline: Deadline) -> Run | None:
        for reply in self._runs.listed(module, deadline).runs:
            if reply.deployment_log_id == deployment_log_id:
                return self._runs.run_of(reply, module, deadline)
        return None

    def _note(self, deployment_log_id: str, problem: str, deadline: Deadline) -> str:
        """What is known of a run that is not listed yet: how its deployment stands."""
        try:
            status = self._runs.deployment(deployment_log_id, deadline).status
        except ProviderError:
            status = None
        stands = f", {clean_message(status, 40)}" if status else ""
        note = f"env0 accepted it as deployment {deployment_log_id}{stands}; its run "
        if problem:
            return f"{note}could not be looked up: {problem}"
        return f"{note}is not listed yet. Ask for the run by that id in a moment."


def _unnamed() -> ProviderError:
    return ProviderError(
        Kind.AMBIGUOUS,
        "env0 took the request, but its answer names no deployment: it may or may not have been "
        "started. Look there before you try again.",
    )
