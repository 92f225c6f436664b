"""The mutes of a poll, as they learn from the failures that they keep quiet."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.domain.mutes import Mute
from bot.domain.runs import Run


class Mutes:
    def __init__(self, mutes: Iterable[Mute], now: datetime) -> None:
        self._before = {_key(mute): mute for mute in mutes}
        self._mutes = dict(self._before)
        self._now = now

    def changed(self) -> tuple[Mute, ...]:
        known = set(self._before.values())
        return tuple(mute for mute in self._mutes.values() if mute not in known)

    def hear(self, channel: str, run: Run) -> bool:
        """Whether a mute keeps this failure quiet; another one than the muted wakes it up."""
        verdicts = []
        for mute in list(self._over(channel, run)):
            self._mutes[_key(mute)], is_quiet = mute.hear(run)
            verdicts.append(is_quiet)
        return any(verdicts)

    def keep_quiet(self, channel: str, run: Run) -> bool:
        return self.quiet_one(channel, run) is not None

    def quiet_one(self, channel: str, run: Run) -> Mute | None:
        """The mute that keeps the run quiet; of several, that which lasts longest."""
        quiet = (mute for mute in self._over(channel, run) if not mute.is_awake_for(run))
        return max(quiet, key=lambda mute: mute.until, default=None)

    def were_woken(self, channel: str, run: Run) -> bool:
        """Whether the run is posted because it fails otherwise than what is muted."""
        return any(mute.is_awake_for(run) for mute in self._over(channel, run))

    def _over(self, channel: str, run: Run) -> Iterator[Mute]:
        for mute in self._mutes.values():
            if mute.channel == channel and mute.covers(run, self._now):
                yield mute


def _key(mute: Mute) -> tuple[object, ...]:
    return (mute.channel, mute.pattern, mute.branch)
