"""The index: where points are written and found, embedded or on a Qdrant server."""

from __future__ import annotations

from pipelines.index.contract import IndexReader, IndexSpec, IndexStore
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


def open_reader(settings: Settings, spec: IndexSpec | None = None) -> IndexReader:
    """Open what was published last; nothing published yet answers every question with nothing.

    Raises IndexMismatch if that was made for another spec, here or at a later question.
    """
    if settings.index.embedded:
        from pipelines.index.embedded.reader import EdgeReader

        return EdgeReader(settings.state_path / "index", settings.index.collection, spec)
    from pipelines.index.server.connection import connect
    from pipelines.index.server.reader import QdrantReader

    return QdrantReader(connect(settings.index), settings.index.collection, spec)
