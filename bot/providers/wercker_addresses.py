"""Wercker's keys, patterns and URLs, as people type and paste them. Pure."""

import re
from urllib.parse import SplitResult, urlsplit

from bot.providers.wercker_replies import ID

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_GLOB = re.compile(r"[*?\[]")
_RUN_PAGE = re.compile(r"/[^/]+/[^/]+/runs/[^/]+/(?P<id>[0-9a-f]{24})(?:/.*)?")
_RUN_IN_API = re.compile(r"/api/v3/runs/(?P<id>[0-9a-f]{24})(?:/.*)?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_id(text: str) -> bool:
    return ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """True for an owner or application name that is safe in a path."""
    return _NAME.fullmatch(text) is not None and text not in {".", ".."}


def is_application(text: str) -> bool:
    owner, slash, name = text.partition("/")
    return bool(slash) and is_name(owner) and is_name(name)


def sources_for(pattern: str, applications: tuple[str, ...]) -> tuple[str, ...]:
    """The lists of runs that show every pipeline of `pattern`: `owner/name`, a pipeline's id,
    or `owner/*` where none of the owner's applications is configured.

    Owners are lower case here, so that two spellings are one source.
    """
    if is_id(pattern):
        return (pattern,)
    literal = _GLOB.split(pattern, maxsplit=1)[0]
    owner, name = ([*literal.split("/"), ""])[:2]
    is_glob = literal != pattern
    if literal.count("/") > 1 or ("/" in literal and not is_glob):
        return _known_source(owner, name)
    if not is_glob:
        return ()
    configured = tuple(dict.fromkeys(_canonical(a) for a in applications))
    fitting = tuple(a for a in configured if _may_hold(a, literal))
    if fitting or "/" not in literal:
        return fitting
    return (f"{owner.lower()}/*",) if is_name(owner) else ()


def run_id_in(url: str, base_url: str) -> str | None:
    """The run of a page for people (section 9 of the vendor facts, `?step=` or not) or of an
    API address, on the host of `base_url`; None for everything else.
    """
    try:
        found, base = urlsplit(url.strip()), urlsplit(base_url)
        is_ours = _origin(found) == _origin(base) and found.path.startswith(base.path)
    except ValueError:
        return None
    if not is_ours or found.scheme not in _DEFAULT_PORTS or "@" in found.netloc:
        return None
    path = found.path[len(base.path) :]
    match = _RUN_PAGE.fullmatch(path) or _RUN_IN_API.fullmatch(path)
    return match["id"] if match else None


def _known_source(owner: str, name: str) -> tuple[str, ...]:
    return (_canonical(f"{owner}/{name}"),) if is_name(owner) and is_name(name) else ()


def _canonical(application: str) -> str:
    owner, _, name = application.partition("/")
    return f"{owner.lower()}/{name}"


def _may_hold(application: str, literal: str) -> bool:
    """Whether a key of the application can begin with the text before the first wildcard."""
    beginning, wanted = f"{application}/".lower(), literal.lower()
    return beginning.startswith(wanted) or wanted.startswith(beginning)


def _origin(parts: SplitResult) -> tuple[str | None, int | None]:
    port = parts.port
    return parts.hostname, None if port == _DEFAULT_PORTS.get(parts.scheme) else port
