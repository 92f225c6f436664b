"""Why a run was posted in a channel, or why not."""

from collections.abc import Iterable
from dataclasses import replace

from bot.domain.chat import Asker
from bot.domain.clock import Clock, Deadline
from bot.domain.decisions import Decision
from bot.domain.errors import ProviderError
from bot.domain.intents import ExplainRun, RunById
from bot.domain.opinions import differences, is_same_commit, judge
from bot.domain.outbox import Fate, Standing
from bot.domain.replies import Answer, Explanation, Verdict
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
        verdicts = tuple(self._verdict(one, watches) for one in decisions)
        lines = () if verdicts else tuple(_undecided(run, watches))
        return Answer(self._with_green(Explanation(run, verdicts, lines)))

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

    def _verdict(self, decision: Decision, watches: Iterable[Watch]) -> Verdict:
        number, watch = next(
            ((n, w) for n, w in enumerate(watches, 1) if w.watch_id == decision.watch_id),
            (None, None),
        )
        return Verdict(decision, self._treated(decision), number, watch)

    def _treated(self, decision: Decision) -> str:
        """What was meant to be said, as far as it was."""
        key, treatment = decision.message_key, str(decision.treatment)
        fate = None if key is None else self._store.message_fate(key)
        match fate:
            case Fate(Standing.WAITING):
                return f"{treatment} (it has not reached Slack yet)"
            case Fate(Standing.FOLDED):
                return "told in a digest"
            case Fate(Standing.CARDED):
                return "told in a digest, and its card was posted when it was calm"
            case Fate(Standing.DEAD, was_shown=True):
                return "told in a message that is gone since"
            case Fate(Standing.DEAD, reason=reason):
                return _why_dead(reason)
        return treatment

    def _with_green(self, told: Explanation) -> Explanation:
        """What changed since the last green run, for a run that failed."""
        run = told.run
        if not run.status.is_failure:
            return told
        past = Past(self._store.history)
        told = replace(told, opinion=judge(past.before(run), run))
        green = past.last_green(run)
        if green is None:
            return told
        return replace(
            told,
            last_green=green,
            differences=differences(green, run),
            is_same_commit=is_same_commit(green, run),
        )


def _undecided(run: Run, watches: tuple[Watch, ...]) -> Iterable[str]:
    matching = [w for w in watches if w.wants(run)]
    if not matching:
        yield "nothing was posted here: no watch of this channel matches it."
        yield from (_why_not(n, w, run) for n, w in enumerate(watches, 1))
        return
    for watch in matching:
        if watch.suspended_because:
            yield f"`{watch.wish}` is suspended: {watch.suspended_because}"
    if run.is_private:
        yield "nothing was posted here: the run is private."
    elif not run.is_over:
        yield f"`{matching[0].wish}` matches it; nothing is decided before it is over."
    else:
        yield f"`{matching[0].wish}` matches it, but I have not seen its end yet."


def _why_dead(reason: str) -> str:
    """`reason` is a word of Slack's, as in `is_archived`, or a sentence."""
    word = reason.removeprefix("Slack says ")
    if " " in word:
        return f"nothing stands here: {reason}"
    return f"nothing stands here: Slack refused it{f' ({word})' if word else ''}"


def _why_not(number: int, watch: Watch, run: Run) -> str:
    if not watch.pattern.matches(run.pipeline, run.aliases):
        return f"watch {number} is about `{watch.pattern}`, not {run.pipeline}."
    unmet = [str(one) for one in watch.filters if not run_passes(run, (one,))]
    return f"watch {number} (`{watch.pattern}`) wants {', '.join(unmet)}."
