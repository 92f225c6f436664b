"""What channels are told about the bot's own sight: the first look, and blindness."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.clock import Clock
from bot.domain.opinions import seconds
from bot.domain.outbox import Form, NewMessage
from bot.domain.polls import SourceKey, SourceState
from bot.domain.replies import ChannelNotice
from bot.domain.runs import Run
from bot.domain.sights import Blindness, is_back, limit_s, out_of_sight
from bot.domain.store import Store
from bot.domain.transitions import Snapshot
from bot.domain.watches import Watch
from bot.services.fleet import Fleet
from bot.services.poller import sources_of

log = logging.getLogger(__name__)

_CLOCK_SKEW = timedelta(minutes=2)
ASLEEP_S = 300.0
"""More time than that between two looks, which are a second apart, is time spent suspended."""


class Lookout:
    """For one thread. What was told is in the store, so a restart repeats nothing."""

    def __init__(self, store: Store, fleet: Fleet, clock: Clock, *, max_interval_s: float) -> None:
        self._store = store
        self._fleet = fleet
        self._clock = clock
        self._max_interval_s = max_interval_s
        self._better_since: dict[SourceKey, float] = {}
        self._looked_at = self._awake_since = clock.monotonic()

    def look(self) -> None:
        """Compares what can be seen with what the channels know."""
        states = self._since_awake(self._store.source_states())
        told = {one.key: one for one in self._store.blindnesses()}
        blind = out_of_sight(states, self._max_interval_s)
        for key, state in blind.items():
            is_covered = key.source != "" and SourceKey(key.instance, "") in told
            if not is_covered:
                self._tell_blind(key, state, told.get(key))
        for key in blind.keys() & self._better_since.keys():
            del self._better_since[key]
        for key in told.keys() - blind.keys():
            if self._is_over(key, states):
                self._tell_back(told[key], is_watched=any(_is_of(s, key) for s in states))
        self._introduce(states)

    def _since_awake(self, states: Iterable[SourceState]) -> list[SourceState]:
        """While the machine was suspended nobody looked, which says nothing about a provider."""
        now_s = self._clock.monotonic()
        if now_s - self._looked_at > ASLEEP_S:
            self._awake_since = now_s
        self._looked_at = now_s
        awake_s = now_s - self._awake_since
        return [replace(one, sight_age_s=min(one.sight_age_s, awake_s)) for one in states]

    # Blindness

    def _tell_blind(self, key: SourceKey, state: SourceState, known: Blindness | None) -> None:
        channels = self._channels(key)
        fresh = [c for c in channels if known is None or c not in known.channels]
        why = state.last_error or "it has not answered yet."
        is_other = known is not None and state.is_refused and known.why != why
        if not fresh and not is_other:
            return
        since = known.since if known else state.good_poll or self._began(state)
        reached = (*(known.channels if known else ()), *fresh)
        blindness = Blindness(key, since, why if is_other or known is None else known.why, reached)
        notice = ChannelNotice(_blind_words(blindness), "warning", since)
        messages = [NewMessage(c, _key(c, blindness), Form.POST, notice) for c in fresh]
        if is_other and known is not None:
            messages += [_edit(c, blindness, notice) for c in known.channels]
        self._store.save_blindness(blindness, messages)
        log.warning("sight.lost", extra={"instance": key.instance, "source": key.source})

    def _began(self, state: SourceState) -> datetime:
        return self._clock.now() - timedelta(seconds=state.sight_age_s)

    def _tell_back(self, blindness: Blindness, *, is_watched: bool) -> None:
        failures = self._missed(blindness)
        took = self._clock.now() - blindness.since
        messages = []
        for channel in blindness.channels:
            watches = [w for w in self._store.watches(channel) if not w.suspended_because]
            missed = sum(any(w.wants(run) for w in watches) for run in failures)
            words = _back_words(blindness.key, took, missed, is_watched=is_watched)
            messages.append(_edit(channel, blindness, ChannelNotice(words, "done")))
        self._store.end_blindness(blindness.key, messages)
        self._better_since.pop(blindness.key, None)
        log.info("sight.back", extra={"instance": blindness.key.instance, "count": len(failures)})

    def _missed(self, blindness: Blindness) -> list[Run]:
        """The failures that ended while nobody could look, and were read since."""
        earliest = blindness.since - _CLOCK_SKEW
        return [
            one.run
            for one in self._store.failures_seen(blindness.since)
            if one.run.ref.instance == blindness.key.instance
            and not one.run.is_private
            and ((one.run.finished or one.run.when) or one.seen) >= earliest
        ]

    def _is_over(self, key: SourceKey, states: Sequence[SourceState]) -> bool:
        """Whether all of it can be seen again. When only a part can, the rest is looked at now,
        not when its back-off ends; what stays blind gets a card of its own after a while.
        """
        now_s = self._clock.monotonic()
        if is_back(key, states):
            return True
        if key not in self._better_since:
            self._better_since[key] = now_s
            for state in states:
                if _is_of(state, key) and state.failures:
                    self._store.hurry_source(state.key)
        return now_s - self._better_since[key] > limit_s(self._max_interval_s)

    def _channels(self, key: SourceKey) -> list[str]:
        """Who watches it: in the order of the watches, each once."""
        one = self._fleet.find(key.instance)
        if one is None:
            return []
        found = [
            watch.channel
            for watch in self._store.watches()
            if watch.suspended_because is None
            and any(key.source in {"", s.source} for s in sources_of(one, watch.pattern))
        ]
        return list(dict.fromkeys(found))

    # The first look

    def _introduce(self, states: Sequence[SourceState]) -> None:
        """One line in a channel whose new watches found failures from before they began."""
        newcomers = self._store.newcomers()
        if not newcomers or not all(s.good_poll or s.failures for s in states):
            return
        ready = [w for w in newcomers if self._is_planned(w, states)]
        if not ready:
            return
        found = self._store.failures_seen(min(w.quiet_since or w.since for w in ready))
        messages = []
        for channel in dict.fromkeys(watch.channel for watch in ready):
            own = [w for w in ready if w.channel == channel]
            old = [s.run for s in found if not s.run.is_private and _is_old(s, own)]
            if old:
                messages.append(self._first_line(channel, own, old))
        self._store.introduce(ready, messages)

    def _is_planned(self, watch: Watch, states: Sequence[SourceState]) -> bool:
        """Whether everything the watch needs is polled by now; after a suspension, anew."""
        polled = {
            one.key
            for one in states
            if watch.quiet_since is None
            or one.failures
            or (one.good_poll is not None and one.good_poll >= watch.since)
        }
        wanted = {key for one in self._fleet for key in sources_of(one, watch.pattern)}
        return wanted <= polled

    def _first_line(self, channel: str, watches: Sequence[Watch], old: Sequence[Run]) -> NewMessage:
        red = {
            (run.pipeline, run.branch)
            for run in old
            if next(iter(self._store.history(run)), run).status.is_failure
        }
        what = ", ".join(str(watch.pattern) for watch in watches[:3])
        more = f" and {len(watches) - 3} more" if len(watches) > 3 else ""  # noqa: PLR2004
        is_again = any(watch.quiet_since for watch in watches)
        text = (
            f"watching {'everything' if what == '*' else what}{more}{' again' * is_again}; "
            f"{_counted(len(old), 'older failure is', 'older failures are')} not posted; "
            f"{_red_words(len(red))}"
        )
        begin = max(watch.since for watch in watches).isoformat()
        key = f"first {channel} {begin} {' '.join(str(watch.watch_id) for watch in watches)}"
        return NewMessage(channel, key[:200], Form.POST, ChannelNotice(text))


def _red_words(count: int) -> str:
    if count == 0:
        return "all of it is over, nothing is red now."
    what = _counted(count, "pipeline", "pipelines")
    return f"{what} red now. `/runs failing` lists {'it' if count == 1 else 'them'}."


def _is_old(snapshot: Snapshot, watches: Iterable[Watch]) -> bool:
    """Whether a run that a watch is about ended before it began and was found by its first
    looks, or was read while it was suspended.
    """
    run = snapshot.run
    ended = run.finished or run.created
    return any(
        w.wants(run)
        and (
            _is_unheard(snapshot, w)
            or (ended is not None and snapshot.seen >= w.since and ended < w.since)
        )
        for w in watches
    )


def _is_unheard(snapshot: Snapshot, watch: Watch) -> bool:
    return watch.quiet_since is not None and watch.quiet_since <= snapshot.changed < watch.since


def _is_of(state: SourceState, key: SourceKey) -> bool:
    return state.key.instance == key.instance and key.source in {"", state.key.source}


def _name(key: SourceKey) -> str:
    return f"{key.instance} ({key.source})" if key.source else key.instance


def _blind_words(blindness: Blindness) -> str:
    return (
        f"blind: I cannot see {_name(blindness.key)}; nothing there is assumed green\n"
        f"Why: {blindness.why}\n"
        "What fails meanwhile is told here as soon as I can see it again."
    )


def _back_words(key: SourceKey, took: timedelta, missed: int, *, is_watched: bool) -> str:
    if not is_watched:
        return f"{_name(key)} is no longer watched here; I could not see it to the end."
    found = "nothing was missed"
    if missed:
        found = f"{_counted(missed, 'failure', 'failures')} found since, told here"
    return f"back: I see {_name(key)} again after {seconds(took)}; {found}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _key(channel: str, blindness: Blindness) -> str:
    source = f"{blindness.key.instance} {blindness.key.source}".strip()
    return f"blind {channel} {blindness.since.isoformat()} {source}"


def _edit(channel: str, blindness: Blindness, notice: ChannelNotice) -> NewMessage:
    root = _key(channel, blindness)
    return NewMessage(channel, f"edit {root}", Form.EDIT, notice, root)
