"""What a run was started with, as short texts that can be compared and shown."""

from collections.abc import Iterable, Mapping, Sequence

from bot.domain.runs import NOTHING, Parameters
from bot.net import clean_text

MOST_CHARACTERS = 100

Value = str | int | Sequence[str] | None


def parameters_of(values: Mapping[str, Value]) -> Parameters:
    """In the order given. None and what is empty are `none`: what the vendor does not tell must
    not be among the values.
    """
    return tuple((name, _words(value)) for name, value in values.items())


def _words(value: Value) -> str:
    """As people would type it: `smoke,login`, `2`, `true`."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return str(value).lower()
    texts: Iterable[str] = (str(value),) if isinstance(value, str | int) else value
    line = " ".join(clean_text(",".join(texts)).split())
    return f"{line[: MOST_CHARACTERS - 1]}…" if len(line) > MOST_CHARACTERS else line or NOTHING
