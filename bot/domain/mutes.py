"""Mutes: a channel that asks for quiet about a pipeline, until something else breaks."""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.pipelines import Pattern, PipelineRef
from bot.domain.runs import Run


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """What is muted of one pipeline and branch: the steps or tests that fail there, none where
    that is not known.

    `is_awake` once something else failed: the mute no longer counts for this pipeline.
    """

    pipeline: PipelineRef
    branch: str | None
    fingerprint: frozenset[str]
    is_awake: bool = False

    def is_of(self, run: Run) -> bool:
        return (self.pipeline, self.branch) == (run.pipeline, run.branch)


@dataclass(frozen=True, slots=True)
class Mute:
    """`branch` None means every branch, empty the runs that have none. `known` grows with the
    failures that were kept quiet.
    """

    channel: str
    pattern: Pattern
    until: datetime
    made_by: str
    branch: str | None = None
    because: str = ""
    known: tuple[KnownFailure, ...] = ()

    def covers(self, run: Run, now: datetime) -> bool:
        """Whether this mute is about the run's pipeline and branch, and not over."""
        is_branch = self.branch is None or self.branch == (run.branch or "")
        return now < self.until and is_branch and self.pattern.matches(run.pipeline, run.aliases)

    def hear(self, run: Run) -> "tuple[Mute, bool]":
        """What the mute becomes with a failing run, and whether it keeps the run quiet.

        The first fingerprint it meets is the one that is muted, and a part of it is the same
        failure. A run without one (the vendor does not say what failed) is kept quiet.
        """
        known = next((one for one in self.known if one.is_of(run)), None)
        marks = fingerprint(run)
        if known is None:
            fresh = KnownFailure(run.pipeline, run.branch, marks)
            return replace(self, known=(*self.known, fresh)), True
        if known.is_awake:
            return self, False
        if marks <= known.fingerprint:
            return self, True
        is_other = bool(known.fingerprint)
        learned = replace(known, fingerprint=marks, is_awake=is_other)
        others = tuple(one for one in self.known if one is not known)
        return replace(self, known=(*others, learned)), not is_other

    def is_awake_for(self, run: Run) -> bool:
        return any(one.is_awake for one in self.known if one.is_of(run))


def fingerprint(run: Run) -> frozenset[str]:
    """What tells one failure of a pipeline from another: its failing steps or tests."""
    return frozenset(run.failures)
