"""A stateful model of promises 1 and 2: whatever happens, people hear of every failure once.

Hypothesis makes up histories: runs begin, end and are repeated, polls read stale and shifting
pages, Slack loses answers, the process is killed between any two steps, clocks jump. Then all
heals, and every channel must show exactly the failures that good polls could see.

The seed is printed. MODEL_SEED repeats a run, MODEL_EXAMPLES changes its length, and
MODEL_SHRINK looks for a shorter history that fails too, which may take minutes.
"""

import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.domain.digests import Digest
from bot.domain.outbox import Form
from bot.domain.replies import AlertCard, AlertReply
from bot.domain.statuses import Status
from bot.domain.watches import Preset
from tests.fakes.model_slack import Shown
from tests.fakes.model_vendor import Vendor
from tests.fakes.model_world import CHANGES, EVERYTHING, FAILURES, MORTAL_VERBS, World

CHANNELS = (CHANGES, FAILURES, EVERYTHING)
ENDS = (Status.FAILED, Status.FAILED, Status.FAILED, Status.PASSED, Status.PASSED,
        Status.ERRORED, Status.ABORTED)  # fmt: skip
MISHAPS = ("lost", "dropped", "429", "die before", "die after")
IS_CI = bool(os.environ.get("CI"))
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "250" if IS_CI else "60"))
SHRINKS = "MODEL_SHRINK" in os.environ
STEPS = 50
HOUR = timedelta(hours=1)

pick = st.integers(0, 7)


def folder() -> "tempfile.TemporaryDirectory[str]":
    """In memory where there is such a place: thousands of transactions are waited for."""
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made there
    return tempfile.TemporaryDirectory(prefix="bot-model-", dir=memory if memory.is_dir() else None)


