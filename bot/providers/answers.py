"""What the adapters do alike with a vendor's answer: read its objects, quote its words."""

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.domain.errors import Kind, ProviderError

M = TypeVar("M", bound=BaseModel)

_LEAST_SECRET = 4
_LONG_WORD = 8


def readable(model: type[M], value: Any) -> M | None:
    """`value` as `model`; None if it is something else. Nothing of it is kept in an error."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def each_readable(model: type[M], values: Iterable[Any]) -> Iterator[M]:
    """Those that can be read: one odd entry does not cost the others."""
    for value in values:
        if (item := readable(model, value)) is not None:
            yield item


def parsed(model: type[M], value: Any, vendor: str) -> M:
    """`value` as `model`; BAD_REPLY, without the value, if it is something else."""
    if (item := readable(model, value)) is None:
        raise odd_form(vendor)
    return item


def odd_form(vendor: str) -> ProviderError:
    return ProviderError(Kind.BAD_REPLY, f"{vendor}'s reply has not the documented form.")


def repeats(said: str, secrets: Sequence[str]) -> bool:
    """Whether a text repeats one of these or a long word of one, in whatever spelling. What is
    shorter than four characters is in any text and does not count.
    """
    text = _squeezed(said)
    wholes = tuple(_squeezed(one) for one in secrets if len(one) >= _LEAST_SECRET)
    words = (word for one in secrets for word in one.split() if len(word) >= _LONG_WORD)
    return any(one in text for one in (*wholes, *words))


def _squeezed(text: str) -> str:
    return "".join(html.unescape(text).split())
