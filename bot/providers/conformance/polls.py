"""What polls must not lose, and what they may cost."""

import json
from typing import Any

import pytest

from bot.domain.providers import Observation, OpenRun, Provider
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.providers.conformance.bench import LIMIT_S, Bench
from bot.providers.conformance.front import altered
from bot.providers.conformance.rig import INSTANCE, Rig
from bot.providers.failing import MOST_CHARACTERS, MOST_NAMES

_NO_NUMBER = float("nan")
_JUNK: tuple[Any, ...] = (
    None, 7, _NO_NUMBER, "x", [], {}, {"id": _NO_NUMBER}, {"id": {"$gt": ""}, "status": 7}
)  # fmt: skip


class Watcher:
    """Polls as the bot does: hands back the cursor and the runs that are not over."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.provider: Provider = bench.provider()
        self.source = bench.source
        self.cursor = ""
        self.open: dict[str, OpenRun] = {}

    def poll(self) -> dict[str, Run]:
        seen = self.provider.observe(
            self.source, self.cursor, tuple(self.open.values()), self._bench.within(LIMIT_S)
        )
        assert isinstance(seen, Observation)
        self.cursor = json.loads(json.dumps(seen.cursor))
        assert isinstance(self.cursor, str)
        for run in seen.runs:
            self.open.pop(run.ref.run_id, None)
            if not run.is_over:
                self.open[run.ref.run_id] = self._bench.open_run(run)
        return {run.ref.run_id: run for run in seen.runs}


class Polls:
    @pytest.fixture
    def watcher(self, bench: Bench) -> Watcher:
        return Watcher(bench)

    def test_a_run_is_seen_from_start_to_end(self, rig: Rig, watcher: Watcher) -> None:
        watcher.poll()
        run_id = rig.add_run(rig.open_word)
        run = watcher.poll()[run_id]
        assert not run.is_over
        assert run.ref.instance == run.pipeline.instance == INSTANCE
        rig.set_status(run_id, rig.failed_word)
        assert watcher.poll()[run_id].status.is_failure

    def test_a_run_that_comes_and_fails_between_two_polls_is_seen(
        self, rig: Rig, watcher: Watcher
    ) -> None:
        rig.add_run(rig.passed_word)
        watcher.poll()
        run_id = rig.add_run(rig.failed_word)
        assert watcher.poll()[run_id].status.is_failure

    def test_open_runs_are_followed_off_the_first_page(self, rig: Rig, watcher: Watcher) -> None:
        run_id = rig.add_run(rig.open_word)
        watcher.poll()
        for _ in range(rig.page_length + 1):
            rig.add_run(rig.passed_word)
        watcher.poll()
        assert not watcher.poll()[run_id].is_over
        rig.set_status(run_id, rig.failed_word)
        assert watcher.poll()[run_id].status.is_failure

    def test_more_new_runs_than_a_page_holds_are_all_seen(self, rig: Rig, watcher: Watcher) -> None:
        rig.add_run(rig.passed_word)
        watcher.poll()
        made = {rig.add_run(rig.failed_word) for _ in range(rig.page_length + 5)}
        seen = {*watcher.poll(), *watcher.poll()}
        assert made <= seen, f"{len(made - seen)} of {len(made)} were never seen"

    def test_what_failed_before_the_first_poll_is_seen(self, rig: Rig, watcher: Watcher) -> None:
        """A watch may be made while the service is down; within an hour nothing is lost."""
        made = {rig.add_run(rig.failed_word) for _ in range(rig.page_length + 5)}
        seen = {*watcher.poll(), *watcher.poll()}
        assert made <= seen, f"{len(made - seen)} of {len(made)} were never seen"

    def test_what_failed_is_told_in_short_names(
        self, rig: Rig, bench: Bench, watcher: Watcher
    ) -> None:
        """At most 50 of 200 characters, or nothing, where the vendor does not tell."""
        watcher.poll()
        for word, status in rig.statuses.items():
            if status.is_failure:
                rig.add_run(word)
        for run in watcher.poll().values():
            bench.check_hidden(repr(run.failures), f"what failed in {run.ref}")
            assert len(set(run.failures)) == len(run.failures) <= MOST_NAMES
            assert all(0 < len(name) <= MOST_CHARACTERS for name in run.failures), run.failures

    def test_a_late_result_is_not_lost(self, rig: Rig, watcher: Watcher) -> None:
        """Newer runs have come and gone, and the cursor has moved on, when an old one ends."""
        watcher.poll()
        slow = rig.add_run(rig.open_word)
        watcher.poll()
        for _ in range(3):
            rig.add_run(rig.passed_word)
            watcher.poll()
        rig.set_status(slow, rig.failed_word)
        assert watcher.poll()[slow].status.is_failure

    def test_a_result_is_not_lost_over_a_restart(self, rig: Rig, bench: Bench) -> None:
        """All that is remembered is the cursor and the open runs; the instance is new."""
        before = Watcher(bench)
        run_id = rig.add_run(rig.open_word)
        before.poll()
        rig.set_status(run_id, rig.failed_word)
        after = Watcher(bench)
        after.cursor, after.open = before.cursor, before.open
        assert after.poll()[run_id].status.is_failure

    def test_a_cursor_that_is_not_ours_is_harmless(self, rig: Rig, watcher: Watcher) -> None:
        run_id = rig.add_run(rig.failed_word)
        for cursor in ("x", "7", "{}", "null", '{"a": [', "\x00", "9" * 10_000):
            watcher.cursor = cursor
            assert run_id in watcher.poll()

    def test_a_quiet_poll_is_cheap(self, rig: Rig, bench: Bench, watcher: Watcher) -> None:
        for word in (rig.passed_word, rig.failed_word):
            rig.add_run(word)
        watcher.poll()
        watcher.poll()
        bench.front.behave()
        watcher.poll()
        lines = [one.line for one in bench.front.received]
        assert len(lines) <= rig.quiet_poll_requests, lines

    def test_a_bad_item_does_not_spoil_the_others(
        self, rig: Rig, bench: Bench, watcher: Watcher
    ) -> None:
        good = {rig.add_run(rig.passed_word) for _ in range(3)}
        bench.front.behave(altered(with_junk))
        seen = watcher.provider.observe(watcher.source, "", (), bench.within(LIMIT_S))
        listed = bench.provider().recent(rig.pipeline, 10, bench.within(LIMIT_S))
        assert good <= {run.ref.run_id for run in seen.runs}
        assert good <= {run.ref.run_id for run in listed}
        assert seen.bad_items > 0, "what could not be read is counted"

    def test_an_open_run_that_is_gone_does_not_spoil_the_others(
        self, rig: Rig, bench: Bench, watcher: Watcher
    ) -> None:
        run_id = rig.add_run(rig.open_word)
        watcher.poll()
        gone = run_id[:-1] + ("1" if run_id[-1] != "1" else "2")
        watcher.open[gone] = OpenRun(gone, bench.rig.clock.now(), None)
        rig.set_status(run_id, rig.passed_word)
        assert watcher.poll()[run_id].status is Status.PASSED

    def test_recent_runs_come_newest_first_and_no_more_than_asked(
        self, rig: Rig, bench: Bench
    ) -> None:
        made = [rig.add_run(rig.passed_word) for _ in range(5)]
        runs = bench.provider().recent(rig.pipeline, 3, bench.within(LIMIT_S))
        assert [run.ref.run_id for run in runs[:3]] == made[:1:-1]

    def test_the_pipeline_of_the_rig_is_found_and_can_be_watched(
        self, rig: Rig, bench: Bench
    ) -> None:
        provider = bench.provider()
        found = provider.find_pipeline(rig.pipeline, bench.within(LIMIT_S))
        assert found.ref.instance == INSTANCE
        assert rig.pipeline in {found.ref.key, *found.aliases}
        assert provider.sources(found.ref.key), "its key has no source"
        bench.front.behave()
        provider.sources(rig.pipeline)
        assert not bench.front.received, "sources asks nobody"


def with_junk(value: Any) -> Any:
    """The reply with what is no item among the items of its outermost lists of objects."""
    if isinstance(value, list):
        return (
            [*_JUNK[:3], *value, *_JUNK[3:]] if any(isinstance(v, dict) for v in value) else value
        )
    if isinstance(value, dict):
        return {key: with_junk(inner) for key, inner in value.items()}
    return value
