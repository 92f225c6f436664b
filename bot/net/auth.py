"""Credentials on their way into a request. None of them shows its secret."""

from base64 import b64encode

from requests import PreparedRequest
from requests.auth import AuthBase

from bot.domain.errors import ConfigError


class HeaderAuth(AuthBase):
    """Sends `secret` in the header `name`. ConfigError if it cannot stand in a header."""

    def __init__(self, name: str, secret: str) -> None:
        if (
            not secret
            or not secret.isascii()
            or not secret.isprintable()
            or secret != secret.strip()
        ):
            raise ConfigError(
                "The credential is empty or holds blanks or characters that cannot be sent; "
                "copy it again."
            )
        self.name = name
        self._secret = secret

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers[self.name] = self._secret
        return r

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, ***)"


class BearerAuth(HeaderAuth):
    """`Authorization: Bearer …`; some vendors want another `scheme` word."""

    def __init__(self, secret: str, scheme: str = "Bearer") -> None:
        HeaderAuth("Authorization", secret)
        super().__init__("Authorization", f"{scheme} {secret}")


class BasicAuth(HeaderAuth):
    """`Authorization: Basic …`, UTF-8."""

    def __init__(self, user: str, secret: str) -> None:
        if not user or not secret:
            raise ConfigError("The credential is empty; both of its parts are needed.")
        pair = b64encode(f"{user}:{secret}".encode()).decode("ascii")
        super().__init__("Authorization", f"Basic {pair}")
