"""The history of one pipeline, from what is stored and what its vendor shows."""

from datetime import timedelta
from statistics import median

from bot.domain.clock import Clock, Deadline
from bot.domain.errors import ProviderError
from bot.domain.intents import ShowHistory
from bot.domain.pipelines import Pattern, PipelineRef
from bot.domain.replies import Answer, History, HistoryMark
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.domain.store import Store
from bot.services.choices import Choices
from bot.services.past import STRIP_LENGTH, age

DEADLINE_S = 2.5


class Histories:
    """Thread-safe."""

    def __init__(self, store: Store, choices: Choices, clock: Clock) -> None:
        self._store = store
        self._choices = choices
        self._clock = clock

    def show(self, intent: ShowHistory) -> Answer:
        deadline = Deadline.after(self._clock, DEADLINE_S)
        chosen = self._choices.pipeline(intent.pipeline, deadline)
        ref, one = chosen.pipeline.ref, chosen.instance
        runs = {
            r.ref: r for r in self._store.runs(Pattern(ref.instance, ref.key), 2 * STRIP_LENGTH)
        }
        try:
            fresh = one.ask(lambda p: p.recent(ref.key, STRIP_LENGTH, deadline), deadline)
        except ProviderError:
            fresh = ()
        runs |= {run.ref: run for run in fresh}
        return Answer(history_of(ref, list(runs.values())), intent.is_shared)


def history_of(pipeline: PipelineRef, runs: list[Run]) -> History:
    """The last 20 of these runs that are over; private ones are left out."""
    public = sorted((run for run in runs if not run.is_private), key=age)
    over = [run for run in public if run.is_over][-STRIP_LENGTH:]
    judged = [run for run in over if run.status is Status.PASSED or run.status.is_failure]
    took = [run.duration.total_seconds() for run in judged if run.duration is not None]
    return History(
        pipeline,
        tuple(HistoryMark(run.status, run.ref) for run in over),
        sum(run.status is Status.PASSED for run in judged),
        len(judged),
        timedelta(seconds=median(took)) if took else None,
        public[-1] if public else None,
    )
