"""From one poll's readings to what is stored and said: the pure heart of the poller."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.outbox import Form, NewMessage
from bot.domain.polls import PollChanges, PollView
from bot.domain.providers import ProviderSpec
from bot.domain.replies import AlertCard, AlertReply, HistoryMark
from bot.domain.runs import Run, RunRef
from bot.domain.statuses import Status
from bot.domain.transitions import (
    NEWS_OF_FAILURE,
    Change,
    Reason,
    Snapshot,
    compare,
    is_before_watch,
)
from bot.domain.watches import Preset, ThreadMode, Watch
from bot.services.controls import controls_of

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def decide(view: PollView, runs: Iterable[Run], spec: ProviderSpec, now: datetime) -> PollChanges:
    """Compares what was read with what is stored. Oldest runs first, so that a fix that came
    after a failure is told after it.
    """
    verdict = _Verdict(view, spec, now)
    for run in sorted(runs, key=_age):
        verdict.take(run)
    return verdict.changes()


def _age(run: Run) -> tuple[datetime, RunRef]:
    return (run.when or _LONG_AGO, run.ref)


class _Verdict:
    """What one poll leads to, as it builds up run by run."""

    def __init__(self, view: PollView, spec: ProviderSpec, now: datetime) -> None:
        self._view = view
        self._spec = spec
        self._now = now
        self._snapshots: dict[RunRef, Snapshot] = {}
        self._episodes: dict[EpisodeKey, Episode] = {}
        self._messages: dict[str, NewMessage] = {}

    def changes(self) -> PollChanges:
        return PollChanges(
            tuple(self._snapshots.values()),
            tuple(self._episodes.values()),
            tuple(self._messages.values()),
        )

    def take(self, run: Run) -> None:
        before = self._snapshots.get(run.ref) or self._view.snapshots.get(run.ref)
        change = compare(before, run, now=self._now, runs_reopen=self._spec.runs_reopen)
        if change.snapshot != before:
            self._snapshots[run.ref] = change.snapshot
        if change.is_ended_now and not run.is_private:
            for channel, watches in _by_channel(self._view.watches, run).items():
                self._tell(channel, watches, change)

    def _tell(self, channel: str, watches: Sequence[Watch], change: Change) -> None:
        """Says in one channel that a run has ended, as its watches there want it."""
        live = [w for w in watches if not is_before_watch(change, w.since)]
        if not live:
            return
        presets = {watch.preset for watch in live}
        if change.reason in NEWS_OF_FAILURE:
            if Preset.CHANGES in presets:
                watch = next(w for w in live if w.preset is Preset.CHANGES)
                self._failed(channel, watch, change)
            else:
                self._by_itself(channel, live[0], change)
            return
        if change.reason is Reason.PASSED and Preset.CHANGES in presets:
            self._passed(channel, live, change)
        if Preset.ALL in presets:
            self._by_itself(channel, next(w for w in live if w.preset is Preset.ALL), change)

    def _by_itself(self, channel: str, watch: Watch, change: Change) -> None:
        """A message of its own for one run that ended."""
        run = change.snapshot.run
        body = AlertReply(
            run, str(change.reason), _mention(watch, run), controls_of(run, self._spec)
        )
        self._say(NewMessage(channel, _key("run", channel, change), Form.POST, body))

    def _failed(self, channel: str, watch: Watch, change: Change) -> None:
        run = change.snapshot.run
        key = EpisodeKey(channel, run.pipeline, run.branch)
        attempt = (run.ref, change.snapshot.attempt)
        episode = self._open_episode(key)
        if episode is None:
            card_key = _key("card", channel, change)
            episode = Episode(key, card_key, self._now, run, run, (attempt,), self._last_green(run))
            self._episodes[key] = episode
            self._say(NewMessage(channel, card_key, Form.POST, self._card(episode, change, watch)))
            return
        if attempt in episode.failed:
            return
        latest = max(episode.latest, run, key=_age)
        episode = replace(episode, latest=latest, failed=(*episode.failed, attempt))
        self._episodes[key] = episode
        self._reply(episode, watch, change)
        self._edit(episode, change, watch)

    def _passed(self, channel: str, watches: Sequence[Watch], change: Change) -> None:
        run = change.snapshot.run
        episode = self._open_episode(EpisodeKey(channel, run.pipeline, run.branch))
        if episode is None or not _is_fix(episode, run):
            return
        watch = next(w for w in watches if w.preset is Preset.CHANGES)
        episode = replace(episode, latest=run, fixed_at=run.finished or self._now)
        self._episodes[episode.key] = episode
        self._reply(episode, watch, change)
        self._edit(episode, change, watch)

    def _open_episode(self, key: EpisodeKey) -> Episode | None:
        episode = self._episodes.get(key) or self._view.episodes.get(key)
        return episode if episode is not None and episode.fixed_at is None else None

    def _reply(self, episode: Episode, watch: Watch, change: Change) -> None:
        if watch.thread is ThreadMode.OFF:
            return
        form = Form.BROADCAST if watch.thread is ThreadMode.BROADCAST else Form.REPLY
        run = change.snapshot.run
        channel = episode.key.channel
        mention = _mention(watch, run) if run.status.is_failure else None
        words = "fixed" if run.status is Status.PASSED else str(change.reason)
        body = AlertReply(run, words, mention, controls_of(run, self._spec))
        key = _key("reply", channel, change)
        self._say(NewMessage(channel, key, form, body, episode.card_key))

    def _edit(self, episode: Episode, change: Change, watch: Watch) -> None:
        body = self._card(episode, change, watch)
        key = f"edit {episode.card_key}"
        self._say(NewMessage(episode.key.channel, key, Form.EDIT, body, episode.card_key))

    def _say(self, message: NewMessage) -> None:
        self._messages[message.key] = message

    def _card(self, episode: Episode, change: Change, watch: Watch) -> AlertCard:
        latest = episode.latest
        fixed_after = episode.fixed_at - episode.opened_at if episode.fixed_at else None
        return AlertCard(
            pipeline=episode.key.pipeline,
            branch=episode.key.branch,
            latest=latest,
            reason=str(change.reason),
            failures=len(episode.failed),
            first_bad=episode.first_bad,
            last_green=episode.last_green,
            strip=self._strip(change.snapshot.run),
            fixed_after=fixed_after,
            is_fixed=episode.fixed_at is not None,
            mention=_mention(watch, latest),
            controls=controls_of(latest, self._spec),
        )

    def _strip(self, run: Run) -> tuple[HistoryMark, ...]:
        """The last 20 runs that are over, oldest first, this one included."""
        known = {r.ref: r for r in self._view.history(run)} | {run.ref: run}
        newest = sorted(known.values(), key=_age)[-20:]
        return tuple(HistoryMark(r.status, r.ref) for r in newest)

    def _last_green(self, run: Run) -> Run | None:
        greens = (r for r in self._view.history(run) if r.status is Status.PASSED)
        return next((r for r in greens if _age(r) <= _age(run)), None)


def _by_channel(watches: Iterable[Watch], run: Run) -> dict[str, list[Watch]]:
    found: dict[str, list[Watch]] = {}
    for watch in watches:
        if watch.suspended_because is None and watch.wants(run):
            found.setdefault(watch.channel, []).append(watch)
    return found


def _is_fix(episode: Episode, run: Run) -> bool:
    """A pass counts when the run is not older than the newest failure, or is that run again."""
    return run.ref == episode.latest.ref or _age(run) >= _age(episode.latest)


def _mention(watch: Watch, run: Run) -> str | None:
    return watch.mention if run.status.is_failure else None


def _key(kind: str, channel: str, change: Change) -> str:
    return f"{kind} {channel} {change.snapshot.run.ref} {change.snapshot.attempt}"
