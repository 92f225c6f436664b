"""kill -9 at named points and at random moments; promises 1, 2 and 4 must hold over it all.

Each round starts the bot on the database that the last one left, lets runs fail and a person
start one, and kills the bot: at a point within it (see tests.fakes.killable), at a point
outside (a request that arrives, or was answered), or whenever. Then a last bot may live, and
everything is counted: lost, twice, commands twice.

The seed is printed. KILL_SEED repeats the plan of a run, KILL_ROUNDS sets its length.
"""

import asyncio
import contextlib
import os
import random
import re
import secrets
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.playground.slack.people import BOT_USER, OPERATOR, Channel
from bot.playground.vendors.wercker import PipelineSpec
from bot.playground.vendors.wercker_model import Outcome
from tests.fakes.killable import ALERT_POINTS, COMMAND_POINTS, Nursery, kill, log_name
from tests.fakes.newsroom import Newsroom

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SHARDS = 4
IS_CI = bool(os.environ.get("CI"))
ROUNDS = int(os.environ.get("KILL_ROUNDS", "54" if IS_CI else "10"))
PLACES = 20
"""Channels, each with a pipeline of its own: so many that nothing becomes a digest."""
LIFE_S = 2.5
LIMIT_S = 60.0
INTERRUPTED = "(commands interrupted)"
MISSED = "(at its end, for the point was not reached)"
OUTSIDE = {
    "vendor asked": ("GET", "/api/v3/runs"),
    "post": ("POST", "/api/chat.postMessage"),
    "edit": ("POST", "/api/chat.update"),
    "history": (".*", "/api/conversations.(history|replies)"),
    "trigger": ("POST", "/api/v3/runs.*"),
}
OUTSIDE_ALERTS = ("vendor asked", "post", "post", "edit")
FREQUENT = ("fetch", "claim_source", "record_poll", "vendor asked")
MOMENTS = ("on arrival of", "instead of answering", "after answering")
LOOKS = ("before look", "after look", *(f"{moment} history" for moment in MOMENTS))


@dataclass
class Trap:
    """Kills the bot when a request comes by, once."""

    point: str = ""
    pid: int = 0
    nth: int = 1

    def middleware(self) -> Any:
        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            moment = self._moment(request)
            if moment == "on arrival of":
                self._spring()
            reply = await handler(request)
            if moment == "instead of answering":
                self._spring()
            elif moment == "after answering":
                asyncio.get_running_loop().call_later(0.001, self._spring)
            return reply

        return watch

    def _moment(self, request: web.Request) -> str:
        for moment in MOMENTS:
            what = self.point.removeprefix(f"{moment} ")
            if what != self.point and what in OUTSIDE:
                method, path = OUTSIDE[what]
                if re.fullmatch(method, request.method) and re.fullmatch(path, request.path):
                    self.nth -= 1
                    return moment if self.nth == 0 else ""
        return ""

    def _spring(self) -> None:
        kill(self.pid)


