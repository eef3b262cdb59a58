"""A thread for each connection, so that what is slow in one of them keeps no other waiting."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Generic, TypeVar

from pipelines.turns import Turns

Result = TypeVar("Result")

_SECONDS_PER_WAIT = 0.05
_SECONDS_FOR_OTHERS = 0.5
"""So long what has ended waits for others to end, too: they are published together."""


class ConnectionThreads(Generic[Result]):
    """Each connection does one thing at a time. What they do, they do in turns."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._open = ExitStack()
        self._busy: dict[str, Future[Result]] = {}

    @property
    def busy(self) -> Collection[str]:
        """Connections of which something is under way, or has ended and was not collected."""
        return self._busy.keys()

    def submit(self, connection: str, work: Callable[[], Result]) -> None:
        """Let the thread of a connection that is not busy do this."""
        if connection not in self._threads:
            thread = ThreadPoolExecutor(1, f"events {connection}")
            self._threads[connection] = self._open.enter_context(thread)
        self._busy[connection] = self._threads[connection].submit(self._in_turn, work)

    def collect(self, is_wanted: Callable[[], bool]) -> list[Result]:
        """What has ended, once all has; or sooner, where some has and the others are slow, or where the caller
        `is_wanted` elsewhere. Raises what one of them raised; the rest is there to be collected next."""
        waited = 0.0
        while wait(self._busy.values(), _SECONDS_PER_WAIT).not_done:
            waited += _SECONDS_PER_WAIT
            some_ended = any(future.done() for future in self._busy.values())
            if is_wanted() or (some_ended and waited >= _SECONDS_FOR_OTHERS):
                break
        ended = [connection for connection, future in self._busy.items() if future.done()]
        failed = next((one for one in ended if self._busy[one].exception()), None)
        if failed is not None:
            self._busy.pop(failed).result()
        return [self._busy.pop(connection).result() for connection in ended]

    def close(self) -> None:
        """Wait for what is under way."""
        self._open.close()

    def _in_turn(self, work: Callable[[], Result]) -> Result:
        with self._turns.taken():
            return work()
