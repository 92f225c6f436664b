"""The part of a provider's settings that is the same for every vendor.

A settings model derives from `ProviderSettings`. Validators name what is wrong and never show
the value, and the input is kept out of pydantic's error text; whoever reads `.errors()` passes
`include_input=False`.
"""

import json
import re
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

_HOST = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f:]+")
_URL_CHARACTERS = re.compile(r"[!-~]+")
_SECRET_CHARACTERS = re.compile(r"[!-~]+")


def is_loopback(host: str) -> bool:
    """True for `localhost` and for addresses of this machine; no name is looked up."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def checked_base_url(text: str) -> str:
    """The URL without trailing slashes.

    https for any host, http for loopback hosts only; no user name, query, fragment, backslash
    or dot segment. ValueError otherwise, in words without the URL.
    """
    text = text.strip()
    if not _URL_CHARACTERS.fullmatch(text) or any(c in text for c in "\\?#"):
        raise ValueError("must be a plain URL without spaces, query or fragment")
    parts = _split(text)
    _check_host(parts)
    if any(segment in {".", ".."} for segment in parts.path.split("/")):
        raise ValueError("must not have dot segments in its path")
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def comma_list(value: Any) -> Any:
    """Reads `a, b` or `["a", "b"]`; parts are stripped, empty ones and repeats left out.

    Anything but text and lists is left to the field's own validation.
    """
    if isinstance(value, str):
        value = _read_json_list(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, list | tuple):
        return value
    texts = [part if isinstance(part, str) else _number_text(part) for part in value]
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # reading it is what checks it
    except ValueError:
        raise ValueError("must be a URL") from None
    return parts


def _check_host(parts: SplitResult) -> None:
    host = parts.hostname or ""
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or password")
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        raise ValueError("must start with https:// and a host name")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must be https; plain http is for loopback hosts only")


def _read_json_list(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise ValueError("must be a comma separated or JSON list") from None
    return list(value)


def _number_text(part: Any) -> str:
    if isinstance(part, bool) or not isinstance(part, int):
        raise ValueError("must be a list of texts")  # noqa: TRY004  # pydantic wants ValueError
    return str(part)


def _checked_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not _SECRET_CHARACTERS.fullmatch(text):
        raise ValueError("must be one word of printable ASCII characters")
    return SecretStr(text)


BaseUrl = Annotated[str, AfterValidator(checked_base_url)]
CommaList = Annotated[tuple[str, ...], BeforeValidator(comma_list)]
Secret = Annotated[SecretStr, AfterValidator(_checked_secret)]
"""A credential that can stand in a header: not empty, no white space or control character."""


class ProviderSettings(BaseModel):
    """What every provider takes. `timeout_s` is the wait for one request; calls made for a
    person have a deadline of their own besides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: BaseUrl
    requests_per_minute: int = Field(default=600, ge=1, le=6000)
    timeout_s: float = Field(default=10.0, ge=0.1, le=60.0)
