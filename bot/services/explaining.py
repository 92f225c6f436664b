"""Why a run was posted in a channel, or why not."""

from collections.abc import Iterable
from datetime import UTC

from bot.domain.chat import Asker
from bot.domain.clock import Clock, Deadline
from bot.domain.decisions import Decision
from bot.domain.errors import ProviderError
from bot.domain.intents import ExplainRun, RunById
from bot.domain.opinions import differences, is_same_commit, judge
from bot.domain.replies import Answer, Explanation
from bot.domain.runs import Run, RunRef
from bot.domain.store import Store
from bot.domain.watches import Watch, run_passes
from bot.services.choices import Choices
from bot.services.past import Past

DEADLINE_S = 6.0


class Explaining:
    """Thread-safe. Reads the run from its vendor; a vendor that does not answer does not keep
    what is stored from being told.
    """

    def __init__(self, store: Store, choices: Choices, clock: Clock) -> None:
        self._store = store
        self._choices = choices
        self._clock = clock

    def explain(self, intent: ExplainRun, asker: Asker) -> Answer:
        run = self._run(intent, asker)
        watches = self._store.watches(asker.channel)
        decisions = self._store.decisions(run.ref, asker.channel)
        lines = [self._decided(decision, watches) for decision in decisions]
        lines = lines or list(self._undecided(run, watches))
        return Answer(Explanation(run, (*lines, *self._since_green(run))))

    def _run(self, intent: ExplainRun, asker: Asker) -> Run:
        try:
            deadline = Deadline.after(self._clock, DEADLINE_S)
            return self._choices.run(intent.run, asker, deadline).run
        except ProviderError:
            stored = self._stored(intent)
            if stored is None:
                raise
            return stored

    def _stored(self, intent: ExplainRun) -> Run | None:
        choice = intent.run
        if not isinstance(choice, RunById) or choice.instance is None:
            return None
        return self._store.run(RunRef(choice.instance, choice.run_id))

    def _decided(self, decision: Decision, watches: Iterable[Watch]) -> str:
        numbers = {w.watch_id: (n, w) for n, w in enumerate(watches, 1)}
        number, watch = numbers.get(decision.watch_id, (0, None))
        which = f"watch {number} `{in_words(watch)}`" if watch else "a watch that is gone"
        when = f"{decision.decided.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        attempt = f"attempt {decision.attempt}: " if decision.attempt > 1 else ""
        sent = self._sent(decision)
        return f"{when} · {attempt}{which} · {decision.reason} · {decision.treatment}{sent}"

    def _sent(self, decision: Decision) -> str:
        if decision.message_key is None:
            return ""
        is_sent = self._store.message_ts(decision.message_key) is not None
        return "" if is_sent else " (it has not reached Slack yet)"

    def _undecided(self, run: Run, watches: tuple[Watch, ...]) -> Iterable[str]:
        matching = [w for w in watches if w.wants(run)]
        if not matching:
            yield "nothing was posted here: no watch of this channel matches it."
            yield from (_why_not(n, w, run) for n, w in enumerate(watches, 1))
            return
        for watch in matching:
            if watch.suspended_because:
                yield f"`{in_words(watch)}` is suspended: {watch.suspended_because}"
        if run.is_private:
            yield "nothing was posted here: the run is private."
        elif not run.is_over:
            yield f"`{in_words(matching[0])}` matches it; nothing is decided before it is over."
        else:
            yield f"`{in_words(matching[0])}` matches it, but no poll has shown its end to me yet."

    def _since_green(self, run: Run) -> Iterable[str]:
        """What changed since the last green run, for a run that failed."""
        if not run.status.is_failure:
            return
        past = Past(self._store.history)
        green = past.last_green(run)
        if green is None:
            yield "no green run before it is stored."
        else:
            yield f"last green: {green.ref}"
            if is_same_commit(green, run):
                yield "same commit as the last green run: suspect a flake or the environment"
            yield from (
                f"changed since: {one.what} {one.before} → {one.after}"
                for one in differences(green, run)
            )
        opinion = judge(past.before(run), run)
        yield f"{opinion.words} ({opinion.evidence})"


def in_words(watch: Watch) -> str:
    """A watch as it was typed, without its maker."""
    parts = [str(watch.pattern), *(str(one) for one in watch.filters), f"on={watch.preset}"]
    return " ".join(parts)


def _why_not(number: int, watch: Watch, run: Run) -> str:
    if not watch.pattern.matches(run.pipeline, run.aliases):
        return f"watch {number} is about `{watch.pattern}`, not {run.pipeline}."
    unmet = [str(one) for one in watch.filters if not run_passes(run, (one,))]
    return f"watch {number} (`{watch.pattern}`) wants {', '.join(unmet)}."
