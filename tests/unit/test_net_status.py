"""What every status means."""

import pytest

from bot.domain.errors import Kind
from bot.net import Reply
from bot.net.errors import Break, Broken, breakage, kind_of, refusal

TABLE = {
    301: Kind.BAD_REPLY,
    302: Kind.BAD_REPLY,
    400: Kind.INVALID,
    401: Kind.AUTH,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    405: Kind.INVALID,
    406: Kind.INVALID,
    409: Kind.CONFLICT,
    410: Kind.INVALID,
    413: Kind.INVALID,
    415: Kind.INVALID,
    418: Kind.INVALID,
    422: Kind.INVALID,
    429: Kind.RATE_LIMITED,
    500: Kind.UNAVAILABLE,
    502: Kind.UNAVAILABLE,
    503: Kind.UNAVAILABLE,
    504: Kind.UNAVAILABLE,
    599: Kind.UNAVAILABLE,
}
EVERY = range(100, 1000)


@pytest.mark.parametrize(("status", "kind"), TABLE.items())
def test_a_read_maps_to_its_kind(status: int, kind: Kind) -> None:
    assert kind_of(status, changes=False) is kind


def test_a_change_is_refused_for_certain_by_4xx_and_moved_addresses_only() -> None:
    certain = {s for s in EVERY if kind_of(s, changes=True) is not Kind.AMBIGUOUS}
    assert certain == {301, 307, 308, *range(400, 500)}
    for status in range(400, 500):
        assert kind_of(status, changes=True) is kind_of(status, changes=False)


@pytest.mark.parametrize("changes", [False, True])
def test_every_status_has_a_sentence_that_names_the_service(changes: bool) -> None:  # noqa: FBT001
    for status in EVERY:
        reply = Reply(status, {"location": "https://a.example/x?canary"}, b"canary", "", changes)
        error = refusal("Wercker", reply, None, f"GET /x: {status}")
        assert "Wercker" in error.message
        assert error.message.endswith(".")
        assert "canary" not in repr(error) + str(error) + error.detail + repr(vars(error))
        assert error.reply is reply


def test_a_moved_address_is_named() -> None:
    reply = Reply(301, {"Location": "https://new.example.org/x"}, b"")
    assert "new.example.org" in refusal("Wercker", reply, None, "").message


def test_how_long_to_wait_is_said() -> None:
    error = refusal("Wercker", Reply(429, {}, b""), 12.2, "")
    assert error.retry_after_s == 12.2
    assert "13 s" in error.message


@pytest.mark.parametrize("how", list(Break))
def test_nothing_sent_means_nothing_done(how: Break) -> None:
    for changes in (False, True):
        error = breakage("Wercker", Broken(how, sent=False), "", changes=changes)
        assert error.kind is Kind.UNAVAILABLE
        assert "nothing was done" in error.message


@pytest.mark.parametrize("how", list(Break))
def test_a_change_that_was_sent_is_left_open(how: Break) -> None:
    error = breakage("Wercker", Broken(how, sent=True), "", changes=True)
    assert error.kind is Kind.AMBIGUOUS
    assert "may or may not" in error.message


def test_a_read_tells_no_answer_from_a_bad_one() -> None:
    lost = breakage("X", Broken(Break.LOST, sent=True), "", changes=False)
    unreadable = breakage("X", Broken(Break.UNREADABLE, sent=True), "", changes=False)
    assert (lost.kind, unreadable.kind) == (Kind.UNAVAILABLE, Kind.BAD_REPLY)
