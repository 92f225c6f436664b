"""Steps of a deployment of env0, and their logs."""

from dataclasses import dataclass
from typing import Any

from bot.playground.vendors.base import iso_ms
from bot.playground.vendors.course import Check
from bot.playground.vendors.env0_model import ModuleTest
from bot.playground.vendors.env0_replies import when

PARTS = (("git:clone", 0.0), ("opentofu:init", 0.1), ("opentofu:test", 0.2), ("cleanup", 0.95))
STOPPED_WORDS = {
    "FAILURE": "FAIL",
    "TIMEOUT": "TIMEOUT",
    "INTERNAL_FAILURE": "FAIL",
    "ABORTED": "CANCELLED",
    "WAITING_FOR_USER": "WAITING_FOR_USER",
}
BOLD, GREEN, RED, PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Step:
    order: int
    name: str
    status: str
    from_s: float
    to_s: float


def steps(run: ModuleTest, now: float) -> list[Step]:
    """Derive the steps: an unsuccessful run stops in its test step, before the cleanup."""
    return [_step(run, index, now) for index in range(len(PARTS))]


def _step(run: ModuleTest, index: int, now: float) -> Step:
    name, begin = PARTS[index]
    end = PARTS[index + 1][1] if index + 1 < len(PARTS) else 1.0
    start_s, run_s = run.course.start_s, run.course.run_s
    from_s, to_s = start_s + begin * run_s, start_s + end * run_s
    until = min(now, run.course.end_s)
    status = "IN_PROGRESS"
    if until < from_s or run.course.started(now) is None:
        status = "NOT_STARTED"
    elif until >= to_s:
        status = "SUCCESS"
    word = STOPPED_WORDS.get(run.status(now)) if run.course.ended(now) is not None else None
    if word and name == "opentofu:test" and status != "NOT_STARTED":
        status = word
    if word and name == "cleanup":
        status = "NOT_STARTED"
    if status == "IN_PROGRESS" and run.course.ended(now) is not None:
        status = "CANCELLED"
    return Step(index, name, status, from_s, min(to_s, until))


def step_reply(run: ModuleTest, step: Step, project_id: str) -> dict[str, Any]:
    """Make a step; what has not begun lacks id, environment and times, as recorded."""
    begun = step.status != "NOT_STARTED"
    going = step.status in {"IN_PROGRESS", "WAITING_FOR_USER"}
    reply = {
        "id": f"s-{step.order + 1}-{run.deployment_id[:8]}" if begun else None,
        "deploymentLogId": run.deployment_id,
        "name": step.name,
        "order": step.order,
        "environmentId": run.module.environment_id if begun else None,
        "projectId": project_id,
        "organizationId": run.module.organization_id,
        "status": step.status,
        "startedAt": when(step.from_s) if begun else None,
        "completedAt": when(step.to_s) if begun and not going else None,
        "retryCount": 0 if begun else None,
    }
    return {key: value for key, value in reply.items() if value is not None}


def log_reply(run: ModuleTest, step: Step, now: float, start: float, page: int) -> dict[str, Any]:
    """Make the page of a log that begins at `start` (milliseconds)."""
    events = [(ms, level, text) for ms, level, text in _events(run, step, now) if ms >= start]
    shown, more = events[:page], events[page:]
    reply: dict[str, Any] = {
        "events": [_event(index, *event) for index, event in enumerate(shown)],
    }
    if more:
        reply["nextStartTime"] = more[0][0]
    return reply | {"hasMoreLogs": bool(more)}


def _event(index: int, ms: int, level: str, text: str) -> dict[str, Any]:
    """Make an event; times come as a number and as text by turns, as recorded."""
    stamp: int | str = ms if index % 2 == 0 else iso_ms(ms / 1000)
    return {"eventId": f"e{ms}", "message": text, "level": level, "timestamp": stamp}


def _events(run: ModuleTest, step: Step, now: float) -> list[tuple[int, str, str]]:
    lines = [("info", f"{BOLD}Running {step.name}...{PLAIN}")]
    if step.name == "opentofu:test":
        lines += [_line(check) for check in run.finished_checks(now)]
    if step.status == "FAIL":
        lines.append(("error", f"{RED}Error: {run.outcome.note or 'Test failed'}{PLAIN}"))
    begin = int(step.from_s * 1000)
    return [(begin + 1000 * index, level, text) for index, (level, text) in enumerate(lines)]


def _line(check: Check) -> tuple[str, str]:
    if check.status in {"failed", "broken"}:
        return "error", f"{check.file} {check.name}... {RED}fail{PLAIN}: {check.message}"
    return "info", f"{check.file} {check.name}... {GREEN}pass{PLAIN}"
