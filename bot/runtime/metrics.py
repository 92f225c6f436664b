"""Numbers for those who run the bot. Labels hold codes only: no name, no id."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """One registry for one bot."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.polls = Counter(
            "bot_polls", "Polls of a source by result", ["result"], registry=self._registry
        )
        self.sends = Counter(
            "bot_sends",
            "Slack writes of the outbox by outcome",
            ["outcome"],
            registry=self._registry,
        )
        self.looks = Counter(
            "bot_looks",
            "Looks for messages that were perhaps sent, by what was seen",
            ["sight"],
            registry=self._registry,
        )
        self.refusals = Counter(
            "bot_refusals",
            "Requests refused at the door by reason",
            ["reason"],
            registry=self._registry,
        )

    def watch(self, name: str, what: str, read: Callable[[], float]) -> None:
        """Adds a gauge that is read when asked for."""
        Gauge(name, what, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)
