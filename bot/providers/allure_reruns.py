"""Repeating a launch of Allure TestOps: reopen it, then rerun its job runs (section 7 of the
vendor facts). The launch keeps its id. Every request is sent once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import RetryRequest, Started
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.providers.allure_addresses import checked
from bot.providers.allure_api import AllureApi
from bot.providers.allure_launches import Launches
from bot.providers.allure_replies import JobRunReply, LaunchReply
from bot.providers.allure_status import RUN_FAILURE, Parts, decide, stage_of
from bot.providers.allure_words import job_label

TO_REPEAT = ("failed", "broken", "unknown")
_PAUSE_S = 1.0  # between two looks at a launch that is to open
_LONGEST_WAIT_S = 30.0
_RESERVE_S = 3.0  # kept for the reruns themselves


def quoted(text: str) -> str:
    r"""Text in the vendor's query language: in `"`, with `\` and `"` escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def status_in(words: Iterable[str]) -> str:
    return f"status in [{', '.join(quoted(word) for word in words)}]"


@dataclass(slots=True)
class Outcome:
    """What became of the job runs, by their labels; the refused ones with the reason."""

    accepted: list[str] = field(default_factory=list)
    refused: list[tuple[str, ProviderError]] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)

    @property
    def is_in_doubt(self) -> bool:
        return any(error.kind is Kind.AMBIGUOUS for _, error in self.refused)

    @property
    def note(self) -> str:
        words = [f"Reruns accepted: {', '.join(self.accepted)}."] if self.accepted else []
        for label, error in self.refused:
            head = "Not known whether" if error.kind is Kind.AMBIGUOUS else "Not"
            words.append(f"{head} accepted: {label} ({error.message})")
        words += [f"Not sent: {', '.join(self.unsent)}."] if self.unsent else []
        return " ".join(words)


class Reruns:
    """Shared by threads. `wait` pauses a thread for so many seconds."""

    def __init__(self, api: AllureApi, launches: Launches, wait: Callable[[float], object]) -> None:
        self._api, self._launches, self._wait = api, launches, wait

    def retry(self, request: RetryRequest, deadline: Deadline) -> Started:
        """CONFLICT, with nothing sent, unless the launch is over and has something to repeat."""
        _check_bare(request)
        launch, parts = self._launches.read(request.run.ref.run_id, deadline)
        _check_over(launch, parts)
        bodies = _bodies(parts, request.scope)
        if launch.closed:
            self._reopen(launch, deadline)
        self._launches.touch(launch)
        outcome = self._rerun(bodies, deadline)
        if not outcome.accepted:
            raise _nothing_accepted(outcome, was_closed=launch.closed)
        head = "The launch was reopened. " if launch.closed else ""
        run = self._as_it_stands(launch, parts, deadline)
        return Started(run, f"{head}{outcome.note}")

    def _reopen(self, launch: LaunchReply, deadline: Deadline) -> None:
        """Returns once the launch is open. AMBIGUOUS if the answer is lost, or if the launch does
        not open in time: it may still do so. No rerun is sent then.
        """
        self._api.change(("launch", str(launch.id), "reopen"), deadline)
        if not self._is_open_in_time(launch, deadline):
            raise ProviderError(
                Kind.AMBIGUOUS,
                "Allure TestOps took the request to reopen the launch, but it is still closed. "
                "No rerun was sent; look there, and try again once it is open.",
            )

    def _is_open_in_time(self, launch: LaunchReply, deadline: Deadline) -> bool:
        until = deadline.at_most(_LONGEST_WAIT_S)
        while True:
            if not self._is_closed(launch, until):
                return True
            if until.remaining_s() <= _PAUSE_S + _RESERVE_S:
                return False
            self._wait(_PAUSE_S)

    def _is_closed(self, launch: LaunchReply, deadline: Deadline) -> bool:
        """A look that fails is no proof that it is open: the next one may tell."""
        try:
            return self._launches.launch(str(launch.id), deadline).closed
        except ProviderError:
            return True

    def _rerun(
        self, bodies: list[tuple[JobRunReply, dict[str, Any]]], deadline: Deadline
    ) -> Outcome:
        """After a lost answer nothing more is sent."""
        outcome = Outcome()
        for run, body in bodies:
            if outcome.is_in_doubt:
                outcome.unsent.append(job_label(run))
                continue
            try:
                path = ("jobrun", checked(str(run.id or ""), "job run"), "rerun")
                self._api.change(path, deadline, body)
            except ProviderError as error:
                outcome.refused.append((job_label(run), error))
            else:
                outcome.accepted.append(job_label(run))
        return outcome

    def _as_it_stands(self, launch: LaunchReply, parts: Parts, deadline: Deadline) -> Run:
        """The same launch. It may still show its old end, or be unreadable: it was accepted all
        the same, so it is queued.
        """
        try:
            run = self._launches.get(str(launch.id), deadline)
        except ProviderError:
            run = self._launches.run(launch, parts)
        if not run.is_over:
            return run
        return replace(run, status=Status.QUEUED, raw_status="open: rerun accepted", finished=None)


def _check_bare(request: RetryRequest) -> None:
    if request.parameters or request.variables:
        raise ProviderError(
            Kind.INVALID,
            "Allure TestOps repeats a job run as it was: a retry takes no parameters. "
            "Nothing was sent.",
        )


def _check_over(launch: LaunchReply, parts: Parts) -> None:
    verdict = decide(parts, is_closed=launch.closed)
    if not verdict.is_over:
        raise ProviderError(
            Kind.CONFLICT, f"The launch is not over yet: {verdict.status}. Nothing was sent."
        )
    if not parts.newest:
        raise ProviderError(
            Kind.CONFLICT,
            "The launch has no job runs, so there is nothing that could be run again: it was "
            "made by hand or by an upload. Nothing was sent.",
        )


def _bodies(parts: Parts, scope: str) -> list[tuple[JobRunReply, dict[str, Any]]]:
    """What to send for the newest run of each job. A build that could not be started has no
    results to choose from, so it is repeated as a whole.
    """
    if scope == "all":
        return [(run, {}) for run in parts.newest]
    red = {"rql": status_in(TO_REPEAT)}
    has_red = parts.counts is None or parts.count(*TO_REPEAT) > 0
    bodies = [
        (run, {} if stage_of(run) == RUN_FAILURE else red)
        for run in parts.newest
        if has_red or stage_of(run) == RUN_FAILURE
    ]
    if not bodies:
        raise ProviderError(
            Kind.CONFLICT,
            "The launch has no failed, broken or unknown result to repeat; retry all of it. "
            "Nothing was sent.",
        )
    return bodies


def _nothing_accepted(outcome: Outcome, *, was_closed: bool) -> ProviderError:
    """The first refusal, or AMBIGUOUS as soon as one answer was lost."""
    label, error = outcome.refused[0]
    kind = Kind.AMBIGUOUS if outcome.is_in_doubt else error.kind
    message = outcome.note
    if was_closed:
        message += " The launch was reopened and is open now."
    return ProviderError(kind, message, detail=f"{label}: {error.detail}")
