"""What the operating system knows and does: its own run, and the memory of this process."""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import suppress
from pathlib import Path

_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8
"""Of mallopt(3)."""
_MADV_DONTNEED = 4
"""Of madvise(2)."""
_TRIMMED_BYTES = 128 * 1024
_OBJECTS_BEFORE_COLLECTION = 20_000
_COLLECTIONS_BEFORE_NEXT = 20


def this_boot() -> str:
    """Identifies this run of the operating system, from its start to its end."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        import psutil

        return str(int(psutil.boot_time()))


def processor_seconds(process: int) -> float:
    """What a process with this id has used of its processor until now; 0 if there is none."""
    import psutil

    with suppress(psutil.Error):
        times = psutil.Process(process).cpu_times()
        return times.user + times.system
    return 0.0


def give_back_memory(*, collect: bool = False) -> None:
    """Return what was freed to the operating system. The C library of Linux keeps it for later else. To `collect`
    garbage first takes 0.1 s of a process that has imported much."""
    if collect:
        gc.collect()
    with suppress(OSError, AttributeError):  # another system, or another C library
        ctypes.CDLL(None).malloc_trim(0)


def forget_mapped(folder: Path) -> None:
    """Let go of the pages of mapped files below a folder, which are mapped again when they are needed: nothing is lost,
    as they are shared with the files. An engine that maps in all that it has reserved holds zeros else."""
    with suppress(OSError, AttributeError):  # another system
        advise = ctypes.CDLL(None).madvise
        for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
            place, rights, _, _, _, *path = line.split(maxsplit=5)
            if path and path[0].startswith(f"{folder}{os.sep}") and rights.endswith("s"):
                start, end = (int(one, 16) for one in place.split("-"))
                advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


def spare_memory() -> None:
    """Let this process return memory soon, and look for garbage seldom: of a first run's 460 MB the one saves 36, of
    its CPU time the other saves 5 %, since all that was imported is gone through each time."""
    with suppress(OSError, AttributeError):  # another system, or another C library
        library = ctypes.CDLL(None)
        library.mallopt(_M_TRIM_THRESHOLD, _TRIMMED_BYTES)
        library.mallopt(_M_ARENA_MAX, 1)  # each thread would have one of its own, and keep what it has freed
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # its own pool keeps what a load took
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION, _COLLECTIONS_BEFORE_NEXT, _COLLECTIONS_BEFORE_NEXT)
