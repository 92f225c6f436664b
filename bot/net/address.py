"""Where a vendor is, and how names become a URL that cannot point anywhere else."""

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from bot.domain.errors import ConfigError, Kind, ProviderError

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?")
_BASE_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]+")
_UNSPEAKABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, half characters, line separators


@dataclass(frozen=True, slots=True)
class Address:
    """A checked base URL: `origin` such as `https://ci.example.org`, `path` such as `/api`."""

    origin: str
    path: str

    @classmethod
    def parse(cls, base_url: str, setting: str) -> "Address":
        """ConfigError names `setting` and not what it holds."""
        parts = _split(base_url)
        if parts is None or not _is_plain(parts):
            raise ConfigError(
                f"{setting} must be a URL such as https://ci.example.org, "
                "without user name, query or fragment."
            )
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ConfigError(
                f"{setting} must begin with https; plain http is taken for this machine only."
            )
        return cls(f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/"))

    def path_of(self, segments: Sequence[str], *, trailing_slash: bool = False) -> str:
        """The path as it is sent. Each segment stays one segment, whatever it holds;
        INVALID for one that is empty, `.`, `..` or holds a control character.
        """
        for segment in segments:
            _check(segment)
        path = "/".join([self.path, *(quote(segment, safe="") for segment in segments)])
        return f"{path}/" if trailing_slash or not path else path

    def url_of(self, path: str, query: Sequence[tuple[str, str]]) -> str:
        """The whole URL for a path made by `path_of`."""
        for pair in query:
            if any(unicodedata.category(c) == "Cs" for text in pair for c in text):
                raise _refusal("a query value holds half a character")
        tail = f"?{urlencode(query, quote_via=quote, safe='')}" if query else ""
        return f"{self.origin}{path}{tail}"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def plain_host(url: str) -> str | None:
    """The host of `url`, if it is a host name fit to be shown to people."""
    parts = _split(url)
    host = parts.hostname if parts else None
    return host if host and len(host) <= 100 and _HOST.fullmatch(host) else None  # noqa: PLR2004


def _split(url: str) -> SplitResult | None:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_plain(parts: SplitResult) -> bool:
    segments = parts.path.rstrip("/").split("/")[1:]
    return (
        parts.scheme in {"http", "https"}
        and _is_host(parts.hostname or "")
        and parts.port != 0
        and "@" not in parts.netloc
        and not parts.query
        and not parts.fragment
        and all(_BASE_SEGMENT.fullmatch(s) and s not in {".", ".."} for s in segments)
    )


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _HOST.fullmatch(host) is not None and ".." not in host
    return True


def _check(segment: str) -> None:
    if segment in {"", ".", ".."}:
        raise _refusal("a path segment is empty or dots")
    if any(unicodedata.category(character) in _UNSPEAKABLE for character in segment):
        raise _refusal("a path segment holds a control character")


def _refusal(detail: str) -> ProviderError:
    return ProviderError(
        Kind.INVALID, "That is not a name one can ask for; check it and try again.", detail=detail
    )
