"""The server index's reader: queries to the collection behind the alias."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from pipelines.index.contract import Filters, Hit, IndexInfo, IndexSpec, Mode, Vector
from pipelines.index.filters import (
    best_first,
    by_position,
    conditions,
    first_points,
    matches_nothing,
    one_version,
    within_document,
)
from pipelines.index.server.connection import (
    beginnings,
    check_live,
    count_matching,
    count_points,
    live_collection,
    read_info,
    read_metadata,
    read_version,
    scroll,
    server_errors,
)
from pipelines.index.server.requests import query_arguments, takes_idf_corpus
from pipelines.index.server.retries import SEARCH_SECONDS, retry_requests
from pipelines.index.versions import check_readable

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

ALIAS_SECONDS = 5.0
"""How long a reader relies on what the alias pointed at when it last asked."""


class QdrantReader:
    """An IndexReader of the collection behind the alias."""

    def __init__(self, client: QdrantClient, collection: str, spec: IndexSpec | None) -> None:
        self._client = client
        self._collection = collection
        self._spec = spec
        self._live: str | None = None
        self._live_until = 0.0
        retry_requests(client, SEARCH_SECONDS)

    def search(
        self, *, mode: Mode, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int | None = None
    ) -> list[Hit]:
        if (name := self._target()) is None or matches_nothing(filters):
            return []
        request = query_arguments(mode, text, dense, filters, limit, depth, idf_corpus=self._takes_idf_corpus)
        with server_errors(name):
            found = self._client.query_points(name, **request).points
        return one_version(best_first(Hit(str(point.id), point.score, point.payload or {}) for point in found))

    def document(self, document_id: str, filters: Filters) -> list[Hit]:
        if (name := self._target()) is None or matches_nothing(filters):
            return []
        points = scroll(self._client, name, within_document(conditions(filters), document_id))
        return by_position(one_version([Hit(id, 1.0, payload) for id, payload in points]))

    def count_documents(self, field: str, filters: Filters) -> Mapping[str, int]:
        if (name := self._target()) is None or matches_nothing(filters):
            return {}
        return count_matching(self._client, name, field, first_points(filters))

    def newest(self, filters: Filters, limit: int) -> list[Hit]:
        return self._beginnings(filters, limit, newest=True)

    def beginnings(self, filters: Filters, limit: int) -> list[Hit]:
        return self._beginnings(filters, limit, newest=False)

    def _beginnings(self, filters: Filters, limit: int, *, newest: bool) -> list[Hit]:
        if (name := self._target()) is None or matches_nothing(filters):
            return []
        return one_version(beginnings(self._client, name, first_points(filters), limit, newest=newest))

    def count_points(self) -> int:
        return count_points(self._client, name) if (name := self._target()) else 0

    def info(self) -> IndexInfo:
        if (name := self._target()) is None:
            model = self._spec.model if self._spec else ""
            return IndexInfo(self._collection, model, 0, 0, 0, idf_leaks=not self._takes_idf_corpus)
        with server_errors(name):
            model = str(read_metadata(self._client, name).get("model", ""))
        return read_info(self._client, self._collection, name, model)

    def close(self) -> None:
        self._client.close()

    @cached_property
    def _takes_idf_corpus(self) -> bool:
        """What the server's version allows, asked once."""
        with server_errors(self._collection):
            return takes_idf_corpus(read_version(self._client))

    def _target(self) -> str | None:
        """The collection behind the alias. The server is asked again after some seconds, and while there is none."""
        if self._live is None or time.monotonic() >= self._live_until:
            with server_errors(self._collection):
                if self._spec:
                    check_live(self._client, self._spec, check_readable)
                self._live = live_collection(self._client, self._collection)
            self._live_until = time.monotonic() + ALIAS_SECONDS
        return self._live


class QdrantPreview(QdrantReader):
    """Reads one version, live or not, over the client of the store that made it."""

    def __init__(self, client: QdrantClient, collection: str, spec: IndexSpec, name: str) -> None:
        super().__init__(client, collection, spec)
        self._name = name

    def close(self) -> None:
        pass

    def _target(self) -> str | None:
        return self._name