class Model(RuleBasedStateMachine):
    totals: ClassVar[Counter[str]] = Counter()

    @initialize()
    def begin(self) -> None:
        self.folder = folder()
        self.world = World(Path(self.folder.name))
        self.world.poll()
        self.polls = 0

    # CI services

    @rule(number=pick, pipeline=pick, branch=st.sampled_from(("main", "next")))
    def start(self, number: int, pipeline: int, branch: str) -> None:
        self.world.clock.advance(1)
        self.vendor(number).start(f"p{pipeline % 3}", branch)

    @rule(number=pick, which=pick, how=st.sampled_from(ENDS))
    def finish(self, number: int, which: int, how: Status) -> None:
        self.world.clock.advance(1)
        vendor = self.vendor(number)
        if runs := vendor.open_runs():
            vendor.end(runs[which % len(runs)], how)

    @rule(number=pick, pipeline=pick, how=st.sampled_from(ENDS))
    def start_and_finish(self, number: int, pipeline: int, how: Status) -> None:
        self.world.clock.advance(1)
        vendor = self.vendor(number)
        run_id = vendor.start(f"p{pipeline % 3}", "main")
        self.world.clock.advance(1)
        vendor.end(run_id, how)

    @rule(number=pick, which=pick)
    def repeat(self, number: int, which: int) -> None:
        """Under the same id where the vendor does so, newest first."""
        self.world.clock.advance(1)
        vendor = self.vendor(number)
        if vendor.spec.runs_reopen and (runs := vendor.ended_runs()):
            vendor.repeat(runs[-1 - which % len(runs)])

    @rule(number=pick, count=st.integers(4, 9))
    def burst(self, number: int, count: int) -> None:
        vendor = self.vendor(number)
        self.world.clock.advance(1)
        for index in range(count):
            vendor.end(vendor.start(f"burst{index}", "main"), Status.FAILED)

    @rule(number=pick, stale_by=st.integers(1, 4))
    def poll_stale_pages(self, number: int, stale_by: int) -> None:
        vendor = self.vendor(number)
        vendor.stale_by = stale_by
        self.poll(61)
        vendor.stale_by = 0

    @rule(number=pick, pipeline=pick)
    def shift_pages(self, number: int, pipeline: int) -> None:
        """A run begins while the bot reads from one page to the next."""
        vendor = self.vendor(number)
        vendor.before_second_page = lambda: vendor.end(
            vendor.start(f"p{pipeline % 3}", "main"), Status.FAILED
        )

    @rule(number=pick, on=st.booleans())
    def outage(self, number: int, *, on: bool) -> None:
        for vendor in self.world.vendors:
            vendor.is_down = on and vendor is self.vendor(number)

    # Slack

    @rule(plan=st.lists(st.sampled_from((*MISHAPS, "")), min_size=1, max_size=4))
    def slack_misbehaves(self, plan: list[str]) -> None:
        self.world.slack.plan += plan

    @rule(on=st.booleans())
    def slack_is_down(self, *, on: bool) -> None:
        self.world.slack.is_down = on

    @rule(on=st.booleans())
    def history_does_not_answer(self, *, on: bool) -> None:
        self.world.slack.is_blind = on

    # The bot's process and its time

    @rule(verb=st.sampled_from(MORTAL_VERBS), when=st.sampled_from(("before", "after")))
    def die_soon(self, verb: str, when: str) -> None:
        self.world.deaths.append(f"{when} {verb}")

    @rule(is_booted=st.booleans())
    def kill(self, *, is_booted: bool) -> None:
        if is_booted:
            self.world.clock.boot()
        self.world.restart()

    @rule(hours=st.sampled_from((-1, 0, 1)))
    def jump(self, hours: int) -> None:
        self.world.clock.error = hours * HOUR

    @rule(seconds=st.sampled_from((5, 30, 70, 600)))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    # People

    @rule(on=st.booleans())
    def mute(self, *, on: bool) -> None:
        if on:
            self.world.mute(CHANGES)
        else:
            self.world.unmute(CHANGES)

    @precondition(lambda self: not self.world.clock.error)
    @rule(on=st.booleans(), preset=st.sampled_from((Preset.ALL, Preset.CHANGES)))
    def watch(self, preset: Preset, *, on: bool) -> None:
        self.world.unwatch(EVERYTHING)
        if on:
            self.world.watch(EVERYTHING, preset)

    # What the bot does

    @rule(after=st.sampled_from((10, 61)))
    def poll(self, after: int) -> None:
        self.polls += 1
        self.world.clock.advance(after)
        self.world.poll()

    @rule(most=st.integers(1, 8))
    def send(self, most: int) -> None:
        self.world.send(most)

    @rule(number=pick, which=pick, how=st.sampled_from(ENDS), most=st.integers(0, 8))
    def repeat_and_tell(self, number: int, which: int, how: Status, most: int) -> None:
        """A run again and its end, each read, as where a team works at one failure."""
        self.repeat(number, which)
        self.poll(61)
        self.finish(number, 0, how)
        self.poll(61)
        self.world.send(most)

    @rule(most=st.integers(1, 8))
    def poll_and_send(self, most: int) -> None:
        self.poll(61)
        self.world.send(most)

    # What must hold

    @precondition(lambda self: self.polls > 8)
    @rule()
    def all_is_well_again(self) -> None:
        self.world.heal_and_drain()
        for channel in CHANNELS:
            self.told_exactly_once(channel)
            self.sent_exactly_once_and_in_order(channel)
            self.fixes_told_once(channel)
        self.what_is_red_has_a_card()

    def told_exactly_once(self, channel: str) -> None:
        truth, told = self.world.truth(channel), self.world.told(channel)
        assert not {f for f, times in told.items() if times > 1}, f"told twice in {channel}"
        assert not truth.must - told.keys(), f"not told in {channel}"
        assert not told.keys() - truth.must - truth.may, f"not to be told in {channel}"

    def sent_exactly_once_and_in_order(self, channel: str) -> None:
        posts = self.world.slack.channels.get(channel, [])
        ids = Counter(shown.message_id for shown in posts)
        assert not [one for one, times in ids.items() if times > 1], "a message stands there twice"
        digests = {one.ts for one in posts if isinstance(one.first, Digest)}
        single = [one for one in posts if _is_news(one) and one.root_ts not in digests]
        assert all(one.number < other.number for one, other in pairwise(single)), "out of order"

    def fixes_told_once(self, channel: str) -> None:
        fixes = self.world.fixes(channel)
        assert not [one for one, times in fixes.items() if times > 1], "a fix was told twice"
        if channel != CHANGES:
            return
        for episode in self.world.episodes(channel):
            run = episode.latest
            if episode.fixed_at is not None and episode.is_told and run.finished is not None:
                fix = (run.ref, run.finished)
                is_unheard = fix in self.world.truth(channel).unheard_passes
                assert fix in fixes or is_unheard, "fix not told"

    def what_is_red_has_a_card(self) -> None:
        red = {(e.key.pipeline, e.key.branch) for e in self.world.episodes(CHANGES)
               if e.fixed_at is None}  # fmt: skip
        newest = {}
        for ref, version in sorted(self.world.known.items()):
            newest[version.run.pipeline, version.run.branch] = (ref, version.run)
        must = self.world.truth(CHANGES).must
        for place, (ref, run) in newest.items():
            if run.status is Status.PASSED:
                assert place not in red, f"{place} passed and its card is red"
            elif (ref, run.finished) in must:
                assert place in red, f"{place} failed and has no card"

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.all_is_well_again()
        finally:
            self.world.counts["histories"] += 1
            Model.totals.update(self.world.counts)
            self.world.close()
            self.folder.cleanup()

    def vendor(self, number: int) -> Vendor:
        return self.world.vendors[number % len(self.world.vendors)]


def _is_news(shown: Shown) -> bool:
    return shown.form is not Form.EDIT and isinstance(shown.first, AlertCard | AlertReply)


settings.register_profile(
    "model",
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink) if SHRINKS else (Phase.generate,),
)


def test_whatever_happens_each_failure_is_told_once(figures: Callable[[str], None]) -> None:
    number = int(os.environ.get("MODEL_SEED", "0")) or secrets.randbits(32)
    figures(f"model: MODEL_SEED={number}")
    Model.totals.clear()
    run_state_machine_as_test(seed(number)(Model), settings=settings.get_profile("model"))
    shown = ", ".join(f"{count} {name}" for name, count in sorted(Model.totals.items()))
    figures(f"model: {shown}")
