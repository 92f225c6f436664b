"""The demo's life on Wercker: a shop with a build and a deployment, and its catalogue."""

import random
from collections.abc import Callable

from bot.playground.vendors.base import hex_id
from bot.playground.vendors.wercker import PipelineSpec, WerckerStandin
from bot.playground.vendors.wercker_model import Outcome, Run, User, failed, passed, position

SHOP, CATALOG = "acme/shop/build", "acme/catalog/build"
DAY_S = 86400.0
RETRY_S = 14.0
PATIENCE_S = 180.0
PEOPLE = (
    User("Ada Sample", "ada-sample", user_id="5f0000000000000000000a01"),
    User("Ben Sample", "ben-sample", user_id="5f0000000000000000000a02"),
    User("Chris Sample", "chris-sample", user_id="5f0000000000000000000a03", meta_type=""),
)
MESSAGES = (
    "Round the cart total half up",
    "Show the price with tax on the product page",
    "Update the sample catalogue",
    "Cache product pictures",
    "Faster search in the catalogue\n\nKeeps the index in memory.",
    "Ask for the postcode once",
    "Merge pull request #52 from acme/gift-cards",
    "Tidy up the checkout form",
)
BRANCHES = ("main", "main", "main", "gift-cards", "faster-search")
PAST_FAILURES = {5, 11, 12, 19}


class WerckerLife:
    def __init__(self, wercker: WerckerStandin, randomness: random.Random) -> None:
        self._wercker = wercker
        self._random = randomness
        self._last: dict[str, Run] = {}
        wercker.default_outcome = passed(duration_s=RETRY_S, queue_s=2.0)

    def seed(self) -> None:
        deploy = PipelineSpec("deploy-staging", "deploy", "pipeline")
        build = PipelineSpec("build", then=("deploy-staging",))
        self._wercker.add_application("acme", "shop", [build, deploy])
        self._wercker.add_application("acme", "catalog", ["build"])
        for index in range(26, 0, -1):
            age_s = index * 4 * DAY_S / 26 + self._random.uniform(600, 3600)
            pipeline = CATALOG if index % 3 == 0 else SHOP
            self._past(pipeline, age_s, is_red=index in PAST_FAILURES)

    def opening(self) -> list[tuple[float, Callable[[], object]]]:
        """Fail on the shop's main branch after about twenty seconds; the catalogue passes."""
        return [
            (3.0, lambda: self._push(SHOP, "main", failed("test", 16.0, 2.0))),
            (12.0, lambda: self._push(CATALOG, "main", passed(22.0, 2.0))),
        ]

    def act(self) -> None:
        pipeline = self._random.choice((SHOP, CATALOG))
        branch = self._random.choice(BRANCHES)
        last = self._last.get(pipeline)
        duration_s = self._random.uniform(12, 30)
        if branch == "main" and last is not None and self._is_red(last):
            if self._wercker.clock.time() - last.created < PATIENCE_S:
                branch = "gift-cards"  # leave the red run to the person who watches
            outcome = passed(duration_s, 2.0)
        elif self._random.random() < 0.15:
            step = self._random.choice(("install packages", "test", "lint"))
            outcome = failed(step, duration_s, 2.0)
        else:
            outcome = passed(duration_s, 2.0)
        self._push(pipeline, branch, outcome)

    def _is_red(self, run: Run) -> bool:
        return position(run, self._wercker.clock.time()).result == "failed"

    def _past(self, pipeline: str, age_s: float, *, is_red: bool) -> None:
        took_s = self._random.uniform(60, 240)
        outcome = failed("test", took_s, 4.0) if is_red else passed(took_s, 4.0)
        self._push(pipeline, self._random.choice(BRANCHES), outcome, age_s)

    def _push(self, pipeline: str, branch: str, outcome: Outcome, age_s: float = 0.0) -> None:
        author, message = self._random.choice(PEOPLE), self._random.choice(MESSAGES)
        commit = hex_id(self._random, 40)
        self._wercker.pipeline(pipeline).application.heads[branch] = (commit, message)
        made = self._wercker.push(
            pipeline,
            branch,
            commit_hash=commit,
            message=message,
            user=author,
            outcome=outcome,
            created=self._wercker.clock.time() - age_s,
        )
        if branch == "main":
            self._last[pipeline] = made
