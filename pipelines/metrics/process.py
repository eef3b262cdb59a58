"""What a process uses, and the most memory that it may use."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Of a container, by version 2 and 1 of control groups (https://docs.kernel.org/admin-guide/cgroup-v2.html)."""
_UNLIMITED = 1 << 60
"""Version 1 has no word for it, but a number close to 2 ** 63."""


def watch_process(registry: CollectorRegistry) -> None:
    """Tell at each scrape of memory, processor time and open files; and of the container's limit, if there is one."""
    ProcessCollector(registry=registry)
    limit = Gauge(
        "headrace_memory_limit_bytes", "Most memory that the container may use; 0 without a limit", registry=registry
    )
    limit.set(memory_limit(_LIMITS) or 0)
    children = Gauge(
        "headrace_children_memory_bytes",
        "Memory that processes have to themselves which this one has started to read files or the index",
        registry=registry,
    )
    children.set_function(_memory_of_children)


def memory_limit(files: tuple[Path, ...]) -> int | None:
    """The limit that the first of these files names, in bytes; None if there is none."""
    for file in files:
        try:
            found = file.read_text().strip()
        except OSError:
            continue
        return int(found) if found.isdecimal() and int(found) < _UNLIMITED else None
    return None


def _memory_of_children() -> float:
    """Without what they share with each other, such as the mapped files of the index."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has just ended
            total += child.memory_full_info().uss
    return float(total)
