"""What one credential is shown of several places of the same vendor."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from bot.domain.errors import Kind, ProviderError

T = TypeVar("T")

INVISIBLE = frozenset({Kind.NOT_FOUND, Kind.FORBIDDEN})
"""Refusals that may concern one place among others."""


def visible(parts: Iterable[Callable[[], Iterable[T]]]) -> list[T]:
    """What the parts give together. One that is not shown to this token does not cost the
    others; if none is shown, the refusal is raised.
    """
    found: list[T] = []
    is_any_shown = False
    problem: ProviderError | None = None
    for part in parts:
        try:
            found += part()
        except ProviderError as error:
            if error.kind not in INVISIBLE:
                raise
            problem = error
        else:
            is_any_shown = True
    if problem is not None and not is_any_shown:
        raise problem
    return found
