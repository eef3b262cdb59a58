"""The run of this machine's operating system."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path


def this_boot() -> str:
    """Identifies this run of the operating system, from its start to its end."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        import psutil

        return str(int(psutil.boot_time()))


def give_back_memory() -> None:
    """Return what was freed to the operating system. The C library of Linux keeps it for later else."""
    with suppress(OSError, AttributeError):  # another system, or another C library
        ctypes.CDLL(None).malloc_trim(0)
