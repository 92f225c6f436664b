"""Lists of runs over all vendors, merged, filtered, newest first."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial

from bot.domain.chat import Asker
from bot.domain.clock import Clock, Deadline
from bot.domain.durations import parse_duration
from bot.domain.errors import BotError, Kind, ProviderError, StoreError, UserError
from bot.domain.intents import ListRuns
from bot.domain.pipelines import Pattern
from bot.domain.providers import Provider
from bot.domain.replies import Answer, RunList, Silent
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.domain.store import Store
from bot.domain.watches import Filter, run_passes
from bot.services.choices import Choices
from bot.services.fleet import Fleet, Instance
from bot.services.parallel import Parallel

log = logging.getLogger(__name__)

DEADLINE_S = 2.0
"""A list answers within 3 s, whoever does not."""
DEFAULT_LIMIT = 10
MOST_ROWS = 50

_VIEWS: dict[str, tuple[Filter, ...]] = {
    "all": (),
    "mine": (),
    "failing": (Filter("status", (Status.FAILED.value, Status.ERRORED.value)),),
    "running": (
        Filter("status", (Status.RUNNING.value, Status.QUEUED.value, Status.WAITING.value)),
    ),
}

_Patterns = tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class _Gathered:
    runs: tuple[Run, ...]
    silent: tuple[Silent, ...]
    data_age: timedelta
    notes: tuple[str, ...] = ()


class Listing:
    """Thread-safe. Every answer comes within its deadline and names who did not answer."""

    def __init__(
        self, fleet: Fleet, store: Store, choices: Choices, parallel: Parallel, clock: Clock
    ) -> None:
        self._fleet = fleet
        self._store = store
        self._choices = choices
        self._parallel = parallel
        self._clock = clock

    def list_runs(self, intent: ListRuns, asker: Asker) -> Answer:
        deadline = Deadline.after(self._clock, DEADLINE_S)
        filters = (*_VIEWS[intent.view], *intent.filters)
        limit = _limit(intent.filters)
        if intent.view == "mine":
            gathered = self._started_by(asker, deadline)
        else:
            wanted = MOST_ROWS if filters else limit
            gathered = self._gather(self._patterns(filters, asker.channel), wanted, deadline)
        oldest = _since(intent.filters, self._clock.now())
        shown = [
            run
            for run in sorted(gathered.runs, key=_newest_first)
            if run_passes(run, filters)
            and (oldest is None or (run.when is not None and run.when >= oldest))
            and not (run.is_private and intent.is_shared)
        ][:limit]
        refs = tuple(run.ref for run in shown)
        reply = RunList(
            tuple(shown),
            len(gathered.runs),
            gathered.data_age,
            gathered.silent,
            _in_words(intent),
            (*gathered.notes, *self._remember(asker, refs)),
        )
        return Answer(reply, intent.is_shared, refs)

    def _remember(self, asker: Asker, refs: tuple[RunRef, ...]) -> tuple[str, ...]:
        """Gives `#n` its new meaning; a note if the database does not take it."""
        try:
            self._store.save_listing(asker.channel, asker.user_id, refs)
        except StoreError as error:
            log.warning("listing.not_saved", extra={"detail": error.detail})
            return ("the database is busy: #1, #2, … do not stand for these lines",)
        return ()

    def _patterns(self, filters: tuple[Filter, ...], channel: str) -> dict[str, _Patterns]:
        """What to ask each for: what was named, else what the channel watches, else all."""
        named = [Pattern.parse(v) for f in filters if f.key == "pipeline" for v in _asked(f)]
        has_provider = any(f.key == "provider" and not f.is_negated for f in filters)
        if not named and not has_provider:
            named = [w.pattern for w in self._store.watches(channel)]
        named = named or [Pattern("*", "*")]
        return {
            one.name: tuple({p.key: p for p in named if _covers(p, one.name)}.values())
            for one in self._fleet
            if all(f.accepts(one.name) for f in filters if f.key == "provider")
            and any(_covers(p, one.name) for p in named)
        }

    def _gather(self, patterns: dict[str, _Patterns], limit: int, deadline: Deadline) -> _Gathered:
        instances = [self._fleet.get(name) for name in patterns]
        answers, silent = self._parallel.ask(
            instances, lambda one: self._recent(one, patterns[one.name], limit, deadline), deadline
        )
        runs = {run.ref: run for found in answers.values() for run in found}
        ages = [timedelta(0)]
        for one in silent:
            runs |= {
                r.ref: r for p in patterns[one.instance] for r in self._stored(one, p.key, limit)
            }
            ages.append(self._age(one.instance))
        notes = tuple(
            f"{one.name} lists nothing by itself: name a pipeline ({one.spec.pipeline_form})"
            for one in instances
            if any(p.key == "*" for p in patterns[one.name])
            and one.name in answers
            and not _lists(one)
        )
        return _Gathered(tuple(runs.values()), silent, max(ages), notes)

    def _recent(
        self, one: Instance, patterns: _Patterns, limit: int, deadline: Deadline
    ) -> tuple[Run, ...]:
        found: list[Run] = []
        for pattern in patterns:
            call = partial(_ask_recent, key=pattern.key, limit=limit, deadline=deadline)
            try:
                found.extend(one.ask(call, deadline))
            except ProviderError as error:
                if error.kind is not Kind.NOT_FOUND or pattern.instance == one.name:
                    raise  # else it may be the name of another vendor's pipeline
        return tuple(found)

    def _stored(self, silent: Silent, key: str, limit: int) -> tuple[Run, ...]:
        return self._store.runs(Pattern(silent.instance, key), limit)

    def _age(self, instance: str) -> timedelta:
        ages = [
            state.good_poll_age_s
            for state in self._store.source_states()
            if state.key.instance == instance and state.good_poll_age_s is not None
        ]
        return timedelta(seconds=max(ages, default=0.0))

    def _started_by(self, asker: Asker, deadline: Deadline) -> _Gathered:
        refs = [
            RunRef.parse(command.target)
            for command in self._store.commands(500)
            if command.what.user_id == asker.user_id and is_ref(command.target)
        ]
        chosen = list(dict.fromkeys(refs))[:DEFAULT_LIMIT]
        answers, silent = self._parallel.ask(
            [i for i in self._fleet if any(r.instance == i.name for r in chosen)],
            lambda one: [
                self._choices.read(ref, deadline) for ref in chosen if ref.instance == one.name
            ],
            deadline,
        )
        runs = tuple(run for found in answers.values() for run in found)
        return _Gathered(runs, silent, timedelta(0), ())


def _ask_recent(provider: Provider, *, key: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
    return provider.recent(key, limit, deadline)


def _newest_first(run: Run) -> tuple[float, RunRef]:
    when = run.when
    return (-when.timestamp() if when else 0.0, run.ref)


def _asked(one: Filter) -> tuple[str, ...]:
    return () if one.is_negated else one.values


def _covers(pattern: Pattern, instance: str) -> bool:
    return fnmatchcase(instance, pattern.instance)


def _lists(one: Instance) -> bool:
    """Whether this instance shows anything when no pipeline is named."""
    try:
        return bool(one.provider.sources("*"))
    except BotError:
        return False


def _limit(filters: tuple[Filter, ...]) -> int:
    for one in filters:
        if one.key == "limit":
            return max(1, min(int(one.values[0]), MOST_ROWS)) if one.values[0].isdigit() else 10
    return DEFAULT_LIMIT


def _since(filters: tuple[Filter, ...], now: datetime) -> datetime | None:
    for one in filters:
        if one.key == "since":
            age = parse_duration(one.values[0])
            if age is None:
                raise UserError(
                    f'"{one.values[0]}" is not a duration; write 45m, 2h or 1d.',
                    help_command="/runs help",
                )
            return now - age
    return None


def _in_words(intent: ListRuns) -> str:
    """What was asked, for the heading and for an empty answer."""
    words = {"all": "runs", "mine": "runs of yours"}.get(intent.view, f"{intent.view} runs")
    return " ".join([words, *(str(one) for one in intent.filters)])


def is_ref(text: str) -> bool:
    try:
        RunRef.parse(text)
    except UserError:
        return False
    return True
