"""The vendor's status words."""

from bot.domain.clock import Deadline
from bot.domain.providers import Observation
from bot.domain.runs import Run
from bot.domain.statuses import Status
from bot.providers.conformance.bench import LIMIT_S, Bench, report
from bot.providers.conformance.rig import INSTANCE, Rig


class Vocabulary:
    def test_every_status_word_means_what_the_author_says(self, rig: Rig, bench: Bench) -> None:
        wrong = []
        for word, status in rig.statuses.items():
            run = bench.read(rig.add_run(word))
            if run.status is not status:
                wrong.append(f"{word!r} is {run.status}, not {status}")
        report(wrong)

    def test_lists_and_polls_tell_the_same_status(self, rig: Rig, bench: Bench) -> None:
        made = {rig.add_run(word): status for word, status in rig.statuses.items()}
        deadline = bench.within(LIMIT_S)
        listed = bench.provider().recent(rig.pipeline, 3 * len(made), deadline)
        polled = bench.provider().observe(bench.source, "", (), deadline).runs
        for runs in (listed, polled):
            seen = {run.ref.run_id: run.status for run in runs}
            assert {one: seen.get(one) for one in made} == made

    def test_the_table_has_words_for_passed_failed_and_under_way(self, rig: Rig) -> None:
        words = {rig.open_word, rig.passed_word, rig.failed_word}
        assert len(words) == 3

    def test_an_unknown_word_is_harmless(self, rig: Rig, bench: Bench) -> None:
        strange, known = rig.add_run(rig.unknown_word), rig.add_run(rig.passed_word)
        run = bench.read(strange)
        assert run.status is Status.UNKNOWN
        assert rig.unknown_word in run.raw_status, run.raw_status
        seen = _observed(bench, bench.within(LIMIT_S))
        runs = {one.ref.run_id: one for one in seen.runs}
        assert runs[strange].status is Status.UNKNOWN
        assert runs[known].status is Status.PASSED
        assert seen.bad_items == 0, "an unknown word makes no bad item"

    def test_a_run_is_told_in_full(self, rig: Rig, bench: Bench) -> None:
        """Its instance, its id and pipeline, and times that are aware and in order."""
        for word in rig.statuses:
            run_id = rig.add_run(word)
            run = bench.read(run_id)
            assert (run.ref.instance, run.ref.run_id) == (INSTANCE, run_id)
            assert run.pipeline.instance == INSTANCE
            assert rig.pipeline in {run.pipeline.key, *run.aliases}
            assert _are_in_order(run), f"{word}: {run}"
            assert run.is_over or run.finished is None


def _observed(bench: Bench, deadline: Deadline) -> Observation:
    return bench.provider().observe(bench.source, "", (), deadline)


def _are_in_order(run: Run) -> bool:
    times = [one for one in (run.created, run.started, run.finished) if one is not None]
    return all(one.tzinfo is not None for one in times) and times == sorted(times)
