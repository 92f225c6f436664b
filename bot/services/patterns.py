"""From what people name in a watch or a mute to a pattern. Nothing is guessed."""

from collections.abc import Collection
from fnmatch import fnmatchcase

from bot.domain.clock import Deadline
from bot.domain.errors import ConfigError, Kind, ProviderError, UserError
from bot.domain.pipelines import Pattern, PipelineRef
from bot.domain.watches import Watch
from bot.services.choices import Choices, which_one
from bot.services.fleet import Fleet, Instance, nearest
from bot.services.parallel import Parallel


class Patterns:
    """Thread-safe."""

    def __init__(self, fleet: Fleet, choices: Choices, parallel: Parallel) -> None:
        self._fleet = fleet
        self._choices = choices
        self._parallel = parallel

    def named(self, text: str, deadline: Deadline) -> Pattern:
        """A glob as typed; a single pipeline under the key its vendor knows it by, looked up
        wherever it may be. UserError if there is none, or more than one.
        """
        pattern = Pattern.parse(text)
        if ":" in text and not any(fnmatchcase(n, pattern.instance) for n in self._fleet.names):
            self._fleet.get(pattern.instance)
        if Pattern("", text).is_glob:
            return pattern
        ref = self._choices.pipeline(text, deadline).pipeline.ref
        return Pattern(ref.instance, ref.key)

    def one_of(
        self, patterns: Collection[Pattern], text: str, deadline: Deadline
    ) -> Pattern | None:
        """The one of these that people mean: as `among`, or by whatever else its vendor takes for
        its name.
        """
        found = among(patterns, text)
        if found or not patterns:
            return found
        try:
            named = self.named(text, deadline)
        except (UserError, ProviderError):
            return None
        return named if named in patterns else None

    def pick(self, watches: tuple[Watch, ...], which: str, deadline: Deadline) -> Watch | None:
        """The watch that is meant by its number in the list or by its pattern; None if no pattern
        fits. UserError if the number does not, or if several watches fit.
        """
        if which.lstrip("#").isdigit():
            return _by_number(watches, int(which.lstrip("#")))
        pattern = self.one_of({watch.pattern for watch in watches}, which, deadline)
        found = [watch for watch in watches if watch.pattern == pattern]
        if len(found) > 1:
            raise UserError(
                f"{len(found)} watches are about {which}; name one by its number.",
                maybe=("/watch list",),
            )
        return next(iter(found), None)

    def remarks(self, pattern: Pattern, deadline: Deadline) -> tuple[str, ...]:
        """What people should know of a pattern: which of the instances that it means cannot list
        what it names, and whether nothing matches it today. UserError if nobody can show it.
        """
        meant = [one for one in self._fleet if fnmatchcase(one.name, pattern.instance)]
        unlisted = {one.name: why for one in meant if (why := _why_unlisted(one, pattern.key))}
        listing = [one for one in meant if one.name not in unlisted]
        if not listing:
            raise UserError(
                "; ".join(unlisted.values()) or "no configured provider shows that.",
                help_command="/runs pipelines",
            )
        is_anywhere = pattern.instance == "*" and pattern.key != "*"
        return (
            *(() if is_anywhere else unlisted.values()),
            *self._unmatched(pattern, listing, deadline),
        )

    def _unmatched(
        self, pattern: Pattern, instances: Collection[Instance], deadline: Deadline
    ) -> tuple[str, ...]:
        """Says nothing where a vendor could not be asked."""
        if not pattern.is_glob or pattern.key == "*":
            return ()
        found, silent = self._parallel.ask(
            instances, lambda one: _matches(one, pattern, deadline), deadline
        )
        if silent or any(is_found for is_found, _ in found.values()):
            return ()
        refs = {ref.key: ref for _, others in found.values() for ref in others}
        near = ", ".join(str(refs[key]) for key in nearest(pattern.key, refs))
        return (f"nothing matches it today{f'; the nearest: {near}' if near else ''}",)


def _by_number(watches: tuple[Watch, ...], number: int) -> Watch:
    if 1 <= number <= len(watches):
        return watches[number - 1]
    raise UserError(
        f"there is no watch {number} here; this channel has {len(watches) or 'none'}: "
        "`/watch list`.",
        maybe=("/watch list",),
    )


def among(patterns: Collection[Pattern], text: str) -> Pattern | None:
    """The one of these that people mean by its full form, or by its key alone. UserError if
    several have that key.
    """
    exact = [one for one in patterns if text == str(one)]
    found = exact or sorted({one for one in patterns if text == one.key}, key=str)
    if len(found) > 1 and not exact:
        raise which_one(text, "pipeline", [str(one) for one in found])
    return next(iter(found), None)


def _why_unlisted(one: Instance, key: str) -> str:
    """Why no source shows what a key or glob names at an instance; empty if one does."""
    try:
        if one.provider.sources(key):
            return ""
        lists_others = bool(one.provider.sources("*"))
    except (ConfigError, UserError, ProviderError) as error:
        return f"{one.name}: {error.message}"
    if lists_others:
        return f"nothing that {one.name} lists is named like {key}"
    return (
        f"{one.name} lists nothing by itself; watch one of its pipelines by name "
        f"({one.spec.pipeline_form})"
    )


def _matches(
    one: Instance, pattern: Pattern, deadline: Deadline
) -> tuple[bool, tuple[PipelineRef, ...]]:
    """Whether a pipeline or a run matches today, and the pipelines that do not."""
    pipelines = one.ask(lambda p: p.pipelines(deadline), deadline)
    if any(pattern.matches(known.ref, known.aliases) for known in pipelines):
        return True, ()
    try:
        runs = one.ask(lambda p: p.recent(pattern.key, 1, deadline), deadline)
    except ProviderError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise
        runs = ()
    is_found = any(pattern.matches(run.pipeline, run.aliases) for run in runs)
    return is_found, tuple(known.ref for known in pipelines)
