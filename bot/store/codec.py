"""How values of the domain become columns: JSON, sortable times, text that can be stored."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Generic, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from bot.domain.episodes import Episode
from bot.domain.errors import StoreError
from bot.domain.mutes import Mute
from bot.domain.outbox import Body
from bot.domain.runs import Parameters
from bot.domain.watches import Filter

T = TypeVar("T")

_MOST = 2**63 - 1


class JsonColumn(Generic[T]):
    """A domain value as JSON text. Reading raises StoreError if it is not such a value."""

    def __init__(self, adapter: TypeAdapter[T]) -> None:
        self._adapter = adapter

    def dump(self, value: T) -> str:
        try:
            return self._adapter.dump_json(value).decode()
        except (PydanticSerializationError, UnicodeEncodeError):
            plain = self._adapter.dump_python(value, mode="json")
            return storable(json.dumps(plain, ensure_ascii=False))

    def load(self, text: str) -> T:
        try:
            return self._adapter.validate_json(text)
        except ValidationError as error:
            kinds = sorted({one["type"] for one in error.errors(include_input=False)})
            raise StoreError(
                "The database holds a value that this version cannot read.", ", ".join(kinds)
            ) from None


FILTERS = JsonColumn(TypeAdapter(tuple[Filter, ...]))
EPISODE = JsonColumn(TypeAdapter(Episode))
MUTE = JsonColumn(TypeAdapter(Mute))
TEXTS = JsonColumn(TypeAdapter(tuple[str, ...]))
PARAMETERS = JsonColumn(TypeAdapter(Parameters))

_BODIES: dict[str, JsonColumn[Body]] = {
    kind.__name__: JsonColumn(TypeAdapter(kind)) for kind in get_args(Body)
}


def dump_body(body: Body) -> tuple[str, str]:
    """The name of the body's type, and the body as JSON."""
    kind = type(body).__name__
    return kind, _BODIES[kind].dump(body)


def load_body(kind: str, text: str) -> Body:
    """The reverse of `dump_body`; StoreError for a type that is not known."""
    column = _BODIES.get(kind)
    if column is None:
        raise StoreError("The database holds a message that this version cannot read.", kind)
    return column.load(text)


def storable(text: str) -> str:
    """The text with lone surrogates replaced, for no database takes them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def storable_or_none(text: str | None) -> str | None:
    return None if text is None else storable(text)


def storable_number(number: int | None) -> int | None:
    """The number, or the nearest one that fits into 64 bits."""
    return None if number is None else max(-_MOST, min(number, _MOST))


@lru_cache(maxsize=256)
def time_text(when: datetime) -> str:
    """An aware time as UTC text that sorts like the time; exact to the microsecond."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def time_text_or_none(when: datetime | None) -> str | None:
    return None if when is None else time_text(when)


def read_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
