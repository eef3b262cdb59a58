"""A child process that reads documents, as its parent sees it: asked, watched, and ended where it goes too far."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

from pipelines.child_start import start_child
from pipelines.chunking.isolated.limits import ELAPSED_SECONDS, IDLE_SECONDS, MEGABYTES, SECONDS, WARM_MEGABYTES
from pipelines.chunking.isolated.protocol import LONGEST_ANSWER, READY, Answer, Task, encode_request, parse_answer
from pipelines.errors import HeadraceError, ReadingAborted

_SECONDS_TO_START = 60.0
_SECONDS_PER_LOOK = 0.02
"""Memory grows by at most about 40 MB between two looks at a process."""


class ChunkerDied(Exception):
    """The process has ended by itself; `how` is for people."""

    def __init__(self, code: int) -> None:
        self.how = f"signal {-code}" if code < 0 else f"exit code {code}"
        super().__init__(self.how)


class ChunkerProcess:
    """One child. Raises HeadraceError where it does not start, and ChunkerDied where it dies meanwhile.

    Ends when it is garbage: its pipe is closed then.
    """

    def __init__(self) -> None:
        self._child = start_child("pipelines.chunking.isolated.child")
        self._usage = psutil.Process(self._child.pid)
        self._selector = selectors.DefaultSelector()
        for pipe in (self._child.stdin, self._child.stdout):
            os.set_blocking(pipe.fileno(), False)  # type: ignore[union-attr]  # both are pipes
        try:
            self._start()
        except BaseException:
            self.end()
            raise

    def work(self, task: Task) -> Answer:
        """What becomes of a document. Raises ReadingAborted, and ChunkerDied."""
        limits = _Limits(self._usage)
        line = self._exchange(encode_request(task), limits)
        try:
            answer = parse_answer(line, task.document.id)
        except (ValueError, KeyError, TypeError):
            raise ReadingAborted("what came of it is no answer: its process was ended") from None
        if answer.out_of_memory:
            raise ReadingAborted(limits.describe())
        return answer

    @property
    def is_fit(self) -> bool:
        """Whether it may read another document: it lives, and has not grown."""
        with suppress(psutil.Error):
            return bool(self._usage.memory_info().rss < WARM_MEGABYTES * 1_000_000)
        return False

    def end(self) -> None:
        """End it at once. May be called again."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError):  # what was not sent yet
                pipe.close()  # type: ignore[union-attr]
        self._selector.close()

    def _start(self) -> None:
        started = self._exchange((), None)
        if started != READY:
            raise HeadraceError(f"the process that reads files does not start: it says {started[:100]!r}")

    def _exchange(self, parts: Sequence[bytes], limits: _Limits | None) -> bytes:
        """Send the parts of a request, and return the line that answers it."""
        unsent = [memoryview(part) for part in parts if part]
        received = bytearray()
        deadline = time.monotonic() + _SECONDS_TO_START
        self._watch(sending=bool(unsent))
        while not received.endswith(b"\n"):
            for key, _ in self._selector.select(_SECONDS_PER_LOOK):
                if key.fileobj is self._child.stdout:
                    received += self._receive()
                elif not self._send(unsent):
                    self._watch(sending=False)
            if len(received) > LONGEST_ANSWER:
                raise ReadingAborted("what came of it is too long: its process was ended")
            if limits:
                limits.check()
            elif time.monotonic() > deadline:
                raise HeadraceError(f"the process that reads files has not started within {_SECONDS_TO_START:.0f} s")
        return bytes(received)

    def _watch(self, *, sending: bool) -> None:
        self._selector.close()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._child.stdout, selectors.EVENT_READ)  # type: ignore[arg-type]
        if sending:
            self._selector.register(self._child.stdin, selectors.EVENT_WRITE)  # type: ignore[arg-type]

    def _send(self, unsent: list[memoryview]) -> list[memoryview]:
        """Send what the pipe takes; returns what is left."""
        try:
            sent = os.write(self._child.stdin.fileno(), unsent[0])  # type: ignore[union-attr]
        except BrokenPipeError:
            raise ChunkerDied(self._child.wait()) from None
        unsent[0] = unsent[0][sent:]
        if not unsent[0]:
            unsent.pop(0)
        return unsent

    def _receive(self) -> bytes:
        if received := os.read(self._child.stdout.fileno(), 1 << 20):  # type: ignore[union-attr]
            return received
        raise ChunkerDied(self._child.wait())


class _Limits:
    """What reading one document may take. Looks at most every `_SECONDS_PER_LOOK` at what it has taken."""

    def __init__(self, usage: psutil.Process) -> None:
        self._usage = usage
        self._started = self._looked = self._worked = time.monotonic()
        self._before: float | None = None
        self._seconds = self._megabytes = 0.0

    def check(self) -> None:
        """Raises ReadingAborted past a limit."""
        now = time.monotonic()
        if now - self._looked < _SECONDS_PER_LOOK:
            return
        self._looked = now
        with suppress(psutil.Error):  # it has ended, which its pipe says
            times, memory = self._usage.cpu_times(), self._usage.memory_info()
            used = times.user + times.system
            self._before = used if self._before is None else self._before
            self._worked = now if used - self._before > self._seconds else self._worked
            self._seconds, self._megabytes = used - self._before, max(self._megabytes, memory.rss / 1e6)
        is_late = now - self._started > ELAPSED_SECONDS or now - self._worked > IDLE_SECONDS
        if is_late or self._seconds > SECONDS or self._megabytes > MEGABYTES:
            raise ReadingAborted(self.describe())

    def describe(self) -> str:
        """Why reading was ended, with its figures."""
        elapsed = time.monotonic() - self._started
        return (
            f"too expensive: reading it was ended after {elapsed:.1f} s, {self._seconds:.1f} s of processor time, "
            f"with {self._megabytes:.0f} MB of memory (a document may take {SECONDS:.0f} s and {MEGABYTES} MB)"
        )
