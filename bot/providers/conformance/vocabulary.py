"""The vendor's status words, and what else is told of a run."""

from bot.domain.clock import Deadline
from bot.domain.providers import Capability, Observation
from bot.domain.runs import Parameters, Run
from bot.domain.statuses import Status
from bot.providers.conformance.bench import LIMIT_S, Bench, report
from bot.providers.conformance.rig import INSTANCE, Rig
from bot.providers.parameters import MOST_CHARACTERS

_MOST_PARAMETERS = 16


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

    def test_parameters_are_short_and_tell_no_secret(self, rig: Rig, bench: Bench) -> None:
        """In lists, in polls and alone; also of a run that was started with a secret variable."""
        for word in rig.statuses:
            rig.add_run(word)
        if Capability.TRIGGER in rig.spec.capabilities:
            bench.call("trigger")(bench.provider(), bench.within(LIMIT_S))
        listed = bench.provider().recent(rig.pipeline, 20, bench.within(LIMIT_S))
        polled = _observed(bench, bench.within(LIMIT_S)).runs
        read = [bench.read(run.ref.run_id) for run in listed]
        wrong = []
        for run in (*listed, *polled, *read):
            bench.check_hidden(repr(run.parameters), f"the parameters of {run.ref}")
            if not _are_parameters(run.parameters):
                wrong.append(f"{run.ref}: {run.parameters!r}")
        report(wrong)


def _are_parameters(pairs: Parameters) -> bool:
    """At most 16 pairs of different names and texts, each of 1 to 100 characters."""
    texts = [text for pair in pairs for text in pair]
    return (
        len({name for name, _ in pairs}) == len(pairs) <= _MOST_PARAMETERS
        and len(texts) == 2 * len(pairs)
        and all(isinstance(one, str) and 0 < len(one) <= MOST_CHARACTERS for one in texts)
    )


def _observed(bench: Bench, deadline: Deadline) -> Observation:
    return bench.provider().observe(bench.source, "", (), deadline)


def _are_in_order(run: Run) -> bool:
    times = [one for one in (run.created, run.started, run.finished) if one is not None]
    return all(one.tzinfo is not None for one in times) and times == sorted(times)
