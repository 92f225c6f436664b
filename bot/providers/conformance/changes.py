"""What triggers, aborts and retries send: once, whatever becomes of it."""

import pytest

from bot.domain.errors import Kind
from bot.domain.providers import Started
from bot.domain.runs import Run
from bot.providers.conformance.bench import CHANGES, Bench, Outcome, report
from bot.providers.conformance.front import (
    answer,
    dripping,
    dropped,
    last_answer,
    reply_lost,
    silent,
)
from bot.providers.conformance.meanings import SAMPLE, is_doubtful, judge_change
from bot.providers.conformance.odd import ODD_BODIES
from bot.providers.conformance.rig import INSTANCE, Rig

SHORT_S = 0.6
GRACE_S = 1.5
_LOST = {"reply lost": reply_lost, "dropped": dropped}
_SLOW = {"silent": silent, "dripping": dripping}


class Changes:
    @pytest.mark.parametrize("name", CHANGES)
    def test_a_change_is_sent_and_told(self, bench: Bench, name: str) -> None:
        outcome = bench.tried(name, bench.call(name))
        assert outcome.error is None, str(outcome)
        assert bench.changes(outcome.sent), "nothing was sent"
        assert _repeats(bench, outcome) == []
        if name == "abort":
            assert isinstance(outcome.value, Run)
        else:
            assert isinstance(outcome.value, Started)
            run = outcome.value.run
            assert run is not None or outcome.value.note, "say what is known of the run"
            assert run is None or run.ref.instance == INSTANCE

    @pytest.mark.parametrize("name", CHANGES)
    def test_a_change_is_sent_once_whatever_the_status(
        self, rig: Rig, bench: Bench, name: str
    ) -> None:
        wrong = []
        for status in SAMPLE:
            act = answer(status, b'{"message": "so it is"}')
            outcome = bench.tried(name, bench.call(name), act, rig.changes)
            wrong += judge_change(rig, status, outcome)
            wrong += [f"{status}: {line}" for line in _repeats(bench, outcome)]
            if is_doubtful(status) and status != 501 and len(bench.changes(outcome.sent)) > 1:
                wrong.append(f"{status}: something more was sent: {outcome}")
        report(wrong)

    @pytest.mark.parametrize("name", CHANGES)
    def test_an_unreadable_answer_leaves_a_doubt(self, rig: Rig, bench: Bench, name: str) -> None:
        wrong = []
        for what, odd in ODD_BODIES.items():
            act = answer(200, odd.body, odd.headers)
            outcome = bench.tried(name, bench.call(name), act, rig.changes)
            if outcome.error is not None and outcome.kind is not Kind.AMBIGUOUS:
                wrong.append(f"{what}: {outcome}")
            wrong += [f"{what}: {line}" for line in _repeats(bench, outcome)]
        report(wrong)

    @pytest.mark.parametrize("name", CHANGES)
    @pytest.mark.parametrize("fault", _LOST)
    def test_a_lost_answer_leaves_a_doubt(
        self, rig: Rig, bench: Bench, name: str, fault: str
    ) -> None:
        outcome = bench.tried(name, bench.call(name), _LOST[fault], rig.changes)
        assert outcome.error is None or outcome.kind is Kind.AMBIGUOUS, str(outcome)
        assert len(bench.changes(outcome.sent)) == 1, str(outcome)

    @pytest.mark.parametrize("name", CHANGES)
    @pytest.mark.parametrize("fault", _SLOW)
    def test_a_change_ends_at_its_deadline_in_doubt(
        self, rig: Rig, bench: Bench, name: str, fault: str
    ) -> None:
        outcome = bench.tried(name, bench.call(name), _SLOW[fault], rig.changes, seconds=SHORT_S)
        assert outcome.took_s < SHORT_S + GRACE_S, str(outcome)
        assert len(bench.changes(outcome.sent)) == 1, str(outcome)
        assert outcome.error is None or outcome.kind is Kind.AMBIGUOUS, str(outcome)

    @pytest.mark.parametrize("name", CHANGES)
    def test_where_nobody_listens_nothing_was_done(self, bench: Bench, name: str) -> None:
        """Reads before the change are answered; the connection for the change is refused."""
        calm, call = bench.tried(name, bench.call(name)), bench.call(name)
        before = calm.sent.index(bench.changes(calm.sent)[0])
        provider = bench.provider()
        if before == 0:
            bench.front.stop_listening()
        outcome = bench.tried(
            name, call, last_answer, lambda r: r.number == before - 1, provider=provider
        )
        assert outcome.kind is Kind.UNAVAILABLE, str(outcome)
        assert not bench.changes(outcome.sent)

    def test_each_request_starts_a_run_of_its_own(self, rig: Rig, bench: Bench) -> None:
        provider = bench.provider()
        first, second = (
            bench.tried("trigger", bench.call("trigger"), provider=provider) for _ in range(2)
        )
        runs = [one.value.run for one in (first, second) if one.value and one.value.run]
        assert len({run.ref for run in runs}) == len(runs)
        assert all(rig.pipeline in {run.pipeline.key, *run.aliases} for run in runs)

    def test_a_run_that_is_over_is_not_aborted(self, rig: Rig, bench: Bench) -> None:
        bench.need("abort")
        run = bench.read(rig.add_run(rig.passed_word))
        outcome = bench.tried("abort", lambda p, d: p.abort(run, d))  # type: ignore[attr-defined]
        is_told = outcome.kind is Kind.CONFLICT or (
            outcome.error is None and outcome.value.status is run.status
        )
        assert is_told, str(outcome)
        assert bench.read(run.ref.run_id).status is run.status


def _repeats(bench: Bench, outcome: Outcome) -> list[str]:
    """Changes that were sent more than once."""
    sent = [(one.line, one.body) for one in bench.changes(outcome.sent)]
    return [f"sent more than once: {one[0]}" for one in dict.fromkeys(sent) if sent.count(one) > 1]
