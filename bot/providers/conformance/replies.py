"""How reads fare with every answer there is, and with none."""

import tracemalloc

import pytest

from bot.domain.errors import Kind
from bot.providers.conformance.bench import CHANGES, READS, Bench, report
from bot.providers.conformance.front import (
    Act,
    Exchange,
    Wanted,
    answer,
    dripping,
    dropped,
    reply_lost,
    silent,
)
from bot.providers.conformance.meanings import SAMPLE, judge_read
from bot.providers.conformance.odd import ODD_BODIES, RETRY_AFTERS, echo
from bot.providers.conformance.rig import Rig

MOST_MEMORY = 96 * 1024 * 1024
SHORT_S = 0.3
GRACE_S = 1.5
_WITH_ALL_STATUSES = {"check", "observe"}
_PASSING = {"502": answer(502), "503": answer(503), "504": answer(504), "lost": reply_lost}
_BAD = {Kind.BAD_REPLY, Kind.NOT_FOUND, Kind.FORBIDDEN}  # an empty list may be a lack of rights


class Replies:
    def test_the_credential_is_proven(self, rig: Rig, bench: Bench) -> None:
        """By a call that a wrong one does not survive."""
        good = bench.tried("check", bench.call("check"))
        assert good.error is None, str(good)
        assert good.sent, "check must ask the vendor"
        for name, value in rig.settings(bench.front.url).items():
            if str(value) not in rig.secrets:
                continue
            wrong = bench.provider(**{name: "w" + str(value)[1:][::-1]})
            outcome = bench.tried("check", bench.call("check"), provider=wrong)
            assert outcome.kind in {Kind.AUTH, Kind.FORBIDDEN}, f"{name}: {outcome}"

    @pytest.mark.parametrize("name", READS)
    def test_every_status_is_told_as_what_it_means(self, rig: Rig, bench: Bench, name: str) -> None:
        """Two calls meet all statuses there are, the others all that anybody gives a meaning."""
        call = bench.call(name)
        wrong = []
        for status in range(300, 600) if name in _WITH_ALL_STATUSES else SAMPLE:
            act = answer(status, b'{"message": "so it is"}')
            outcome = bench.tried(name, call, act, bench.is_plain)
            if not outcome.sent:
                pytest.skip(f"{name} asks the vendor nothing here")
            wrong += judge_read(rig, status, outcome)
        report(wrong)

    @pytest.mark.parametrize("name", READS)
    def test_odd_bodies_are_bad_replies(self, rig: Rig, bench: Bench, name: str) -> None:
        call = bench.call(name)
        wrong = []
        for what, odd in ODD_BODIES.items():
            act = answer(200, odd.body, odd.headers)
            outcome = bench.tried(name, call, act, bench.is_plain)
            if not outcome.sent:
                pytest.skip(f"{name} asks the vendor nothing here")
            must_fail = odd.is_hopeless and name not in rig.plain_calls
            allowed = {Kind.BAD_REPLY} if must_fail else {None, *_BAD}
            if outcome.kind not in allowed:
                wrong.append(f"{what}: {outcome}")
        report(wrong)

    @pytest.mark.parametrize("name", [*READS, *CHANGES])
    def test_a_fault_in_the_middle_is_a_provider_error(self, bench: Bench, name: str) -> None:
        """Each request of a call in turn, the first answered well, gets something odd."""
        count = len(bench.tried(name, bench.call(name)).sent)
        acts = [answer(200, ODD_BODIES[what].body) for what in _MIDDLE]
        for number in range(count):
            for act in (*acts, answer(404), answer(500), dropped):
                bench.tried(name, bench.call(name), act, _is_number(number))

    def test_a_login_may_fare_as_badly(self, rig: Rig, bench: Bench) -> None:
        call = bench.call("check")
        if not any(rig.is_login(one) for one in bench.tried("check", call).sent):
            pytest.skip("this vendor has no login before its calls")
        acts = [answer(200, odd.body, odd.headers) for odd in ODD_BODIES.values()]
        acts += [answer(status, b"so it is") for status in SAMPLE]
        for act in acts:
            outcome = bench.tried("check", call, act, rig.is_login)
            assert outcome.error is not None, str(outcome)
        refused = bench.tried("check", call, answer(401), rig.is_login)
        assert refused.kind is Kind.AUTH, str(refused)

    @pytest.mark.parametrize("name", ["recent", "get"])
    @pytest.mark.parametrize("what", ["huge", "gzip bomb"])
    def test_memory_stays_small(self, bench: Bench, name: str, what: str) -> None:
        call, odd = bench.call(name), ODD_BODIES[what]
        act = answer(200, odd.body, odd.headers)
        tracemalloc.start()
        try:
            bench.tried(name, call, act)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < MOST_MEMORY, f"{peak // 1024 // 1024} MiB"

    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize("what", RETRY_AFTERS)
    def test_the_vendor_says_how_long_to_wait(self, bench: Bench, status: int, what: str) -> None:
        wait = RETRY_AFTERS[what]
        headers = {"Retry-After": wait.header} if wait.header else {}
        act = answer(status, b"", headers)
        outcome = bench.tried("check", bench.call("check"), act, bench.is_plain)
        assert outcome.kind is (Kind.RATE_LIMITED if status == 429 else Kind.UNAVAILABLE)
        assert outcome.error is not None
        told = outcome.error.retry_after_s
        assert told is None or 0.0 <= told <= 900.0
        if wait.exactly is not None:
            assert told == pytest.approx(wait.exactly)

    def test_while_the_vendor_wants_quiet_nothing_is_sent(self, bench: Bench) -> None:
        provider, call = bench.provider(), bench.call("check")
        first = bench.tried(
            "check", call, answer(429, b"", {"Retry-After": "60"}), provider=provider
        )
        assert len(first.sent) == 1
        second = bench.tried("check", call, provider=provider)
        assert (second.kind, second.sent) == (Kind.RATE_LIMITED, ())

    @pytest.mark.parametrize("name", READS)
    @pytest.mark.parametrize("fault", _PASSING)
    def test_a_read_is_tried_once_more(self, bench: Bench, name: str, fault: str) -> None:
        call = bench.call(name)
        calm = bench.tried(name, call)
        if not calm.sent:
            pytest.skip(f"{name} asks the vendor nothing here")
        once = bench.tried(name, call, _PASSING[fault], lambda r: r.number == 0)
        assert once.error is None, str(once)
        assert len(once.sent) == len(calm.sent) + 1

    @pytest.mark.parametrize("name", READS)
    def test_a_read_is_not_tried_for_ever(self, bench: Bench, name: str) -> None:
        outcome = bench.tried(name, bench.call(name), answer(503))
        lines = [one.line for one in outcome.sent]
        assert all(lines.count(line) <= 2 for line in lines), str(outcome)

    @pytest.mark.parametrize("name", READS)
    @pytest.mark.parametrize("fault", ["silent", "dripping"])
    def test_a_read_ends_at_its_deadline(self, bench: Bench, name: str, fault: str) -> None:
        act = silent if fault == "silent" else dripping
        outcome = bench.tried(name, bench.call(name), act, seconds=SHORT_S)
        assert outcome.took_s < SHORT_S + GRACE_S, str(outcome)
        assert not outcome.sent or outcome.kind is Kind.UNAVAILABLE, str(outcome)

    @pytest.mark.parametrize("name", READS)
    def test_a_vendor_that_is_not_there_is_unavailable(self, bench: Bench, name: str) -> None:
        call, provider = bench.call(name), bench.provider()
        asks = bool(bench.tried(name, call).sent)
        bench.front.stop_listening()
        outcome = bench.tried(name, call, provider=provider)
        assert outcome.kind is (Kind.UNAVAILABLE if asks else None), str(outcome)

    @pytest.mark.parametrize("name", [*READS, *CHANGES])
    def test_no_error_shows_what_the_vendor_echoes(self, bench: Bench, name: str) -> None:
        """Gateways were seen to answer with the whole request, its credential included."""
        call = bench.call(name)
        for status in (200, 302, 400, 401, 403, 404, 405, 409, 410, 422, 429, 500, 502):
            for shape in range(4):
                bench.tried(name, call, _echoed(status, shape))


_MIDDLE = ("truncated", "null", "number", "no object", "no list", "list of anything", "page")


def _is_number(number: int) -> Wanted:
    return lambda request: request.number == number


def _echoed(status: int, shape: int) -> Act:
    def act(exchange: Exchange) -> bool:
        sent = exchange.request.headers
        trace = {"X-Trace-Id": " ".join(sent.values()), "Location": "https://user:pw@x.example/"}
        return answer(status, echo(sent, exchange.request.body)[shape], trace)(exchange)

    return act
