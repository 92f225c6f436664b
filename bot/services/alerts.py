"""From one poll's readings to what is stored and said: the pure heart of the poller."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.decisions import Decision, Treatment
from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.mutes import Mute
from bot.domain.opinions import judge
from bot.domain.outbox import Form, NewMessage
from bot.domain.overdue import overdue_by, usual_longest
from bot.domain.polls import PollChanges, PollView
from bot.domain.providers import ProviderSpec
from bot.domain.replies import AlertReply
from bot.domain.runs import Run, RunRef
from bot.domain.transitions import (
    NEWS_OF_FAILURE,
    Change,
    Reason,
    Snapshot,
    compare,
    is_before_watch,
)
from bot.domain.watches import Preset, ThreadMode, Watch
from bot.services.alert_cards import card_of, fixed_words, overdue_words
from bot.services.controls import controls_of
from bot.services.past import Past, age


def decide(view: PollView, runs: Iterable[Run], spec: ProviderSpec, now: datetime) -> PollChanges:
    """Compares what was read with what is stored. Oldest runs first, so that a fix that came
    after a failure is told after it.
    """
    verdict = _Verdict(view, spec, now)
    for run in sorted(runs, key=age):
        verdict.take(run)
    return verdict.changes()


@dataclass(frozen=True, slots=True)
class _Audience:
    """One channel, and its watches that want to hear of a run. `is_muted` keeps it quiet."""

    channel: str
    watches: tuple[Watch, ...]
    is_muted: bool = False

    @property
    def presets(self) -> set[Preset]:
        return {watch.preset for watch in self.watches}

    def with_preset(self, preset: Preset) -> Watch | None:
        return next((w for w in self.watches if w.preset is preset), None)


class _Verdict:
    """What one poll leads to, as it builds up run by run."""

    def __init__(self, view: PollView, spec: ProviderSpec, now: datetime) -> None:
        self._view = view
        self._spec = spec
        self._now = now
        self._past = Past(view.history)
        self._snapshots: dict[RunRef, Snapshot] = {}
        self._episodes: dict[EpisodeKey, Episode] = {}
        self._messages: dict[str, NewMessage] = {}
        self._decisions: dict[tuple[RunRef, int, str], Decision] = {}
        self._mutes = {_mute_key(mute): mute for mute in view.mutes}

    def changes(self) -> PollChanges:
        known = set(self._view.mutes)
        return PollChanges(
            tuple(self._snapshots.values()),
            tuple(self._episodes.values()),
            tuple(self._messages.values()),
            tuple(self._decisions.values()),
            tuple(mute for mute in self._mutes.values() if mute not in known),
        )

    def take(self, run: Run) -> None:
        before = self._snapshots.get(run.ref) or self._view.snapshots.get(run.ref)
        change = compare(before, run, now=self._now, runs_reopen=self._spec.runs_reopen)
        if change.snapshot != before:
            self._snapshots[run.ref] = change.snapshot
        if run.is_private:
            return
        if change.is_ended_now:
            self._past.add(run)
            for audience in self._audiences(run):
                self._tell(audience, change)
        elif change.reason is Reason.NOT_OVER:
            self._under_way(change, is_new=before is None or before.run.status != run.status)
        elif change.reason is Reason.SAME_END:
            for audience in self._audiences(run):
                self._refresh(audience.channel, change)

    # Who hears it

    def _audiences(self, run: Run) -> list[_Audience]:
        found: dict[str, list[Watch]] = {}
        for watch in self._view.watches:
            if watch.suspended_because is None and _hears(watch, run):
                found.setdefault(watch.channel, []).append(watch)
        return [_Audience(channel, tuple(watches)) for channel, watches in found.items()]

    def _tell(self, audience: _Audience, change: Change) -> None:
        """Says in one channel that a run has ended, as its watches there want it."""
        live = tuple(w for w in audience.watches if not is_before_watch(change, w.since))
        if not live:
            self._note(audience, change, Treatment.OLD)
            return
        audience = replace(audience, watches=live)
        if change.reason in NEWS_OF_FAILURE:
            audience = replace(audience, is_muted=self._is_muted(audience.channel, change))
            self._tell_failure(audience, change)
        elif change.reason is Reason.PASSED:
            audience = replace(audience, is_muted=self._is_quiet(audience.channel, change))
            self._tell_pass(audience, change)
        else:
            self._tell_end(audience, change)

    def _tell_failure(self, audience: _Audience, change: Change) -> None:
        if Preset.CHANGES in audience.presets:
            self._failed(audience, change)
        elif audience.is_muted:
            self._note(audience, change, Treatment.MUTED)
        else:
            self._alone(audience, change)

    def _tell_pass(self, audience: _Audience, change: Change) -> None:
        """One run, one message: a fix that a card tells is not posted by itself as well."""
        is_told = Preset.CHANGES in audience.presets and self._passed(audience, change)
        if not is_told:
            self._tell_end(audience, change)

    def _tell_end(self, audience: _Audience, change: Change) -> None:
        self._refresh(audience.channel, change)
        if audience.is_muted:
            self._note(audience, change, Treatment.MUTED)
        elif Preset.ALL in audience.presets:
            self._alone(audience, change)
        elif change.reason is Reason.PASSED and Preset.CHANGES in audience.presets:
            self._note(audience, change, Treatment.NOTHING_RED)
        else:
            self._note(audience, change, Treatment.NOT_ASKED)

    # Mutes

    def _is_muted(self, channel: str, change: Change) -> bool:
        """Whether a mute keeps this failure quiet; another one than the muted wakes it up."""
        run, verdicts = change.snapshot.run, []
        for key, mute in self._mutes.items():
            if mute.channel == channel and mute.covers(run, self._now):
                self._mutes[key], is_quiet = mute.hear(run)
                verdicts.append(is_quiet)
        return any(verdicts)

    def _is_quiet(self, channel: str, change: Change) -> bool:
        run = change.snapshot.run
        return any(
            m.channel == channel and m.covers(run, self._now) and not m.is_awake_for(run)
            for m in self._mutes.values()
        )

    def _was_woken(self, channel: str, run: Run) -> bool:
        """Whether the run is posted because it fails otherwise than what is muted."""
        return any(
            m.channel == channel and m.covers(run, self._now) and m.is_awake_for(run)
            for m in self._mutes.values()
        )

    # What is said

    def _alone(self, audience: _Audience, change: Change, more: str = "") -> None:
        """A message of its own for one run that ended."""
        run = change.snapshot.run
        mention = self._mention(audience, run) if self._must_look(run) else None
        words = self._reason_words(audience.channel, change) + more
        body = AlertReply(run, words, mention, controls_of(run, self._spec))
        key = _key("run", audience.channel, change)
        self._say(NewMessage(audience.channel, key, Form.POST, body))
        self._note(audience, change, Treatment.ALONE, key)

    def _failed(self, audience: _Audience, change: Change) -> None:
        run = change.snapshot.run
        key = EpisodeKey(audience.channel, run.pipeline, run.branch)
        episode = self._open_episode(key)
        attempt = (run.ref, change.snapshot.attempt)
        if episode is not None and attempt in episode.failed:
            self._note(audience, change, Treatment.KNOWN)
        elif episode is not None:
            self._failed_again(audience, change, episode, attempt)
        elif audience.is_muted:
            self._note(audience, change, Treatment.MUTED)
        elif self._past.is_green_after(run):
            self._alone(audience, change, "; a later run has passed since")
        else:
            self._open(audience, change, key)

    def _open(self, audience: _Audience, change: Change, key: EpisodeKey) -> None:
        run = change.snapshot.run
        card_key = _key("card", audience.channel, change)
        episode = Episode(
            key,
            card_key,
            self._now,
            first_bad=run,
            latest=run,
            failed=((run.ref, change.snapshot.attempt),),
            last_green=self._past.last_green(run),
            opinion=judge(self._past.before(run), run),
        )
        self._episodes[key] = episode
        words = self._reason_words(audience.channel, change)
        body = card_of(episode, self._past, self._spec, words)
        body = replace(body, mention=self._mention(audience, run))
        self._say(NewMessage(audience.channel, card_key, Form.POST, body))
        self._note(audience, change, Treatment.CARD, card_key)

    def _failed_again(
        self, audience: _Audience, change: Change, episode: Episode, attempt: tuple[RunRef, int]
    ) -> None:
        run = change.snapshot.run
        is_other = _fails_otherwise(episode.latest, run)
        latest = max(episode.latest, run, key=age)
        episode = replace(episode, latest=latest, failed=(*episode.failed, attempt))
        words = self._reason_words(audience.channel, change)
        if audience.is_muted:
            self._edit(episode, words)
            self._note(audience, change, Treatment.MUTED)
            return
        mention = self._mention(audience, run) if is_other else None
        body = AlertReply(run, words, mention, controls_of(run, self._spec))
        self._reply(audience, change, episode, body)
        self._edit(episode, words)

    def _passed(self, audience: _Audience, change: Change) -> bool:
        """Whether the pass closed an episode."""
        run = change.snapshot.run
        episode = self._open_episode(EpisodeKey(audience.channel, run.pipeline, run.branch))
        if episode is None or not _is_fix(episode, run):
            return False
        episode = replace(episode, latest=run, fixed_at=run.finished or self._now)
        if audience.is_muted:
            self._edit(episode, "passed")
            self._note(audience, change, Treatment.EDIT, episode.card_key)
            return True
        body = AlertReply(
            run, fixed_words(episode), controls=controls_of(run, self._spec), word="fixed"
        )
        self._reply(audience, change, episode, body)
        self._edit(episode, "passed")
        return True

    def _reply(
        self, audience: _Audience, change: Change, episode: Episode, body: AlertReply
    ) -> None:
        watch = audience.with_preset(Preset.CHANGES)
        if watch is None or watch.thread is ThreadMode.OFF:
            self._note(audience, change, Treatment.EDIT, episode.card_key)
            return
        form = Form.BROADCAST if watch.thread is ThreadMode.BROADCAST else Form.REPLY
        key = _key("reply", audience.channel, change)
        self._say(NewMessage(audience.channel, key, form, body, episode.card_key))
        self._note(audience, change, Treatment.REPLY, key)

    def _under_way(self, change: Change, *, is_new: bool) -> None:
        run = change.snapshot.run
        audiences = self._audiences(run)
        if is_new:
            for audience in audiences:
                self._refresh(audience.channel, change)
        so_far = overdue_by(run, self._view.durations(run), self._now) if audiences else None
        if so_far is not None and not change.snapshot.is_overdue:
            self._snapshots[run.ref] = replace(change.snapshot, is_overdue=True)
            for audience in audiences:
                self._overdue(audience, change)

    def _overdue(self, audience: _Audience, change: Change) -> None:
        """Once per run, where a watch did not switch it off and no mute asks for quiet."""
        run = change.snapshot.run
        longest = usual_longest(self._view.durations(run))
        is_wanted = any(watch.tells_overdue for watch in audience.watches)
        if longest is None or not is_wanted or self._is_quiet(audience.channel, change):
            return
        words = overdue_words(run, longest, self._now)
        body = AlertReply(run, words, controls=controls_of(run, self._spec), word="overdue")
        key = _key("overdue", audience.channel, change)
        self._say(NewMessage(audience.channel, key, Form.POST, body))

    def _refresh(self, channel: str, change: Change) -> None:
        """An open card shows that a newer run is under way, or has ended without a verdict."""
        run = change.snapshot.run
        episode = self._open_episode(EpisodeKey(channel, run.pipeline, run.branch))
        if episode is not None and _is_fix(episode, run):
            self._edit(episode, "failed", underway=None if run.is_over else run)

    def _edit(self, episode: Episode, words: str, underway: Run | None = None) -> None:
        self._episodes[episode.key] = episode
        body = card_of(episode, self._past, self._spec, words, underway)
        key = f"edit {episode.card_key}"
        self._say(NewMessage(episode.key.channel, key, Form.EDIT, body, episode.card_key))

    def _open_episode(self, key: EpisodeKey) -> Episode | None:
        episode = self._episodes.get(key) or self._view.episodes.get(key)
        return episode if episode is not None and episode.fixed_at is None else None

    # Words and notes

    def _reason_words(self, channel: str, change: Change) -> str:
        run = change.snapshot.run
        if run.status.is_failure and self._was_woken(channel, run):
            return f"{change.reason}, otherwise than what is muted: the mute is over for it"
        return str(change.reason)

    def _mention(self, audience: _Audience, run: Run) -> str | None:
        """Whom to call for a failure; never the one who had the run started."""
        who = next((watch.mention for watch in audience.watches if watch.mention), None)
        return None if who is None or self._view.asked_by(run.ref) == who else who

    def _must_look(self, run: Run) -> bool:
        """A first failure, or one of another step: what a person must look at."""
        if not run.status.is_failure:
            return False
        before = self._past.before(run)
        last = max(before, key=age, default=None)
        return last is None or not last.status.is_failure or _fails_otherwise(last, run)

    def _say(self, message: NewMessage) -> None:
        self._messages[message.key] = message

    def _note(
        self,
        audience: _Audience,
        change: Change,
        treatment: Treatment,
        message_key: str | None = None,
    ) -> None:
        ref, attempt = change.snapshot.run.ref, change.snapshot.attempt
        self._decisions[ref, attempt, audience.channel] = Decision(
            audience.channel,
            ref,
            attempt,
            audience.watches[0].watch_id,
            change.reason,
            treatment,
            self._now,
            message_key,
        )


def _hears(watch: Watch, run: Run) -> bool:
    is_sequel = watch.preset is Preset.CHANGES and not run.status.is_failure
    return watch.follows(run) if is_sequel else watch.wants(run)


def _is_fix(episode: Episode, run: Run) -> bool:
    """A pass counts when the run is not older than the newest failure, or is that run again."""
    return run.ref == episode.latest.ref or age(run) >= age(episode.latest)


def _fails_otherwise(before: Run, run: Run) -> bool:
    steps = (before.failed_step, run.failed_step)
    return None not in steps and steps[0] != steps[1]


def _mute_key(mute: Mute) -> tuple[object, ...]:
    return (mute.channel, mute.pattern, mute.branch)


def _key(kind: str, channel: str, change: Change) -> str:
    return f"{kind} {channel} {change.snapshot.run.ref} {change.snapshot.attempt}"
