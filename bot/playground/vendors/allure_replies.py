"""How launches, job runs, jobs and results of Allure TestOps look on the wire."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot.playground.vendors.allure_model import RED, Job, JobRun, Launch, Result
from bot.playground.vendors.base import iso_ms

if TYPE_CHECKING:
    from bot.playground.vendors.allure import AllureStandin


def envelope(rows: Sequence[Any], number: int, size: int) -> dict[str, Any]:
    """Cut one page out of all rows and wrap it as the service does."""
    shown = list(rows[number * size : (number + 1) * size])
    pages = math.ceil(len(rows) / size)
    sort = {"empty": False, "sorted": True, "unsorted": False}
    pageable = {
        "pageNumber": number,
        "pageSize": size,
        "offset": number * size,
        "paged": True,
        "unpaged": False,
        "sort": sort,
    }
    return {
        "content": shown,
        "pageable": pageable,
        "totalElements": len(rows),
        "totalPages": pages,
        "last": number + 1 >= pages,
        "first": number == 0,
        "size": size,
        "number": number,
        "numberOfElements": len(shown),
        "sort": sort,
        "empty": not shown,
    }


class AllureReplies:
    """Renders what the stand-in holds, as its quirks say."""

    def __init__(self, standin: "AllureStandin") -> None:
        self.standin = standin

    def when(self, seconds: float) -> int | str:
        ms = int(seconds * 1000 + 0.5)
        return iso_ms(ms / 1000) if self.standin.quirks.text_times else ms

    def sparse(self, launch: Launch, now: float) -> dict[str, Any]:
        return self._head(launch, now) | {"autoclose": launch.autoclose_s is not None}

    def rich(self, launch: Launch, now: float) -> dict[str, Any]:
        """Make the form that holds statistic and jobs, and has no `autoclose`."""
        red = {r.check.name for r in launch.results(now) if r.check.status in RED}
        return self._head(launch, now) | {
            "createdBy": launch.created_by,
            "lastModifiedBy": launch.created_by,
            "statistic": self.statistic(launch, now),
            "jobs": [self.job_run(run, now) for run in launch.job_runs if run.listed],
            "knownDefectsCount": len(red & launch.known),
            "newDefectsCount": len(red - launch.known - launch.muted),
            "environment": self.environment(launch),
        }

    def _head(self, launch: Launch, now: float) -> dict[str, Any]:
        head = {
            "id": launch.id,
            "name": launch.name,
            "projectId": launch.project_id,
            "closed": launch.closed(now),
            "external": launch.external,
            "createdDate": self.when(launch.created_s),
            "lastModifiedDate": self.when(launch.modified_s(now)),
            "tags": launch.tags,
            "issues": launch.issues,
            "links": launch.links,
        }
        return head | ({"releaseId": 1} if self.standin.quirks.release_id else {})

    def environment(self, launch: Launch) -> list[dict[str, Any]]:
        return [
            {"id": 70 + i, "name": value, "variable": {"id": 7 + i, "name": name}}
            for i, (name, value) in enumerate(launch.environment)
        ]

    def statistic(self, launch: Launch, now: float) -> list[dict[str, Any]]:
        counts = launch.statistic(now, self.standin.quirks)
        return [{"status": self.word(status), "count": n} for status, n in counts.items()]

    def word(self, status: str) -> str:
        return status.upper() if self.standin.quirks.upper_case else status

    def job_run(self, run: JobRun, now: float) -> dict[str, Any]:
        """Make a job run; `status` and `errorMessage` are absent before the end."""
        moments = (run.course.created_s, run.course.start_s, run.course.end_s)
        job = run.job
        reply: dict[str, Any] = {
            "id": run.id,
            "job": {"id": job.id, "name": job.name, "type": job.type, "url": job.url},
            "launchId": run.launch_id,
            "name": f"#{run.id}",
            "externalId": str(900_000 + run.id),
            "url": f"{job.url}/{900_000 + run.id}",
            "stage": run.stage(now),
            "createdBy": run.created_by,
            "createdDate": self.when(run.course.created_s),
            "lastModifiedBy": run.created_by,
            "lastModifiedDate": self.when(
                max((m for m in moments if m <= now), default=moments[0])
            ),
        }
        status = run.status(now)
        if status is not None:
            reply["status"] = status
        if reply["stage"] == "run_failure":
            reply["errorMessage"] = run.outcome.note or "Could not start the pipeline"
        return reply

    def job(self, job: Job) -> dict[str, Any]:
        parameters = [{"id": key, "value": value} for key, value in job.parameters.items()]
        return {
            "id": job.id,
            "name": job.name,
            "type": job.type,
            "url": job.url,
            "parameters": parameters,
        }

    def short(self, result: Result) -> dict[str, Any]:
        return {
            "id": result.id,
            "name": result.check.name,
            "status": self.word(result.check.status),
            "testCaseId": self.case_id(result),
        }

    def case_id(self, result: Result) -> int:
        return result.job_run.job.id * 1000 + result.index

    def unresolved(self, result: Result) -> dict[str, Any]:
        return self.short(result) | {"duration": result.check.duration_ms}

    def flat(self, result: Result) -> dict[str, Any]:
        return (
            self.short(result)
            | self._times(result)
            | {
                "layerName": "UI",
                "manual": False,
                "flaky": False,
                "hidden": False,
            }
        )

    def _times(self, result: Result) -> dict[str, Any]:
        return {
            "start": self.when(result.start_s),
            "stop": self.when(result.stop_s),
            "duration": result.check.duration_ms,
            "createdDate": self.when(result.stop_s),
            "lastModifiedDate": self.when(result.stop_s),
        }

    def full(self, launch: Launch, result: Result, now: float) -> dict[str, Any]:
        check = result.check
        reply: dict[str, Any] = {
            **self.short(result),
            "fullName": f"{check.file}.{check.name}",
            "launchId": launch.id,
            "projectId": launch.project_id,
            **self._times(result),
            "flaky": False,
            "muted": check.name in launch.muted,
            "known": check.name in launch.known,
            "hidden": False,
            "manual": False,
            "external": launch.external,
            "jobRun": self.job_run(result.job_run, now),
            "parameters": [],
            "tags": [],
            "links": [],
        }
        if check.message:
            reply |= {
                "message": check.message,
                "trace": f"{check.message}\n\tat {check.file}:88",
                "category": {"id": 3, "name": "Product defects"},
            }
        return reply
