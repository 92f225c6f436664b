"""The shapes of Wercker's replies, as recorded. `base` is the address of this server."""

import hashlib
from datetime import datetime
from typing import Any

from bot.playground.clock import utc
from bot.playground.vendors.base import iso_ms
from bot.playground.vendors.wercker_model import (
    INTERNAL_STEPS,
    Application,
    Pipeline,
    Run,
    StepPosition,
    User,
    position,
)

Json = dict[str, Any]
ALLOWED_ACTIONS = ("create_run", "abort_run", "list_runs", "read_run", "list_workflows")


def go_time(seconds: float) -> str:
    """Write Go's default form: nanoseconds without trailing zeros, and the zone twice."""
    nanoseconds = round(seconds * 1_000_000) * 1000
    moment: datetime = utc(nanoseconds // 1_000_000_000)
    fraction = f"{nanoseconds % 1_000_000_000:09d}".rstrip("0")
    return f"{moment:%Y-%m-%d %H:%M:%S}{'.' if fraction else ''}{fraction} +0000 UTC"


def user(person: User) -> Json:
    meta: Json = {"username": person.username}
    if person.meta_type is not None:
        meta["type"] = person.meta_type
    if person.employee is not None:
        meta["werckerEmployee"] = person.employee
    digest = hashlib.md5(person.username.encode(), usedforsecurity=False).hexdigest()
    avatar = {"gravatar": digest}
    if person.type == "github":
        avatar = {"url": f"https://avatars.example.com/u/{int(digest[:4], 16)}?v=3"}
    return {
        "userId": person.user_id,
        "meta": meta,
        "avatar": avatar,
        "name": person.name,
        "type": person.type,
    }


def pipeline(item: Pipeline, base: str) -> Json:
    return {
        "id": item.id,
        "url": f"{base}/api/v3/pipelines/{item.id}",
        "createdAt": iso_ms(item.created),
        "name": item.name,
        "permissions": "public" if item.type == "git" else "read",
        "pipelineName": item.pipeline_name,
        "setScmProviderStatus": item.type == "git",
        "type": item.type,
    }


def pipeline_detail(item: Pipeline, base: str) -> Json:
    return {**pipeline(item, base), "application": application(item.application, base)}


def run_summary(run: Run, now: float, base: str) -> Json:
    here = position(run, now)
    shape: Json = {
        "id": run.id,
        "url": f"{base}/api/v3/runs/{run.id}",
        "branch": run.branch,
        "commitHash": run.commit_hash,
        "createdAt": iso_ms(run.created),
        "message": run.message,
        "progress": here.progress,
        "result": here.result,
        "status": here.status,
        "user": user(run.user),
        "pipeline": pipeline(run.pipeline, base),
    }
    if run.tag is not None:
        shape["tag"] = run.tag
    return shape | _times(here.started, here.finished)


def run_detail(run: Run, now: float, base: str) -> Json:
    shape = run_summary(run, now, base)
    shape |= {"envVars": run.env, "commits": run.commits, "pullRequest": {}}
    if run.source is not None:
        shape["sourceRun"] = run_summary(run.source, now, base)
    return shape


def run_created(run: Run, now: float, base: str, *, iso_times: bool) -> Json:
    """Shape the reply of a trigger: no progress, no start, no variables, and Go's times.

    With `iso_times` it is the other reply that was seen, with variables and usual times.
    """
    shape = run_summary(run, now, base)
    for absent in ("startedAt", "finishedAt"):
        shape.pop(absent, None)
    shape |= {"status": "notstarted", "result": "unknown"}
    if iso_times:
        return shape | {"progress": 0, "envVars": run.env}
    del shape["progress"]
    shape["createdAt"] = go_time(run.created)
    shape["pipeline"]["createdAt"] = go_time(run.pipeline.created)
    return shape


def step(run: Run, item: StepPosition, base: str) -> Json:
    name, step_id = run.pipeline.steps[item.index], run.step_ids[item.index]
    address = f"{base}/api/v3/runsteps/{step_id}"
    shape: Json = {
        "id": step_id,
        "url": address,
        "artifactsUrl": None,
        "createdAt": iso_ms(item.created),
        "logUrl": f"{address}/log",
        "order": item.index + 1,
        "result": item.result,
        "status": item.status,
    }
    if name in INTERNAL_STEPS:
        shape["step"] = name
    else:
        shape |= {"displayName": name, "phase": "mainSteps"}
    return shape | _times(item.started, item.finished)


def _times(started: float | None, finished: float | None) -> Json:
    times = {"startedAt": started, "finishedAt": finished}
    return {key: iso_ms(value) for key, value in times.items() if value is not None}


def _owner(person: User) -> Json:
    shape = user(person)
    shape["meta"] |= {"type": "user", "werckerEmployee": False}
    return shape


def application(item: Application, base: str) -> Json:
    """Shape an application as in a list, in a pipeline and in a workflow."""
    return _application_core(item, base) | {
        "privacy": item.privacy,
        "stack": 6,
        "theme": "Amethyst",
    }


def application_detail(item: Application, base: str) -> Json:
    core = _application_core(item, base)
    return core | {
        "builds": f"{core['url']}/builds",
        "deploys": f"{core['url']}/deploys",
        "scm": scm(item),
        "badgeKey": item.id.rjust(32, "0"),
        "allowedActions": list(ALLOWED_ACTIONS),
        "theme": "Amethyst",
        "settings": {"privacy": item.privacy, "stack": 6, "ignoredBranches": ["gh-pages"]},
    }


def _application_core(item: Application, base: str) -> Json:
    path = f"{item.owner.username}/{item.name}".lower()
    return {
        "id": item.id,
        "url": f"{base}/api/v3/applications/{path}",
        "name": item.name,
        "owner": _owner(item.owner),
        "createdAt": iso_ms(item.created),
        "updatedAt": iso_ms(item.created),
    }


def scm(item: Application) -> Json:
    return {
        "type": "git",
        "owner": item.owner.username,
        "domain": "github.com",
        "repository": item.name,
    }
