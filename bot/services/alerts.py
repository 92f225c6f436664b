"""From one poll's readings to what is stored and said: the pure heart of the poller."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from bot.domain.decisions import Treatment
from bot.domain.overdue import overdue_by
from bot.domain.polls import PollChanges, PollView
from bot.domain.providers import ProviderSpec
from bot.domain.runs import Run
from bot.domain.transitions import NEWS_OF_FAILURE, Change, Reason, compare, is_before_watch
from bot.domain.watches import Preset, Watch
from bot.services.alert_draft import Audience, Draft
from bot.services.alert_episodes import Episodes
from bot.services.alert_posts import Posts
from bot.services.past import age


def decide(
    view: PollView,
    runs: Iterable[Run],
    spec: ProviderSpec,
    now: datetime,
    steady: datetime | None = None,
) -> PollChanges:
    """Compares what was read with what is stored. Oldest runs first, so that a fix that came
    after a failure is told after it. `steady` is the time by which a run may be overdue.
    """
    draft = Draft(view, spec, now, steady or now)
    alerts = _Alerts(draft)
    for run in sorted(runs, key=age):
        alerts.take(run)
    alerts.catch_up()
    return draft.changes()


class _Alerts:
    """Who hears of a run, and in which form."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._posts = Posts(draft)
        self._episodes = Episodes(draft, self._posts)

    def take(self, run: Run) -> None:
        draft = self._draft
        before = draft.snapshot(run.ref)
        change = compare(before, run, now=draft.now, runs_reopen=draft.spec.runs_reopen)
        if change.snapshot != before:
            draft.keep_snapshot(change.snapshot)
        if run.is_private:
            return
        if change.is_ended_now:
            draft.past.add(run)
            for audience in self._audiences(run):
                self._tell(audience, change)
                if change.snapshot.is_overdue:
                    self._posts.end_overdue(audience, change)
        elif change.reason is Reason.NOT_OVER:
            self._under_way(change, is_new=before is None or before.run.status != run.status)
        elif change.reason is Reason.SAME_END:
            self._refresh(change)
        elif change.reason is Reason.NAMED:
            for audience in self._audiences(run):
                self._tell_named(audience, change)

    def catch_up(self) -> None:
        """Tells what a mute kept back, if the mute is over and it is still red."""
        draft = self._draft
        for episode in draft.held_back():
            snapshot = draft.snapshot(episode.latest.ref)
            if snapshot is None or not snapshot.run.status.is_failure:
                continue
            change = Change(snapshot, Reason.MUTE_OVER, is_ended_now=False)
            for audience in self._audiences(snapshot.run):
                is_here = audience.channel == episode.key.channel
                if is_here and not draft.mutes.keep_quiet(audience.channel, snapshot.run):
                    self._episodes.catch_up(audience, change, episode)

    def _audiences(self, run: Run) -> list[Audience]:
        found: dict[str, list[Watch]] = {}
        for watch in self._draft.view.watches:
            if watch.suspended_because is None and _hears(watch, run):
                found.setdefault(watch.channel, []).append(watch)
        return [Audience(channel, tuple(watches)) for channel, watches in found.items()]

    def _tell(self, audience: Audience, change: Change) -> None:
        """Says in one channel that a run has ended, as its watches there want it."""
        run, mutes = change.snapshot.run, self._draft.mutes
        live = tuple(w for w in audience.watches if not is_before_watch(change, w.since))
        if not live:
            self._draft.note(audience, change, Treatment.OLD)
            return
        audience = replace(audience, watches=live)
        if change.reason in NEWS_OF_FAILURE:
            is_muted = mutes.hear(audience.channel, run)
            self._tell_failure(replace(audience, is_muted=is_muted), change)
        elif change.reason is Reason.PASSED:
            is_muted = mutes.keep_quiet(audience.channel, run)
            self._tell_pass(replace(audience, is_muted=is_muted), change)
        else:
            self._tell_end(audience, change)

    def _tell_failure(self, audience: Audience, change: Change) -> None:
        if Preset.CHANGES in audience.presets:
            self._episodes.fail(audience, change)
        elif audience.is_muted:
            self._draft.note(audience, change, Treatment.MUTED)
        else:
            self._posts.post(audience, change)

    def _tell_named(self, audience: Audience, change: Change) -> None:
        """It became known what failed in a run that was told, or that a mute kept quiet: the mute
        may wake up now.
        """
        draft, channel, run = self._draft, audience.channel, change.snapshot.run
        if all(is_before_watch(change, watch.since) for watch in audience.watches):
            return
        is_woken = draft.mutes.keep_quiet(channel, run) and not draft.mutes.hear(channel, run)
        self._episodes.learn(channel, run)
        episode = draft.open_episode(channel, run)
        is_held_back = episode is not None and not episode.is_told
        if is_woken and not is_held_back and not draft.past.is_green_after(run):
            self._posts.post(audience, change)

    def _tell_pass(self, audience: Audience, change: Change) -> None:
        """One run, one message: a fix that a card tells is not posted by itself as well."""
        is_told = Preset.CHANGES in audience.presets and self._episodes.end(audience, change)
        if not is_told:
            self._tell_end(audience, change)

    def _tell_end(self, audience: Audience, change: Change) -> None:
        self._episodes.refresh(audience.channel, change)
        if audience.is_muted:
            self._draft.note(audience, change, Treatment.MUTED)
        elif Preset.ALL in audience.presets:
            self._posts.post(audience, change)
        elif change.reason is Reason.PASSED and Preset.CHANGES in audience.presets:
            self._draft.note(audience, change, Treatment.NOTHING_RED)
        else:
            self._draft.note(audience, change, Treatment.NOT_ASKED)

    def _refresh(self, change: Change) -> None:
        for audience in self._audiences(change.snapshot.run):
            self._episodes.refresh(audience.channel, change)

    def _under_way(self, change: Change, *, is_new: bool) -> None:
        draft, run = self._draft, change.snapshot.run
        if is_new:
            self._refresh(change)
        audiences = self._audiences(run)
        so_far = overdue_by(run, draft.view.durations(run), draft.steady) if audiences else None
        if so_far is not None and not change.snapshot.is_overdue:
            draft.keep_snapshot(replace(change.snapshot, is_overdue=True))
            for audience in audiences:
                self._posts.post_overdue(audience, change)


def _hears(watch: Watch, run: Run) -> bool:
    is_sequel = watch.preset is Preset.CHANGES and not run.status.is_failure
    return watch.follows(run) if is_sequel else watch.wants(run)
