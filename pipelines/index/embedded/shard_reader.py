"""Queries to an embedded shard, be it a published copy or the writer's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import IndexStoreError
from pipelines.index.contract import Filters, Hit, IndexInfo, Mode, Vector
from pipelines.index.embedded.shard import beginnings, count_by, count_matching, count_points, scroll, search
from pipelines.index.embedded.sparse_files import bytes_on_disk
from pipelines.index.filters import (
    best_first,
    by_position,
    conditions,
    first_points,
    matches_nothing,
    one_version,
    within_document,
)

if TYPE_CHECKING:
    import qdrant_edge


@dataclass(frozen=True, slots=True)
class ShardReader:
    """An IndexReader over an open shard. The code that opened the shard closes it."""

    shard: qdrant_edge.EdgeShard
    folder: Path
    collection: str
    model: str

    def search(
        self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int | None = None
    ) -> list[Hit]:
        if matches_nothing(filters):
            return []
        with engine_errors(self.folder):
            return one_version(best_first(search(self.shard, mode, text, dense, filters, limit, depth, self.model)))

    def document(self, document_id: str, filters: Filters) -> list[Hit]:
        if matches_nothing(filters):
            return []
        where = within_document(conditions(filters), document_id)
        with engine_errors(self.folder):
            hits = [Hit(id, 1.0, payload) for id, payload in scroll(self.shard, where)]
        return by_position(one_version(hits))

    def count_documents(self, field: str, filters: Filters) -> Mapping[str, int]:
        if matches_nothing(filters):
            return {}
        with engine_errors(self.folder):
            return count_matching(self.shard, field, first_points(filters))

    def newest(self, filters: Filters, limit: int) -> list[Hit]:
        return self._beginnings(filters, limit, newest=True)

    def beginnings(self, filters: Filters, limit: int) -> list[Hit]:
        return self._beginnings(filters, limit, newest=False)

    def _beginnings(self, filters: Filters, limit: int, *, newest: bool) -> list[Hit]:
        if matches_nothing(filters):
            return []
        with engine_errors(self.folder):
            return one_version(beginnings(self.shard, first_points(filters), limit, newest=newest))

    def count_points(self) -> int:
        with engine_errors(self.folder):
            return count_points(self.shard)

    def info(self, documents: int | None = None) -> IndexInfo:
        """Documents are counted where the caller does not know how many there are."""
        with engine_errors(self.folder):
            documents = len(count_by(self.shard, "document_id")) if documents is None else documents
            points = count_points(self.shard)
        return IndexInfo(self.collection, self.model, documents, points, bytes_on_disk(self.folder))

    def close(self) -> None:
        """Does nothing: the shard belongs to the caller."""


@contextmanager
def engine_errors(folder: Path) -> Iterator[None]:
    """Raise IndexStoreError naming the folder: the engine raises plain `Exception` with its own words."""
    try:
        yield
    except Exception as error:
        if type(error) is Exception:
            raise IndexStoreError(f"{folder}: {error}") from None
        raise
