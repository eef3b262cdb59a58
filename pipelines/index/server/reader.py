"""The server index's reader: queries to the collection behind the alias."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
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
from pipelines.index.fusion import Fused, LegWeights, candidates, fuse, leg_weights, one_leg
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
from pipelines.index.server.requests import leg_requests, takes_idf_corpus
from pipelines.index.server.retries import SEARCH_SECONDS, retry_requests
from pipelines.index.versions import check_readable

if TYPE_CHECKING:
    from qdrant_client import QdrantClient
    from qdrant_client.models import ScoredPoint

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
        if mode == "hybrid":
            return self._hybrid(name, text, dense, filters, limit, depth or candidates(limit))
        (found,) = self._ask_legs(name, mode, text, dense, filters, limit)
        hits = (Hit(str(point.id), point.score, point.payload or {}) for point in found)
        return one_version(best_first(one_leg(mode, hits)))

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

    def _hybrid(
        self, name: str, text: str, dense: Vector | None, filters: Filters, limit: int, depth: int
    ) -> list[Hit]:
        ask = partial(self._ask_legs, name, "hybrid", text, dense, filters, depth)
        weights = leg_weights(text, self._spec.model if self._spec else "")
        hits = _fused(ask(with_payload=False), weights, limit)
        with server_errors(name):
            records = self._client.retrieve(name, [hit.id for hit in hits], with_payload=True) if hits else []
        payloads = {str(record.id): record.payload or {} for record in records}
        if len(payloads) < len(hits):
            # A document was written in between: its passages, the old or the new ones, must not be missing.
            legs = ask(with_payload=True)
            hits = _fused(legs, weights, limit)
            payloads = {str(point.id): point.payload or {} for points in legs for point in points}
        return one_version([Hit(id, score, payloads[id], dense, lexical) for id, score, dense, lexical in hits])

    def _ask_legs(
        self,
        name: str,
        mode: Mode,
        text: str,
        dense: Vector | None,
        filters: Filters,
        limit: int,
        *,
        with_payload: bool = True,
    ) -> list[list[ScoredPoint]]:
        """What each leg of a mode finds, in one request."""
        idf_corpus = self._takes_idf_corpus
        legs = leg_requests(mode, text, dense, filters, limit, with_payload=with_payload, idf_corpus=idf_corpus)
        with server_errors(name):
            return [answer.points for answer in self._client.query_batch_points(name, legs)]

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


def _fused(legs: Sequence[Sequence[ScoredPoint]], weights: LegWeights, limit: int) -> list[Fused[str]]:
    by_meaning, by_words = ([(str(point.id), point.score) for point in points] for points in legs)
    return fuse(by_meaning, by_words, weights, limit)
