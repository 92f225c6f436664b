"""One poll of Testery: how far to read, and what is remembered between two polls.

There is one list, of the whole account, newest first; a quiet poll is one request for its first
page, and a run that failed costs one more, for the names of its failed tests. While runs are
made between two pages, an entry shows again on the next one; none is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Observation, OpenRun
from bot.domain.runs import Run
from bot.providers.failing import Inquiry, ask_for_failing
from bot.providers.reach import FIRST_LOOK, believed, is_far_enough
from bot.providers.testery_api import Page, TesteryApi
from bot.providers.testery_replies import RUN_ID, RunReply
from bot.providers.testery_runs import Runs

PAGE_LENGTH = 100
WIDE_PAGE_LENGTH = 250  # the most that the vendor's own client asks for
PAGES_A_POLL = 10
PAGES_A_LISTING = 5
OPEN_RUNS_A_POLL = 30

ReadPage = Callable[[int, int], Page[RunReply]]
"""By page number, from 0, and length."""


class Mark(BaseModel):
    """The newest run of the list at the last poll."""

    model_config = ConfigDict(frozen=True)

    run_id: int = 0
    created: datetime | None = None

    def is_before(self, run: RunReply) -> bool:
        """True for a run made after the marked one: by times, or by ids, which are taken to grow,
        where a reply tells no time.
        """
        if self.created is None or run.created is None:
            return run.id > self.run_id
        if run.created == self.created:
            return run.id != self.run_id
        return run.created > self.created


class Gap(BaseModel):
    """Runs newer than `mark` that a poll did not get to; they are on `page` or further on."""

    model_config = ConfigDict(frozen=True)

    page: int = Field(gt=0)
    mark: Mark


class Cursor(BaseModel):
    """What is kept between polls, as JSON. `open_turn` says where the open runs go on, when they
    are too many for one poll. Before the first poll there are no `inquiries`.
    """

    mark: Mark | None = None
    gap: Gap | None = None
    open_turn: int = Field(default=0, ge=0)
    inquiries: dict[str, Inquiry] | None = None

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """A cursor that cannot be read counts as none: as at the first time."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return cls()


@dataclass(frozen=True, slots=True)
class Walk:
    """The entries of the pages read, newest first, each once, as last seen. `next_page` is where
    to read on if the end was not reached.
    """

    runs: tuple[RunReply, ...]
    bad_items: int = 0
    next_page: int | None = None


def walk(
    read_page: ReadPage,
    is_enough: Callable[[Page[RunReply]], bool],
    start: int = 0,
    most: int = PAGES_A_POLL,
) -> Walk:
    """Reads pages until one is enough, short or empty, at most `most`.

    The first page may be short because the server allows less than was asked: the next one
    tells. A full page with nothing new on it comes from a server that ignores `page` (the
    vendor's own client never asks for one): then one page as long as can be is read instead. A
    page after the first that cannot be read ends the walk there, with what was found.
    """
    found: dict[int, RunReply] = {}
    bad_items = length = 0
    for number in range(start, start + most):
        try:
            page = read_page(number, PAGE_LENGTH)
        except ProviderError as error:
            if number == start or error.kind is Kind.AUTH:
                raise
            return Walk(tuple(found.values()), bad_items + 1, number)
        is_new = any(run.id not in found for run in page.items)
        bad_items += page.bad_items if is_new or not found else 0
        found.update((run.id, run) for run in page.items)
        if is_enough(page) or page.length < max(length, 1):
            return Walk(tuple(found.values()), bad_items)
        if not is_new and number > start:
            return _widened(read_page, found, bad_items, page.length)
        length = page.length
    return Walk(tuple(found.values()), bad_items, start + most)


def _widened(read_page: ReadPage, found: dict[int, RunReply], bad_items: int, length: int) -> Walk:
    if length >= PAGE_LENGTH:
        page = read_page(0, WIDE_PAGE_LENGTH)
        bad_items = page.bad_items
        found.update((run.id, run) for run in page.items)
    return Walk(tuple(found.values()), bad_items)


def newest(runs: Sequence[RunReply], past: Mark | None, now: datetime) -> Mark:
    """The later of the old mark and the newest run: a stale page must not move it back. An
    empty list has a mark too, before everything that comes. None is later than `now`.
    """
    is_ahead = past is not None and past.created is not None and past.created > now
    mark = Mark() if past is None or (is_ahead and runs) else past
    for run in reversed(believed(runs, _made, now)):
        if mark.is_before(run):
            mark = Mark(run_id=run.id, created=min(run.created, now) if run.created else None)
    return mark


def _made(run: RunReply) -> datetime | None:
    return run.created


