"""Calls to a debci server: what is asked, what a refusal means, how the listing is read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.net import HttpClient, HttpError, Reply, clean_message
from bot.providers.answers import each_readable
from bot.providers.debci_runs import Job

_REJECTED = re.compile(r"reject list|RejectListed", re.IGNORECASE)
_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer of GET `/v1/test`: the readable entries, newest first. `until` is the latest
    creation among them in seconds since 1970, and 0 if there are none.
    """

    jobs: tuple[Job, ...]
    until: int
    bad_items: int = 0

    def job(self, run_id: str) -> Job | None:
        return next((job for job in self.jobs if str(job.run_id) == run_id), None)

    @property
    def highest(self) -> int:
        return max((job.run_id for job in self.jobs), default=0)


class _Answer(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    until: int = Field(strict=True, ge=0)
    results: list[Any]


class DebciCalls:
    """Raises ProviderError and nothing else. Shared by threads."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def user(self, deadline: Deadline) -> str:
        """Whose key it is: GET `/v1/auth` says so in a header, its body is empty."""
        reply = self._call("GET", ("auth",), deadline)
        user = clean_message(reply.headers.get("Auth-User") or "")
        if not user:
            raise ProviderError(Kind.BAD_REPLY, "This does not answer as a debci server does.")
        return user

    def listing(self, since: int, deadline: Deadline) -> Listing:
        """The runs of this key's user since then (whole seconds since 1970, inclusive).

        There is no paging: without `since` debci returns every run ever made.
        """
        reply = self._call("GET", ("test",), deadline, query=[("since", str(since))])
        try:
            answer = _Answer.model_validate(reply.json())
        except ValidationError:
            problem = ProviderError(Kind.BAD_REPLY, "debci's list of runs has an unknown form.")
        else:
            jobs = list(each_readable(Job, answer.results))
            newest_first = tuple(sorted(jobs, key=lambda job: -job.run_id))
            return Listing(newest_first, answer.until, len(answer.results) - len(jobs))
        raise problem

    def reject_list(self, deadline: Deadline) -> Any:
        return self._call("GET", ("reject_list",), deadline).json()

    def post(
        self, segments: Sequence[str], form: dict[str, str] | None, deadline: Deadline
    ) -> None:
        """Sends one change. AMBIGUOUS after a 5xx too: with its message queue down debci
        answers 500 and has made the run.
        """
        self._call("POST", segments, deadline, form=form)

    def _call(
        self,
        method: str,
        segments: Sequence[str],
        deadline: Deadline,
        *,
        query: Sequence[tuple[str, str]] = (),
        form: dict[str, str] | None = None,
    ) -> Reply:
        try:
            return self._http.request(
                method, "v1", *segments, deadline=deadline, query=query, form=form
            )
        except HttpError as error:
            problem = _refusal(error, changes=method != "GET")
        raise problem  # outside of the handler: the caught error holds the raw reply


def _refusal(error: HttpError, *, changes: bool) -> ProviderError:
    kind, message = meaning(error.reply.status, error.reply.text(), changes=changes)
    return ProviderError(
        kind or error.kind,
        message or error.message,
        detail=error.detail,
        retry_after_s=error.retry_after_s,
    )


def meaning(status: int, body: str, *, changes: bool) -> tuple[Kind | None, str]:
    """What an error answer means, in words; (None, "") for those that are not debci's own.

    debci's errors are plain text, or HTML for 500, and never JSON. A 403 is a bad key or the
    reject list: only the body tells. Unknown paths and wrong methods answer 500, so a 500 can
    mean a server that is older or newer than expected.
    """
    text = clean_message(body)
    if status == HTTPStatus.FORBIDDEN and text.startswith("Invalid key"):
        return Kind.AUTH, "debci does not know the bot's key; whoever runs the bot should renew it."
    if status in _REFUSED and _REJECTED.search(text):
        return Kind.INVALID, f"debci refused: {text}"
    if status == HTTPStatus.BAD_REQUEST and text:
        kind = Kind.NOT_FOUND if text.startswith("Job ID not known") else Kind.INVALID
        return kind, f"debci refused: {text}"
    if status == HTTPStatus.NOT_FOUND:
        return Kind.BAD_REPLY, "There is no debci at this address: check BASE_URL."
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and not changes:
        return Kind.UNAVAILABLE, (
            "debci answered with an error of its own (500): it is not working right now, or it "
            "is older or newer than the versions the bot knows."
        )
    return None, ""