class Ward(Newsroom):
    """A newsroom whose bot is a child that is killed again and again."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        watches = [f'{{"channel": "{channel(n)}", "pipeline": "wercker:acme/many/p{n:02}"}}'
                   for n in range(PLACES)]  # fmt: skip
        super().__init__(
            folder,
            BOT_WATCHES=f"[{', '.join(watches)}]",
            BOT_PROVIDERS__DEBCI__BASE_URL=None,
            BOT_PROVIDERS__DEBCI__TOKEN=None,
            BOT_PROVIDERS__DEBCI__REQUESTS_PER_MINUTE=None,
            BOT_PROVIDERS__WERCKER__APPLICATIONS="acme/many",
        )
        self.nursery = nursery
        self.folder = folder
        self.trap = Trap()
        self.pid = 0
        self.slack.app.middlewares.append(self.trap.middleware())
        self.wercker.app.middlewares.append(self.trap.middleware())
        self.slack.strict.tier_limits = self.slack.strict.rate_limit = False
        self.wercker.add_application(
            "acme", "many", [PipelineSpec(f"p{n:02}") for n in range(PLACES)]
        )
        for number in range(PLACES):
            members = {BOT_USER, OPERATOR}
            self.slack._platform.workspace.channels[channel(number)] = Channel(
                channel(number), f"place-{number}", members
            )

    def start_bot(self, point: str = "", nth: int = 1) -> None:
        self.pid = self.nursery.start(self.environ(), point, nth)
        self.trap.pid = self.pid

    def stop_bot(self) -> None:
        kill(self.pid)
        assert self.nursery.ends(self.pid, 10)

    def is_up(self) -> bool:
        """Whether the bot has told its port; then Slack knows it too."""
        log = self.folder / log_name(self.pid)
        found = (
            re.search(r'"bot.started".*"port": (\d+)', log.read_text()) if log.exists() else None
        )
        if found:
            self.connect(int(found[1]))
        return found is not None

    def counted(self) -> int:
        """Rows of the outbox that wait, or are under way."""
        return len(self.query("SELECT 1 FROM outbox WHERE state IN ('waiting', 'sending')"))


@dataclass
class Plan:
    """What people and runs do over all rounds, and where the bot was killed."""

    dice: random.Random
    failed: dict[str, str] = field(default_factory=dict)
    """Run id to channel."""
    commands: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    count: int = 0

    def point(self, *, is_ambiguous: bool) -> tuple[str, bool]:
        """Where to kill next, and whether a command is needed to come there. The bot looks into
        the history only where the last one may have sent something.
        """
        if is_ambiguous and self.dice.random() < 0.5:
            return self.dice.choice(LOOKS), False
        kind = self.dice.choice(("inside", "inside", "outside", "random", "command"))
        if kind == "inside":
            return self.dice.choice(ALERT_POINTS), False
        if kind == "outside":
            return f"{self.dice.choice(MOMENTS)} {self.dice.choice(OUTSIDE_ALERTS)}", False
        if kind == "random":
            return "", self.dice.random() < 0.5
        outside = [f"{moment} trigger" for moment in MOMENTS]
        return self.dice.choice((*COMMAND_POINTS, *outside)), True


def channel(number: int) -> str:
    return f"C0PLACE{number:02}"


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with Nursery(tmp_path) as nursery, Ward(tmp_path, nursery) as ward:
        yield ward


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_f1_killed_anywhere_nothing_lost_nothing_twice(
    ward: Ward, shard: int, figures: Callable[[str], None]
) -> None:
    number = int(os.environ.get("KILL_SEED", "0")) or secrets.randbits(32)
    figures(f"kills, shard {shard}: KILL_SEED={number}")
    plan = Plan(random.Random(number + shard))  # noqa: S311  # it guards nothing
    ward.wait(ward.is_up, "the first start", LIMIT_S)
    first_look(ward)
    for _ in range(ROUNDS):
        one_round(ward, plan)
    ward.trap.point = ""
    ward.start_bot()
    ward.wait(ward.is_up, "the last start", LIMIT_S)
    assert_all_is_told(ward, plan)
    figures(f"kills, shard {shard}: {summary(plan)}, 0 lost, 0 twice, 0 commands twice")


def first_look(ward: Ward) -> None:
    """The watches have begun, and their source was read."""
    ward.wait(lambda: ward.query("SELECT 1 FROM sources WHERE good_poll IS NOT NULL"),
              "a first poll", LIMIT_S)  # fmt: skip
    ward.stop_bot()


def one_round(ward: Ward, plan: Plan) -> None:
    unsettled = ward.query("SELECT 1 FROM outbox WHERE state = 'sending' OR is_ambiguous")
    point, needs_command = plan.point(is_ambiguous=bool(unsettled))
    is_outside = point.startswith(MOMENTS)
    nth = plan.dice.choice((1, 2, 3)) if point.endswith(FREQUENT) else 1
    ward.trap.point, ward.trap.nth = (point, nth) if is_outside else ("", 1)
    for _ in range(plan.dice.choice((0, 1, 1, 2))):
        fail_one(ward, plan)
    ward.start_bot("" if is_outside else point, nth)
    ward.wait(lambda: ward.nursery.ends(ward.pid, 0) or ward.is_up(), "a start", LIMIT_S)
    fail_one(ward, plan)
    with somebody_asks(ward, plan) if needs_command else contextlib.nullcontext():
        life_s = LIFE_S if point else plan.dice.uniform(0.0, 1.0)
        is_dead = ward.nursery.ends(ward.pid, life_s)
        plan.kills["at random" if not point else point if is_dead else MISSED] += 1
        ward.stop_bot()


def fail_one(ward: Ward, plan: Plan) -> None:
    place = plan.count % PLACES
    plan.count += 1
    ward.catch_up()
    ward.clock.advance(1.0)
    run = ward.wercker.create(
        ward.wercker.pipeline(f"acme/many/p{place:02}"),
        plan.dice.choice(("main", "next")),
        outcome=Outcome("failed", "test", 0.3, 0.1),
    )
    ward.clock.advance(1.0)
    plan.failed[run.id] = channel(place)


@contextlib.contextmanager
def somebody_asks(ward: Ward, plan: Plan) -> Iterator[None]:
    """Somebody starts a run, in a thread of their own, for it may never be answered."""
    mark = f"command-{len(plan.commands)}-"
    plan.commands.append(mark)
    place = plan.dice.randrange(PLACES)
    command = f"/trigger wercker:acme/many/p{place:02} message={mark}"
    asking = threading.Thread(target=lambda: ward.slack.slash(OPERATOR, channel(place), command))
    asking.start()
    try:
        yield
    finally:
        asking.join(LIMIT_S)


def assert_all_is_told(ward: Ward, plan: Plan) -> None:
    is_told = lambda: ward.counted() == 0 and not missing(ward, plan)  # noqa: E731
    with contextlib.suppress(AssertionError):
        ward.wait(is_told, "the end of the news", LIMIT_S)
    standing = Counter(alert_ids(ward))
    assert not {one for one, times in standing.items() if times > 1}, "a message stands twice"
    lost = missing(ward, plan)
    assert not lost, f"{len(lost)} of {len(plan.failed)} are lost: {lost[:3]}"
    twice = [run for run, ids in told_by(ward, plan).items() if len(ids) > 1]
    assert not twice, f"{len(twice)} are told twice: {twice[:3]}"
    for mark in plan.commands:
        sent = [r for r in ward.changes("wercker") if mark.encode() in r.body]
        assert len(sent) <= 1, f"{mark} was sent {len(sent)} times"
    assert not ward.query("SELECT * FROM commands WHERE state IN ('received', 'accepted')")
    interrupted = ward.query("SELECT * FROM commands WHERE state = 'interrupted'")
    reports = [m for n in range(PLACES) for m in ward.told(channel(n))
               if "A restart interrupted" in m.text]  # fmt: skip
    assert len(reports) == len(interrupted), "what was interrupted is reported once"
    plan.kills[INTERRUPTED] = len(interrupted)


def alert_ids(ward: Ward) -> list[str]:
    """The ids of all alerts that stand in a channel."""
    return [
        m.metadata["event_payload"]["id"]
        for n in range(PLACES)
        for m in ward.told(channel(n))
        if m.metadata and m.metadata["event_type"] == "ci_run_alert"
    ]


def told_by(ward: Ward, plan: Plan) -> dict[str, set[str]]:
    """For each failed run the messages that were posted about it and stand there."""
    standing = set(alert_ids(ward))
    found: dict[str, set[str]] = {run: set() for run in plan.failed}
    for call in ward.slack.calls("chat.postMessage"):
        mark = (call.args.get("metadata") or {}).get("event_payload", {}).get("id")
        for run in re.findall(r"wercker:([0-9a-f]{24})", call.args.get("text", "")):
            if run in found and mark in standing:
                found[run].add(mark)
    return found


def missing(ward: Ward, plan: Plan) -> list[str]:
    return [run for run, ids in told_by(ward, plan).items() if not ids]


def summary(plan: Plan) -> str:
    kills = ", ".join(f"{count} {point}" for point, count in sorted(plan.kills.items()))
    rounds = sum(count for point, count in plan.kills.items() if point != INTERRUPTED)
    return (
        f"{rounds} rounds, {len(plan.failed)} failures, {len(plan.commands)} commands; "
        f"killed: {kills}"
    )
