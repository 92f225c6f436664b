"""Guards and the thread that expires them; the resolver's shared look-ups."""

import socket
import threading

import pytest

from bot.net.resolver import Resolver
from bot.net.watchdog import Guard, Watchdog, current_guard, guarded
from tests.fakes.net import within


def test_a_guard_that_has_expired_shuts_what_comes_late() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        guard = Guard(within(5))
        guard.expire()
        guard.hold(ours)
        theirs.settimeout(5)
        assert theirs.recv(1) == b""
        guard.release()


def test_only_guards_that_are_due_expire() -> None:
    dog = Watchdog()
    long, short, gone = Guard(within(60)), Guard(within(0.1)), Guard(within(0.1))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        short.hold(ours)
        for guard in (long, short, gone):
            dog.add(guard)
        dog.remove(gone)
        theirs.settimeout(5)
        assert theirs.recv(1) == b""
        short.release()
    assert (long.expired, short.expired, gone.expired) == (False, True, False)


def test_an_earlier_deadline_does_not_wait_for_a_later_one() -> None:
    dog = Watchdog()
    dog.add(Guard(within(60)))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        guard = Guard(within(0.05))
        guard.hold(ours)
        dog.add(guard)
        theirs.settimeout(5)
        assert theirs.recv(1) == b""
        guard.release()


def test_a_held_socket_may_be_closed_and_is_still_shut() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        guard = Guard(within(5))
        guard.hold(ours)
        ours.close()
        theirs.settimeout(0.05)
        with pytest.raises(TimeoutError):
            theirs.recv(1)
        guard.expire()
        theirs.settimeout(5)
        assert theirs.recv(1) == b""
        guard.release()


def test_the_guard_belongs_to_the_thread_that_made_the_call() -> None:
    seen: list[bool] = []

    def look() -> None:
        try:
            current_guard()
        except LookupError:
            seen.append(True)

    with guarded(within(5)) as guard:
        assert current_guard() is guard
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(timeout=5)
    look()
    assert seen == [True, True]


def test_callers_after_one_name_share_a_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    free = threading.Event()
    there = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))

    def slow(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        assert free.wait(10)
        return [there]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    resolver = Resolver()
    with pytest.raises(TimeoutError):
        resolver.resolve("ci.example.org", 443, within(0.05))
    found: list[object] = []
    threads = [
        threading.Thread(
            target=lambda: found.extend(resolver.resolve("ci.example.org", 443, within(10)))
        )
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    free.set()
    for thread in threads:
        thread.join(timeout=10)
    assert found == [there] * 5
    first_round = len(asked)
    resolver.resolve("ci.example.org", 443, within(5))  # asked anew, since names may move
    assert len(asked) == first_round + 1


def test_a_name_that_is_none_is_not_found() -> None:
    with pytest.raises(socket.gaierror):
        Resolver().resolve("a" * 70 + ".invalid", 443, within(5))
