"""env0's keys, patterns and web pages, as people type and paste them. Pure."""

import re
from dataclasses import dataclass
from string import Formatter
from urllib.parse import SplitResult, urlsplit

from bot.domain.pipelines import Pattern
from bot.providers.env0_replies import RUN_ID, is_id

WEB_PATH = "/p/{projectId}/environments/{environmentId}/deployments/{deploymentLogId}"
"""From the vendor's Backstage plugin; that it shows module tests too is assumed."""

_FIELDS = frozenset({"projectId", "environmentId", "deploymentLogId"})
_PATH = re.compile(r"/[A-Za-z0-9._~/{}-]*")
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_KEY = re.compile(rf"{_NAME}(/{_NAME})?")
_GLOB_KEY = re.compile(r"[A-Za-z0-9._/*?\[\]!-]{1,256}")
_RUN_IN_API = re.compile(rf"/module/tests/(?P<id>{RUN_ID})/?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_key(text: str) -> bool:
    """True for a module name that can be typed, or `name/provider`."""
    return _KEY.fullmatch(text) is not None


def is_glob(text: str) -> bool:
    return Pattern("", text).is_glob


def sources_for(pattern: str) -> tuple[str, ...]:
    """One source: the key as typed, or the glob, which is read against the list of modules."""
    is_known = _GLOB_KEY.fullmatch(pattern) if is_glob(pattern) else _KEY.fullmatch(pattern)
    return (pattern,) if is_known else ()


def checked_web_path(text: str) -> str:
    """A path with `{deploymentLogId}`, and perhaps `{projectId}` and `{environmentId}`, each
    once. ValueError in words otherwise.
    """
    try:
        fields = [name for _, name, form, _ in Formatter().parse(text) if name is not None or form]
    except ValueError:
        fields = [None]
    is_fine = _PATH.fullmatch(text) and "deploymentLogId" in fields
    if not is_fine or not _FIELDS.issuperset(fields) or len(set(fields)) < len(fields):
        raise ValueError(
            "must be a path that begins with / and holds {deploymentLogId}; "
            "{projectId} and {environmentId} are known too"
        )
    return text


@dataclass(frozen=True, slots=True)
class Links:
    """Pages of deployments below `web_url`, and the API's own addresses below `base_url`."""

    base_url: str
    web_url: str
    web_path: str = WEB_PATH

    def page(
        self, project_id: str | None, environment_id: str, deployment_log_id: str
    ) -> str | None:
        """None where the project is needed and not known."""
        if project_id is None and "{projectId}" in self.web_path:
            return None
        path = self.web_path.format(
            projectId=project_id, environmentId=environment_id, deploymentLogId=deployment_log_id
        )
        return f"{self.web_url}{path}"

    def id_in(self, url: str) -> str | None:
        """The deployment of a page (or of any page below it), or the run of an API address;
        None for everything else.
        """
        page = self._page_rule().fullmatch(_path_below(url, self.web_url) or "")
        if page is not None and is_id(page["deploymentLogId"]):
            return page["deploymentLogId"]
        run = _RUN_IN_API.fullmatch(_path_below(url, self.base_url) or "")
        return run["id"] if run else None

    def _page_rule(self) -> re.Pattern[str]:
        parts = [
            re.escape(text) + (f"(?P<{name}>[^/]+)" if name else "")
            for text, name, _, _ in Formatter().parse(self.web_path)
        ]
        return re.compile(f"{''.join(parts)}(?:/.*)?")


def _path_below(url: str, base: str) -> str | None:
    try:
        found, ours = urlsplit(url.strip()), urlsplit(base)
        is_ours = _origin(found) == _origin(ours) and found.path.startswith(ours.path)
    except ValueError:
        return None
    if not is_ours or found.scheme not in _DEFAULT_PORTS or "@" in found.netloc:
        return None
    return found.path[len(ours.path) :]


def _origin(parts: SplitResult) -> tuple[str | None, int | None]:
    port = parts.port
    return parts.hostname, None if port == _DEFAULT_PORTS.get(parts.scheme) else port
