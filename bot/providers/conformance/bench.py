"""One test's bench: a fresh provider for each call, the front before the fake, and an eye on
every secret.
"""

import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from bot.domain.clock import Deadline
from bot.domain.errors import Kind, ProviderError
from bot.domain.providers import (
    Aborts,
    Capability,
    HasLog,
    HasSteps,
    HasTests,
    OpenRun,
    Provider,
    Retries,
    RetryRequest,
    TriggerRequest,
    Triggers,
    Variable,
)
from bot.domain.runs import Run
from bot.providers import registry
from bot.providers.conformance.front import Act, Front, Received, Wanted
from bot.providers.conformance.rig import INSTANCE, Rig

READS = (
    "check", "observe", "recent", "get", "pipelines", "find_pipeline", "steps", "tests", "log",
)  # fmt: skip
CHANGES = ("trigger", "abort", "retry")
PREFIX = "BOT_PROVIDERS__RIG__"
LIMIT_S = 8.0
HIDDEN = "conformance-variable-value"
_QUICK = {"requests_per_minute": "6000"}
_OPTIONAL = {
    "steps": Capability.STEPS,
    "tests": Capability.TESTS,
    "log": Capability.LOG,
    "trigger": Capability.TRIGGER,
    "abort": Capability.ABORT,
    "retry": Capability.RETRY,
}

