"""Allure TestOps' refusals in words for people (section 9 of the vendor facts). Pure."""

import re
from collections.abc import Iterable
from typing import Any

from bot.domain.errors import Kind, ProviderError
from bot.net import HttpError, Reply, clean_message
from bot.providers.answers import repeats

"""A launch that does not exist is answered with 403 as well (recorded by a client)."""

_REDIRECTS = range(300, 400)
_LOCKED = 423
_WORDS = ("message", "error_description", "error", "detail", "title")
_JWT = re.compile(r"[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}")
_MEANINGS = {
    Kind.AUTH: "Allure TestOps did not accept the access token; nothing was done. Try again.",
    Kind.FORBIDDEN: "Allure TestOps: not found, or no access for this token.",
    Kind.NOT_FOUND: "Allure TestOps does not have that.",
    Kind.CONFLICT: "Allure TestOps refused: as things stand it cannot be done.",
    Kind.INVALID: "Allure TestOps refused a value it was given.",
}


def worded(error: ProviderError, secrets: Iterable[str] = ()) -> ProviderError:
    """The error in Allure TestOps' terms. What the vendor says is shown, unless it repeats one
    of `secrets` or something that looks like an access token.
    """
    if not isinstance(error, HttpError):
        return error
    reply = error.reply
    if is_shield(reply):
        return shielded(error)
    if reply.status in _REDIRECTS or (error.kind is Kind.NOT_FOUND and _is_page(reply)):
        return no_api(error, "a redirect" if reply.status in _REDIRECTS else "a web page")
    said = vendor_words(reply, tuple(secrets))
    kind = _kind(error, said)
    message = _MEANINGS.get(kind, error.message)
    if reply.status == _LOCKED:
        message = "Allure TestOps has locked that for a moment; nothing was done. Try again later."
    elif "launch is closed" in said.lower():
        message = "Allure TestOps refused: the launch is closed and would have to be reopened."
    return ProviderError(
        kind,
        message + (f" It says: {said}" if said else ""),
        detail=error.detail,
        retry_after_s=error.retry_after_s,
    )


def is_shield(reply: Reply) -> bool:
    """A web shield in front of the cloud service asks for a browser (read in a vendor client)."""
    return reply.headers.get("cf-mitigated", "").strip().lower() == "challenge"


def shielded(error: HttpError) -> ProviderError:
    return ProviderError(
        Kind.UNAVAILABLE,
        "A web shield in front of Allure TestOps blocks the bot; nothing was done. Whoever runs "
        "the bot should have its address let through.",
        detail=error.detail,
    )


def no_api(error: ProviderError, what: str) -> ProviderError:
    """For answers that are not the API's. A change stays in doubt."""
    message = (
        f"There is no Allure TestOps API at this address: the reply is {what}. Whoever runs the "
        "bot should check BASE_URL and API_PREFIX."
    )
    if error.kind is Kind.AMBIGUOUS:
        message += " It may have been done all the same: look there before you try again."
        return ProviderError(Kind.AMBIGUOUS, message, detail=error.detail)
    return ProviderError(Kind.BAD_REPLY, message, detail=error.detail)


def vendor_words(reply: Reply, secrets: tuple[str, ...]) -> str:
    """The first of the known fields that holds text; pages and other bodies are dropped."""
    body: Any = reply.json_or_none()
    texts = [body.get(name) for name in _WORDS] if isinstance(body, dict) else []
    said = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    if _JWT.search(said) or repeats(said, secrets):
        return ""
    return clean_message(said)


def _kind(error: HttpError, said: str) -> Kind:
    if error.reply.status == _LOCKED:
        return Kind.UNAVAILABLE
    if error.kind is Kind.INVALID and "launch is closed" in said.lower():
        return Kind.CONFLICT
    return error.kind


def _is_page(reply: Reply) -> bool:
    return "html" in reply.headers.get("Content-Type", "")
