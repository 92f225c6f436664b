"""What a pipeline's own past says about a failure: what changed, and how it looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from bot.domain.runs import Run
from bot.domain.statuses import Status

ENOUGH = 5
"""Judged runs before the failure, for an opinion about it."""
_MANY_TURNS = 2
_MUCH_LONGER = 1.5
_LEAST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that was another in the last green run; texts as they are stored."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """A verdict in words, with the counts it rests on. It never keeps anything from people."""

    words: str
    evidence: str


def differences(green: Run, red: Run) -> tuple[Difference, ...]:
    """What is known to differ. A value that one of the two lacks says nothing."""
    before = dict(green.parameters)
    pairs = (
        ("commit", green.commit, red.commit),
        ("environment", green.environment, red.environment),
        *((name, before.get(name), value) for name, value in red.parameters),
        ("started by", green.author, red.author),
    )
    found = [Difference(what, a, b) for what, a, b in pairs if a and b and a != b]
    if (took := _longer_or_shorter(green, red)) is not None:
        found.append(took)
    return tuple(found)


def is_same_commit(green: Run, red: Run) -> bool:
    return green.commit is not None and green.commit == red.commit


def _longer_or_shorter(green: Run, red: Run) -> Difference | None:
    if green.duration is None or red.duration is None:
        return None
    before, after = green.duration.total_seconds(), red.duration.total_seconds()
    if abs(before - after) < _LEAST_SECONDS:
        return None
    is_much = max(before, after) > _MUCH_LONGER * min(before, after)
    return (
        Difference("duration", seconds(green.duration), seconds(red.duration)) if is_much else None
    )


def seconds(span: timedelta) -> str:
    """`41 s`, `6m 26s`, `2h 5m`."""
    total = int(span.total_seconds())
    minutes, hours = total // 60, total // 3600
    if hours:
        return f"{hours}h {minutes % 60}m"
    return f"{minutes}m {total % 60}s" if minutes else f"{total} s"


def judge(past: Sequence[Run], red: Run) -> Opinion:
    """The verdict on a failure, from the runs before it (in any order, ended ones count).

    `looks flaky`: the same commit has passed and failed, or pass and failure took turns.
    `looks new`: it used to pass, and there was no such to and fro.
    """
    judged = [r for r in past if r.ref != red.ref and (r.status is Status.PASSED or _failed(r))]
    judged.sort(key=lambda r: (r.when.timestamp() if r.when else 0.0, r.ref))
    passed = sum(r.status is Status.PASSED for r in judged)
    counts = f"{passed} of the {len(judged)} runs before passed"
    if len(judged) == 1:
        counts = f"the one run before {'passed' if passed else 'failed'}"
    elif not judged:
        counts = "no run before it is known"
    if len(judged) < ENOUGH or not passed:
        return Opinion("not enough history", counts)
    commits = _torn_commits([*judged, red])
    turns = sum(_failed(a) and not _failed(b) for a, b in pairwise(judged))
    if commits:
        one = "one commit has" if commits == 1 else f"{commits} commits have"
        return Opinion("looks flaky", f"{counts}; {one} both passed and failed")
    if turns >= _MANY_TURNS:
        return Opinion("looks flaky", f"{counts}; it went red and green again {turns} times")
    return Opinion("looks new", counts)


def _failed(run: Run) -> bool:
    return run.status.is_failure


def _torn_commits(runs: Sequence[Run]) -> int:
    passed = {r.commit for r in runs if r.status is Status.PASSED and r.commit}
    return len(passed & {r.commit for r in runs if _failed(r)})
