"""The card of an episode, and the words of what is said about one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.episodes import Episode
from bot.domain.opinions import differences, is_same_commit, seconds
from bot.domain.overdue import usual_longest
from bot.domain.providers import ProviderSpec
from bot.domain.replies import AlertCard
from bot.domain.runs import Run
from bot.services.controls import controls_of
from bot.services.past import Past


def card_of(
    episode: Episode, past: Past, spec: ProviderSpec, reason: str, underway: Run | None = None
) -> AlertCard:
    """`underway` is a newer run that is not over; the buttons are about it then."""
    green, red = episode.last_green, episode.first_bad
    card = AlertCard(
        pipeline=episode.key.pipeline,
        branch=episode.key.branch,
        latest=episode.latest,
        reason=reason,
        failures=len(episode.failed),
        first_bad=red,
        last_green=green,
        strip=past.strip(episode.latest),
        fixed_after=time_to_green(episode),
        is_fixed=episode.fixed_at is not None,
        controls=controls_of(underway or episode.latest, spec),
        underway=underway,
        opinion=episode.opinion,
    )
    if green is None:
        return card
    return replace(
        card, differences=differences(green, red), is_same_commit=is_same_commit(green, red)
    )


def time_to_green(episode: Episode) -> timedelta | None:
    """From the end of the first failing run to the end of the fix, by the vendor's clock where
    it tells the times.
    """
    if episode.fixed_at is None:
        return None
    turned_red = episode.first_bad.finished or episode.opened_at
    return max(episode.fixed_at - turned_red, timedelta(0))


def fixed_words(episode: Episode) -> str:
    """As in `fixed after 3 failing runs, 41 s`."""
    count = len(episode.failed)
    runs = "1 failing run" if count == 1 else f"{count} failing runs"
    took = time_to_green(episode)
    return f"fixed after {runs}{f', {seconds(took)}' if took is not None else ''}"


def overdue_words(run: Run, durations: Sequence[timedelta], now: datetime) -> str:
    """As in `running for 9m 0s; 95 % of the last 22 runs took 5m 2s at most`."""
    longest = usual_longest(durations) or timedelta(0)
    so_far = f"running for {seconds(now - run.started)}; " if run.started else ""
    return f"{so_far}95 % of the last {len(durations)} runs took {seconds(longest)} at most"