def turned(ids: Sequence[str], turn: int, most: int) -> tuple[Sequence[str], int]:
    """At most so many of the ids, from where the last turn ended, and where it ends now."""
    if len(ids) <= most:
        return ids, 0
    start = turn % len(ids)
    return [*ids, *ids][start : start + most], start + most


class Polls:
    """Shared by threads: everything that is remembered is in the cursor."""

    def __init__(self, api: TesteryApi, runs: Runs, clock: Clock) -> None:
        self._api, self._runs, self._clock = api, runs, clock

    def observe(
        self, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        past, now = Cursor.read(cursor), self._clock.now()
        is_enough = _reaches(past.mark) if past.mark else self._ends_first_look(now)
        first = walk(self._reader(deadline), is_enough)
        rest = self._read_gap(past, first, deadline)
        replies = {reply.id: reply for reply in (*rest.runs, *first.runs)}
        listed = self._runs.shown(replies.values(), deadline)
        missing = sorted({run.run_id for run in open_runs} - {str(i) for i in replies})
        open_ids, open_turn = turned(missing, past.open_turn, OPEN_RUNS_A_POLL)
        alone, bad_items = self._read_open(open_ids, deadline)
        shown = (*listed, *self._runs.shown(alone, deadline))
        runs, inquiries = ask_for_failing(
            {run.ref.run_id: run for run in shown}, past.inquiries, self._runs.failing, deadline
        )
        left = Cursor(
            mark=newest(first.runs, past.mark, now),
            gap=_gap(past, first, rest, now),
            open_turn=open_turn,
            inquiries=inquiries,
        )
        return Observation(
            tuple(runs.values()),
            left.model_dump_json(),
            bad_items + first.bad_items + rest.bad_items,
        )

    def recent(self, fits: Callable[[Run], bool], limit: int, deadline: Deadline) -> list[Run]:
        """The runs that fit, newest first, from at most five pages. No filter of the server's is
        known; what cannot be read after the first page is left out.
        """
        fit: set[str] = set()

        def fitting(replies: Sequence[RunReply]) -> list[Run]:
            return [run for run in self._runs.shown(replies, deadline) if fits(run)]

        def is_enough(page: Page[RunReply]) -> bool:
            fit.update(run.ref.run_id for run in fitting(page.items))
            return len(fit) >= limit

        found = walk(self._reader(deadline), is_enough, most=PAGES_A_LISTING)
        newest_first = sorted(
            fitting(found.runs),
            key=lambda run: run.when.timestamp() if run.when else 0.0,
            reverse=True,
        )
        return newest_first[: max(0, limit)]

    def _reader(self, deadline: Deadline) -> ReadPage:
        return lambda number, length: self._api.runs(number, length, deadline)

    def _ends_first_look(self, now: datetime) -> Callable[[Page[RunReply]], bool]:
        """Whether a page reaches back a first look, and holds no run that is not over."""

        def is_enough(page: Page[RunReply]) -> bool:
            is_over = all(self._runs.known(run).is_over for run in page.items)
            return is_over and is_far_enough([run.created for run in page.items], now)

        return is_enough

    def _read_gap(self, past: Cursor, first: Walk, deadline: Deadline) -> Walk:
        """Reads what an earlier poll left. Runs made since then only push that further on, so
        reading from the old page again overlaps and leaves nothing out. The other news must not
        wait for it.
        """
        if past.gap is None or first.next_page is not None:
            return Walk(())
        try:
            return walk(self._reader(deadline), _reaches(past.gap.mark), past.gap.page)
        except ProviderError as error:
            if error.kind is Kind.AUTH:
                raise
            return Walk((), 1, past.gap.page)

    def _read_open(self, run_ids: Sequence[str], deadline: Deadline) -> tuple[list[RunReply], int]:
        """A run that is gone, or that alone cannot be read, does not cost the other news."""
        found, bad_items = [], 0
        for run_id in run_ids:
            if not RUN_ID.fullmatch(run_id):
                continue
            try:
                found.append(self._runs.read(run_id, deadline))
            except ProviderError as error:
                if error.kind is Kind.AUTH:
                    raise
                bad_items += error.kind is not Kind.NOT_FOUND
                if error.kind is Kind.RATE_LIMITED:
                    break  # the next poll finds the pause still running, and tells
        return found, bad_items


def _reaches(mark: Mark) -> Callable[[Page[RunReply]], bool]:
    """Whether a page holds anything from before the mark, and so the end of the news."""
    return lambda page: not all(map(mark.is_before, page.items))


def _gap(past: Cursor, first: Walk, rest: Walk, now: datetime) -> Gap | None:
    """What is left for the next poll: from the oldest mark that was not reached."""
    since = past.gap.mark if past.gap else past.mark or Mark(created=now - FIRST_LOOK)
    page = rest.next_page if first.next_page is None else first.next_page
    return Gap(page=page, mark=since) if page else None
