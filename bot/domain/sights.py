"""Blindness: when the bot cannot see a provider, and since when."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.polls import SourceKey, SourceState

LONGEST_S = 300.0
_INTERVALS = 3
_REPEATED = 2
_SOON_S = 30.0


@dataclass(frozen=True, slots=True)
class Blindness:
    """`key.source` is empty when the whole instance is out of sight. `channels` were told.
    `since` is the last good look, or when looking began; `why` a sentence for people.
    """

    key: SourceKey
    since: datetime
    why: str
    channels: tuple[str, ...] = ()


def limit_s(max_interval_s: float) -> float:
    """After how many seconds without a good poll a provider counts as out of sight."""
    return min(LONGEST_S, _INTERVALS * max_interval_s)


def is_blind(state: SourceState, max_interval_s: float) -> bool:
    """A refused credential counts at once. Otherwise the time limit, and one bad poll after a
    long quiet interval is not yet proof if it is asked again soon.
    """
    if state.is_refused:
        return True
    limit = limit_s(max_interval_s)
    if state.sight_age_s <= limit:
        return False
    if state.failures:
        is_asked_soon = state.failures < _REPEATED and state.due_in_s <= _SOON_S
        return not is_asked_soon or state.sight_age_s >= 2 * limit
    return state.sight_age_s > max(2 * limit, limit + 2 * max_interval_s)


def out_of_sight(
    states: Sequence[SourceState], max_interval_s: float
) -> dict[SourceKey, SourceState]:
    """What cannot be seen: whole instances (source empty) and, where others of the same
    instance can be seen, single sources. The value is the state that tells why.
    """
    found: dict[SourceKey, SourceState] = {}
    for instance in sorted({state.key.instance for state in states}):
        own = [state for state in states if state.key.instance == instance]
        blind = [state for state in own if is_blind(state, max_interval_s)]
        if refused := [state for state in blind if state.is_refused]:
            found[SourceKey(instance, "")] = refused[0]
        elif len(blind) == len(own):
            found[SourceKey(instance, "")] = max(blind, key=lambda state: state.failures)
        else:
            well = [state for state in own if state not in blind]
            found |= {state.key: state for state in blind if _is_alone(state, well)}
    return found


def _is_alone(blind: SourceState, well: Sequence[SourceState]) -> bool:
    """Whether the trouble is its own: all others were seen well since it began. Else they may
    be about to be lost as well, and that is one thing to tell, not two.
    """
    return all(not one.failures and 2 * one.sight_age_s < blind.sight_age_s for one in well)


def is_back(key: SourceKey, states: Collection[SourceState]) -> bool:
    """Whether all of it was seen well at its last look."""
    own = [s for s in states if s.key.instance == key.instance and key.source in {"", s.key.source}]
    return all(not state.failures and state.good_poll_age_s is not None for state in own)
