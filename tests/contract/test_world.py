"""The demo's life: believable, on time, and the same for the same seed."""

import asyncio
import contextlib
import re

import requests

from bot.playground.clock import ManualClock
from bot.playground.server import Server
from bot.playground.vendors.allure import AllureStandin
from bot.playground.vendors.debci import DebciStandin
from bot.playground.vendors.debci_model import Run as DebciRun
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.testery import TesteryStandin
from bot.playground.vendors.wercker import WerckerStandin
from bot.playground.vendors.wercker_model import Run, position
from bot.playground.world import World

KEY = "11111111-1111-1111-1111-111111111111"


class Stage:
    def __init__(self, seed: int = 7) -> None:
        self.clock = ManualClock()
        self.wercker = WerckerStandin(self.clock, "sample-token")
        self.debci = DebciStandin(self.clock, {KEY: "chatops"})
        self.world = World(self.clock, wercker=self.wercker, debci=self.debci, seed=seed)
        self.world.seed()

    def live(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.world.step()
            self.clock.advance(0.5)

    def wercker_states(self) -> list[tuple[str, str, str, str]]:
        now = self.clock.time()
        return [
            (r.pipeline.name, r.branch, position(r, now).status, position(r, now).result)
            for r in self.wercker.runs
        ]

    def story(self) -> list[object]:
        asked = [(r.package, r.status, r.created) for r in self.debci.runs]
        return [self.wercker_states(), asked]


def test_the_past_is_long_mostly_green_and_over() -> None:
    stage = Stage()
    states = stage.wercker_states()
    builds = [state for state in states if state[0] == "build"]
    assert len(builds) >= 24, "a couple of dozen runs"
    assert all(state[2] == "finished" for state in states)
    red = [state for state in states if state[3] == "failed"]
    assert 2 <= len(red) <= 6, "a few red ones"
    ages = [stage.clock.time() - run.created for run in stage.wercker.runs]
    assert max(ages) > 3 * 86400, "over several days"
    over: list[DebciRun] = [r for r in stage.debci.runs if r.is_over(stage.clock.time())]
    assert len(over) == len(stage.debci.runs) >= 15
    assert {run.status for run in over} == {"pass", "fail", "neutral", "tmpfail"}


def _newest_shop_run(stage: Stage) -> Run:
    pipeline = stage.wercker.pipeline("acme/shop/build")
    return [run for run in stage.wercker.runs if run.pipeline is pipeline][-1]


def test_a_build_on_main_fails_within_forty_seconds() -> None:
    stage = Stage()
    stage.live(8)
    run = _newest_shop_run(stage)
    assert run.branch == "main"
    assert stage.wercker.state(run.id) == ("running", "unknown"), "it is seen running first"
    stage.live(32)
    assert stage.wercker.state(run.id) == ("finished", "failed")


def test_a_package_fails_on_debci_later() -> None:
    stage = Stage()
    past = len(stage.debci.runs)
    stage.live(35)
    fresh = stage.debci.runs[past:]
    assert [run.package for run in fresh] == ["libacme", "acme-cli"]
    assert stage.debci.status(fresh[1].run_id) is None
    stage.live(30)
    assert stage.debci.status(fresh[1].run_id) == "fail"


def test_a_retry_of_the_failed_build_goes_green() -> None:
    stage = Stage()
    stage.live(30)
    run = _newest_shop_run(stage)
    body = {"pipelineId": run.pipeline.id, "branch": "main", "commitHash": run.commit_hash}
    with Server(stage.wercker.app) as server:
        headers = {"Authorization": "Bearer sample-token"}
        address = f"{server.url}/api/v3/runs"
        made = requests.post(address, json=body, headers=headers, timeout=5).json()
    stage.live(12)
    assert stage.wercker.state(made["id"])[0] == "running"
    stage.live(8)
    assert stage.wercker.state(made["id"]) == ("finished", "passed")


def test_a_retry_on_debci_goes_green() -> None:
    stage = Stage()
    stage.live(60)
    failed = stage.debci.runs[-1]
    assert stage.debci.status(failed.run_id) == "fail"
    assert stage.debci.retry(failed)
    retried = stage.debci.runs[-1]
    stage.clock.advance(20)
    assert stage.debci.status(retried.run_id) == "pass"


def test_life_goes_on_and_no_faster_than_it_should() -> None:
    stage = Stage()
    before = len(stage.wercker.runs) + len(stage.debci.runs)
    stage.live(600)
    fresh = len(stage.wercker.runs) + len(stage.debci.runs) - before
    assert 15 <= fresh <= 60


def test_the_same_seed_gives_the_same_life() -> None:
    first, same, other = Stage(3), Stage(3), Stage(4)
    for stage in (first, same, other):
        stage.live(300)
    assert first.story() == same.story()
    assert first.story() != other.story()


def test_every_service_has_a_past_and_goes_on() -> None:
    clock = ManualClock()
    testery = TesteryStandin(clock, "sample-token")
    env0 = Env0Standin(clock, "sample-id", "sample-secret")
    allure = AllureStandin(clock, "sample-token")
    world = World(clock, testery=testery, env0=env0, allure=allure)
    world.seed()
    standins: tuple[TesteryStandin | Env0Standin | AllureStandin, ...] = (testery, env0, allure)
    before = [len(standin.runs) for standin in standins]
    assert min(before) >= 12
    for _ in range(1200):
        world.step()
        clock.advance(0.5)
    after = [len(standin.runs) for standin in standins]
    assert all(old < new for old, new in zip(before, after, strict=True))
    run = testery.runs[0]
    assert clock.time() - run.course.created_s > 2 * 86400
    assert {run.outcome.status for run in testery.runs} == {"PASS", "FAIL"}


def test_live_steps_until_it_is_cancelled() -> None:
    stage = Stage()
    past = len(stage.debci.runs)
    stage.world.step()
    stage.clock.advance(31)

    async def a_moment() -> None:
        life = asyncio.create_task(stage.world.live())
        await asyncio.sleep(0)
        assert not life.done()
        life.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await life

    asyncio.run(a_moment())
    assert len(stage.debci.runs) == past + 2, "what was due has happened, once"


def test_everybody_is_a_sample() -> None:
    stage = Stage()
    stage.live(300)
    names = {run.user.name for run in stage.wercker.runs}
    assert all(re.search("Sample", name) for name in names), names
    assert {a.owner.username for a in stage.wercker.applications} == {"acme"}
