"""One instance, many threads."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.providers.conformance.bench import LIMIT_S, READS, Bench
from bot.providers.conformance.rig import Rig

THREADS = 8


class Threads:
    def test_eight_threads_may_read_at_once(self, rig: Rig, bench: Bench) -> None:
        """They meet on an instance that knows nothing yet."""
        able = [n for n in READS if n not in _missing(rig)]
        calls = {name: bench.call(name) for name in able}
        provider, start = bench.provider(), threading.Barrier(THREADS, timeout=LIMIT_S)

        def read(first: int) -> list[object]:
            start.wait()
            turned = [*able[first:], *able[:first]]
            values = {name: calls[name](provider, bench.within(2 * LIMIT_S)) for name in turned}
            return [values[name] for name in ("get", "find_pipeline")]

        answers = _together(read)
        assert all(one == answers[0] for one in answers)

    def test_eight_threads_start_eight_runs(self, bench: Bench) -> None:
        call, provider = bench.call("trigger"), bench.provider()
        alone = len(bench.changes(bench.tried("trigger", call).sent))
        start = threading.Barrier(THREADS, timeout=LIMIT_S)
        bench.front.behave()

        def begin(_number: int) -> object:
            start.wait()
            return call(provider, bench.within(2 * LIMIT_S)).run

        runs = [run for run in _together(begin) if run is not None]
        assert len(set(runs)) == len(runs)
        assert len(bench.changes(bench.front.received)) == THREADS * alone


def _missing(rig: Rig) -> set[str]:
    return {str(one) for one in rig.spec.refusals}


def _together(work: Callable[[int], object]) -> list[object]:
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            return list(pool.map(work, range(THREADS)))
        except Exception as error:  # noqa: BLE001  # whatever a thread ran into
            pytest.fail(f"{type(error).__name__}: {error}")
