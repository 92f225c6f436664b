"""Wercker's workflows: the runs that one event started, and the ones that wait behind them."""

from dataclasses import dataclass, field
from typing import Any

from bot.playground.vendors.base import iso_ms
from bot.playground.vendors.wercker_json import application, scm, user
from bot.playground.vendors.wercker_model import Application, Pipeline, Run, position, steps

CHAIN_PAUSE_S = 1.0


@dataclass(slots=True, eq=False)
class Item:
    id: str
    pipeline: Pipeline
    parent: "Item | None"
    run: Run | None = None


@dataclass(slots=True, eq=False)
class Workflow:
    id: str
    application: Application
    created: float
    first: Run
    items: list[Item] = field(default_factory=list)

    def due(self, now: float) -> list[tuple[Item, Run, float]]:
        """List the waiting items whose parent has passed, with that run and their start."""
        found = []
        for item in self.items:
            parent = item.parent.run if item.parent else None
            if item.run is not None or parent is None:
                continue
            here = position(parent, now)
            if here.result == "passed" and here.finished is not None:
                start = here.finished + CHAIN_PAUSE_S
                found += [(item, parent, start)] if start <= now else []
        return found


def workflow_json(flow: Workflow, now: float, base: str, *, detail: bool = False) -> dict[str, Any]:
    start = position(flow.first, now).started
    shape: dict[str, Any] = {
        "url": f"{base}/api/v3/workflows/{flow.id}",
        "createdAt": iso_ms(flow.created),
        "data": _data(flow),
        "id": flow.id,
        "items": [_item(item, now, flow.created) for item in flow.items],
        "trigger": "git" if flow.first.source is None else "workflow",
        "updatedAt": iso_ms(max(_updated(item, now, flow.created) for item in flow.items)),
        "user": user(flow.first.user),
    }
    if start is not None:
        shape["startedAt"] = iso_ms(start)
    if detail:
        shape["application"] = application(flow.application, base)
    return shape


def _data(flow: Workflow) -> dict[str, Any]:
    data: dict[str, Any] = {"branch": flow.first.branch, "message": flow.first.message}
    if flow.first.source is not None:
        return data | {"sourceRunId": flow.first.source.id}
    return data | {"commitHash": flow.first.commit_hash, "scm": scm(flow.application)}


def _item(item: Item, now: float, created: float) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "data": {
            "targetName": item.pipeline.name,
            "pipelineId": item.pipeline.id,
            "restricted": False,
        },
        "id": item.id,
        "progress": 0,
        "result": "unknown",
        "status": "notstarted",
        "type": "run",
        "updatedAt": iso_ms(_updated(item, now, created)),
    }
    if item.parent is not None:
        shape["parentItem"] = item.parent.id
    if item.run is not None:
        here = position(item.run, now)
        shape |= {"progress": here.progress, "result": here.result, "status": here.status}
        if here.started is not None:
            shape["data"] |= _steps(item.run, now)
    return shape


def _steps(run: Run, now: float) -> dict[str, Any]:
    begun = [step for step in steps(run, now) if step.started is not None]
    return {
        "totalSteps": len(run.pipeline.steps),
        "currentStep": len(begun),
        "stepName": run.pipeline.steps[max(len(begun) - 1, 0)],
        "runId": run.id,
    }


def _updated(item: Item, now: float, created: float) -> float:
    if item.run is None:
        return created
    here = position(item.run, now)
    return here.finished or here.started or item.run.created
