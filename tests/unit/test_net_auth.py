"""Credentials."""

import pytest
from requests import PreparedRequest, Request

from bot.domain.errors import ConfigError
from bot.net import AuthBase, BasicAuth, BearerAuth, HeaderAuth


def sent(auth: AuthBase) -> PreparedRequest:
    return Request("GET", "http://localhost/", auth=auth).prepare()


def test_each_kind_sends_its_header() -> None:
    assert sent(BearerAuth("abc")).headers["Authorization"] == "Bearer abc"
    assert sent(BearerAuth("abc", "Api-Token")).headers["Authorization"] == "Api-Token abc"
    assert sent(HeaderAuth("Auth-Key", "abc")).headers["Auth-Key"] == "abc"
    assert sent(BasicAuth("key", "sécret")).headers["Authorization"] == "Basic a2V5OnPDqWNyZXQ="


def test_t12_none_shows_its_secret() -> None:
    for auth in (BearerAuth("canary"), HeaderAuth("Auth-Key", "canary"), BasicAuth("u", "canary")):
        assert "canary" not in repr(auth) + str(auth)
        assert "Y2FuYXJ5" not in repr(auth)
        assert "***" in repr(auth)


@pytest.mark.parametrize(
    "secret", ["", " canary", "canary\n", "can\r\nary: 1", "canáry", "can\x00ary"]
)
def test_what_no_header_can_hold_is_refused_without_being_shown(secret: str) -> None:
    for make in (BearerAuth, lambda s: HeaderAuth("Auth-Key", s)):
        with pytest.raises(ConfigError) as caught:
            make(secret)
        assert "can" not in caught.value.message.replace("cannot", "")
        assert caught.value.__context__ is None


def test_both_parts_of_a_pair_are_needed() -> None:
    for pair in (("", "x"), ("x", "")):
        with pytest.raises(ConfigError):
            BasicAuth(*pair)
