"""The index: where points are written and found, embedded or on a Qdrant server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.index.contract import IndexReader, IndexSpec, IndexStore

if TYPE_CHECKING:  # a process that only reads does without it
    from pipelines.settings import Settings

LOCK_TIMEOUT = 300.0
"""Seconds that a writer waits for another one; a run may write for some minutes."""


def open_store(
    settings: Settings, spec: IndexSpec, *, replace: bool = False, lock_timeout: float = LOCK_TIMEOUT
) -> IndexStore:
    """Open the collection for writing; make it if there is none.

    Raises IndexBusy if another process keeps writing (embedded only), and IndexMismatch if the live collection
    was made for another spec; with `replace` a new one is made beside it, and `publish` puts it in its place.
    """
    if settings.index.embedded:
        from pipelines.index.embedded.store import EdgeStore

        return EdgeStore(settings.state_path / "index", spec, lock_timeout=lock_timeout, replace=replace)
    from pipelines.index.server.connection import connect
    from pipelines.index.server.store import QdrantStore

    return QdrantStore(connect(settings.index), spec, settings.index, replace=replace)


def open_reader(settings: Settings, spec: IndexSpec | None = None, *, processes: int = 0) -> IndexReader:
    """Open what was published last; nothing published yet answers every question with nothing. An embedded one is read
    by so many `processes`, or in this one.

    Raises IndexMismatch if that was made for another spec, here or at a later question.
    """
    if settings.index.embedded:
        return _open_embedded(settings.state_path / "index", settings.index.collection, spec, processes)
    from pipelines.index.server.connection import connect
    from pipelines.index.server.reader import QdrantReader

    return QdrantReader(connect(settings.index), settings.index.collection, spec)


def _open_embedded(root: Path, collection: str, spec: IndexSpec | None, processes: int) -> IndexReader:
    if processes:
        from pipelines.index.embedded.reading_pool import PooledReader

        return PooledReader(root, collection, spec, processes)
    from pipelines.index.embedded.reader import EdgeReader

    return EdgeReader(root, collection, spec)
