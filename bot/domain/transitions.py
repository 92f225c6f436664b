"""What is news: pure decisions that return their reason."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.runs import Run
from bot.domain.statuses import Status


class Reason(StrEnum):
    """Why a reading of a run is news, or why not."""

    TURNED_FAILING = "turned failing"
    FIRST_SEEN_FAILING = "started and failed since I last looked"
    FAILED_AGAIN = "failed again in a new attempt"
    PASSED = "passed"
    ENDED = "ended without a verdict"
    STILL_THE_SAME = "nothing changed"
    NOT_OVER = "not over yet"
    BEFORE_THE_WATCH = "finished before the watch began"
    STALE = "an old page, overtaken by what is already known"
    MUTE_OVER = "failed while it was muted; the mute is over"
    NAMED = "it is known now what failed"
    SAME_END = "over as it was before, so an old page had shown it under way"


NEWS_OF_FAILURE = frozenset({Reason.TURNED_FAILING, Reason.FIRST_SEEN_FAILING, Reason.FAILED_AGAIN})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run as stored. `attempt` counts how often it was over and moved again; `seen` is when
    it was first read and `changed` when it last changed, both by the bot's clock.
    `is_overdue` once people were told that this attempt takes too long. `last_end` is the
    newest end that was read, of this attempt or an earlier one: what repeats it is no news.
    """

    run: Run
    attempt: int
    seen: datetime
    changed: datetime
    is_overdue: bool = False
    last_end: "End | None" = None


@dataclass(frozen=True, slots=True)
class End:
    """How and when, by the vendor's clock, an attempt ended."""

    status: Status
    finished: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What one reading did: the snapshot to store, and the reason of the verdict.

    `is_ended_now` is True for the one reading by which an attempt is over.
    """

    snapshot: Snapshot
    reason: Reason
    is_ended_now: bool


def compare(before: Snapshot | None, run: Run, *, now: datetime, runs_reopen: bool) -> Change:
    """Compares a reading with what is stored.

    `runs_reopen` says whether this vendor's runs move again after they were over; where they
    do not, such a reading is an old page and changes nothing.
    """
    if before is None:
        reason = _first_reason(run)
        first = Snapshot(run, run.attempt, now, now, last_end=_end(run))
        return Change(first, reason, run.status.is_terminal)
    old = before.run
    if _is_older_end(before, run):
        return Change(before, Reason.STALE, is_ended_now=False)
    if old.status.is_terminal and not _is_new_attempt(old, run, runs_reopen=runs_reopen):
        return _same_attempt(before, run, now)
    attempt = before.attempt
    if old.status.is_terminal:
        attempt = max(attempt + 1, run.attempt)
    elif run.attempt < old.attempt:
        return Change(before, Reason.STALE, is_ended_now=False)
    is_over = run.status.is_terminal
    changed = before.changed if run == old else now
    is_overdue = before.is_overdue and not old.status.is_terminal
    snapshot = Snapshot(
        run,
        max(attempt, run.attempt),
        before.seen,
        changed,
        is_overdue,
        _end(run) or before.last_end,
    )
    if is_over and before.last_end is not None and snapshot.last_end == before.last_end:
        return Change(snapshot, Reason.SAME_END, is_ended_now=False)
    return Change(snapshot, _reason(run, is_again=attempt > 1), is_ended_now=is_over)


def _end(run: Run) -> End | None:
    if run.finished is None or not run.status.is_terminal:
        return None
    return End(run.status, run.finished)


def _is_older_end(before: Snapshot, run: Run) -> bool:
    end = _end(run)
    if end is None or before.last_end is None or run.attempt > before.run.attempt:
        return False
    return end.finished < before.last_end.finished


def _is_new_attempt(old: Run, run: Run, *, runs_reopen: bool) -> bool:
    if run.attempt != old.attempt:
        return run.attempt > old.attempt
    if not runs_reopen or run.status is Status.UNKNOWN:
        return False
    if not run.status.is_terminal:
        return True
    return run.finished is not None and old.finished is not None and run.finished > old.finished


def _same_attempt(before: Snapshot, run: Run, now: datetime) -> Change:
    """A run that is over may still gain details; it never moves back. What failed in it is often
    told only once.
    """
    old = before.run
    if not run.failures:
        run = replace(run, failing=old.failing, failed_step=old.failed_step)
    if run == old:
        return Change(before, Reason.STILL_THE_SAME, is_ended_now=False)
    if run.status is not old.status:
        return Change(before, Reason.STALE, is_ended_now=False)
    last_end = _end(run) or before.last_end
    snapshot = Snapshot(run, before.attempt, before.seen, now, last_end=last_end)
    is_named = run.status.is_failure and bool(run.failures) and not old.failures
    reason = Reason.NAMED if is_named else Reason.STILL_THE_SAME
    return Change(snapshot, reason, is_ended_now=False)


def _first_reason(run: Run) -> Reason:
    if run.status.is_failure:
        return Reason.FIRST_SEEN_FAILING
    return _reason(run, is_again=False)


def _reason(run: Run, *, is_again: bool) -> Reason:
    if run.status.is_failure:
        return Reason.FAILED_AGAIN if is_again else Reason.TURNED_FAILING
    if run.status is Status.PASSED:
        return Reason.PASSED
    return Reason.ENDED if run.status.is_terminal else Reason.NOT_OVER


_CLOCK_SKEW = timedelta(minutes=2)


def is_before_watch(change: Change, since: datetime) -> bool:
    """Whether the end of a run lies before a watch began at `since`.

    A run that was known while it was open gets the benefit of two minutes, for the vendor's
    clock is not ours. Without a finishing time the creation time decides, and without either
    the run counts as new.
    """
    run = change.snapshot.run
    ended = run.finished or run.created
    if ended is None:
        return False
    if (
        change.reason is not Reason.FIRST_SEEN_FAILING
        and change.snapshot.seen < change.snapshot.changed
    ):
        return ended < since - _CLOCK_SKEW
    return ended < since
