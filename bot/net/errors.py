"""What a status or a broken connection means, as an error that is safe to show."""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from bot.domain.errors import Kind, ProviderError
from bot.net.address import plain_host
from bot.net.reply import Reply


class HttpError(ProviderError):
    """An answer that was not accepted. `reply` is for adapters to read, never to show."""

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        reply: Reply,
        detail: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(kind, message, detail=detail, retry_after_s=retry_after_s)
        self.reply = reply


class Break(StrEnum):
    """How an exchange came to nothing."""

    TIMEOUT = "timeout"
    UNRESOLVED = "name not resolved"
    UNREACHABLE = "no connection"
    INSECURE = "no secure connection"
    LOST = "connection lost"
    UNREADABLE = "unreadable reply"


@dataclass(frozen=True, slots=True)
class Broken:
    """`sent` says that bytes of the request may have reached the vendor."""

    how: Break
    sent: bool
    cause: str = ""

    def __str__(self) -> str:
        return f"{self.how.value} ({self.cause})" if self.cause else self.how.value


_MEANINGS = {
    Kind.AUTH: "{} did not accept the bot's credential; whoever runs the bot should renew it.",
    Kind.FORBIDDEN: "{} does not let the bot's credential do that; whoever runs the bot can "
    "ask for more rights.",
    Kind.NOT_FOUND: "{} does not know that name; check it and try again.",
    Kind.CONFLICT: "{} refused: as things stand it cannot be done. Look again, then retry.",
    Kind.INVALID: "{} refused a value it was given; check what you typed.",
    Kind.UNAVAILABLE: "{} is not working right now; nothing was done. Try again later.",
    Kind.AMBIGUOUS: "{} did not confirm it: it may or may not have been done. Look there before "
    "you try again.",
    Kind.BAD_REPLY: "{} gave an answer that makes no sense here. If this goes on, whoever runs "
    "the bot should check its address.",
}

_KINDS = {
    401: Kind.AUTH,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    408: Kind.UNAVAILABLE,  # the vendor did not get the whole request
    409: Kind.CONFLICT,
    429: Kind.RATE_LIMITED,
    301: Kind.BAD_REPLY,  # moved: the vendor did not act, for a change too
    307: Kind.BAD_REPLY,
    308: Kind.BAD_REPLY,
}

_BREAKS = {
    Break.TIMEOUT: "{} did not answer in time; nothing was done. Try again later.",
    Break.UNRESOLVED: "The host name of {} could not be found; nothing was done. Try again, or "
    "have its address in the settings checked.",
    Break.UNREACHABLE: "{} could not be reached; nothing was done. Try again later.",
    Break.INSECURE: "No secure connection to {} could be made; nothing was done. Whoever runs "
    "the bot should check its address and certificate.",
}


def kind_of(status: int, *, changes: bool) -> Kind:
    """What a status that was not accepted means. After a change every answer that is no
    plain refusal is AMBIGUOUS: a server may fail, or send elsewhere, with the work done.
    """
    if status in _KINDS:
        return _KINDS[status]
    if 400 <= status < 500:  # noqa: PLR2004
        return Kind.INVALID
    if changes:
        return Kind.AMBIGUOUS
    return Kind.UNAVAILABLE if 500 <= status < 600 else Kind.BAD_REPLY  # noqa: PLR2004


def refusal(service: str, reply: Reply, retry_after_s: float | None, detail: str) -> HttpError:
    """The error for a reply with a status that was not accepted."""
    kind = kind_of(reply.status, changes=reply.changes)
    message = _MEANINGS.get(kind, "").format(service)
    if kind is Kind.RATE_LIMITED:
        message = _busy(service, retry_after_s)
    elif 300 <= reply.status < 400:  # noqa: PLR2004
        message = _moved(service, reply)
    return HttpError(kind, message, reply=reply, detail=detail, retry_after_s=retry_after_s)


def breakage(service: str, broken: Broken, detail: str, *, changes: bool) -> ProviderError:
    """The error for an exchange without a usable answer."""
    if broken.sent and changes:
        kind = Kind.AMBIGUOUS
    elif broken.sent and broken.how is Break.UNREADABLE:
        kind = Kind.BAD_REPLY
    else:
        kind = Kind.UNAVAILABLE
    words = _BREAKS.get(broken.how) if kind is Kind.UNAVAILABLE else None
    return ProviderError(kind, (words or _MEANINGS[kind]).format(service), detail=detail)


def too_often(service: str, wait_s: float, detail: str) -> ProviderError:
    """The error for a request that was not sent, since the vendor may not be asked now."""
    return ProviderError(
        Kind.RATE_LIMITED,
        f"{_busy(service, wait_s)} Nothing was sent.",
        detail=detail,
        retry_after_s=wait_s,
    )


def _busy(service: str, wait_s: float | None) -> str:
    when = "later" if wait_s is None else f"in {max(1, ceil(wait_s))} s"
    return f"{service} cannot be asked that often; try again {when}."


def _moved(service: str, reply: Reply) -> str:
    host = plain_host(reply.headers.get("Location", ""))
    where = f" (to {host})" if host else ""
    doubt = ""
    if kind_of(reply.status, changes=reply.changes) is Kind.AMBIGUOUS:
        doubt = " It may or may not have been done: look there before you try again."
    return (
        f"{service} says that its address has moved{where}, which was not followed.{doubt} "
        "Whoever runs the bot should check the address in the settings."
    )
