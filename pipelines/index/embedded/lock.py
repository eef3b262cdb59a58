"""One writer at a time for a version of an embedded collection, and a line of those who wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import IndexBusy


class WriterLock:
    """The writer's lock, acquired before the shard is touched: even a second opener that the engine refuses would
    spoil the first one's next flush.

    A process that waits holds `writer.next`. So the writer sees that the lock is contended, and a writer that comes
    back waits behind the other.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "writer.lock"
        self._lock = FileLock(self._file, thread_local=False)
        self._next = folder / "writer.next"

    @contextmanager
    def hold(self, timeout: float) -> Iterator[None]:
        """Raises IndexBusy if another process holds the lock for `timeout` seconds."""
        deadline = time.monotonic() + timeout
        try:
            with FileLock(self._next, timeout=timeout, thread_local=False):
                self._lock.acquire(timeout=max(deadline - time.monotonic(), 0))
        except Timeout:
            raise IndexBusy(
                f"{self._file}: another process has been writing the index for more than {timeout:.0f} s; "
                "try again when it has finished"
            ) from None
        try:
            yield
        finally:
            self._lock.release()

    def is_contended(self) -> bool:
        """Whether another process waits for the lock."""
        try:
            with FileLock(self._next, blocking=False, thread_local=False):
                return False
        except Timeout:
            return True
