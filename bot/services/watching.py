"""The watch commands: what a channel wants to hear about."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase

from bot.domain.chat import Asker
from bot.domain.clock import Clock, Deadline
from bot.domain.errors import ConfigError, ProviderError, UserError
from bot.domain.intents import AddWatch, MuteWatch, RemoveWatch, UnmuteWatch
from bot.domain.mutes import KnownFailure, Mute, fingerprint
from bot.domain.pipelines import Pattern
from bot.domain.replies import Answer, MuteSet, Notice, WatchAdded, WatchList
from bot.domain.runs import Run
from bot.domain.store import Store
from bot.domain.watches import Watch, run_passes
from bot.services.choices import Choices
from bot.services.fleet import Fleet

DEADLINE_S = 6.0
_TWICE = timedelta(seconds=60)
"""A mute that would last no longer than that beyond the one there is: a second press."""


class Watching:
    """Thread-safe. `on_change` is told when sources may have to be polled or left alone."""

    def __init__(
        self,
        fleet: Fleet,
        store: Store,
        choices: Choices,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self._fleet = fleet
        self._store = store
        self._choices = choices
        self._clock = clock
        self._on_change = on_change

    def add(self, intent: AddWatch, asker: Asker) -> Answer:
        """Stores the watch and tells how its pipeline stands right now."""
        deadline = Deadline.after(self._clock, DEADLINE_S)
        pattern = self._pattern(intent.pattern, deadline)
        notes = self._unseen(pattern)
        self._store.resume_channel(asker.channel)
        watch = self._store.add_watch(
            Watch(
                channel=asker.channel,
                pattern=pattern,
                made_by=asker.user_id,
                since=self._clock.now(),
                filters=intent.filters,
                preset=intent.preset,
                thread=intent.thread,
                mention=intent.mention,
                tells_overdue=intent.tells_overdue,
            )
        )
        self._on_change()
        return Answer(WatchAdded(watch, self._newest(watch, deadline), notes))

    def resume(self, asker: Asker) -> Answer:
        """Said in the channel; what failed meanwhile is counted there after the next look."""
        resumed = self._store.resume_channel(asker.channel)
        if not resumed:
            raise UserError("no watch is suspended here.", maybe=("/watch list",))
        self._on_change()
        names = ", ".join(dict.fromkeys(str(watch.pattern) for watch in resumed))
        return Answer(Notice(f"I post about {names} here again.", "done"), is_shared=True)

    def list(self, asker: Asker) -> Answer:
        """Every watch with its state, and the mutes that are not about a whole watch."""
        now = self._clock.now()
        mutes = [mute for mute in self._store.mutes(asker.channel) if mute.until > now]
        whole = {mute.pattern: mute for mute in mutes if mute.branch is None}
        watches = tuple(
            replace(w, muted_until=mute.until, muted_because=mute.because or None)
            if (mute := whole.get(w.pattern))
            else w
            for w in self._store.watches(asker.channel)
        )
        patterns = {watch.pattern for watch in watches}
        others = (m for m in mutes if m.branch is not None or m.pattern not in patterns)
        return Answer(WatchList(asker.channel, watches, tuple(others)))

    def remove(self, intent: RemoveWatch, asker: Asker) -> Answer:
        """Ends one watch of this channel, by its number in the list or by its pattern."""
        watches = self._store.watches(asker.channel)
        found = pick(watches, intent.which)
        self._store.remove_watch(found.watch_id)
        self._on_change()
        note = ""
        if found.made_by == "settings":
            note = " It is part of the bot's settings and comes back at the next start."
        return Answer(Notice(f"I no longer post about {found.pattern} here.{note}", "done"))

    def mute(self, intent: MuteWatch, asker: Asker) -> Answer:
        """Keeps a pipeline quiet here for a while; what is red now is what is kept quiet."""
        deadline = Deadline.after(self._clock, DEADLINE_S)
        pattern = self._watched(intent.pattern, asker) or self._pattern(intent.pattern, deadline)
        now = self._clock.now()
        mute = Mute(
            asker.channel,
            pattern,
            now + intent.duration,
            asker.user_id,
            branch=intent.branch,
            because=intent.reason,
        )
        old = next((m for m in self._store.mutes(asker.channel) if _is_same(m, mute)), None)
        if old is not None and old.made_by == mute.made_by and mute.until - old.until < _TWICE:
            return Answer(MuteSet(old, is_new=False))
        red = (episode.latest for episode in self._store.open_episodes(asker.channel))
        known = tuple(
            KnownFailure(run.pipeline, run.branch, fingerprint(run))
            for run in red
            if mute.covers(run, now)
        )
        mute = replace(mute, known=known)
        self._store.set_mute(mute)
        return Answer(MuteSet(mute), is_shared=True)

    def unmute(self, intent: UnmuteWatch, asker: Asker) -> Answer:
        """Ends all mutes of a pattern, whatever their branch."""
        named = Pattern.parse(intent.pattern) if intent.pattern != "*" else Pattern("*", "*")
        mutes = [m for m in self._store.mutes(asker.channel) if m.until > self._clock.now()]
        found = {m.pattern for m in mutes if m.pattern == named or m.pattern.key == intent.pattern}
        if not found:
            raise UserError(f"{intent.pattern} is not muted here.", maybe=("/watch list",))
        for pattern in found:
            self._store.remove_mutes(asker.channel, pattern)
        names = ", ".join(sorted(str(pattern) for pattern in found))
        words = f"{names} is no longer muted here; what is still red and untold follows."
        return Answer(Notice(words, "done"))

    def _watched(self, text: str, asker: Asker) -> Pattern | None:
        """A watch of this channel that is named exactly, whatever its vendor says today."""
        patterns = (watch.pattern for watch in self._store.watches(asker.channel))
        return next((p for p in patterns if text in {str(p), p.key}), None)

    def _pattern(self, text: str, deadline: Deadline) -> Pattern:
        """A glob as typed; a single pipeline under the key its vendor knows it by."""
        if text == "*":
            return Pattern("*", "*")
        pattern = Pattern.parse(text)
        if ":" in text and not any(fnmatchcase(n, pattern.instance) for n in self._fleet.names):
            self._fleet.get(pattern.instance)
        if pattern.is_glob:
            return pattern
        chosen = self._choices.pipeline(text, deadline)
        return Pattern(chosen.instance.name, chosen.pipeline.ref.key)

    def _unseen(self, pattern: Pattern) -> tuple[str, ...]:
        """Which instances of a glob cannot list what it names, and why."""
        notes = []
        has_source = False
        for one in self._fleet:
            if not fnmatchcase(one.name, pattern.instance):
                continue
            try:
                sources = one.provider.sources(pattern.key)
            except (ConfigError, UserError, ProviderError) as error:
                notes.append(f"{one.name}: {error.message}")
                continue
            has_source = has_source or bool(sources)
            if not sources:
                notes.append(
                    f"{one.name} lists nothing by itself; watch one of its pipelines by name "
                    f"({one.spec.pipeline_form})."
                )
        if not has_source:
            raise UserError(
                " ".join(notes) or "no configured provider shows that.",
                help_command="/runs pipelines",
            )
        return tuple(notes)

    def _newest(self, watch: Watch, deadline: Deadline) -> Run | None:
        """The newest run that the watch is about; None when none is known or none is told."""
        if watch.pattern.is_glob:
            return None
        one = self._fleet.get(watch.pattern.instance)
        try:
            runs = one.ask(lambda p: p.recent(watch.pattern.key, 20, deadline), deadline)
        except ProviderError:
            return None
        return next((run for run in runs if run_passes(run, watch.filters)), None)


def _is_same(old: Mute, new: Mute) -> bool:
    return (old.pattern, old.branch, old.because) == (new.pattern, new.branch, new.because)


def pick(watches: tuple[Watch, ...], which: str) -> Watch:
    if which.lstrip("#").isdigit():
        number = int(which.lstrip("#"))
        if 1 <= number <= len(watches):
            return watches[number - 1]
        raise UserError(f"this channel has {len(watches)} watches.", maybe=("/watch list",))
    found = [w for w in watches if which in {str(w.pattern), w.pattern.key}]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            f"{len(found)} watches are about {which}; name one by its number.",
            maybe=("/watch list",),
        )
    raise UserError(f"this channel does not watch {which}.", maybe=("/watch list",))
