"""What the suite must be told about a provider: to be filled in by its author."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from bot.domain.clock import Clock
from bot.domain.errors import Kind
from bot.domain.providers import ProviderSpec
from bot.domain.statuses import Status
from bot.providers.conformance.front import Received

INSTANCE = "rig"
"""The name under which the suite makes instances."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251  # a fake vendor lives by it too

    def monotonic(self) -> float:
        return monotonic()


def by_method(request: Received) -> bool:
    return request.method not in {"GET", "HEAD"}


def never(_request: Received) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A provider and a fake of its vendor, ready to be tried.

    What must be there:

    - `spec`: the value of the entry point.
    - `url`: where the author's fake vendor listens, such as `http://127.0.0.1:40123`. The suite
      puts itself in between and asks the provider through that.
    - `settings`: from the URL of the vendor to settings as the environment would give them,
      texts by name (`{"base_url": url, "token": "…"}`). The fake refuses every other credential.
    - `secrets`: the credentials in those settings, and whatever secret the fake plants in its
      replies. None of them may ever be seen.
    - `pipeline`: the key of a pipeline that the fake has.
    - `statuses`: the vendor's status words and what each means.
    - `add_run`: makes a run of `pipeline` that stands at a word, newer than all before; its id.
    - `set_status`: moves a run to another word.

    What has a default:

    - `unknown_word`: a status word that the provider does not know.
    - `parameters`: for a trigger, as typed.
    - `required`: settings without a default besides the secret ones.
    - `page_length`: runs on one page of the vendor's list, at least.
    - `quiet_poll_requests`: what a poll costs when nothing happens.
    - `plain_calls`: the calls of which the reply is not JSON, such as a log.
    - `kinds`: other meanings of a status at this vendor, by status.
    - `answers`: by call, the statuses that are an answer and no error there.
    - `is_login`: whether a request exchanges the credential for another; none does.
    - `is_change`: whether a request does what must not be done twice: all but GET and HEAD.
    - `clock`: for fakes that have a time of their own.
    - `skips`: tests that cannot apply, by name, each with the reason.
    """

    spec: ProviderSpec
    url: str
    settings: Callable[[str], Mapping[str, Any]]
    secrets: Collection[str]
    pipeline: str
    statuses: Mapping[str, Status]
    add_run: Callable[[str], str]
    set_status: Callable[[str, str], None]
    unknown_word: str = "sprouting"
    parameters: Mapping[str, str] = field(default_factory=dict)
    required: Collection[str] = ()
    page_length: int = 50
    quiet_poll_requests: int = 1
    plain_calls: Collection[str] = ()
    kinds: Mapping[int, Collection[Kind]] = field(default_factory=dict)
    answers: Mapping[str, Collection[int]] = field(default_factory=dict)
    is_login: Callable[[Received], bool] = never
    is_change: Callable[[Received], bool] = by_method
    clock: Clock = field(default_factory=SystemClock)
    skips: Mapping[str, str] = field(default_factory=dict)

    def changes(self, request: Received) -> bool:
        return self.is_change(request) and not self.is_login(request)

    def word(self, *wanted: Status) -> str:
        """The first of the vendor's words that means one of these."""
        for word, status in self.statuses.items():
            if status in wanted:
                return word
        raise LookupError(f"the rig's `statuses` have no word for {' or '.join(wanted)}")

    @property
    def open_word(self) -> str:
        return self.word(Status.RUNNING, Status.QUEUED, Status.WAITING)

    @property
    def passed_word(self) -> str:
        return self.word(Status.PASSED)

    @property
    def failed_word(self) -> str:
        return self.word(Status.FAILED, Status.ERRORED)
