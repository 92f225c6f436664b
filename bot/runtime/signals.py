"""SIGTERM and SIGINT as an event to wait for."""

import signal
import threading
from types import FrameType


def stop_on_signal() -> threading.Event:
    """An event that is set by either signal; to be called on the main thread."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop
