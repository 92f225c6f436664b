"""Life for the demo: a past for each stand-in, an opening scene, and then runs by themselves.

`World` is deterministic: the same seed and the same clock readings give the same life.

    world = World(clock, wercker=wercker, debci=debci)
    world.seed()
    server.submit(world.live())
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.playground.clock import Clock
from bot.playground.vendors.allure import AllureStandin
from bot.playground.vendors.debci import DebciStandin
from bot.playground.vendors.env0 import Env0Standin
from bot.playground.vendors.testery import TesteryStandin
from bot.playground.vendors.wercker import WerckerStandin
from bot.playground.world_allure import AllureLife
from bot.playground.world_debci import DebciLife
from bot.playground.world_env0 import Env0Life
from bot.playground.world_testery import TesteryLife
from bot.playground.world_wercker import WerckerLife

TICK_S = 0.5
QUIET_S = (18.0, 40.0)
OPENING_S = 75.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Something that happens `at_s` seconds after the world began to live."""

    at_s: float
    happen: Callable[[], object]


class Life(Protocol):
    """What one service adds to the world."""

    def seed(self) -> None:
        """Make the past: applications and finished runs."""

    def opening(self) -> list[tuple[float, Callable[[], object]]]:
        """List what happens for certain, with the seconds after the start."""

    def act(self) -> None:
        """Start something by chance."""


class World:
    """Promise: `step` does what is due by now, once; it neither waits nor calls anything out."""

    def __init__(
        self,
        clock: Clock,
        *,
        wercker: WerckerStandin | None = None,
        debci: DebciStandin | None = None,
        testery: TesteryStandin | None = None,
        env0: Env0Standin | None = None,
        allure: AllureStandin | None = None,
        seed: int = 7,
    ) -> None:
        self._clock = clock
        self._random = random.Random(seed)
        self._lives: list[Life] = []
        if wercker is not None:
            self.add(WerckerLife(wercker, random.Random(seed + 1)))
        if debci is not None:
            self.add(DebciLife(debci, random.Random(seed + 2)))
        if testery is not None:
            self.add(TesteryLife(testery, random.Random(seed + 3)))
        if env0 is not None:
            self.add(Env0Life(env0, random.Random(seed + 4)))
        if allure is not None:
            self.add(AllureLife(allure, random.Random(seed + 5)))
        self._scenes: list[Scene] = []
        self._began: float | None = None

    def add(self, life: Life) -> None:
        self._lives.append(life)

    def seed(self) -> None:
        """Make the past of every service."""
        for life in self._lives:
            life.seed()

    def step(self) -> None:
        """Do what is due; the first call begins the opening scene."""
        now = self._clock.time()
        if self._began is None:
            self._began = now
            self._scenes = self._plan()
        while self._scenes and self._scenes[0].at_s <= now - self._began:
            self._scenes.pop(0).happen()

    async def live(self) -> None:
        """Live until cancelled."""
        while True:
            self.step()
            await asyncio.sleep(TICK_S)

    def _plan(self) -> list[Scene]:
        scenes = [Scene(*item) for life in self._lives for item in life.opening()]
        if self._lives:
            scenes.append(Scene(OPENING_S, lambda: self._go_on(OPENING_S)))
        return sorted(scenes, key=lambda scene: scene.at_s)

    def _go_on(self, at_s: float) -> None:
        self._random.choice(self._lives).act()
        following = at_s + self._random.uniform(*QUIET_S)
        self._scenes.append(Scene(following, lambda: self._go_on(following)))
