"""The last look at a message before it leaves: none of our own secrets stands in it.

Nothing of ours puts them there; but people type what they like, and a vendor's error text may
repeat another's credential.
"""

from typing import Any

from bot.slack.masking import MASK
from bot.slack.page import Rendered


def redacted(rendered: Rendered, secrets: tuple[str, ...]) -> Rendered:
    """The message with each of the secrets masked, wherever people could read it."""
    if not secrets:
        return rendered
    longest_first = sorted(secrets, key=len, reverse=True)
    return Rendered(_masked(rendered.text, longest_first), _walked(rendered.blocks, longest_first))


def _masked(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _walked(value: Any, secrets: list[str]) -> Any:
    """A button's value is signed and read by nobody: it stays as it is."""
    if isinstance(value, str):
        return _masked(value, secrets)
    if isinstance(value, list):
        return [_walked(one, secrets) for one in value]
    if isinstance(value, dict):
        return {k: v if k == "value" else _walked(v, secrets) for k, v in value.items()}
    return value
