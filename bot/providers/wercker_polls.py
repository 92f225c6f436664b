"""One poll of Wercker: how far to read, and what is remembered between two polls.

A quiet poll is one request. Lists are read newest first, twenty at a time. While runs are
made between two pages, an entry shows again on the next one; `skip` never leaves one out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Observation, OpenRun
from bot.domain.runs import Run
from bot.providers.reach import FIRST_LOOK, believed, is_far_enough
from bot.providers.visibility import INVISIBLE
from bot.providers.wercker_addresses import is_id
from bot.providers.wercker_api import PAGE_LENGTH, V3, Page, WerckerApi
from bot.providers.wercker_names import Names
from bot.providers.wercker_replies import RunReply
from bot.providers.wercker_runs import Runs
from bot.providers.wercker_words import Application

T = TypeVar("T")

PAGES_A_POLL = 10
APPLICATIONS_A_POLL = 10  # of an `owner/*` source; the others have their turn at the next polls
_STEPS_A_POLL = 5
_OPEN_RUNS_A_POLL = 30


class Mark(BaseModel):
    """The newest run of a list at the last poll."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    created: datetime | None = None

    def is_before(self, run: RunReply) -> bool:
        """True for a run made after the marked one, as far as times tell."""
        if self.created is None or run.created_at is None or run.created_at == self.created:
            return run.id != self.run_id
        return run.created_at > self.created


class Gap(BaseModel):
    """Runs newer than `mark` that a poll did not get to; they are at `skip` or further on."""

    model_config = ConfigDict(frozen=True)

    skip: int = Field(gt=0)
    mark: Mark


