"""JSON from strangers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Kind, ProviderError
from bot.net import Reply
from bot.net.strict_json import MAX_DEPTH, MAX_VALUES, BadJsonError, parse_json

BAD = {
    "empty": b"",
    "blank": b" \n",
    "page": b"<!doctype html><title>canary</title>",
    "cut": b'{"canary": [1, 2',
    "two": b"{} {}",
    "nothing but NaN": b" NaN\n",
    "nothing but infinity": b"-Infinity",
    "nothing but an overflow": b"1e999",
    "deep lists": b"[" * 200_000,
    "deep and closed": b"[" * 5000 + b"]" * 5000,
    "deep objects": b'{"a":' * 100 + b"1" + b"}" * 100,
    "many values": b"[" + b"0," * MAX_VALUES + b"0]",
    "control": b'"a\nb"',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_f10_bad_json_is_a_bad_reply(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        Reply(200, {}, body, service="Wercker").json()
    assert caught.value.kind is Kind.BAD_REPLY
    assert "Wercker" in caught.value.message


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_bad_json_after_a_change_leaves_it_open_what_happened(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        Reply(200, {}, body, changes=True).json()
    assert caught.value.kind is Kind.AMBIGUOUS
    assert Reply(200, {}, body).json_or_none() is None


def test_a_parse_error_does_not_drag_the_body_along() -> None:
    with pytest.raises(BadJsonError) as caught:
        parse_json(b'{"canary": ')
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_nesting_up_to_the_limit_is_read() -> None:
    parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(BadJsonError, match="deep"):
        parse_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e999999", b"9" * 5000]
)
def test_f10_a_number_that_is_none_costs_no_more_than_itself(number: bytes) -> None:
    """Also beside half a character, for which the text is read twice."""
    for more in (b'"x"', b'"\\ud800"'):
        value = parse_json(b'[{"id": %s}, {"id": 7, "text": %s}]' % (number, more))
        assert value[0] == {"id": None}
        assert value[1]["id"] == 7
    assert parse_json(b" null ") is None


def test_broken_characters_are_replaced_and_the_rest_is_read() -> None:
    assert parse_json(b'["\xff", 1]') == ["\ufffd", 1]
    assert parse_json(b'["\\ud800 x", "\\ud83d\\ude00", 1.5]') == ["\ufffd x", "\U0001f600", 1.5]
    assert parse_json(b'\xef\xbb\xbf{"a": null}') == {"a": None}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_good_json_is_read_as_it_is(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary())
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    try:
        value = parse_json(body)
    except BadJsonError:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
