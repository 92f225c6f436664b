"""What stands before every provider: whatever one returns, the bot gets what the contract says.

A provider may be anybody's. A run without a status, or a list where a run should be, would
otherwise be noticed far from here, in a list or a poll that belongs to all instances.
"""

import logging
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from bot.domain.clock import Deadline
from bot.domain.errors import BotError, ConfigError, Kind, ProviderError, UserError
from bot.domain.pipelines import Pipeline
from bot.domain.providers import (
    Aborts,
    HasLog,
    HasSteps,
    HasTests,
    Health,
    Observation,
    OpenRun,
    Provider,
    Retries,
    RetryRequest,
    Started,
    TriggerRequest,
    Triggers,
)
from bot.domain.runs import Log, Run, Step, TestResult
from bot.services.pool import Pool

T = TypeVar("T")
Fits = Callable[[Any], bool]
log = logging.getLogger(__name__)

QUICK_S = 1.0
"""`sources` and `run_id_in` do no I/O, so they have no deadline of their own."""


class Checked:
    """Raises ProviderError for an answer that is none: AMBIGUOUS after a change. Single runs
    that are none are left out of lists. `aside` runs what should be quick, and may not be.
    """

    def __init__(self, instance: str, provider: Provider, aside: Pool) -> None:
        self._instance = instance
        self._inner = provider
        self._aside = aside

    def check(self, deadline: Deadline) -> Health:
        return self._sound(Health, self._inner.check(deadline))

    def sources(self, pattern: str) -> tuple[str, ...]:
        return self._sound(tuple[str, ...], self._quickly(lambda: self._inner.sources(pattern)))

    def run_id_in(self, url: str) -> str | None:
        """None also for a provider that cannot tell: the address may be another's."""
        try:
            return self._sound(str | None, self._quickly(lambda: self._inner.run_id_in(url)))
        except ProviderError:
            return None

    def observe(
        self, source: str, cursor: str, open_runs: tuple[OpenRun, ...], deadline: Deadline
    ) -> Observation:
        seen = self._inner.observe(source, cursor, open_runs, deadline)
        if not isinstance(seen, Observation):
            raise self._nonsense(seen, Kind.BAD_REPLY)
        good = self._good(Run, seen.runs)
        bad_items = self._sound(int, seen.bad_items) + len(seen.runs) - len(good)
        return replace(seen, runs=good, cursor=self._sound(str, seen.cursor), bad_items=bad_items)

    def recent(self, pattern: str, limit: int, deadline: Deadline) -> tuple[Run, ...]:
        return self._good(Run, self._inner.recent(pattern, limit, deadline))

    def get(self, run_id: str, deadline: Deadline) -> Run:
        return self._own(Run, self._inner.get(run_id, deadline))

    def pipelines(self, deadline: Deadline) -> tuple[Pipeline, ...]:
        return self._good(Pipeline, self._inner.pipelines(deadline))

    def find_pipeline(self, key: str, deadline: Deadline) -> Pipeline:
        return self._own(Pipeline, self._inner.find_pipeline(key, deadline))

    def steps(self, run_id: str, deadline: Deadline) -> tuple[Step, ...]:
        return self._sound(tuple[Step, ...], cast("HasSteps", self._inner).steps(run_id, deadline))

    def tests(self, run_id: str, deadline: Deadline) -> tuple[TestResult, ...]:
        return self._sound(
            tuple[TestResult, ...], cast("HasTests", self._inner).tests(run_id, deadline)
        )

    def log(self, run_id: str, step: str | None, deadline: Deadline) -> Log:
        return self._sound(Log, cast("HasLog", self._inner).log(run_id, step, deadline))

    def trigger(self, request: TriggerRequest, deadline: Deadline) -> Started:
        return self._started(cast("Triggers", self._inner).trigger(request, deadline))

    def retry(self, request: RetryRequest, deadline: Deadline) -> Started:
        return self._started(cast("Retries", self._inner).retry(request, deadline))

    def abort(self, run: Run, deadline: Deadline) -> Run:
        return self._own(Run, cast("Aborts", self._inner).abort(run, deadline), Kind.AMBIGUOUS)

    def _started(self, value: Started) -> Started:
        started = self._sound(Started, value, Kind.AMBIGUOUS)
        if started.run is not None:
            self._own(Run, started.run, Kind.AMBIGUOUS)
        return started

    def _good(self, hint: type[T], values: tuple[T, ...]) -> tuple[T, ...]:
        """Those of the values that are what they should be, and of this instance."""
        if not isinstance(values, tuple):
            raise self._nonsense(values, Kind.BAD_REPLY)
        good = tuple(one for one in values if fits(one, hint) and self._is_own(one))
        if len(good) < len(values):
            count = len(values) - len(good)
            log.error("provider.nonsense", extra={"instance": self._instance, "count": count})
        return good

    def _own(self, hint: type[T], value: T, kind: Kind = Kind.BAD_REPLY) -> T:
        if not fits(value, hint) or not self._is_own(value):
            raise self._nonsense(value, kind)
        return value

    def _is_own(self, value: Any) -> bool:
        names = {value.ref.instance}
        if isinstance(value, Run):
            names.add(value.pipeline.instance)
        return names == {self._instance}

    def _sound(self, hint: Any, value: T, kind: Kind = Kind.BAD_REPLY) -> T:
        if not fits(value, hint):
            raise self._nonsense(value, kind)
        return value

    def _nonsense(self, value: object, kind: Kind) -> ProviderError:
        what = type(value).__name__
        log.error("provider.nonsense", extra={"instance": self._instance, "got": what})
        doubt = " It may or may not have been done: look there." if kind is Kind.AMBIGUOUS else ""
        return ProviderError(
            kind,
            f"The provider of {self._instance} has a fault: its answer makes no sense.{doubt}",
            detail=f"returned {what}",
        )

    def _quickly(self, call: Callable[[], T]) -> T:
        future = self._aside.submit(call)
        problem: BaseException | None = None
        try:
            if future is not None:
                return future.result(QUICK_S)
        except BotError:
            raise
        except FutureTimeoutError as error:
            problem = error
        except (Exception, SystemExit) as error:
            log.exception("provider.broken", extra={"instance": self._instance})
            problem = error
        raise ProviderError(
            Kind.BAD_REPLY, f"The provider of {self._instance} has a fault."
        ) from problem


