"""The watch commands: what a channel wants to hear about."""

from collections.abc import Callable
from fnmatch import fnmatchcase

from bot.domain.chat import Asker
from bot.domain.clock import Clock, Deadline
from bot.domain.errors import ConfigError, ProviderError, UserError
from bot.domain.intents import AddWatch, RemoveWatch
from bot.domain.pipelines import Pattern
from bot.domain.replies import Answer, Notice, WatchAdded, WatchList
from bot.domain.runs import Run
from bot.domain.store import Store
from bot.domain.watches import Watch, run_passes
from bot.services.choices import Choices
from bot.services.fleet import Fleet

DEADLINE_S = 6.0


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
            )
        )
        self._store.resume_channel(asker.channel)
        self._on_change()
        return Answer(WatchAdded(watch, self._newest(watch, deadline), notes))

    def list(self, asker: Asker) -> Answer:
        return Answer(WatchList(asker.channel, self._store.watches(asker.channel)))

    def remove(self, intent: RemoveWatch, asker: Asker) -> Answer:
        """Ends one watch of this channel, by its number in the list or by its pattern."""
        watches = self._store.watches(asker.channel)
        found = _pick(watches, intent.which)
        self._store.remove_watch(found.watch_id)
        self._on_change()
        note = ""
        if found.made_by == "settings":
            note = " It is part of the bot's settings and comes back at the next start."
        return Answer(Notice(f"I no longer post about {found.pattern} here.{note}", "done"))

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


def _pick(watches: tuple[Watch, ...], which: str) -> Watch:
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
