"""One cycle of one source: claim, observe, and one transaction with all that follows."""

import logging
from collections import deque
from collections.abc import Callable, Collection
from fnmatch import fnmatchcase

from bot.domain.clock import Clock, Deadline, SteadyTime
from bot.domain.errors import BotError, Kind, ProviderError, StoreError
from bot.domain.pipelines import Pattern
from bot.domain.polls import PollChanges, PollClaim, PollView, SourceKey
from bot.domain.providers import Observation
from bot.domain.runs import Run
from bot.domain.store import Store
from bot.services.alerts import decide
from bot.services.fleet import Fleet, Instance

log = logging.getLogger(__name__)

POLL_DEADLINE_S = 20.0
LEASE_S = 90.0
MOST_RETRY_AFTER_S = 900.0
SLOWER = 1.5
"""By how much the interval grows with every poll that shows nothing under way."""


class Poller:
    """Thread-safe: several threads poll, and a source is polled by one of them at a time.

    Intervals in seconds: `min_interval_s` while runs are under way, growing to
    `max_interval_s` while nothing happens. `jitter` gives a factor around 1.
    """

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        clock: Clock,
        *,
        min_interval_s: float,
        max_interval_s: float,
        jitter: Callable[[], float],
        on_poll: Callable[[str], None] = lambda _result: None,
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._clock = clock
        self._steady = SteadyTime(clock)
        self._min_s = min_interval_s
        self._max_s = max_interval_s
        self._jitter = jitter
        self._on_poll = on_poll
        self._quiet: dict[SourceKey, int] = {}
        self._not_stored: deque[PollClaim] = deque()

    def plan(self) -> None:
        """Makes the sources those that the active watches need."""
        wanted: set[SourceKey] = set()
        for watch in self._store.watches():
            if watch.suspended_because is not None:
                continue
            for one in self._fleet:
                wanted.update(sources_of(one, watch.pattern))
        self._store.plan_sources(wanted)

    def sources_of(self, run: Run) -> set[SourceKey]:
        """Those that are polled and show this run: where a watch is for many pipelines, the one
        among its sources that the run's own pipeline has, if there is one.
        """
        one = self._fleet.find(run.ref.instance)
        if one is None:
            return set()
        own = [Pattern(one.name, key) for key in (run.pipeline.key, *run.aliases)]
        nearest = {key for pattern in own for key in sources_of(one, pattern)}
        found: set[SourceKey] = set()
        for watch in self._store.watches():
            if watch.suspended_because is None and watch.pattern.matches(run.pipeline, run.aliases):
                those = set(sources_of(one, watch.pattern))
                found |= (those & nearest) or those
        return found

    def poll_next(self, instances: Collection[str]) -> bool:
        """Polls the source that has been due for longest; False if none is due."""
        self._give_back()
        claim = self._store.claim_source(LEASE_S, instances)
        if claim is None:
            return False
        try:
            self._poll(claim)
        except StoreError:
            self._not_stored.append(claim)
            raise
        return True

    def _give_back(self) -> None:
        """What could not be stored is polled anew, and not only when its lease ends."""
        while self._not_stored:
            claim = self._not_stored.popleft()
            try:
                self._store.give_back_source(claim)
            except StoreError:
                self._not_stored.append(claim)
                raise

    def _poll(self, claim: PollClaim) -> None:
        one = self._fleet.find(claim.key.instance)
        if one is None:
            self._store.record_failed_poll(claim, "no longer configured", self._max_s)
            return
        try:
            observation = self._observe(one, claim)
        except BotError as error:
            self._failed(claim, error)
        else:
            self._observed(one, claim, observation)

    def _observe(self, one: Instance, claim: PollClaim) -> Observation:
        deadline = Deadline.after(self._clock, POLL_DEADLINE_S)
        source, cursor, open_runs = claim.key.source, claim.cursor, claim.open_runs
        observation = one.poll(lambda p: p.observe(source, cursor, open_runs, deadline), deadline)
        if not isinstance(observation, Observation):
            raise ProviderError(Kind.BAD_REPLY, f"The provider of {one.name} has a fault.")
        return observation

    def _observed(self, one: Instance, claim: PollClaim, observation: Observation) -> None:
        now, steady = self._clock.now(), self._steady.now()

        def verdict(view: PollView) -> PollChanges:
            return decide(view, observation.runs, one.spec, now, steady)

        changes = self._store.record_poll(
            claim, observation, self._interval_s(claim.key, observation), verdict
        )
        if changes is None:
            log.warning("poll.superseded", extra=_fields(claim))
            return
        self._on_poll("ok")
        if observation.bad_items:
            log.warning("poll.bad_items", extra=_fields(claim) | {"count": observation.bad_items})
        for message in changes.messages:
            log.info("alert.queued", extra={"channel": message.channel, "key": message.key})

    def _interval_s(self, key: SourceKey, observation: Observation) -> float:
        is_busy = any(not run.is_over for run in observation.runs)
        quiet = 0 if is_busy else self._quiet.get(key, 0) + 1
        self._quiet[key] = quiet
        interval_s = self._min_s * SLOWER ** min(max(quiet - 1, 0), 60)
        return min(interval_s, self._max_s) * self._jitter()

    def _failed(self, claim: PollClaim, error: BotError) -> None:
        backoff_s = min(self._min_s * 2.0 ** min(claim.failures, 60), self._max_s)
        if isinstance(error, ProviderError) and error.retry_after_s is not None:
            backoff_s = max(backoff_s, min(error.retry_after_s, MOST_RETRY_AFTER_S))
        kind = error.kind.value if isinstance(error, ProviderError) else "error"
        why = error.cause if isinstance(error, ProviderError) else error.message
        log.warning("poll.failed", extra=_fields(claim) | {"kind": kind, "detail": error.detail})
        is_refused = isinstance(error, ProviderError) and error.kind is Kind.AUTH
        self._store.record_failed_poll(
            claim, why, backoff_s * self._jitter(), is_refused=is_refused
        )
        self._on_poll(kind)


def sources_of(one: Instance, pattern: Pattern) -> list[SourceKey]:
    """The sources that show what a pattern names at this instance."""
    if not fnmatchcase(one.name, pattern.instance):
        return []
    try:
        return [SourceKey(one.name, source) for source in one.provider.sources(pattern.key)]
    except BotError as error:
        log.warning("watch.unseen", extra={"instance": one.name, "detail": error.message})
        return []


def _fields(claim: PollClaim) -> dict[str, object]:
    return {"instance": claim.key.instance, "source": claim.key.source}
