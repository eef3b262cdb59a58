"""Turns: threads that share what only one may use at a time, and let the others go on while they wait.

A thread works only while it has its turn, and gives it up where it waits for something that is nobody's: a source, a
child process, an embedding provider. So what slows one of them down holds up no other, and nothing that they share
need be safe for two at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import TypeVar

Item = TypeVar("Item")

_mine = local()


class Turns:
    """One thread at a time has its turn."""

    def __init__(self) -> None:
        self._lock = Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for the turn, and have it in the context."""
        with self._lock:
            _mine.lock = self._lock
            try:
                yield
            finally:
                _mine.lock = None


def takes_turns() -> bool:
    """Whether this thread has a turn, which others wait for."""
    return getattr(_mine, "lock", None) is not None


@contextmanager
def turn_given_up() -> Iterator[None]:
    """Let other threads have the turn in the context, and wait for it after. Nothing where none is taken."""
    lock: Lock | None = getattr(_mine, "lock", None)
    if lock is None:
        yield
        return
    lock.release()
    _mine.lock = None
    try:
        yield
    finally:
        lock.acquire()
        _mine.lock = lock


def each_awaited(items: Iterable[Item]) -> Iterator[Item]:
    """The same items; while the next one is waited for, others have their turn."""
    iterator = iter(items)
    while True:
        with turn_given_up():
            found = next(iterator, None)
        if found is None:
            return
        yield found
