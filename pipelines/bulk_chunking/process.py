"""The process that chunks, as its parent sees it: given tables, waited for, and ended where it hangs."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO

from pipelines.bulk_chunking.protocol import encode, read_table
from pipelines.child_start import start_child
from pipelines.machine import processor_seconds

if TYPE_CHECKING:
    import pyarrow as pa

IDLE_SECONDS = 10.0
"""By the clock, in which it uses none of its processor although it has something to do."""
SECONDS_PER_TABLE = 60.0
_SECONDS_PER_LOOK = 0.25
_PIPE_BYTES = 1 << 20
"""A thread that reads an answer waits for the interpreter's lock each time, so that it had better be few times."""


class BulkProcessDied(Exception):
    """The process has ended, by itself or because it hung."""


class BulkProcess:
    """One child. It answers tables in their order; what it has not answered when it ends raises BulkProcessDied."""

    def __init__(self) -> None:
        self._child = start_child("pipelines.bulk_chunking.child")
        self._unsent: SimpleQueue[pa.Table | None] = SimpleQueue()
        self._asked: deque[Future[pa.Table]] = deque()
        self._changing = threading.Lock()
        self.has_ended = False
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError, AttributeError):  # another system
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)  # type: ignore[arg-type]  # both are pipes
        for work in (self._send, self._receive):
            threading.Thread(target=work, name="bulk chunking", daemon=True).start()

    def submit(self, documents: pa.Table) -> Future[pa.Table]:
        """What becomes of these, once it is there."""
        answer: Future[pa.Table] = Future()
        with self._changing:
            if self.has_ended:
                answer.set_exception(BulkProcessDied())
                return answer
            self._asked.append(answer)
            self._unsent.put(documents)
        return answer

    def wait(self, answer: Future[pa.Table]) -> pa.Table:
        """Raises BulkProcessDied, also where it had to be ended for it."""
        started = worked = time.monotonic()
        used = processor_seconds(self._child.pid)
        while True:
            with suppress(TimeoutError):
                return answer.result(_SECONDS_PER_LOOK)
            before, used, now = used, processor_seconds(self._child.pid), time.monotonic()
            worked = now if used > before else worked
            if now - worked > IDLE_SECONDS or now - started > SECONDS_PER_TABLE:
                self.end()

    def end(self) -> None:
        """End it at once. May be called again."""
        self._child.kill()
        self._child.wait()
        self._unsent.put(None)
        self._give_up()

    def _send(self) -> None:
        pipe: BinaryIO = self._child.stdin  # type: ignore[assignment]  # it is a pipe
        with suppress(OSError), pipe:  # it has ended: what reads from it knows
            while (table := self._unsent.get()) is not None:
                for part in encode(table):
                    _write(pipe.fileno(), memoryview(part))

    def _receive(self) -> None:
        pipe: BinaryIO = self._child.stdout  # type: ignore[assignment]
        with suppress(OSError, ValueError), pipe:
            while (found := read_table(pipe)) is not None:
                with self._changing:
                    answer = self._asked.popleft()
                answer.set_result(found)
        self._give_up()

    def _give_up(self) -> None:
        with self._changing:
            self.has_ended = True
            asked = list(self._asked)
            self._asked.clear()
        for answer in asked:
            answer.set_exception(BulkProcessDied())


def _write(pipe: int, content: memoryview) -> None:
    while content:
        content = content[os.write(pipe, content) :]
