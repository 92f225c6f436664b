"""The demo's life on debci: a few sample packages in testing and unstable."""

import random
from collections.abc import Callable

from bot.playground.vendors.debci import DebciStandin
from bot.playground.vendors.debci_model import Outcome, Status

DAY_S = 86400.0
PLACES = (
    ("acme-cli", "testing", "amd64"),
    ("acme-cli", "unstable", "amd64"),
    ("libacme", "testing", "amd64"),
    ("acme-docs", "unstable", "arm64"),
)
PAST: dict[int, Status] = {4: "fail", 9: "tmpfail", 15: "neutral", 16: "fail"}
WEIGHTS: tuple[Status, ...] = ("pass",) * 16 + ("fail", "fail", "tmpfail", "neutral")


class DebciLife:
    def __init__(self, debci: DebciStandin, randomness: random.Random) -> None:
        self._debci = debci
        self._random = randomness
        debci.default_outcome = Outcome("pass", 15.0, 0.3)

    def seed(self) -> None:
        for index in range(20, 0, -1):
            age_s = index * 4 * DAY_S / 20 + self._random.uniform(600, 3600)
            took_s = self._random.uniform(40, 400)
            status = PAST.get(index, "pass")
            self._request(PLACES[index % len(PLACES)], Outcome(status, took_s, 0.3), age_s)

    def opening(self) -> list[tuple[float, Callable[[], object]]]:
        """Pass one package, and fail another after about a minute."""
        return [
            (7.0, lambda: self._request(PLACES[2], Outcome("pass", 18.0, 0.3))),
            (30.0, lambda: self._request(PLACES[0], Outcome("fail", 25.0, 0.3))),
        ]

    def act(self) -> None:
        status = self._random.choice(WEIGHTS)
        outcome = Outcome(status, self._random.uniform(12, 35), 0.3)
        self._request(self._random.choice(PLACES), outcome)

    def _request(self, place: tuple[str, str, str], outcome: Outcome, age_s: float = 0.0) -> None:
        trigger = self._random.choice(("migration of acme-base", "nightly", "upload"))
        package, suite, arch = place
        self._debci.add_run(package, suite, arch, outcome=outcome, age_s=age_s, trigger=trigger)
