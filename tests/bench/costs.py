"""What a command costs with all processes that it starts: processor time, wall time, and memory."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from resource import struct_rusage

_PR_SET_CHILD_SUBREAPER = 36
_MB = 1 << 20
"""Bytes."""
_SECONDS_BETWEEN_LOOKS = 0.1
"""To read how much memory a process uses costs the kernel some milliseconds."""


@dataclass(frozen=True, slots=True)
class Costs:
    """`largest_mb` is the largest resident memory of one process, `sum_mb` the largest sum of all of them, in which
    each page that several share is counted once (the sum of proportional set sizes)."""

    output: bytes
    cpu_seconds: float
    wall_seconds: float
    largest_mb: float
    sum_mb: float


def run_counted(command: Sequence[str]) -> Costs:
    """Run a command to its end. Raises CalledProcessError where it fails; Linux only.

    Processes that outlive it come to this one (`PR_SET_CHILD_SUBREAPER`), which ends them and counts them.
    """
    with _taking_orphans():
        return _run_counted(command)


@contextmanager
def _taking_orphans() -> Iterator[None]:
    """Those of later commands are not waited for by anybody here: they go to the system's first process again."""
    library = ctypes.CDLL(None)
    library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        library.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _run_counted(command: Sequence[str]) -> Costs:
    others = {child.pid for child in psutil.Process().children()}
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process, _MemoryWatch(process.pid) as memory:
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)  # with all children that it has waited for itself
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
    usages = [usage, *(_end(child) for child in psutil.Process().children() if child.pid not in others)]
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    largest = max(one.ru_maxrss for one in usages) * 1024
    return Costs(
        output,
        sum(one.ru_utime + one.ru_stime for one in usages),
        wall,
        largest / _MB,
        max(memory.most, largest) / _MB,  # a peak may lie between two looks
    )


def _end(child: psutil.Process) -> struct_rusage:
    child.kill()
    return os.wait4(child.pid, 0)[2]


@dataclass
class _MemoryWatch:
    """Looks at a process and all below it, now and then; `most` is the largest sum, in bytes."""

    pid: int
    most: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> _MemoryWatch:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_LOOKS):
            with suppress(psutil.Error):
                root = psutil.Process(self.pid)
                self.most = max(self.most, sum(map(_pss, [root, *root.children(recursive=True)])))


def _pss(process: psutil.Process) -> int:
    """Bytes; 0 of one that has just ended."""
    with suppress(OSError), Path(f"/proc/{process.pid}/smaps_rollup").open(encoding="ascii") as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:")), 0)
    return 0
