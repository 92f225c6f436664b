"""The one tree of errors. Each has a safe sentence for people and a detail for the log."""

import re
from enum import StrEnum


class BotError(Exception):
    """`message` is safe to show to people; `detail` goes to the log and holds no secret."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


class ConfigError(BotError):
    """The settings are wrong; `message` names the setting and never its value."""


class UserError(BotError):
    """What a person asked cannot be done as asked.

    `maybe` are corrected texts to offer: whole commands, or what may have been meant by the
    words `instead_of`. `help_command` is what to type to learn more.
    """

    def __init__(
        self,
        message: str,
        *,
        maybe: tuple[str, ...] = (),
        instead_of: str = "",
        help_command: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(message, detail)
        self.maybe = maybe
        self.instead_of = instead_of
        self.help_command = help_command


class Kind(StrEnum):
    """What went wrong between us and a vendor."""

    AUTH = "auth"  # the credential was refused
    FORBIDDEN = "forbidden"  # the credential is good, but may not do this
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"  # the run's state does not allow it (already over, say)
    INVALID = "invalid"  # the vendor refused a value
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"  # no answer, or a server fault; nothing was done
    AMBIGUOUS = "ambiguous"  # a change was sent and its answer lost: it may have been done
    BAD_REPLY = "bad_reply"  # an answer that is not what the vendor's API says
    UNSUPPORTED = "unsupported"  # this vendor cannot do that at all


_TO_WHO_ASKED = re.compile(r"; nothing was done| Try again(?: later)?\.")


class ProviderError(BotError):
    """A vendor call that did not work; `retry_after_s` is set for RATE_LIMITED and UNAVAILABLE
    when the vendor said how long to wait (already limited to 0 … 900 s). `known` are names to
    choose from after NOT_FOUND.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        detail: str = "",
        retry_after_s: float | None = None,
        known: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, detail)
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.known = known

    @property
    def cause(self) -> str:
        """The message for somebody who did not ask for anything to be done."""
        return _TO_WHO_ASKED.sub("", self.message)


class StoreError(BotError):
    """The database did not do what was asked; the whole transaction is undone."""


class StoreBusyError(StoreError):
    """The database stayed locked for the time allowed; nothing was written."""
