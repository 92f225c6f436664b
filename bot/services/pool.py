"""Bounded work on daemon threads: nothing waits for ever, nothing piles up unseen."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Pool:
    """`workers` threads, and at most `backlog` jobs that wait for one.

    The threads are daemons, so that a job that never returns cannot hold up the end of the
    process. Thread-safe.
    """

    def __init__(self, name: str, workers: int, backlog: int) -> None:
        self._name = name
        self._workers = workers
        self._most = workers + backlog
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]
        self._jobs = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._load = 0
        self._is_closed = False

    def submit(self, job: Callable[[], T]) -> "Future[T] | None":
        """Takes a job; None, and nothing is done, when the pool is full or closed."""
        future: Future[T] = Future()
        with self._lock:
            if self._is_closed or self._load >= self._most:
                return None
            self._load += 1
            self._jobs.put((future, job))
            if len(self._threads) < self._workers:
                self._start_thread()
        return future

    @property
    def load(self) -> int:
        """Jobs waiting or under way."""
        return self._load

    def close(self) -> None:
        """Takes no more jobs; those taken are still done, and then the threads end."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            for _ in self._threads:
                self._jobs.put(None)

    def _start_thread(self) -> None:
        number = len(self._threads) + 1
        thread = threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            future, job = item
            try:
                if future.set_running_or_notify_cancel():
                    _carry_out(future, job)
            finally:
                with self._lock:
                    self._load -= 1


def _carry_out(future: Future[T], job: Callable[[], T]) -> None:
    try:
        future.set_result(job())
    except BaseException as error:  # noqa: BLE001  # handed to whoever waits
        future.set_exception(error)