def is_sound(error: BotError) -> bool:
    """Whether an error that a provider raised is one it may raise, with what belongs to it."""
    if isinstance(error, ProviderError):
        said = (error.kind, error.message, error.detail, error.retry_after_s, error.known)
        return all(map(fits, said, (Kind, str, str, float | None, tuple[str, ...])))
    return isinstance(error, ConfigError | UserError) and fits(error.message, str)


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type through and through: its fields and items too. Times must
    be aware, and texts must be such as can be written.
    """
    return _fits(hint)(value)


@lru_cache(maxsize=256)
def _fits(hint: Any) -> Fits:
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        choices = tuple(_fits(one) for one in get_args(hint))
        return lambda value: any(choice(value) for choice in choices)
    if origin is tuple:
        item = _fits(get_args(hint)[0])
        return lambda value: isinstance(value, tuple) and all(map(item, value))
    if hint in _SINGLE:
        return _SINGLE[hint]
    return _fits_fields(hint) if is_dataclass(hint) else lambda value: isinstance(value, hint)


def _fits_fields(kind: Any) -> Fits:
    hints = get_type_hints(kind)
    parts = tuple((one.name, _fits(hints[one.name])) for one in fields(kind))
    return lambda value: (
        isinstance(value, kind) and all(fit(getattr(value, name)) for name, fit in parts)
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and (value.isascii() or not _has_half_characters(value))


def _has_half_characters(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


_SINGLE: dict[Any, Fits] = {
    str: _is_text,
    datetime: lambda value: isinstance(value, datetime) and value.tzinfo is not None,
    float: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
}
