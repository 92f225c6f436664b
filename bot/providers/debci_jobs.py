"""The runs of a key's user: read from the listing, and found there after a request."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.providers.debci_calls import DebciCalls, Listing
from bot.providers.debci_runs import RUN_ID, Job

_REMEMBERED_S = 60.0
_SENDING_SHARE = 0.6
"""How much of the time left may pass before the answer; the rest is for finding the run."""


class Jobs:
    """Thread-safe: what is remembered is replaced as a whole."""

    def __init__(
        self, calls: DebciCalls, clock: Clock, look_back: timedelta, overlap: timedelta
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._look_back = look_back
        self._overlap = overlap
        self._read: tuple[float, Listing] | None = None
        self._until = 0

    @property
    def earliest(self) -> datetime:
        """How far back runs are looked for."""
        return self._clock.now() - self._look_back

    def since(self, since: int, deadline: Deadline) -> Listing:
        listing = self._calls.listing(since, deadline)
        self._until = max(self._until, listing.until)
        return listing

    def lately(self, deadline: Deadline) -> Listing:
        """All from `earliest` on, read now."""
        listing = self.since(int(self.earliest.timestamp()), deadline)
        self._read = (self._clock.monotonic(), listing)
        return listing

    def remembered(self) -> Listing | None:
        """What `lately` returned less than a minute ago."""
        if self._read is None or self._clock.monotonic() - self._read[0] > _REMEMBERED_S:
            return None
        return self._read[1]

    def job(self, run_id: str, deadline: Deadline) -> Job:
        """One run; NOT_FOUND if it was not listed lately. One that is over stays as it is, so
        it may come from memory.
        """
        remembered = self.remembered()
        job = remembered.job(run_id) if remembered else None
        return job if job and job.status else self.job_in(None, run_id, deadline)

    def job_in(self, listing: Listing | None, run_id: str, deadline: Deadline) -> Job:
        if not re.fullmatch(RUN_ID, run_id):
            raise ProviderError(Kind.NOT_FOUND, "A run of debci is a number, such as 12345.")
        job = (listing or self.lately(deadline)).job(run_id)
        if job is None:
            raise ProviderError(
                Kind.NOT_FOUND,
                f"debci lists no run {run_id} of the last {self._look_back // timedelta(hours=1)} "
                "hours. The bot's key shows only the runs that its own user requested.",
            )
        return job

    def request(
        self,
        segments: tuple[str, ...],
        form: dict[str, str] | None,
        is_new: Callable[[Job], bool],
        deadline: Deadline,
    ) -> tuple[Job | None, str]:
        """Sends one change and looks for the run it made, also if it was not confirmed.

        The run and a remark; None and a remark if it could not be looked for; None and "" if
        it was accepted and is not there. AMBIGUOUS if not confirmed and not found.
        """
        since = self._since_latest(deadline)
        doubt = self._send(segments, form, deadline)
        found, problem = self._found(is_new, since, deadline)
        if doubt is not None:
            if found is None:
                raise doubt
            return found, f"Recorded as run {found.run_id}, but it may never start: {doubt}"
        if problem:
            return None, f"debci accepted it, but its run could not be looked up: {problem}"
        return found, ""

    def _since_latest(self, deadline: Deadline) -> int:
        """From where a new run is sure to be listed, by the server's clock if that is known."""
        if not self._until:
            self.lately(deadline)
        latest = self._until or int(self.earliest.timestamp())
        return max(0, latest - int(self._overlap.total_seconds()))

    def _send(
        self, segments: tuple[str, ...], form: dict[str, str] | None, deadline: Deadline
    ) -> ProviderError | None:
        """None if it was accepted, the error if it may have been done; raises all others."""
        share = deadline.at_most(deadline.remaining_s() * _SENDING_SHARE)
        try:
            self._calls.post(segments, form, share)
        except ProviderError as error:
            if error.kind is not Kind.AMBIGUOUS:
                raise
            return error
        return None

    def _found(
        self, is_new: Callable[[Job], bool], since: int, deadline: Deadline
    ) -> tuple[Job | None, str]:
        """The first of the new runs, and what kept us from looking."""
        try:
            jobs = [job for job in self.since(since, deadline).jobs if is_new(job)]
        except ProviderError as error:
            return None, error.message
        return (jobs[-1] if jobs else None), ""
