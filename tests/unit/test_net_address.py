"""Names become URLs that cannot point anywhere else."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import ConfigError, Kind, ProviderError
from bot.net.address import Address, is_loopback, plain_host

HERE = Address.parse("https://ci.example.org/api/v1/", "BASE_URL")


def test_the_path_follows_the_base() -> None:
    assert (HERE.origin, HERE.path) == ("https://ci.example.org", "/api/v1")
    assert HERE.path_of(["runs", "42"]) == "/api/v1/runs/42"
    assert HERE.path_of(["runs"], trailing_slash=True) == "/api/v1/runs/"
    assert HERE.path_of([]) == "/api/v1"
    assert Address.parse("https://ci.example.org", "X").path_of([]) == "/"


def test_t10_nothing_typed_adds_a_level_a_query_or_a_fragment() -> None:
    path = HERE.path_of(["a/../b", "x?y#z", "%2e%2e", "a\\b", "é", "..."])
    assert path == "/api/v1/a%2F..%2Fb/x%3Fy%23z/%252e%252e/a%5Cb/%C3%A9/..."


@pytest.mark.parametrize(
    "segment", ["", ".", "..", "a\r\nb", "a\x00", "a\tb", "\x7f", "\x85", "\u2028", "\ud800"]
)
def test_t10_dots_and_control_characters_are_refused(segment: str) -> None:
    with pytest.raises(ProviderError) as caught:
        HERE.path_of(["runs", segment])
    assert caught.value.kind is Kind.INVALID


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_t10_any_segments_come_back_as_they_were(segments: list[str]) -> None:
    try:
        path = HERE.path_of(segments)
    except ProviderError:
        return
    assert [unquote(part) for part in path.split("/")[3:]] == segments
    assert path.isascii()
    assert path.isprintable()


def test_a_query_is_encoded_whole() -> None:
    url = HERE.url_of("/api/v1/x", [("a&b", "c=d#e/f"), ("a&b", "é +")])
    assert url == "https://ci.example.org/api/v1/x?a%26b=c%3Dd%23e%2Ff&a%26b=%C3%A9%20%2B"


def test_half_a_character_in_a_query_is_refused() -> None:
    with pytest.raises(ProviderError):
        HERE.url_of("/x", [("a", "\ud800")])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ci.example.org",
        "ftp://ci.example.org",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user:canary@ci.example.org",
        "https://canary@ci.example.org",
        "https://ci.example.org?canary=1",
        "https://ci.example.org#canary",
        "https://ci.example.org/../canary",
        "https://ci.example.org//canary",
        "https://ci.example.org/a%2e%2e/canary",
        "https://ci.example.org:99999/canary",
        "https://ci.example.org:canary",
        "https://[::canary",
        "https://ci.example.org\\canary",
        "https://ci.example.org/canary\r\nX: y",
        "https://ci..example.org",
        "https://-canary.org",
        "https://cañary.org",
        "http://ci.example.org/canary",
        "http://10.0.0.1",
        "http://localhost.canary.org",
        "http://127.0.0.1.canary.org",
        "http://0.0.0.0",
        "http://2130706433",
    ],
)
def test_a_wrong_base_url_is_named_by_its_setting_only(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Address.parse(url, "BOT_X__BASE_URL")
    assert "BOT_X__BASE_URL" in caught.value.message
    assert "canary" not in repr(caught.value) + caught.value.detail


@pytest.mark.parametrize(
    "url", ["http://localhost:8", "http://127.0.0.1", "http://127.8.9.1:80/x", "http://[::1]:8/x"]
)
def test_plain_http_may_stay_on_this_machine(url: str) -> None:
    assert Address.parse(url, "X").origin.startswith("http://")


def test_loopback_is_told_by_address_not_by_look() -> None:
    assert is_loopback("127.255.0.3")
    assert is_loopback("::1")
    assert not is_loopback("127.0.0.1.nip.io")
    assert not is_loopback("")


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://new.example.org/a?canary=1", "new.example.org"),
        ("//new.example.org/a", "new.example.org"),
        ("https://user:canary@new.example.org", "new.example.org"),
        ("/elsewhere", None),
        ("https://<b>/", None),
        ("https://x y/", None),
        ("https://[bad", None),
        ("https://" + "a" * 200, None),
        ("", None),
    ],
)
def test_only_a_plain_host_of_a_redirect_is_shown(location: str, host: str | None) -> None:
    assert plain_host(location) == host
