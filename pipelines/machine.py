"""The run of this machine's operating system."""

from __future__ import annotations

from pathlib import Path


def this_boot() -> str:
    """Identifies this run of the operating system, from its start to its end."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        import psutil

        return str(int(psutil.boot_time()))
