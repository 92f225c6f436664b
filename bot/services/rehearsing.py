"""What a watch would have posted about the runs that are stored: the same pure decision."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.chat import Asker
from bot.domain.clock import Clock, Deadline
from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.intents import TestWatch
from bot.domain.outbox import Form, NewMessage
from bot.domain.polls import PollChanges, PollView
from bot.domain.providers import ProviderSpec
from bot.domain.replies import AlertCard, AlertReply, Answer, Rehearsal, Sample
from bot.domain.runs import Run
from bot.domain.store import Store
from bot.domain.watches import Watch
from bot.services.alerts import decide
from bot.services.fleet import Fleet
from bot.services.past import age
from bot.services.patterns import Patterns
from bot.services.watching import DEADLINE_S

MOST_RUNS = 1000
_SAMPLES = 8
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Rehearsing:
    """Thread-safe; posts and stores nothing."""

    def __init__(self, fleet: Fleet, store: Store, patterns: Patterns, clock: Clock) -> None:
        self._fleet = fleet
        self._store = store
        self._patterns = patterns
        self._clock = clock

    def rehearse(self, intent: TestWatch, asker: Asker) -> Answer:
        watch = self._watch(intent.which, asker)
        stored = [r for r in self._store.runs(watch.pattern, MOST_RUNS) if r.is_over]
        runs = sorted(stored, key=lambda run: run.finished or age(run)[0])
        specs = {one.name: one.spec for one in self._fleet}
        rehearsed = [run for run in runs if run.ref.instance in specs and watch.follows(run)]
        messages = replay(watch, rehearsed, specs)
        samples = tuple(_sample(message) for message in reversed(messages[-_SAMPLES:]))
        since = min((r.when for r in rehearsed if r.when), default=None)
        return Answer(Rehearsal(watch, len(rehearsed), len(messages), since, samples))

    def _watch(self, which: str, asker: Asker) -> Watch:
        """A watch of this channel, or one that is not made yet."""
        deadline = Deadline.after(self._clock, DEADLINE_S)
        found = self._patterns.pick(self._store.watches(asker.channel), which, deadline)
        if found is not None:
            return found
        pattern = self._patterns.named(which, deadline)
        return Watch(asker.channel, pattern, asker.user_id, self._clock.now())


def replay(watch: Watch, runs: list[Run], specs: dict[str, ProviderSpec]) -> list[NewMessage]:
    """The messages (no edits) that this watch alone would have made of these runs, which come
    in the order of their ends, had it been there all the time.
    """
    watch = replace(watch, since=_LONG_AGO, suspended_because=None)
    episodes: dict[EpisodeKey, Episode] = {}
    past: dict[object, list[Run]] = {}
    messages: list[NewMessage] = []
    for run in runs:
        earlier = past.setdefault((run.pipeline, run.branch), [])
        view = PollView({}, (watch,), episodes, lambda _run, e=earlier: tuple(e))  # type: ignore[misc]
        changes: PollChanges = decide(
            view, [run], specs[run.ref.instance], run.finished or age(run)[0]
        )
        episodes |= {episode.key: episode for episode in changes.episodes}
        messages += [message for message in changes.messages if message.form is not Form.EDIT]
        earlier.insert(0, run)
        del earlier[20:]
    return messages


def _sample(message: NewMessage) -> Sample:
    body = message.body
    if isinstance(body, AlertReply):
        return Sample("message" if message.form is Form.POST else "reply", body.run, body.word)
    if isinstance(body, AlertCard):
        return Sample("card", body.latest)
    raise TypeError(type(body))
