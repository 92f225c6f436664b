"""One poll of env0: which modules are read, which of their runs are news.

A poll of one module is one request: its list holds all its runs, open ones too. A glob costs one
request for each module whose tests are on, 30 at a poll; the others have their turn at the next
ones. The list of modules is read every ten minutes. A run that failed without a red test file
costs one request more, for the step that failed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, Field, ValidationError

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import Observation, OpenRun
from bot.domain.runs import Run
from bot.providers.env0_modules import Modules
from bot.providers.env0_replies import RunReply
from bot.providers.env0_runs import Listed, Runs
from bot.providers.env0_steps import Steps
from bot.providers.env0_words import status_of
from bot.providers.failing import Inquiry, ask_for_failing, unanswered
from bot.providers.reach import FIRST_LOOK

T = TypeVar("T")

MODULES_A_POLL = 30
FIRST_RUNS = 20
_OPEN_RUNS_A_POLL = 20
_LISTS_SHARE = 0.6
"""How much of a poll's time the lists may take; the rest is for open runs."""
_OVERLAP = timedelta(hours=1)
_NEVER = datetime(1971, 1, 1, tzinfo=UTC)


class Cursor(BaseModel):
    """What is kept between polls, as JSON: for each module the time of the newest run seen, and
    where modules and open runs go on when they are too many for one poll. Before the first poll
    there are no `inquiries`.
    """

    marks: dict[str, datetime] = Field(default_factory=dict)
    turn: int = Field(default=0, ge=0)
    open_turn: int = Field(default=0, ge=0)
    inquiries: dict[str, Inquiry] | None = None

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """A cursor that cannot be read counts as none: as at the first time."""
        try:
            cursor = cls.model_validate_json(text)
        except ValidationError:
            return cls()
        return cursor if all(mark.tzinfo for mark in cursor.marks.values()) else cls()


def turned(items: Sequence[T], turn: int, most: int) -> Sequence[T]:
    """At most so many of the items, from `turn` on and round to the beginning."""
    if len(items) <= most:
        return items
    start = turn % len(items)
    return [*items, *items][start : start + most]


def news(
    runs: Sequence[RunReply], mark: datetime | None, open_ids: set[str], now: datetime
) -> list[RunReply]:
    """Of a list that is newest first: the first time 20 and those of a first look; later those
    made since an hour before the mark, since a run may be listed late. Those not over every
    time, those of no known time every later time.
    """
    since = now - FIRST_LOOK if mark is None else min(mark, now) - _OVERLAP
    fresh = {run.id for run in runs if run.made_at is not None and run.made_at >= since}
    more = runs[:FIRST_RUNS] if mark is None else [run for run in runs if run.made_at is None]
    fresh |= {run.id for run in more}
    return [run for run in runs if run.id in fresh or run.id in open_ids or _is_open(run)]


def marked(runs: Sequence[RunReply], mark: datetime | None, now: datetime) -> datetime:
    """The newest time seen, but none later than `now`; a stale list does not move it back. An
    empty list has one too.
    """
    times = [run.made_at for run in runs if run.made_at is not None]
    return min(now, max([*times, mark or _NEVER]))


class Polls:
    """Thread-safe: everything that is remembered of a poll is in its cursor."""

    def __init__(self, modules: Modules, runs: Runs, steps: Steps, clock: Clock) -> None:
        self._modules, self._runs, self._steps, self._clock = modules, runs, steps, clock

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        past = Cursor.read(cursor)
        modules = self._modules.matching(source, deadline)
        batch = turned(modules, past.turn, MODULES_A_POLL)
        share = deadline.at_most(deadline.remaining_s() * _LISTS_SHARE)
        results = self._runs.listed_all(batch, share)
        self._refuse(results)
        poll = _Poll(past, {run.run_id for run in open_runs})
        for listed in results:
            self._take(listed, poll, deadline)
        open_turn = self._read_open(poll, past.open_turn, deadline)
        marks = {m.module_id: poll.marks[m.module_id] for m in modules if m.module_id in poll.marks}
        turn = past.turn + _reached(results) if len(modules) > len(batch) else 0
        found, inquiries = ask_for_failing(
            poll.runs,
            past.inquiries,
            lambda run_id, soon: self._steps.failing(poll.deployments[run_id], soon),
            deadline,
        )
        after = Cursor(marks=marks, turn=turn, open_turn=open_turn, inquiries=inquiries)
        return Observation(tuple(found.values()), after.model_dump_json(), poll.bad_items)

    def _refuse(self, results: Sequence[Listed | ProviderError]) -> None:
        """Raises if the key is refused, or if not one list could be read."""
        problems = [one for one in results if isinstance(one, ProviderError)]
        if any(one.kind is Kind.NOT_FOUND for one in problems):
            self._modules.forget()  # deleted, or made anew under the same name
        for one in problems:
            if one.kind is Kind.AUTH or len(problems) == len(results):
                raise one

    def _take(self, listed: Listed | ProviderError, poll: "_Poll", deadline: Deadline) -> None:
        if isinstance(listed, ProviderError):
            poll.bad_items += 1
            return
        module_id = listed.module.module_id
        mark, now = poll.marks.get(module_id), self._clock.now()
        for reply in news(listed.runs, mark, poll.wanted, now):
            poll.add(reply, self._runs.run_of(reply, listed.module, deadline))
        poll.marks[module_id] = marked(listed.runs, mark, now)
        poll.bad_items += listed.bad_items

    def _read_open(self, poll: "_Poll", turn: int, deadline: Deadline) -> int:
        """Reads open runs that no list showed. One that is gone, or that alone cannot be read,
        does not cost the other news. Returns where the next poll goes on.
        """
        missing = sorted(poll.open_ids - poll.runs.keys())
        for run_id in turned(missing, turn, _OPEN_RUNS_A_POLL):
            try:
                reply = self._runs.read(run_id, deadline)
                poll.add(reply, self._runs.run(reply, deadline))
            except ProviderError as error:
                if error.kind is Kind.AUTH:
                    raise
                poll.bad_items += error.kind is not Kind.NOT_FOUND
                if error.kind is Kind.RATE_LIMITED:
                    break  # the next poll finds the pause still running, and tells
        return turn + _OPEN_RUNS_A_POLL if len(missing) > _OPEN_RUNS_A_POLL else 0


class _Poll:
    """What one poll gathers."""

    def __init__(self, past: Cursor, open_ids: set[str]) -> None:
        self.open_ids = open_ids
        self.wanted = open_ids | unanswered(past.inquiries)
        self.marks = dict(past.marks)
        self.runs: dict[str, Run] = {}
        self.deployments: dict[str, str] = {}
        self.bad_items = 0

    def add(self, reply: RunReply, run: Run) -> None:
        self.runs[run.ref.run_id] = run
        self.deployments[run.ref.run_id] = reply.deployment_log_id


def _reached(results: Sequence[Listed | ProviderError]) -> int:
    """How far a batch came before the first module there was no budget for."""
    for index, one in enumerate(results):
        if isinstance(one, ProviderError) and one.kind is Kind.RATE_LIMITED and index:
            return index
    return len(results)


def _is_open(run: RunReply) -> bool:
    return not status_of(run.status).is_terminal and run.finished_at is None
