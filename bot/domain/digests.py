"""Digests: what a channel is told when too much happens at once.

A storm is more than STORM news of a channel that are due within STORM_S: those that wait and,
unless these are but replies for threads, those it got as messages of their own in that time.
Then the waiting ones are folded into one digest message. It takes up everything that follows,
and is edited, until nothing came for CALM_S and it was posted. A failure in a digest counts as
posted.

The digest stands for the cards that were folded into it: news of their episodes goes to its
thread and into its counts, and so many fixes at once that they would be a storm into its counts
alone. Once it is calm and at most MOST_CARDS of those pipelines and branches are still red,
these get their live cards, each once; as long as more are red, none does. A digest that holds
one red card and nothing else becomes that card, by an edit. Whom the digest called, its cards
do not call again.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.pipelines import PipelineRef
from bot.domain.runs import Run, RunRef

STORM = 5
STORM_S = 60.0
CALM_S = 60.0
MOST_CARDS = 5
MOST_GROUPS = 10
MOST_MENTIONS = 10
MOST_LISTED = 100
COMMON_SHARE = 0.8
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class News:
    """One run of which a digest tells, with no more of it than a digest shows. `thread` is the
    key of its card, or of its own message. `failures` is 1 for a failing run and 0 for any
    other; for the run of a card it is how many failing runs the episode has so far. `fixed_by`
    is the run by which that episode is over; a fix is fixed by itself. `has_card` holds once a
    folded card got a message of its own.
    """

    thread: str
    run: Run
    failures: int
    mention: str | None = None
    is_card: bool = False
    fixed_by: RunRef | None = None
    has_card: bool = False


@dataclass(frozen=True, slots=True)
class DigestGroup:
    """What a digest says of one pipeline: `failures` failing runs of `branches` branches, of
    which `green` are green again, and `others` that did not fail. `newest` is the newest of its
    failing runs, one of a branch that is not green if there is any; without failing runs the
    newest of all. `fixed_by` is the run by which that one's episode is over.
    """

    pipeline: PipelineRef
    failures: int
    newest: Run
    branches: int = 0
    green: int = 0
    others: int = 0
    fixed_by: RunRef | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """What at least COMMON_SHARE of the failures have in common: `count` of them."""

    what: str
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Digest:
    """`total` failing runs of `pipelines` pipelines, the worst of them in `groups`. `fixes`
    counts folded fixes of failures that were told elsewhere, `others` the other folded news
    that are no failures. Of the `cards` folded, `red` are not green yet, and `carded` of those
    got a card of their own. `mentions` are whom the folded messages call.
    """

    digest_id: int
    since: datetime
    total: int
    pipelines: int
    groups: tuple[DigestGroup, ...]
    providers: tuple[tuple[str, int], ...] = ()
    shared: tuple[Shared, ...] = ()
    fixes: int = 0
    others: int = 0
    cards: int = 0
    red: int = 0
    carded: int = 0
    mentions: tuple[str, ...] = ()
    is_calm: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A run in a digest, and the run by which its episode is over."""

    run: Run
    fixed_by: RunRef | None = None


@dataclass(frozen=True, slots=True)
class DigestList:
    """The runs in a digest, for one person: by pipeline, the worst one first, newest first.

    `failed` holds MOST_LISTED of the `total` failing ones at most, `others` as many of the other
    `ended` ones as have room beside them.
    """

    failed: tuple[Listed, ...]
    total: int
    others: tuple[Listed, ...] = ()
    ended: int = 0


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
        fixes=tally.fixes,
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
    newest_first = every[::-1]
    groups = tally.groups()
    rank = {group.pipeline: place for place, group in enumerate(groups)}
    failed: list[Listed] = []
    others: list[Listed] = []
    for one in sorted(newest_first, key=lambda one: rank[one.run.pipeline]):
        (failed if one.failures else others).append(Listed(one.run, one.fixed_by))
    room = max(0, MOST_LISTED - len(failed))
    total = sum(group.failures for group in groups)
    return DigestList(tuple(failed[:MOST_LISTED]), total, tuple(others[:room]), len(others))


class Tally:
    """Counts as news come. A card counts for its episode, so its replies are not added to it."""

    def __init__(self) -> None:
        self._of_card: dict[tuple[PipelineRef, str], int] = {}
        self._told: Counter[tuple[PipelineRef, str]] = Counter()
        self._pipelines: dict[PipelineRef, _Pipeline] = {}
        self._fixed: set[tuple[PipelineRef, str]] = set()
        self._traits: dict[str, Counter[str]] = {
            "provider": Counter(),
            "environment": Counter(),
            "first failure": Counter(),
        }
        self._judged = 0
        self.mentions: dict[str, None] = {}
        self.others = self.cards = self.red = self.carded = 0

    @property
    def fixes(self) -> int:
        """Of failures that are not among the news."""
        return len(self._fixed - self._told.keys())

    def add(self, news: News) -> None:
        key = (news.run.pipeline, news.thread)
        self._pipelines.setdefault(news.run.pipeline, _Pipeline()).add(news)
        if news.is_card:
            is_red = news.fixed_by is None
            self._of_card[key] = news.failures
            self.cards += 1
            self.red += is_red
            self.carded += is_red and news.has_card
        if news.mention:
            self.mentions[news.mention] = None
        if news.failures:
            self._told[key] += 1
            self._note_traits(news.run)
        elif news.fixed_by:
            self._fixed.add(key)
        else:
            self.others += 1

    def groups(self) -> tuple[DigestGroup, ...]:
        """Every pipeline: those that are red first, then the one with most failures."""
        failures: Counter[PipelineRef] = Counter()
        for key, told in self._told.items():
            failures[key[0]] += max(told, self._of_card.get(key, 0))
        groups = [one.group(failures[pipeline]) for pipeline, one in self._pipelines.items()]
        return tuple(
            sorted(groups, key=lambda one: (one.green == one.branches, -one.failures, one.pipeline))
        )

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


class _Pipeline:
    """The news of one pipeline. A branch is green again when all its episodes are over."""

    def __init__(self) -> None:
        self._is_green: dict[str | None, bool] = {}
        self._newest: News
        self._rank: tuple[bool, bool, datetime] | None = None
        self._others = 0

    def add(self, news: News) -> None:
        branch = news.run.branch
        if news.failures:
            is_green = news.fixed_by is not None
            self._is_green[branch] = is_green and self._is_green.get(branch, True)
        else:
            self._others += 1
        ended = news.run.finished or _LONG_AGO
        rank = (news.failures > 0, news.fixed_by is None, ended)
        if self._rank is None or rank >= self._rank:
            self._newest, self._rank = news, rank

    def group(self, failures: int) -> DigestGroup:
        return DigestGroup(
            self._newest.run.pipeline,
            failures,
            self._newest.run,
            branches=len(self._is_green),
            green=sum(self._is_green.values()),
            others=self._others,
            fixed_by=self._newest.fixed_by,
        )
