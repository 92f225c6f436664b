"""The demo's life on Testery, env0 and Allure TestOps: believable, and the same for a seed."""

import random
import re

import pytest
import requests

from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.allure import AllureStandin
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.testery import TesteryStandin
from bot.playground.world import World
from bot.playground.world_allure import AllureLife
from bot.playground.world_env0 import Env0Life
from bot.playground.world_testery import TesteryLife

NAMES = ("testery", "env0", "allure")


class Stage:
    def __init__(self, seed: int = 7) -> None:
        self.clock = ManualClock()
        self.testery = TesteryStandin(self.clock, "sample-token")
        self.env0 = Env0Standin(self.clock, "sample-id", "sample-key")
        self.allure = AllureStandin(self.clock, "sample-api-token")
        self.world = World(self.clock, seed=seed)
        chances = [random.Random(seed + i) for i in (3, 4, 5)]  # noqa: S311 - to be repeated
        self.world.add(TesteryLife(self.testery, chances[0]))
        self.world.add(Env0Life(self.env0, chances[1]))
        self.world.add(AllureLife(self.allure, chances[2]))
        self.world.seed()

    def live(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.world.step()
            self.clock.advance(0.5)

    def story(self) -> dict[str, list[tuple[float, str]]]:
        """Tell of each run when it was made and where it stands."""
        now = self.clock.time()
        return {
            "testery": [(r.course.created_s, r.status(now)) for r in self.testery.runs],
            "env0": [(r.course.created_s, r.status(now)) for r in self.env0.runs],
            "allure": [
                (r.created_s, str(r.job_runs[-1].status(now) or r.job_runs[-1].stage(now)))
                for r in self.allure.runs
            ],
        }

    def count(self, name: str, *words: str) -> int:
        return sum(status.lower() in words for _, status in self.story()[name])


GREEN, RED = ("pass", "success", "passed"), ("fail", "failure", "timeout", "failed", "run_failure")


@pytest.mark.parametrize("name", NAMES)
def test_the_past_is_days_long_mostly_green_and_over(name: str) -> None:
    stage = Stage()
    runs = stage.story()[name]
    assert len(runs) >= 15
    assert min(made for made, _ in runs) < stage.clock.time() - 3 * 86400
    assert 2 <= stage.count(name, *RED) <= len(runs) / 4
    assert stage.count(name, *GREEN) + stage.count(name, *RED) == len(runs)


@pytest.mark.parametrize("name", NAMES)
def test_something_passes_and_something_fails_in_the_first_minute(name: str) -> None:
    stage = Stage()
    green, red = stage.count(name, *GREEN), stage.count(name, *RED)
    stage.live(62)
    assert stage.count(name, *GREEN) > green
    assert stage.count(name, *RED) > red


def test_life_goes_on_by_itself() -> None:
    stage = Stage()
    stage.live(100)
    before = sum(map(len, stage.story().values()))
    stage.live(900)
    assert sum(map(len, stage.story().values())) - before >= 15


def test_the_same_seed_gives_the_same_life() -> None:
    stories = []
    for seed in (7, 7, 8):
        stage = Stage(seed)
        stage.live(400)
        stories.append(stage.story())
    assert stories[0] == stories[1]
    assert stories[0] != stories[2]


def test_new_runs_last_between_10_and_60_seconds() -> None:
    stage = Stage()
    began = stage.clock.time()
    stage.live(1200)
    courses = [r.course for r in (*stage.testery.runs, *stage.env0.runs)]
    courses += [r.job_runs[0].course for r in stage.allure.runs]
    lasted = [c.end_s - c.created_s for c in courses if c.created_s >= began]
    assert lasted
    assert 5 <= min(lasted) <= max(lasted) <= 60


def test_everything_is_seen_over_http_and_links_lead_somewhere() -> None:
    stage = Stage()
    with Server(stage.testery.app) as server:
        headers = {"Authorization": "Bearer sample-token"}
        url = f"{server.url}/api/test-runs?page=0&limit=50"
        runs = requests.get(url, headers=headers, timeout=5).json()
        assert len(runs) == len(stage.testery.runs)
        assert runs[0]["createTime"] > runs[-1]["createTime"]
        page = requests.get(f"{server.url}/acme/test-runs/{runs[0]['id']}", timeout=5)
        assert page.status_code == 200


def test_a_repeated_run_goes_green() -> None:
    stage = Stage()
    red = next(run for run in stage.testery.runs if run.status(stage.clock.time()) == "FAIL")
    repeated = stage.testery.rerun(red)
    stage.clock.advance(30)
    assert repeated.status(stage.clock.time()) == "PASS"


def test_the_names_are_samples() -> None:
    stage = Stage()
    people = {run.person.name for run in stage.env0.runs if run.person}
    assert people
    assert all(re.fullmatch(r"\w+ Sample", name) for name in people)
