"""The configured provider instances, and the one gate through which they are called."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TypeVar

from rapidfuzz import process

from bot.domain.clock import Deadline
from bot.domain.errors import BotError, Kind, ProviderError, UserError
from bot.domain.providers import Capability, Provider, ProviderSpec
from bot.services.checked import Checked, is_sound
from bot.services.pool import Pool

T = TypeVar("T")
log = logging.getLogger(__name__)

GRACE_S = 0.25
"""How much longer than its own deadline a provider may take before it is left alone."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One configured provider under the name people type.

    `desk` runs the calls made for people, `lane` those of the poller, `aside` those that ask no
    vendor: a vendor that hangs, or a provider that never returns, holds up only itself.
    """

    name: str
    spec: ProviderSpec
    provider: Provider
    desk: Pool
    lane: Pool
    aside: Pool

    @classmethod
    def of(cls, name: str, spec: ProviderSpec, provider: Provider) -> "Instance":
        """`provider` may be anybody's: from here on its answers are checked."""
        aside = Pool(f"aside-{name}", 4, 4)
        checked = Checked(name, provider, aside)
        return cls(
            name, spec, checked, Pool(f"desk-{name}", 4, 32), Pool(f"lane-{name}", 2, 2), aside
        )

    def close(self) -> None:
        """Takes no more calls; those under way come to their end."""
        self.desk.close()
        self.lane.close()
        self.aside.close()

    def can(self, capability: Capability) -> bool:
        return capability in self.spec.capabilities

    def ask(self, call: Callable[[Provider], T], deadline: Deadline) -> T:
        """A read for a person. ProviderError, whatever the provider does, in good time."""
        return self._through(self.desk, call, deadline, if_late=Kind.UNAVAILABLE)

    def change(self, call: Callable[[Provider], T], deadline: Deadline) -> T:
        """A mutation for a person: late, or broken underway, means AMBIGUOUS."""
        return self._through(self.desk, call, deadline, if_late=Kind.AMBIGUOUS)

    def poll(self, call: Callable[[Provider], T], deadline: Deadline) -> T:
        """A read for the poller."""
        return self._through(self.lane, call, deadline, if_late=Kind.UNAVAILABLE)

    def _through(
        self, pool: Pool, call: Callable[[Provider], T], deadline: Deadline, *, if_late: Kind
    ) -> T:
        future = pool.submit(lambda: call(self.provider))
        if future is None:
            raise ProviderError(
                Kind.UNAVAILABLE, f"{self.name} is busy with earlier requests; nothing was sent."
            )
        try:
            return future.result(deadline.remaining_s() + GRACE_S)
        except BotError as error:
            if is_sound(error):
                raise
            raise self._fault(if_late) from error
        except FutureTimeoutError as error:
            if future.cancel():  # still in the queue: it never began
                raise ProviderError(
                    Kind.UNAVAILABLE, f"{self.name} is busy; nothing was sent."
                ) from error
            raise ProviderError(if_late, f"{self.name} did not answer in time.") from error
        except (Exception, SystemExit) as error:
            log.exception("provider.broken", extra={"instance": self.name})
            raise self._fault(if_late) from error

    def _fault(self, if_late: Kind) -> ProviderError:
        kind = Kind.AMBIGUOUS if if_late is Kind.AMBIGUOUS else Kind.BAD_REPLY
        return ProviderError(kind, f"The provider of {self.name} has a fault.")


class Fleet:
    """All configured instances, by name, in the order of the settings."""

    def __init__(self, instances: Collection[Instance]) -> None:
        self._instances: Mapping[str, Instance] = {one.name: one for one in instances}

    def __iter__(self) -> Iterator[Instance]:
        return iter(self._instances.values())

    def __len__(self) -> int:
        return len(self._instances)

    def close(self) -> None:
        """Takes no more calls."""
        for one in self:
            one.close()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._instances)

    def find(self, name: str) -> Instance | None:
        return self._instances.get(name)

    def get(self, name: str) -> Instance:
        """The instance people mean; UserError with the nearest names if there is none."""
        if name in self._instances:
            return self._instances[name]
        if not self._instances:
            raise UserError(
                "no provider is configured. Whoever runs this bot sets BOT_PROVIDERS__<NAME>__…"
            )
        raise UserError(
            f'no provider "{name}"; configured: {", ".join(self._instances)}',
            maybe=nearest(name, self._instances),
            instead_of=name,
        )


def nearest(word: str, known: Collection[str], limit: int = 3) -> tuple[str, ...]:
    """Up to `limit` of the known words that a person may have meant, best first."""
    found = process.extract(word, list(known), limit=limit, score_cutoff=60)
    return tuple(choice for choice, _score, _index in found)