class Cursor(BaseModel):
    """What is kept between polls, as JSON. `failed_steps` are those of the runs last listed,
    so that a run that was ERRORED stays so after a restart. `turn` and `open_turn` say where the
    applications of `owner/*` and the open runs go on, when they are too many for one poll.
    """

    marks: dict[str, Mark] = Field(default_factory=dict)
    gaps: dict[str, Gap] = Field(default_factory=dict)
    failed_steps: dict[str, str] = Field(default_factory=dict)
    turn: int = Field(default=0, ge=0)
    open_turn: int = Field(default=0, ge=0)

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """A cursor that cannot be read counts as none: as at the first time."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return cls()


@dataclass(frozen=True, slots=True)
class Listing:
    """What one call lists: an application's runs or a pipeline's."""

    parameter: str
    listed_id: str
    application: Application | None


@dataclass(frozen=True, slots=True)
class Walk:
    """The entries of the pages read, newest first, each once. `next_skip` is where to read on
    if the pages allowed did not reach the mark.
    """

    runs: tuple[RunReply, ...]
    bad_items: int
    next_skip: int | None = None


def walk(
    read_page: Callable[[int], Page[RunReply]], mark: Mark | None, now: datetime, skip: int = 0
) -> Walk:
    """Reads on while a page is full and holds nothing from before the mark; the first time while
    it holds nothing older than a first look, or a run that is not over. At most ten pages. One
    after the first that cannot be read ends the walk there, with what was found.
    """
    found: dict[str, RunReply] = {}
    bad_items = 0
    for number in range(PAGES_A_POLL):
        try:
            page = read_page(skip)
        except ProviderError as error:
            if not number or error.kind is Kind.AUTH:
                raise
            return Walk(tuple(found.values()), bad_items + 1, skip)
        bad_items += page.bad_items
        skip += page.length
        found.update((run.id, run) for run in page.items)
        if page.length < PAGE_LENGTH or _is_enough(page.items, mark, now):
            return Walk(tuple(found.values()), bad_items)
    return Walk(tuple(found.values()), bad_items, skip)


def _is_enough(runs: Sequence[RunReply], mark: Mark | None, now: datetime) -> bool:
    if mark is None:
        is_over = all(run.is_over for run in runs)
        return is_over and is_far_enough([run.created_at for run in runs], now)
    return not all(map(mark.is_before, runs))


def newest(runs: Sequence[RunReply], past: Mark | None, now: datetime) -> Mark:
    """The later of the old mark and the newest run: a stale page must not move it back. An
    empty list has a mark too, before everything that comes. None is later than `now`.
    """
    if not runs:
        return past or Mark(run_id="")
    known = believed(runs, _made, now)
    first = max(known, key=lambda run: run.created_at.timestamp() if run.created_at else 0.0)
    created = min(first.created_at, now) if first.created_at else None
    if past is not None and past.created and created and created < past.created <= now:
        return past
    return Mark(run_id=first.id, created=created)


def _made(run: RunReply) -> datetime | None:
    return run.created_at


def turned(items: Sequence[T], turn: int, most: int) -> tuple[Sequence[T], int]:
    """At most so many of the items, from where the last turn ended, and where it ends now."""
    if len(items) <= most:
        return items, 0
    start = turn % len(items)
    return [*items, *items][start : start + most], start + most


class Polls:
    """Shared by threads: everything that is remembered is in the cursor."""

    def __init__(self, api: WerckerApi, names: Names, runs: Runs, clock: Clock) -> None:
        self._api, self._names, self._runs, self._clock = api, names, runs, clock

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        past = Cursor.read(cursor)
        poll = _Poll(past, {run.run_id for run in open_runs}, self._clock.now())
        listings, turn = turned(self.listings(source, deadline), past.turn, APPLICATIONS_A_POLL)
        for listing in listings:
            try:
                self._read(listing, poll, deadline)
            except ProviderError as error:
                if len(listings) == 1 or error.kind not in INVISIBLE:
                    raise
                poll.bad_items += 1
        missing = sorted(poll.open_ids - poll.runs.keys())
        open_ids, open_turn = turned(missing, past.open_turn, _OPEN_RUNS_A_POLL)
        self._read_open(open_ids, poll, deadline)
        return Observation(tuple(poll.runs.values()), poll.cursor(turn, open_turn), poll.bad_items)

    def page(self, listing: Listing, skip: int, deadline: Deadline) -> Page[RunReply]:
        """`skip` is left out for the first page: its documented minimum is 1."""
        query = [(listing.parameter, listing.listed_id), ("limit", str(PAGE_LENGTH))]
        query += [("skip", str(skip))] if skip else []
        try:
            return self._api.page(RunReply, (*V3, "runs"), deadline, query)
        except ProviderError as error:
            if error.kind is Kind.NOT_FOUND and listing.application is not None:
                self._names.forget(listing.application)  # made anew under the same name?
            raise

    def listings(self, source: str, deadline: Deadline) -> tuple[Listing, ...]:
        """The lists that a source stands for. A pipeline's application is only for its name."""
        owner, _, name = source.partition("/")
        if is_id(source):
            return (Listing("pipelineId", source, None),)
        if name != "*":
            return (_of_application(self._names.application(source, deadline)),)
        return tuple(_of_application(a) for a in self._names.owned(owner, deadline))

    def _read(self, listing: Listing, poll: "_Poll", deadline: Deadline) -> None:
        mark = poll.past.marks.get(listing.listed_id)
        first = walk(lambda skip: self.page(listing, skip, deadline), mark, poll.now)
        rest = self._read_gap(listing, poll, first, deadline)
        poll.bad_items += first.bad_items + rest.bad_items
        for reply in (*rest.runs, *first.runs):
            run = self.placed(listing, reply, deadline)
            is_news = reply.id in poll.open_ids or (mark is not None and mark.is_before(reply))
            poll.add(self._refined(run, reply, poll, deadline, is_news=is_news))
        poll.marks[listing.listed_id] = newest(first.runs, mark, poll.now)

    def _read_gap(self, listing: Listing, poll: "_Poll", first: Walk, deadline: Deadline) -> Walk:
        """Reads what an earlier poll left. Runs made since then only push that further on, so
        reading from the old place again overlaps and leaves nothing out. The other news must not
        wait for it.
        """
        name = listing.listed_id
        gap, mark = poll.gaps.pop(name, None), poll.past.marks.get(name)
        since = gap.mark if gap else mark or Mark(run_id="", created=poll.now - FIRST_LOOK)
        rest = Walk((), 0)
        skip = first.next_skip
        if gap and skip is None:
            rest = self._walk_gap(listing, gap, poll.now, deadline)
            skip = rest.next_skip
        if skip is not None:
            poll.gaps[name] = Gap(skip=skip, mark=since)
        return rest

    def _walk_gap(self, listing: Listing, gap: Gap, now: datetime, deadline: Deadline) -> Walk:
        try:
            return walk(lambda skip: self.page(listing, skip, deadline), gap.mark, now, gap.skip)
        except ProviderError as error:
            if error.kind is Kind.AUTH:
                raise
            return Walk((), 1, gap.skip)

    def placed(self, listing: Listing, reply: RunReply, deadline: Deadline) -> Run:
        if listing.application is None:
            return self._runs.place(reply, deadline)
        return self._runs.within(listing.application, reply)

    def _refined(
        self, run: Run, reply: RunReply, poll: "_Poll", deadline: Deadline, *, is_news: bool
    ) -> Run:
        """Only a run that may just have failed costs a look at its steps, and few in one poll."""
        known = poll.past.failed_steps.get(reply.id)
        if known is None and is_news and run.status.is_failure and poll.steps_left > 0:
            poll.steps_left -= 1
            known = self._runs.failed_step(reply, deadline) or ""
        if known is not None:
            poll.failed_steps[reply.id] = known
        return self._runs.seen(run, known)

    def _read_open(self, run_ids: Sequence[str], poll: "_Poll", deadline: Deadline) -> None:
        """A run that is gone, or that alone cannot be read, does not cost the other news."""
        for run_id in run_ids:
            try:
                run = self._runs.get(run_id, deadline)
            except ProviderError as error:
                if error.kind is Kind.AUTH:
                    raise
                poll.bad_items += error.kind is not Kind.NOT_FOUND
                if error.kind is Kind.RATE_LIMITED:
                    break  # the next poll finds the pause still running, and tells
            else:
                poll.add(run)


class _Poll:
    """What one poll gathers. In `failed_steps` an empty name says: looked at, none found."""

    def __init__(self, past: Cursor, open_ids: set[str], now: datetime) -> None:
        self.past, self.open_ids, self.now = past, open_ids, now
        self.runs: dict[str, Run] = {}
        self.marks, self.gaps = dict(past.marks), dict(past.gaps)
        self.failed_steps: dict[str, str] = {}
        self.bad_items = 0
        self.steps_left = _STEPS_A_POLL

    def add(self, run: Run) -> None:
        self.runs[run.ref.run_id] = run

    def cursor(self, turn: int, open_turn: int) -> str:
        return Cursor(
            marks=self.marks,
            gaps=self.gaps,
            failed_steps=self.failed_steps,
            turn=turn,
            open_turn=open_turn,
        ).model_dump_json()


def _of_application(application: Application) -> Listing:
    return Listing("applicationId", application.application_id, application)
