"""Digests: what a channel is told when too much happens at once.

A storm is more than STORM news of a channel that are due within STORM_S: those that wait and
those it got as messages of their own in that time. Then the waiting ones are folded into one
digest message. It takes up everything that follows, and is edited, until nothing came for
CALM_S and it was posted. A failure in a digest counts as posted.

The digest stands for the cards that were folded into it: news of their episodes goes to its
thread and into its counts. Once it is calm and at most MOST_CARDS of those pipelines are
still red, these get their live cards, each once; as long as more are red, none does.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Run

STORM = 5
STORM_S = 60.0
CALM_S = 60.0
MOST_CARDS = 5
MOST_GROUPS = 10
MOST_MENTIONS = 10
MOST_LISTED = 100
COMMON_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class News:
    """One folded message. `thread` is the key of its card, or its own. `failures` is how many
    failing runs it tells of (a card: those of its episode so far). `run` is the newest of them,
    with no more than a digest shows. `is_red` holds for a card whose pipeline is not yet green,
    `has_card` once that got a card of its own.
    """

    thread: str
    run: Run
    failures: int
    mention: str | None = None
    is_card: bool = False
    is_red: bool = False
    has_card: bool = False


@dataclass(frozen=True, slots=True)
class DigestGroup:
    """What a digest says of one pipeline; `newest` is the newest of its runs there."""

    pipeline: PipelineRef
    failures: int
    newest: Run


@dataclass(frozen=True, slots=True)
class Shared:
    """What at least COMMON_SHARE of the failures have in common: `count` of them."""

    what: str
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Digest:
    """`total` failing runs of `pipelines` pipelines, the worst of them in `groups`. `others`
    counts folded news that are no failures; of the `cards` folded, `red` are not green yet and
    `carded` got a card of their own. `mentions` are whom the folded messages call.
    """

    digest_id: int
    since: datetime
    total: int
    pipelines: int
    groups: tuple[DigestGroup, ...]
    providers: tuple[tuple[str, int], ...] = ()
    shared: tuple[Shared, ...] = ()
    others: int = 0
    cards: int = 0
    red: int = 0
    carded: int = 0
    mentions: tuple[str, ...] = ()
    is_calm: bool = False


@dataclass(frozen=True, slots=True)
class DigestList:
    """The runs in a digest, for one person: by pipeline, the worst one first, newest first, and
    MOST_LISTED at most. `total` counts the failing ones, `left_out` those not in `runs`.
    """

    runs: tuple[Run, ...]
    total: int
    left_out: int = 0


def summarise(
    digest_id: int, since: datetime, news: Iterable[News], *, is_calm: bool = False
) -> Digest:
    """The digest of these news, in the order they came. Its size does not depend on theirs."""
    tally = Tally()
    for one in news:
        tally.add(one)
    groups = tally.groups()
    return Digest(
        digest_id,
        since,
        total=sum(group.failures for group in groups),
        pipelines=sum(group.failures > 0 for group in groups),
        groups=groups[:MOST_GROUPS],
        providers=tally.providers(groups),
        shared=tally.shared(),
        others=tally.others,
        cards=tally.cards,
        red=tally.red,
        carded=tally.carded,
        mentions=tuple(tally.mentions)[:MOST_MENTIONS],
        is_calm=is_calm,
    )


def list_all(news: Iterable[News]) -> DigestList:
    """The runs of these news."""
    every, tally = tuple(news), Tally()
    for one in every:
        tally.add(one)
    groups = tally.groups()
    rank = {group.pipeline: place for place, group in enumerate(groups)}
    runs = sorted((one.run for one in reversed(every)), key=lambda run: rank[run.pipeline])
    shown = tuple(dict.fromkeys(runs))
    total = sum(group.failures for group in groups)
    left_out = max(total, len(shown)) - len(shown[:MOST_LISTED])
    return DigestList(shown[:MOST_LISTED], total, left_out)


class Tally:
    """Counts as news come. A card counts for its episode, so its replies are not added to it."""

    def __init__(self) -> None:
        self._of_card: dict[tuple[PipelineRef, str], int] = {}
        self._told: Counter[tuple[PipelineRef, str]] = Counter()
        self._newest: dict[PipelineRef, Run] = {}
        self._traits: dict[str, Counter[str]] = {
            "provider": Counter(),
            "environment": Counter(),
            "first failed step": Counter(),
        }
        self._judged = 0
        self.mentions: dict[str, None] = {}
        self.others = self.cards = self.red = self.carded = 0

    def add(self, news: News) -> None:
        key = (news.run.pipeline, news.thread)
        self._newest[news.run.pipeline] = news.run
        if news.is_card:
            self._of_card[key] = news.failures
            self.cards += 1
            self.red += news.is_red
            self.carded += news.has_card
        if news.mention:
            self.mentions[news.mention] = None
        if news.failures:
            self._told[key] += 1
            self._note_traits(news.run)
        else:
            self.others += 1

    def groups(self) -> tuple[DigestGroup, ...]:
        """Every pipeline, the one with most failures first."""
        failures: Counter[PipelineRef] = Counter()
        for key, told in self._told.items():
            failures[key[0]] += max(told, self._of_card.get(key, 0))
        groups = [DigestGroup(p, failures[p], run) for p, run in self._newest.items()]
        return tuple(sorted(groups, key=lambda one: (-one.failures, one.pipeline)))

    def providers(self, groups: Iterable[DigestGroup]) -> tuple[tuple[str, int], ...]:
        """Failing runs by provider, most first."""
        counts: Counter[str] = Counter()
        for group in groups:
            counts[group.pipeline.instance] += group.failures
        return tuple((name, count) for name, count in counts.most_common(MOST_GROUPS) if count)

    def shared(self) -> tuple[Shared, ...]:
        """One trait of each kind at most."""
        found = []
        for what, counter in self._traits.items():
            for value, count in counter.most_common(1):
                if count >= COMMON_SHARE * self._judged:
                    found.append(Shared(what, value, count))
        return tuple(found)

    def _note_traits(self, run: Run) -> None:
        self._judged += 1
        values = (run.ref.instance, run.environment, run.failed_step)
        for counter, value in zip(self._traits.values(), values, strict=True):
            if value:
                counter[value] += 1
