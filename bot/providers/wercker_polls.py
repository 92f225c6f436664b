"""One poll of Wercker: how far to read, and what is remembered between two polls.

A quiet poll is one request. Lists are read newest first, twenty at a time. While runs are
made between two pages, an entry shows again on the next one; `skip` never leaves one out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Observation, OpenRun
from bot.domain.runs import Run
from bot.providers.wercker_addresses import is_id
from bot.providers.wercker_api import PAGE_LENGTH, V3, Page, WerckerApi
from bot.providers.wercker_names import Names
from bot.providers.wercker_replies import RunReply
from bot.providers.wercker_runs import Runs
from bot.providers.wercker_words import Application

PAGES_A_POLL = 10
APPLICATIONS_A_POLL = 10  # of an `owner/*` source; the others have their turn at the next polls
_STEPS_A_POLL = 5
_FATAL = frozenset({Kind.AUTH, Kind.RATE_LIMITED})


class Mark(BaseModel):
    """The newest run of a list at the last poll."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    created: datetime | None = None

    def is_before(self, run: RunReply) -> bool:
        """True for a run made after the marked one, as far as times tell."""
        if run.id == self.run_id:
            return False
        if self.created is None or run.created_at is None:
            return True
        return run.created_at >= self.created


class Cursor(BaseModel):
    """What is kept between polls, as JSON. `failed_steps` are those of the runs last listed,
    so that a run that was ERRORED stays so after a restart; `turn` is for `owner/*`.
    """

    marks: dict[str, Mark] = Field(default_factory=dict)
    failed_steps: dict[str, str] = Field(default_factory=dict)
    turn: int = Field(default=0, ge=0)

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
    """The entries of the pages read, newest first, each once."""

    runs: tuple[RunReply, ...]
    bad_items: int


def walk(read_page: Callable[[int], Page[RunReply]], mark: Mark | None) -> Walk:
    """Reads on while a page is full and holds nothing from before the mark; the first time only
    one page. At most ten pages.
    """
    found: dict[str, RunReply] = {}
    bad_items = skip = 0
    for _ in range(PAGES_A_POLL if mark else 1):
        page = read_page(skip)
        bad_items += page.bad_items
        skip += page.length
        found.update((run.id, run) for run in page.items)
        if page.length < PAGE_LENGTH or not all(mark and mark.is_before(r) for r in page.items):
            break
    return Walk(tuple(found.values()), bad_items)


def newest(runs: Sequence[RunReply], past: Mark | None) -> Mark | None:
    """The later of the old mark and the newest run: a stale page must not move it back."""
    if not runs:
        return past
    first = max(runs, key=lambda run: run.created_at.timestamp() if run.created_at else 0.0)
    if past is not None and past.created and first.created_at and first.created_at < past.created:
        return past
    return Mark(run_id=first.id, created=first.created_at)


class Polls:
    """Shared by threads: everything that is remembered is in the cursor."""

    def __init__(self, api: WerckerApi, names: Names, runs: Runs) -> None:
        self._api, self._names, self._runs = api, names, runs

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        past = Cursor.read(cursor)
        poll = _Poll(past, {run.run_id for run in open_runs})
        listings, turn = self._turn(source, past.turn, deadline)
        for listing in listings:
            self._read(listing, poll, deadline)
        for run_id in sorted(poll.open_ids - poll.runs.keys()):
            self._read_open(run_id, poll, deadline)
        return Observation(tuple(poll.runs.values()), poll.cursor(turn), poll.bad_items)

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

    def _turn(self, source: str, turn: int, deadline: Deadline) -> tuple[tuple[Listing, ...], int]:
        every = self.listings(source, deadline)
        if len(every) <= APPLICATIONS_A_POLL:
            return every, 0
        start = turn % len(every)
        return (every + every)[start : start + APPLICATIONS_A_POLL], start + APPLICATIONS_A_POLL

    def _read(self, listing: Listing, poll: "_Poll", deadline: Deadline) -> None:
        mark = poll.past.marks.get(listing.listed_id)
        found = walk(lambda skip: self.page(listing, skip, deadline), mark)
        poll.bad_items += found.bad_items
        for reply in found.runs:
            run = self.placed(listing, reply, deadline)
            is_news = reply.id in poll.open_ids or (mark is not None and mark.is_before(reply))
            poll.add(self._refined(run, reply, poll, deadline, is_news=is_news))
        moved = newest(found.runs, mark)
        if moved is not None:
            poll.marks[listing.listed_id] = moved

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
            known = self._runs.failed_step(reply, deadline)
        return self._runs.seen(run, known)

    def _read_open(self, run_id: str, poll: "_Poll", deadline: Deadline) -> None:
        """A run that is gone, or that alone cannot be read, does not cost the other news."""
        try:
            poll.add(self._runs.get(run_id, deadline))
        except ProviderError as error:
            if error.kind in _FATAL:
                raise
            poll.bad_items += error.kind is not Kind.NOT_FOUND


class _Poll:
    """What one poll gathers."""

    def __init__(self, past: Cursor, open_ids: set[str]) -> None:
        self.past, self.open_ids = past, open_ids
        self.runs: dict[str, Run] = {}
        self.marks = dict(past.marks)
        self.bad_items = 0
        self.steps_left = _STEPS_A_POLL

    def add(self, run: Run) -> None:
        self.runs[run.ref.run_id] = run

    def cursor(self, turn: int) -> str:
        steps = {run_id: run.failed_step for run_id, run in self.runs.items() if run.failed_step}
        return Cursor(marks=self.marks, failed_steps=steps, turn=turn).model_dump_json()


def _of_application(application: Application) -> Listing:
    return Listing("applicationId", application.application_id, application)