Call = Callable[[Provider, Deadline], Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to, in how much time, and what it sent for that."""

    name: str
    value: Any
    error: ProviderError | None
    took_s: float
    sent: tuple[Received, ...] = field(repr=False)

    @property
    def kind(self) -> Kind | None:
        return self.error.kind if self.error else None

    def __str__(self) -> str:
        told = f"{self.kind}: {self.error.message}" if self.error else f"{self.value!r:.200}"
        return f"{self.name} → {told} ({', '.join(r.line for r in self.sent) or 'nothing sent'})"


class Bench:
    def __init__(self, rig: Rig, front: Front) -> None:
        self.rig = rig
        self.front = front
        self._count = 0

    # Instances and calls

    def provider(self, url: str = "", **settings: Any) -> Provider:
        """A new instance that remembers nothing; `settings` replace the rig's."""
        known = self.rig.spec.settings.model_fields
        quick = {name: value for name, value in _QUICK.items() if name in known}
        values = {**quick, **self.rig.settings(url or self.front.url), **settings}
        return registry.build(self.rig.spec, INSTANCE, values, PREFIX, self.rig.clock)

    def within(self, seconds: float) -> Deadline:
        return Deadline.after(self.rig.clock, seconds)

    def call(self, name: str) -> Call:
        """One call of the contract with everything it needs, to be made by any instance.

        Skips the test, with the spec's own sentence, where the vendor cannot do it.
        """
        self.need(name)
        run_id = self.rig.add_run(self.rig.failed_word)
        pipeline = self.rig.pipeline
        return {
            "check": lambda p, d: p.check(d),
            "observe": self._observe,
            "recent": lambda p, d: p.recent(pipeline, 10, d),
            "get": lambda p, d: p.get(run_id, d),
            "pipelines": lambda p, d: p.pipelines(d),
            "find_pipeline": lambda p, d: p.find_pipeline(pipeline, d),
            "steps": lambda p, d: cast("HasSteps", p).steps(run_id, d),
            "tests": lambda p, d: cast("HasTests", p).tests(run_id, d),
            "log": lambda p, d: cast("HasLog", p).log(run_id, None, d),
            "trigger": self._trigger,
            "abort": self._abort() if name == "abort" else None,
            "retry": self._retry(run_id) if name == "retry" else None,
        }[name] or _impossible

    def need(self, name: str) -> None:
        spec = self.rig.spec
        capability = _OPTIONAL.get(name)
        if capability is not None and capability not in spec.capabilities:
            pytest.skip(spec.refusals.get(capability, f"{spec.title} has no {capability}"))

    def read(self, run_id: str) -> Run:
        return self.provider().get(run_id, self.within(LIMIT_S))

    @property
    def source(self) -> str:
        """The source that shows the rig's pipeline."""
        sources = self.provider().sources(self.rig.pipeline)
        assert sources, "`sources` names none for the rig's own pipeline"
        return sources[0]

    def open_run(self, run: Run) -> OpenRun:
        seen = self.rig.clock.now() - timedelta(minutes=1)
        return OpenRun(run.ref.run_id, min(run.when or seen, seen), run.created)

    # Trying them

    def tried(
        self,
        name: str,
        call: Call,
        act: Act | None = None,
        wanted: Wanted = lambda _: True,
        *,
        provider: Provider | None = None,
        seconds: float = LIMIT_S,
    ) -> Outcome:
        """Makes the call while the front behaves so. Anything but a result or ProviderError
        fails the test, and so does a secret in the error.
        """
        one = provider or self.provider()
        self.front.behave(act, wanted)
        begin = self.rig_time()
        value, error = None, None
        try:
            value = call(one, self.within(seconds))
        except ProviderError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001  # that is what is looked for
            sent = ", ".join(r.line for r in self.front.received)
            pytest.fail(
                f"{name} raised {type(raised).__name__}, no ProviderError: {raised} ({sent})"
            )
        took_s = self.rig_time() - begin
        sent_now = self.front.received
        self.front.behave()
        if error is not None:
            self.check_hidden(shown_by(error), f"the error of {name}")
        self.check_hidden(repr(value), f"the result of {name}")
        return Outcome(name, value, error, took_s, sent_now)

    def rig_time(self) -> float:
        return self.rig.clock.monotonic()

    def is_plain(self, request: Received) -> bool:
        """Whether a request is of the call itself, not of a login before it."""
        return not self.rig.is_login(request)

    def changes(self, sent: Sequence[Received]) -> list[Received]:
        return [one for one in sent if self.rig.changes(one)]

    # Secrets

    def secrets(self) -> set[str]:
        """The rig's, those of its settings, and every credential that travelled."""
        known = {*self.rig.secrets, HIDDEN}
        values = self.rig.settings(self.front.url)
        known |= {str(values[n]) for n in registry.secret_names(self.rig.spec) if n in values}
        return {one for one in known | self.front.credentials if len(one) >= 6}

    def check_hidden(self, text: str, where: str) -> None:
        for secret in self.secrets():
            if secret in text:
                pytest.fail(f"a secret is seen in {where}: {text.replace(secret, '<HERE>')[:2000]}")

    # Calls that need something first

    def _observe(self, provider: Provider, deadline: Deadline) -> Any:
        return provider.observe(self.source, "", (), deadline)

    def _trigger(self, provider: Provider, deadline: Deadline) -> Any:
        return cast("Triggers", provider).trigger(self.request(), deadline)

    def request(self) -> TriggerRequest:
        """A new request each time, with a secret variable where those are taken."""
        spec = self.rig.spec
        self._count += 1
        model = spec.trigger.model_validate(dict(self.rig.parameters))
        hidden = (Variable("CONFORMANCE", HIDDEN),) if spec.takes_variables else ()
        return TriggerRequest(self.rig.pipeline, model, hidden, f"mark-{self._count}", "U0RIG")

    def _abort(self) -> Call:
        run = self.read(self.rig.add_run(self.rig.open_word))
        return lambda p, d: cast("Aborts", p).abort(run, d)

    def _retry(self, run_id: str) -> Call:
        request = RetryRequest(self.read(run_id), "all", {}, (), "mark-r", "U0RIG")
        return lambda p, d: cast("Retries", p).retry(request, d)


def shown_by(error: ProviderError) -> str:
    """All that a person, a log or a traceback could show of it."""
    lines = traceback.format_exception(error)
    told = [error.message, error.detail, str(error), repr(error), *error.known, *lines]
    return "\n".join(told)


def report(complaints: Sequence[str]) -> None:
    """Fails with all of them at once."""
    if complaints:
        many = re.sub(r"\A", f"{len(complaints)} complaints:\n", "\n".join(complaints[:25]))
        pytest.fail(many, pytrace=False)


def _impossible(_provider: Provider, _deadline: Deadline) -> Any:
    pytest.fail("no such call")
