"""A stage whose CI services live in the present, and a channel to look at."""

import time
from pathlib import Path
from typing import Any

from bot.playground.slack.messages import Message
from bot.playground.slack.people import BOT_USER, BUILDS
from bot.playground.vendors.wercker_model import Outcome, Result
from bot.playground.vendors.wercker_model import Run as WerckerRun
from tests.fakes.stage import SHOP, Stage, Transport


class Newsroom(Stage):
    """`/watch`-like settings come as `environ`; the channel that is looked at is BUILDS."""

    way: Transport = "http"

    def __init__(self, folder: Path, **environ: str | None) -> None:
        super().__init__(self.way, folder, environ)
        self.catch_up()

    def catch_up(self, by_s: float = 2.0) -> None:
        """Sets the CI services' clock a little ahead of ours, so that what ends, ends now."""
        self.clock.advance(max(0.0, time.time() + by_s - self.clock.time()))

    def ends(self, result: Result, pipeline: str = SHOP, **options: Any) -> WerckerRun:
        """A run of Wercker that is made and ends now."""
        self.catch_up()
        self.clock.advance(1.0)
        at_step = options.pop("at_step", "test" if result == "failed" else None)
        took_s = options.pop("took_s", 10.0)
        planned = Outcome(result, at_step, took_s, 1.0)
        created = self.clock.time() - took_s - 1.5
        options = {"outcome": planned, "created": created, **options}
        return self.wercker.create(self.wercker.pipeline(pipeline), **options)

    def begins(self, pipeline: str = SHOP, **options: Any) -> WerckerRun:
        """A run of Wercker that is under way."""
        self.catch_up()
        options = {"status": "running", "age_s": 4.0, **options}
        return self.wercker.add_run(pipeline, **options)

    def told(self, channel: str = BUILDS) -> list[Message]:
        """What the bot posted there for all to see, oldest first, threads included."""
        return [m for m in self.slack.messages(channel) if m.user == BOT_USER]

    def waits_for(self, words: str, channel: str = BUILDS, count: int = 1) -> Message:
        """The newest message that says these words, once there are that many of them."""

        def seen() -> list[Message]:
            found = [m for m in self.told(channel) if words in m.visible]
            return found if len(found) >= count else []

        try:
            return self.wait(seen, f"{count} times {words!r}")[-1]
        except AssertionError as error:
            shown = "\n---\n".join(m.visible for m in self.told(channel))
            raise AssertionError(f"{error}; there is:\n{shown}") from None

    def alerts(self, words: str) -> list[str]:
        """The ids of the alerts that were posted with these words, as often as each was sent."""
        return [
            call.args["metadata"]["event_payload"]["id"]
            for call in self.slack.calls("chat.postMessage")
            if words in call.args.get("text", "") and "metadata" in call.args
        ]

    def polls(self, instance: str = "wercker") -> int:
        return len(self.faults(instance).received)

    def polls_twice(self, instance: str = "wercker") -> None:
        """Waits until everything that stands now has been read."""
        known = self.polls(instance)
        self.wait(lambda: self.polls(instance) >= known + 4, "two more polls")

    def use(self, **environ: str | None) -> None:
        """Other settings, from the next start of a bot on."""
        self._environ |= environ

    def restarts(self) -> None:
        self.stop_bot()
        self.start_bot()
