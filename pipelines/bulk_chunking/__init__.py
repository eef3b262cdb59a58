"""Bulk chunking: the small texts of many documents become chunks and lexical vectors in a child process."""

from __future__ import annotations

import os

from pipelines.turns import takes_turns

FEWEST_DOCUMENTS = 500
"""Of a unit. To start the process takes half a second of processor time, as much as it takes to chunk 300 documents."""


def bulk_chunking_pays(documents: int) -> bool:
    """Whether so many documents of a unit are chunked faster in a process beside this one. What a worker's threads
    take in turns stays with them: an event is to be found soon, and brings few documents."""
    return documents >= FEWEST_DOCUMENTS and _processors() > 1 and not takes_turns()


def _processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
