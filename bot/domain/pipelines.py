"""Pipelines: what is run again and again."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True, order=True)
class PipelineRef:
    """A pipeline of one configured provider; written `instance:key`."""

    instance: str
    key: str

    def __str__(self) -> str:
        return f"{self.instance}:{self.key}"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline as people know it; `aliases` are other keys that name the same one."""

    ref: PipelineRef
    title: str = ""
    aliases: tuple[str, ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a watch or a filter names: one pipeline, a glob, a whole instance, or everything.

    Both parts are case-sensitive globs (`*`, `?`, `[…]`); `*` also spans slashes.
    """

    instance: str
    key: str

    def __str__(self) -> str:
        return "*" if (self.instance, self.key) == ("*", "*") else f"{self.instance}:{self.key}"

    @classmethod
    def parse(cls, text: str) -> "Pattern":
        """Reads `instance:glob`, or a bare glob, which holds for every instance."""
        instance, colon, key = text.partition(":")
        return cls(instance, key) if colon else cls("*", text)

    @property
    def is_glob(self) -> bool:
        return any(c in self.key or c in self.instance for c in "*?[")

    def matches(self, ref: PipelineRef, aliases: tuple[str, ...] = ()) -> bool:
        return fnmatchcase(ref.instance, self.instance) and any(
            key == self.key or fnmatchcase(key, self.key) for key in (ref.key, *aliases)
        )
