"""One poll of a project of Allure TestOps: how far to read, and what to read again.

A quiet poll is one request where lists are rich. Where they are sparse it is one more for each
open launch that has job runs, for a day after its end; closed launches cost nothing until they
change. A moving launch costs up to three more of a sparse list and none of a rich one, and one
while the server may still be processing its results. An open one that no list shows any more
costs one, and three if it moves. A launch with red results costs one more, for their names.

Only what a list shows is seen: a launch that a person reopens is noticed while it is among the
50 newest of its project, or if it was not over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Observation, OpenRun
from bot.domain.runs import Run
from bot.providers.allure_addresses import is_id
from bot.providers.allure_api import Page
from bot.providers.allure_cursor import Cursor, Gap, Mark, Seen, seen_of, steady_end
from bot.providers.allure_launches import TRUSTED_AFTER, Launches
from bot.providers.allure_replies import LaunchReply, ms_of
from bot.providers.allure_results import Results
from bot.providers.allure_status import Parts, decide
from bot.providers.failing import Inquiry, ask_for_failing, unanswered
from bot.providers.reach import FIRST_LOOK, believed, is_far_enough
from bot.providers.visibility import INVISIBLE

PAGE_LENGTH = 50
PAGES_A_POLL = 10
LAUNCHES_A_POLL = 10  # read beyond the list; the others have their turn at the next polls
OPEN_RUNS_A_POLL = 20
_ENOUGH_S = 2.0  # with less time left nothing more is begun


@dataclass(frozen=True, slots=True)
class Walk:
    """The launches of the pages read, each once. `next_page` is where to read on if the pages
    allowed did not reach the mark.
    """

    launches: tuple[LaunchReply, ...] = ()
    bad_items: int = 0
    next_page: int | None = None


def walk(
    read_page: Callable[[int], Page[LaunchReply]],
    is_enough: Callable[[Sequence[LaunchReply]], bool],
    start: int = 0,
) -> Walk:
    """Reads on until a page is enough, at most ten. A launch that moved on to the next page
    meanwhile shows there again, and counts once. A page after the first that cannot be read ends
    the walk there, with what was found.
    """
    found: dict[int, LaunchReply] = {}
    bad_items = 0
    for number in range(start, start + PAGES_A_POLL):
        try:
            page = read_page(number)
        except ProviderError as error:
            if number == start or error.kind is Kind.AUTH:
                raise
            return Walk(tuple(found.values()), bad_items + 1, number)
        bad_items += page.bad_items
        for launch in page.items:
            found.setdefault(launch.id, launch)
        if page.is_last or is_enough(page.items):
            return Walk(tuple(found.values()), bad_items)
    return Walk(tuple(found.values()), bad_items, start + PAGES_A_POLL)


def reaches(mark: Mark) -> Callable[[Sequence[LaunchReply]], bool]:
    """Whether a page holds anything from before the mark, and so the end of the news."""
    return lambda launches: not all(map(mark.is_before, launches))


def newest(launches: Sequence[LaunchReply], past: Mark | None, now: datetime) -> Mark:
    """The later of the old mark and the newest launch: a stale page must not move it back. An
    empty list has a mark too, before everything that comes. None is later than `now`.
    """
    now_ms = ms_of(now)
    marks = [
        Mark(launch_id=one.id, created_ms=min(ms_of(one.created_date), now_ms))
        for one in believed(launches, _made, now)
    ]
    if past is not None and (past.created_ms <= now_ms or not marks):
        marks.append(past)
    none_yet = Mark(launch_id=0, created_ms=0)
    return max(marks, key=lambda mark: (mark.created_ms, mark.launch_id), default=none_yet)


def _made(launch: LaunchReply) -> datetime | None:
    return launch.created_date


class Polls:
    """Shared by threads: what must not be forgotten is in the cursor."""

    def __init__(self, launches: Launches, results: Results, clock: Clock) -> None:
        self._launches, self._results, self._clock = launches, results, clock

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        open_ids = {int(run.run_id) for run in open_runs if is_id(run.run_id)}
        poll = _Poll(Cursor.read(cursor), source, open_ids)
        self._list(poll, deadline)
        self._take_listed(poll, deadline)
        self._take_others(poll, deadline)
        runs, inquiries = ask_for_failing(
            {run.ref.run_id: run for run in poll.runs.values()},
            poll.past.inquiries,
            self._results.names,
            deadline,
        )
        return Observation(tuple(runs.values()), poll.cursor(inquiries), poll.bad_items)

    def _list(self, poll: "_Poll", deadline: Deadline) -> None:
        """Reads what an earlier poll left as well. Launches made since then only push that
        further on, so reading from the page before overlaps and leaves nothing out.
        """

        def read(number: int) -> Page[LaunchReply]:
            return self._launches.page(poll.source, number, PAGE_LENGTH, deadline)

        past, now = poll.past, self._clock.now()
        first_look = Mark(launch_id=0, created_ms=ms_of(now - FIRST_LOOK))
        is_enough = reaches(past.mark) if past.mark else self._ends_first_look
        first = walk(read, is_enough)
        since = past.gap.mark if past.gap else past.mark or first_look
        rest, next_page = Walk(), first.next_page
        if past.gap and next_page is None:
            rest = self._walk_gap(read, past.gap)
            next_page = rest.next_page
        if next_page is not None:
            poll.gap = Gap(page=next_page, mark=since)
        poll.mark = newest(first.launches, past.mark, now)
        poll.bad_items += first.bad_items + rest.bad_items
        for launch in (*rest.launches, *first.launches):
            poll.listed[launch.id] = launch

    def _walk_gap(self, read: Callable[[int], Page[LaunchReply]], gap: Gap) -> Walk:
        """The other news must not wait for it."""
        try:
            return walk(read, reaches(gap.mark), max(0, gap.page - 1))
        except ProviderError as error:
            if error.kind is Kind.AUTH:
                raise
            return Walk((), 1, gap.page)

    def _ends_first_look(self, launches: Sequence[LaunchReply]) -> bool:
        """Whether a page reaches back a first look, and holds nothing that may be under way."""
        now = self._clock.now()
        is_still = not any(self._may_move(launch, now) for launch in launches)
        return is_still and is_far_enough([one.created_date for one in launches], now)

    def _may_move(self, launch: LaunchReply, now: datetime) -> bool:
        """Many launches are never closed. A change within a first look is a sign of life; where
        the list shows job runs that are not over, one within a day.
        """
        if launch.closed:
            return False
        parts = self._launches.cheap_parts(launch)
        if parts is None or not parts.jobs:
            return launch.modified_ms >= ms_of(now - FIRST_LOOK)
        is_over = decide(parts, is_closed=False).is_over
        return not is_over and launch.modified_ms >= ms_of(now - TRUSTED_AFTER)

    def _take_listed(self, poll: "_Poll", deadline: Deadline) -> None:
        """First what costs nothing, then the open runs, then the newest."""
        costly: list[LaunchReply] = []
        for launch in poll.due():
            parts = self._launches.cheap_parts(launch)
            if parts is None:
                costly.append(launch)
            else:
                self._keep(poll, launch, self._launches.parts(launch, deadline))
        costly.sort(key=lambda one: (one.id in poll.open_ids, one.id), reverse=True)
        allowed = costly[: max(LAUNCHES_A_POLL, len(poll.open_ids & {one.id for one in costly}))]
        poll.todo.update(one.id for one in costly[len(allowed) :])
        for launch in allowed:
            self._try(poll, launch.id, deadline, launch)

    def _take_others(self, poll: "_Poll", deadline: Deadline) -> None:
        """Open runs that no list shows, or only as they were, and what earlier polls left."""
        missing, poll.open_turn = turned(
            sorted(poll.open_ids - poll.runs.keys() - poll.todo),
            poll.past.open_turn,
            OPEN_RUNS_A_POLL,
        )
        waiting = {*poll.past.todo, *self._launches.touched(poll.source)}
        left = sorted(waiting - poll.listed.keys() - {*missing, *poll.runs}, reverse=True)
        poll.todo.update(left[LAUNCHES_A_POLL:])
        for launch_id in (*missing, *left[:LAUNCHES_A_POLL]):
            self._try(poll, launch_id, deadline)

    def _try(
        self, poll: "_Poll", launch_id: int, deadline: Deadline, launch: LaunchReply | None = None
    ) -> None:
        """One launch that cannot be read does not cost the others, and has its turn again; one
        that is gone does not.
        """
        if poll.is_ended or deadline.remaining_s() < _ENOUGH_S:
            poll.todo.add(launch_id)
            return
        try:
            shown = launch or self._launches.launch(str(launch_id), deadline)
            self._keep(poll, shown, self._launches.parts(shown, deadline))
        except ProviderError as error:
            if error.kind is Kind.AUTH:
                raise
            if error.kind in INVISIBLE:
                return
            poll.bad_items += 1
            poll.is_ended = poll.is_ended or error.kind is Kind.RATE_LIMITED
            poll.todo.add(launch_id)

    def _keep(self, poll: "_Poll", launch: LaunchReply, parts: Parts) -> None:
        run = self._launches.run(launch, parts, poll.source)
        seen = poll.past.seen.get(launch.id)
        run = replace(run, finished=steady_end(run, launch, parts, seen, self._clock.now()))
        poll.runs[launch.id] = run
        poll.seen[launch.id] = seen_of(launch, run)


@dataclass(slots=True)
class _Poll:
    """What one poll gathers."""

    past: Cursor
    source: str
    open_ids: set[int]
    listed: dict[int, LaunchReply] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)
    todo: set[int] = field(default_factory=set)
    mark: Mark | None = None
    gap: Gap | None = None
    bad_items: int = 0
    open_turn: int = 0
    is_ended: bool = False

    def due(self) -> list[LaunchReply]:
        """The listed launches that are new, open, or changed since they were read, or that are to
        be asked what failed. One shown as it was before that is left out: lists may lag.
        """
        wanted = self.open_ids | {int(run_id) for run_id in unanswered(self.past.inquiries)}
        return [
            one for one in self.listed.values() if self._is_due(one, is_wanted=one.id in wanted)
        ]

    def cursor(self, inquiries: dict[str, Inquiry]) -> str:
        return Cursor(
            mark=self.mark,
            gap=self.gap,
            seen={**self.past.seen, **self.seen},
            todo=tuple(self.todo - self.runs.keys()),
            open_turn=self.open_turn,
            inquiries=inquiries,
        ).written()

    def _is_due(self, launch: LaunchReply, *, is_wanted: bool) -> bool:
        seen = self.past.seen.get(launch.id)
        if seen is None:
            return True
        if seen.is_after(launch):
            return False
        return is_wanted or seen.differs(launch)


def turned(items: Sequence[int], turn: int, most: int) -> tuple[list[int], int]:
    """At most so many of the items, from where the last turn ended, and where it ends now."""
    if len(items) <= most:
        return list(items), 0
    start = turn % len(items)
    return [*items, *items][start : start + most], start + most
