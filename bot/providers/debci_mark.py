"""From where debci's listing is read next: the memory of one poll for the next."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.domain.providers import OpenRun

_MARGIN_S = 5
"""3.12 tells the creation of a pending run some milliseconds late."""


class Mark(BaseModel):
    """`until` is the highest one seen, in whole seconds since 1970 by the server's clock.
    `given_up` are pending runs that hold the listing back no longer.

    Chaining `since` to `until` loses results: on 3.12 a finished run is listed by its
    creation or by its end at the worker, and the result may arrive after `until` has moved
    past both. Asking from the oldest pending run on brings each of them back.
    """

    model_config = ConfigDict(frozen=True)

    until: int
    given_up: tuple[str, ...] = ()

    @classmethod
    def read(cls, cursor: str, first: datetime) -> "Mark":
        """The mark in `cursor`; one at `first` if that is empty or not ours."""
        try:
            return cls.model_validate_json(cursor)
        except ValidationError:  # to start over shows runs again and loses none
            return cls(until=int(first.timestamp()))

    def since(self, open_runs: tuple[OpenRun, ...], overlap: timedelta) -> int:
        """What to ask for: an overlap before the mark, and never after the request of a run
        that is still pending.
        """
        pending = [
            int((run.created or run.first_seen - overlap).timestamp()) - _MARGIN_S
            for run in open_runs
            if run.run_id not in self.given_up
        ]
        return max(0, min([self.until - int(overlap.total_seconds()), *pending]))

    def raised(
        self, until: int, open_runs: tuple[OpenRun, ...], now: datetime, limit: timedelta
    ) -> "Mark":
        """The mark after a listing. It never goes back, although `until` does: it is the
        latest creation among the runs of one answer, and 0 if there are none. It is never ahead
        of our clock either: one run that is dated so would hide all others until then.
        """
        old = tuple(
            run.run_id for run in open_runs if now - (run.created or run.first_seen) > limit
        )
        latest = min(max(self.until, until), int(now.timestamp()))
        return Mark(until=latest, given_up=old)
