"""One question to many instances at the same time, each answering or not by itself."""

from collections.abc import Callable, Collection
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from typing import TypeVar

from bot.domain.clock import Deadline
from bot.domain.errors import BotError, Kind, ProviderError
from bot.domain.replies import Silent
from bot.services.fleet import GRACE_S, Instance
from bot.services.pool import Pool

T = TypeVar("T")


class Parallel:
    """Asks instances side by side on a pool of its own; never later than the deadline."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def ask(
        self, instances: Collection[Instance], call: Callable[[Instance], T], deadline: Deadline
    ) -> tuple[dict[str, T], tuple[Silent, ...]]:
        """The answers by instance name, and who did not answer and why."""
        asked = [(one, self._pool.submit(partial(call, one))) for one in instances]
        answers: dict[str, T] = {}
        silent: list[Silent] = []
        for instance, future in asked:
            try:
                answers[instance.name] = _result(future, deadline)
            except ProviderError as error:
                is_refused = error.kind in {Kind.AUTH, Kind.FORBIDDEN}
                silent.append(Silent(instance.name, error.cause, is_refused))
            except BotError as error:
                silent.append(Silent(instance.name, error.message))
            except FutureTimeoutError:
                silent.append(Silent(instance.name, "did not answer in time"))
        return answers, tuple(silent)


def _result(future: Future[T] | None, deadline: Deadline) -> T:
    if future is None:
        raise BotError("too many requests at once; try again in a moment")
    return future.result(deadline.remaining_s() + 2 * GRACE_S)
