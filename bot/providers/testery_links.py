"""Testery's web pages: links to them, and the run that a pasted link is about. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

_PAGE = re.compile(r"/(?P<account>[^/]+)/test-runs/(?P<id>[1-9][0-9]{0,17})(?:/.*)?")
_API = re.compile(r"/(?:test-runs|test-run-results)/(?P<id>[1-9][0-9]{0,17})(?:/.*)?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Links:
    """Pages of one account below `web_url`; without its name there are none."""

    web_url: str
    account: str | None

    def run(self, run_id: int) -> str | None:
        if not self.account or self.account in {".", ".."}:
            return None
        return f"{self.web_url}/{quote(self.account, safe='')}/test-runs/{run_id}"

    def test(self, run_id: str, result_id: int | None) -> str | None:
        """The console of one test, with its screenshots and video."""
        run = self.run(int(run_id))
        return f"{run}/tests/{result_id}/console" if run and result_id else None


def run_id_in(url: str, web_url: str, base_url: str, account: str | None) -> str | None:
    """The run of any page inside it, or of an API address of ours; None for everything else.

    A page of another account is not ours, as far as the own name is known: all accounts share
    one host.
    """
    page = _PAGE.fullmatch(_path_below(web_url, url) or "")
    if page and account and unquote(page["account"]).lower() != account.lower():
        return None
    found = page or _API.fullmatch(_path_below(base_url, url) or "")
    return found["id"] if found else None


def _path_below(base_url: str, url: str) -> str | None:
    """The path after that of `base_url`, on the same host."""
    try:
        found, base = urlsplit(url.strip()), urlsplit(base_url)
        is_ours = _origin(found) == _origin(base) and found.path.startswith(f"{base.path}/")
    except ValueError:
        return None
    if not is_ours or found.scheme not in _DEFAULT_PORTS or "@" in found.netloc:
        return None
    return found.path[len(base.path) :]


def _origin(parts: SplitResult) -> tuple[str | None, int | None]:
    port = parts.port
    return parts.hostname, None if port == _DEFAULT_PORTS.get(parts.scheme) else port
