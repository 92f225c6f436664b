"""Keys, sources and URLs of Allure TestOps, as people type and paste them. Pure."""

import re
from urllib.parse import SplitResult, urlsplit

from bot.domain.errors import ConfigError, Kind, ProviderError
from bot.providers.allure_replies import ID

_WILDCARD = re.compile(r"[*?\[]")
_LAUNCH = re.compile(r"(?:/api(?:/rs)?)?/launch/(?P<id>[1-9][0-9]{0,18})(?:/.*)?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_id(text: str) -> bool:
    return ID.fullmatch(text) is not None


def checked(text: str, what: str) -> str:
    """The id, if it can be one: nothing else goes into a path. NOT_FOUND otherwise."""
    if not is_id(text):
        raise ProviderError(Kind.NOT_FOUND, f"An Allure TestOps {what} id is a positive number.")
    return text


def sources_for(pattern: str, projects: tuple[str, ...]) -> tuple[str, ...]:
    """The projects whose launches show every pipeline of `pattern`. ConfigError if a glob does
    not say which and none is configured.
    """
    literal = _WILDCARD.split(pattern, maxsplit=1)[0]
    project, slash, _ = literal.partition("/")
    if slash or literal == pattern:
        return (project,) if is_id(project) else ()
    if not projects:
        raise ConfigError(
            "PROJECTS is not set, and Allure TestOps lists launches by project: set it, or name "
            "a project."
        )
    return tuple(p for p in projects if p.startswith(project))


def launch_page(base_url: str, launch_id: int) -> str:
    """The page for people (section 8 of the vendor facts)."""
    return f"{base_url}/launch/{launch_id}"


def result_page(base_url: str, launch_id: int, result_id: int) -> str:
    return f"{base_url}/launch/{launch_id}/tree/{result_id}"


def run_id_in(url: str, base_url: str) -> str | None:
    """The launch of a page for people, of any page below it, or of an API address, on the host
    of `base_url`; None for everything else.
    """
    try:
        found, base = urlsplit(url.strip()), urlsplit(base_url)
        is_ours = _origin(found) == _origin(base) and found.path.startswith(base.path)
    except ValueError:
        return None
    if not is_ours or found.scheme not in _DEFAULT_PORTS or "@" in found.netloc:
        return None
    match = _LAUNCH.fullmatch(found.path[len(base.path) :])
    return match["id"] if match else None


def _origin(parts: SplitResult) -> tuple[str | None, int | None]:
    port = parts.port
    return parts.hostname, None if port == _DEFAULT_PORTS.get(parts.scheme) else port
