"""What one poll leads to, as it builds up run by run."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.decisions import Decision, Treatment
from bot.domain.episodes import Episode, EpisodeKey
from bot.domain.outbox import NewMessage
from bot.domain.polls import PollChanges, PollView
from bot.domain.providers import ProviderSpec
from bot.domain.runs import Run, RunRef
from bot.domain.transitions import Change, Snapshot
from bot.domain.watches import Preset, Watch
from bot.services.alert_mutes import Mutes
from bot.services.past import Past


@dataclass(frozen=True, slots=True)
class Audience:
    """One channel, and its watches that want to hear of a run. `is_muted` keeps it quiet."""

    channel: str
    watches: tuple[Watch, ...]
    is_muted: bool = False

    @property
    def presets(self) -> set[Preset]:
        return {watch.preset for watch in self.watches}

    @property
    def mention(self) -> str | None:
        return next((watch.mention for watch in self.watches if watch.mention), None)

    def with_preset(self, preset: Preset) -> Watch | None:
        return next((w for w in self.watches if w.preset is preset), None)


class Draft:
    """Holds what was stored, and on top of it what is to be: the newest of each wins."""

    def __init__(self, view: PollView, spec: ProviderSpec, now: datetime, steady: datetime) -> None:
        self.view = view
        self.spec = spec
        self.now = now
        self.steady = steady
        self.past = Past(view.history)
        self.mutes = Mutes(view.mutes, now)
        self._snapshots: dict[RunRef, Snapshot] = {}
        self._episodes: dict[EpisodeKey, Episode] = {}
        self._over: list[Episode] = []
        self._messages: dict[str, NewMessage] = {}
        self._decisions: dict[tuple[RunRef, int, str], Decision] = {}

    def changes(self) -> PollChanges:
        return PollChanges(
            tuple(self._snapshots.values()),
            (*self._over, *self._episodes.values()),
            tuple(self._messages.values()),
            tuple(self._decisions.values()),
            self.mutes.changed(),
        )

    def snapshot(self, ref: RunRef) -> Snapshot | None:
        return self._snapshots.get(ref) or self.view.snapshots.get(ref)

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        self._snapshots[snapshot.run.ref] = snapshot

    def open_episode(self, channel: str, run: Run) -> Episode | None:
        key = EpisodeKey(channel, run.pipeline, run.branch)
        episode = self._episodes.get(key) or self.view.episodes.get(key)
        return episode if episode is not None and episode.fixed_at is None else None

    def held_back(self) -> list[Episode]:
        """The episodes that have no card yet, because a mute kept it back."""
        known = {**self.view.episodes, **self._episodes}
        return [one for one in known.values() if one.fixed_at is None and not one.is_told]

    def keep_episode(self, episode: Episode) -> None:
        """The newest state of an episode; one that it follows stays as it was left."""
        before = self._episodes.get(episode.key)
        if before is not None and before.card_key != episode.card_key:
            self._over.append(before)
        self._episodes[episode.key] = episode

    def say(self, message: NewMessage) -> None:
        self._messages[message.key] = message

    def note(
        self, audience: Audience, change: Change, treatment: Treatment, key: str | None = None
    ) -> None:
        """What became of a run in a channel, and by which message."""
        run, attempt = change.snapshot.run, change.snapshot.attempt
        ref, is_muted = run.ref, treatment is Treatment.MUTED
        mute = self.mutes.quiet_one(audience.channel, run) if is_muted else None
        self._decisions[ref, attempt, audience.channel] = Decision(
            audience.channel,
            ref,
            attempt,
            audience.watches[0].watch_id,
            change.reason,
            treatment,
            self.now,
            key,
            None if mute is None else replace(mute, known=()),
        )


def message_key(kind: str, channel: str, change: Change) -> str:
    return f"{kind} {channel} {change.snapshot.run.ref} {change.snapshot.attempt}"
