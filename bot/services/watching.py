"""The watch commands: what a channel wants to hear about."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from bot.domain.chat import Asker
from bot.domain.clock import Clock, Deadline
from bot.domain.errors import ProviderError, UserError
from bot.domain.intents import AddWatch, MuteWatch, RemoveWatch, UnmuteWatch
from bot.domain.mutes import KnownFailure, Mute, fingerprint
from bot.domain.pipelines import Pattern
from bot.domain.replies import (
    Answer,
    MuteEnded,
    MuteSet,
    Notice,
    OutOfSight,
    WatchAdded,
    WatchList,
    WatchState,
)
from bot.domain.runs import Run
from bot.domain.sights import Blindness
from bot.domain.store import Store
from bot.domain.watches import Watch, run_passes
from bot.services.farewells import farewell
from bot.services.fleet import Fleet, nearest
from bot.services.patterns import Patterns, among
from bot.services.poller import sources_of

DEADLINE_S = 6.0
_TWICE = timedelta(seconds=60)
"""A mute that would last no longer than that beyond the one there is: a second press."""


class Watching:
    """Thread-safe. `on_change` is told when sources may have to be polled or left alone."""

    def __init__(
        self,
        fleet: Fleet,
        store: Store,
        patterns: Patterns,
        clock: Clock,
        on_change: Callable[[], None],
    ) -> None:
        self._fleet = fleet
        self._store = store
        self._patterns = patterns
        self._clock = clock
        self._on_change = on_change

    def add(self, intent: AddWatch, asker: Asker) -> Answer:
        """Stores the watch, or changes those options that were typed if it is there already, and
        tells how its pipeline stands right now.
        """
        deadline = self._deadline()
        pattern = self._patterns.named(intent.pattern, deadline)
        notes = self._patterns.remarks(pattern, deadline)
        self._store.resume_channel(asker.channel)
        wish = Watch(
            asker.channel, pattern, asker.user_id, self._clock.now(), filters=intent.filters
        )
        watches = self._store.watches(asker.channel)
        before = next((one for one in watches if one.is_same_wish(wish)), None)
        watch = self._store.add_watch(_as_typed(intent, before or wish, asker))
        self._store.close_unwatched(farewell, asker.channel)
        self._on_change()
        newest, remark = self._newest(watch, deadline)
        return Answer(WatchAdded(watch, newest, (*notes, *remark), before))

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
        watches = self._store.watches(asker.channel)
        blind = self._store.blindnesses()
        states = tuple(
            WatchState(w, whole.get(w.pattern), tuple(self._unseen(w, blind))) for w in watches
        )
        patterns = {watch.pattern for watch in watches}
        others = (m for m in mutes if m.branch is not None or m.pattern not in patterns)
        return Answer(WatchList(asker.channel, states, tuple(others)))

    def remove(self, intent: RemoveWatch, asker: Asker) -> Answer:
        """Ends one watch of this channel, by its number in the list or by its pattern. The cards
        that no other watch goes on with say so.
        """
        watches = self._store.watches(asker.channel)
        found = self._patterns.pick(watches, intent.which, self._deadline())
        if found is None:
            names = {str(watch.pattern) for watch in watches}
            raise UserError(
                f"this channel does not watch {intent.which}.",
                maybe=(*nearest(intent.which, names), "/watch list"),
                instead_of=intent.which,
            )
        self._store.remove_watch(found.watch_id)
        self._store.close_unwatched(farewell, asker.channel)
        self._on_change()
        note = ""
        if found.made_by == "settings":
            note = " It is part of the bot's settings and comes back at the next start."
        return Answer(Notice(f"I no longer post about {found.pattern} here.{note}", "done"))

    def mute(self, intent: MuteWatch, asker: Asker) -> Answer:
        """Keeps a pipeline quiet here for a while; what is red now is what is kept quiet. What is
        watched or red here is known, whatever its vendor says.
        """
        red = [episode.latest for episode in self._store.open_episodes(asker.channel)]
        here = {watch.pattern for watch in self._store.watches(asker.channel)}
        here |= {Pattern(run.pipeline.instance, run.pipeline.key) for run in red}
        pattern = among(here, intent.pattern) or self._patterns.named(
            intent.pattern, self._deadline()
        )
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
        known = tuple(
            KnownFailure(run.pipeline, run.branch, fingerprint(run))
            for run in red
            if mute.covers(run, now)
        )
        mute = replace(mute, known=known)
        self._store.set_mute(mute)
        return Answer(MuteSet(mute), is_shared=True)

    def unmute(self, intent: UnmuteWatch, asker: Asker) -> Answer:
        """Ends the mutes of a pattern: that of one branch, or all of them. Said in the channel,
        as the mute was.
        """
        mutes = [m for m in self._store.mutes(asker.channel) if m.until > self._clock.now()]
        muted = {mute.pattern for mute in mutes}
        pattern = self._patterns.one_of(muted, intent.pattern, self._deadline())
        of_it = [mute for mute in mutes if mute.pattern == pattern]
        ended = tuple(m for m in of_it if intent.branch is None or m.branch == intent.branch)
        if not ended:
            raise _not_muted(intent, of_it or mutes, is_other_branch=bool(of_it))
        self._store.remove_mutes(ended)
        return Answer(MuteEnded(ended, asker.user_id), is_shared=True)

    def _deadline(self) -> Deadline:
        return Deadline.after(self._clock, DEADLINE_S)

    def _unseen(self, watch: Watch, blind: Iterable[Blindness]) -> Iterator[OutOfSight]:
        """What a watch needs and nobody can see."""
        for one in blind:
            instance = self._fleet.find(one.key.instance)
            keys = sources_of(instance, watch.pattern) if instance else ()
            if any(one.key.source in {"", key.source} for key in keys):
                part = f" ({one.key.source})" if one.key.source else ""
                yield OutOfSight(f"{one.key.instance}{part}", one.since, one.why)

    def _newest(self, watch: Watch, deadline: Deadline) -> tuple[Run | None, tuple[str, ...]]:
        """The newest run that the watch of a single pipeline is about, where its vendor tells;
        a remark if there is none.
        """
        if watch.pattern.is_glob:
            return None, ()
        one = self._fleet.get(watch.pattern.instance)
        try:
            runs = one.ask(lambda p: p.recent(watch.pattern.key, 20, deadline), deadline)
        except ProviderError:
            return None, ()
        newest = next((run for run in runs if run_passes(run, watch.filters)), None)
        return newest, () if newest else ("no such run is known yet",)


def _as_typed(intent: AddWatch, kept: Watch, asker: Asker) -> Watch:
    """A watch with the options of an intent; what was not typed stays."""
    is_told = intent.tells_overdue
    return replace(
        kept,
        made_by=asker.user_id,
        filters=intent.filters,
        preset=intent.preset or kept.preset,
        thread=intent.thread or kept.thread,
        mention=kept.mention if intent.mention is None else intent.mention or None,
        tells_overdue=kept.tells_overdue if is_told is None else is_told,
    )


def _is_same(old: Mute, new: Mute) -> bool:
    return (old.pattern, old.branch, old.because) == (new.pattern, new.branch, new.because)


def _not_muted(intent: UnmuteWatch, muted: Iterable[Mute], *, is_other_branch: bool) -> UserError:
    """Offers what is muted; a mute of every branch cannot be ended for one of them."""
    names = [str(mute.pattern) for mute in muted]
    if is_other_branch:
        commands = (_unmuting(mute) for mute in muted)
        what = f"{names[0]} on {intent.branch} is not muted by itself here."
        return UserError(what, maybe=(*dict.fromkeys(commands), "/watch list"))
    maybe = (*nearest(intent.pattern, set(names)), "/watch list")
    return UserError(f"{intent.pattern} is not muted here.", maybe=maybe, instead_of=intent.pattern)


def _unmuting(mute: Mute) -> str:
    return f"/watch unmute {mute.pattern}{f' branch={mute.branch}' if mute.branch else ''}"
