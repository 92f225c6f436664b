"""The threads of the bot, and what is done when one of them dies."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.clock import Clock
from bot.domain.errors import StoreError

log = logging.getLogger(__name__)

AFTER_STORE_ERROR_S = 1.0
STALE_S = 120.0
"""A turn that takes so long is stuck: the longest is much shorter."""


@dataclass(slots=True)
class Loop:
    """Turns again and again: at once while there is work, else after `pause_s` or a wake-up.

    `turn` returns whether there was work. A StoreError is logged and waited out; any other
    exception ends the thread. `began_at` is when the turn under way began, None in a pause.
    """

    name: str
    turn: Callable[[], bool]
    pause_s: Callable[[], float]
    wake: threading.Event = field(default_factory=threading.Event)
    began_at: float | None = None
    restarts: int = 0
    thread: threading.Thread | None = None


class Supervisor:
    """Starts loops, restarts each once when it dies, and calls `on_fatal` the second time."""

    def __init__(self, clock: Clock, on_fatal: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_fatal = on_fatal
        self._loops: list[Loop] = []
        self._stop = threading.Event()

    def add(self, name: str, turn: Callable[[], bool], pause_s: Callable[[], float]) -> Loop:
        loop = Loop(name, turn, pause_s)
        self._loops.append(loop)
        return loop

    def start(self) -> None:
        for loop in self._loops:
            self._start(loop)

    def check(self) -> None:
        """Notices dead loops; to be called every few seconds."""
        for loop in self._loops:
            if self._stop.is_set() or loop.thread is None or loop.thread.is_alive():
                continue
            if loop.restarts:
                self._on_fatal(loop.name)
                return
            loop.restarts += 1
            log.error("thread.restarted", extra={"loop": loop.name})
            self._start(loop)

    def stale(self) -> tuple[str, ...]:
        """Loops whose turn has taken too long. A pause is as long as it is told to be, even if
        the machine is suspended in it.
        """
        now = self._clock.monotonic()
        turns = [(loop.name, loop.began_at) for loop in self._loops]
        return tuple(name for name, at in turns if at is not None and now - at > STALE_S)

    def stop(self, timeout_s: float) -> None:
        """Lets every loop end its turn, together within the time given."""
        self._stop.set()
        for loop in self._loops:
            loop.wake.set()
        ends_at = self._clock.monotonic() + timeout_s
        for loop in self._loops:
            if loop.thread is not None:
                loop.thread.join(max(0.0, ends_at - self._clock.monotonic()))

    def _start(self, loop: Loop) -> None:
        loop.thread = threading.Thread(target=self._live, args=(loop,), name=loop.name, daemon=True)
        loop.thread.start()

    def _live(self, loop: Loop) -> None:
        try:
            while not self._stop.is_set():
                loop.began_at = self._clock.monotonic()
                self._turn(loop)
        except Exception:
            log.exception("thread.died", extra={"loop": loop.name})

    def _turn(self, loop: Loop) -> None:
        """One turn and, if there was no work, the pause behind it; both may ask the database."""
        try:
            if loop.turn():
                return
            pause_s = loop.pause_s()
        except StoreError as error:
            log.warning("store.failed", extra={"loop": loop.name, "detail": error.detail})
            pause_s = AFTER_STORE_ERROR_S
        loop.began_at = None
        loop.wake.wait(pause_s)
        loop.wake.clear()
