"""One step ahead: the next step's vectors are waited for while this one is written, and others may write meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import Self, TypeVar

from pipelines.index.contract import IndexStore
from pipelines.services import Services
from pipelines.tracing import in_this_span
from pipelines.turns import takes_turns, turn_given_up

Step = TypeVar("Step")
Result = TypeVar("Result")

_SECONDS_PER_WAIT = 0.05
"""How often a writer that waits for vectors asks whether another process wants to write."""


class SharedStore:
    """The index's writer, opened when it is needed and closed while another process waits for it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._resources = ExitStack()
        self._store: IndexStore | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def open(self) -> IndexStore:
        if self._store is None:
            self._store = self._resources.enter_context(self._services.store())
        return self._store

    def yield_lock(self) -> None:
        """Let a waiting process write. Plans made before stay true: it may not touch this unit's documents."""
        if self._store and self._store.is_contended():
            self._store = None
            self._resources.close()
            self._services.yield_lock()

    def between(self, items: Iterable[Step]) -> Iterator[Step]:
        """The same items, each of which may take long to come: between two of them a waiting process writes."""
        asked = time.monotonic()
        for item in items:
            if time.monotonic() - asked > _SECONDS_PER_WAIT:
                self.yield_lock()
                asked = time.monotonic()
            yield item

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """While something is waited for, let other threads of this process write, where they take turns."""
        if takes_turns():
            self._store = None
            self._resources.close()
        with turn_given_up():
            yield


@contextmanager
def thread_beside() -> Iterator[Executor]:
    """A thread whose work is waited for, unless the process is told to end: an answer may take minutes."""
    thread = ThreadPoolExecutor(1)
    try:
        yield thread
    except Exception:
        thread.shutdown()
        raise
    except BaseException:
        thread.shutdown(wait=False, cancel_futures=True)
        raise
    thread.shutdown()


def one_ahead(
    beside: Executor, steps: Iterable[Step], work: Callable[[Step], Result], shared: SharedStore
) -> Iterator[tuple[Step, Result]]:
    """Each step with the result of `work` on it; the next step's work is under way while the caller handles one.

    Others may write now and then while a result is waited for.
    """
    current: tuple[Step, Future[Result]] | None = None
    for step in steps:
        following = (step, beside.submit(in_this_span(work), step))
        if current:
            yield current[0], _await(current[1], shared)
        current = following
    if current:
        yield current[0], _await(current[1], shared)


def _await(future: Future[Result], shared: SharedStore) -> Result:
    shared.yield_lock()
    if not future.done():
        with shared.put_back():
            while not future.done():
                wait([future], timeout=_SECONDS_PER_WAIT)
                shared.yield_lock()
    return future.result()
