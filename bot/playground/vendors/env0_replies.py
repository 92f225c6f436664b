"""How runs, modules, deployments, steps and logs of env0 look on the wire."""

from typing import TYPE_CHECKING, Any

from bot.playground.vendors.base import iso_ms
from bot.playground.vendors.env0_model import (
    SECRET,
    Module,
    ModuleTest,
    Person,
    file_results,
    summary,
    without,
)

if TYPE_CHECKING:
    from bot.playground.vendors.env0 import Env0Standin

OWNER = Person("Dana Sample", "dana.sample@example.com", "auth0|5f3c01")


def when(seconds: float | None) -> str | None:
    return None if seconds is None else iso_ms(seconds)


def module_reply(module: Module) -> dict[str, Any]:
    return {
        "id": module.id,
        "organizationId": module.organization_id,
        "moduleName": module.name,
        "moduleProvider": module.provider,
        "moduleTestEnabled": module.test_enabled,
        "runTestsOnPullRequest": module.pull_requests,
        "opentofuVersion": "1.7.0" if module.test_enabled else None,
        "repository": module.repository,
        "path": f"modules/{module.name}",
        "tagPrefix": f"{module.name}-",
        "description": f"The {module.name} of Acme",
        "type": "module",
        "author": OWNER.reply(),
        "authorId": OWNER.user_id,
        "createdAt": iso_ms(module.created_s),
        "updatedAt": iso_ms(module.created_s),
        "isDeleted": module.deleted,
        "isGitLab": False,
        "isAzureDevOps": False,
        "isBitbucketServer": False,
        "isGitHubEnterprise": False,
        "isGitLabEnterprise": False,
        "githubInstallationId": 123,
        "bitbucketClientKey": None,
        "tokenId": None,
        "tokenName": None,
        "vcsConnectionId": None,
        "sshkeys": [],
    }


def run_reply(standin: "Env0Standin", run: ModuleTest) -> dict[str, Any]:
    now = standin.clock.time()
    over = run.is_over(now)
    ran = over and run.course.started(now) is not None
    files = file_results(run, now)
    reply = {
        "id": run.id,
        "moduleId": run.module.id,
        "organizationId": run.module.organization_id,
        "environmentId": run.module.environment_id,
        "deploymentLogId": run.deployment_id,
        "status": run.status(now),
        "blueprintRevision": run.revision,
        "blueprintRepository": run.module.repository,
        "createdAt": when(run.course.created_s),
        "queuedAt": when(run.course.created_s),
        "startedAt": when(run.course.started(now)),
        "finishedAt": when(run.finished_s(now)),
        **_who(run),
        "prNumber": run.pr_number,
        "customEnv0EnvironmentVariables": variables(standin, run),
        "error": _error(run) if over else None,
        "testSummary": summary(run, now) if ran else None,
        "testFilesResults": files if ran and files else None,
    }
    return without(reply, standin.quirks)


def _who(run: ModuleTest) -> dict[str, Any]:
    if run.person is None:
        picture = f"https://img.example.com/{run.git_user}.png" if run.git_user else None
        return {"gitUser": run.git_user, "gitAvatarUrl": picture}
    return {
        "startedBy": run.person.user_id,
        "startedByUser": run.person.reply(),
        "triggerName": run.trigger_name,
    }


def _error(run: ModuleTest) -> dict[str, str] | None:
    return {"message": run.outcome.note} if run.outcome.note else None


def variables(standin: "Env0Standin", run: ModuleTest) -> dict[str, Any]:
    """Make the map that holds secrets among useful values."""
    revision = run.revision or run.module.default_revision
    person = run.person or OWNER
    values: dict[str, Any] = {
        "environmentId": run.module.environment_id,
        "projectId": standin.project_id(run.module.organization_id),
        "projectName": "Module Testing",
        "deploymentLogId": run.deployment_id,
        "deploymentType": "deploy",
        "deploymentRevision": revision,
        "workspaceName": f"env0{run.module.environment_id[:6]}",
        "rootDir": "/tmp/deployment",  # noqa: S108 - a text that env0 sends
        "organizationId": run.module.organization_id,
        "templateId": run.module.template_id,
        "templateDir": f"modules/{run.module.name}",
        "templateName": run.module.name,
        "environmentName": f"{run.module.name} module test",
        "environmentCreatorName": OWNER.name,
        "environmentCreatorUserId": OWNER.user_id,
        "environmentCreatorEmail": OWNER.email,
        "deployerName": person.name,
        "deployerUserId": person.user_id,
        "deployerEmail": person.email,
        "vcsProvider": "github",
        "commitHash": revision,
        "commitUrl": f"{run.module.repository}/commit/{revision}",
        "oidcToken": SECRET,
        "vcsAccessToken": SECRET,
    }
    if run.pr_number:
        values |= {
            "prAuthor": run.git_user,
            "prNumber": run.pr_number,
            "prSourceRepository": "acme/terraform-modules",
            "prSourceBranch": f"feature/{run.module.name}-{run.pr_number}",
            "prTargetBranch": "main",
        }
    if standin.quirks.large_plan:
        values["tfPlanJson"] = "p" * standin.quirks.large_plan
    return values


TIMEOUT_REASON = "DEPLOYMENT_TIME_LIMIT_EXCEEDED"


def deployment_reply(standin: "Env0Standin", run: ModuleTest) -> dict[str, Any]:
    """Make the deployment log; unlike a run it shows null for what is not known yet."""
    now = standin.clock.time()
    status = run.status(now)
    reply = {
        "id": run.deployment_id,
        "type": "moduleTest",
        "status": status,
        "environmentId": run.module.environment_id,
        "blueprintId": run.module.template_id,
        "blueprintName": run.module.name,
        "blueprintRepository": run.module.repository,
        "blueprintRevision": run.revision,
        "blueprintPath": f"modules/{run.module.name}",
        "startedBy": run.person.user_id if run.person else None,
        "startedByUser": run.person.reply() if run.person else None,
        "queuedAt": when(run.course.created_s),
        "startedAt": when(run.course.started(now)),
        "finishedAt": when(run.finished_s(now)),
        "output": {},
        "error": _error(run) if run.is_over(now) else None,
        "triggerName": run.trigger_name,
        "comment": run.comment,
        "createdAt": when(run.course.created_s),
        "updatedAt": when(run.finished_s(now) or run.course.started(now) or run.course.created_s),
    }
    if status == "TIMEOUT":
        reply["stoppedByTimeoutReason"] = TIMEOUT_REASON
    return reply
