"""The one way to the index that all interfaces take: rights, scope, audit and figures are the same for all."""

from __future__ import annotations

import time

from pipelines.embedding.base import Embedder
from pipelines.index.contract import IndexReader
from pipelines.retrieval import document, search
from pipelines.retrieval.reranking import Reranker
from pipelines.retrieval.schema import DocumentResponse, SearchRequest, SearchResponse
from pipelines.service.audit import audit
from pipelines.service.authentication import Asker, Authenticator
from pipelines.service.metrics import Metrics


class Answers:
    """Answers whoever asks with what they may see. Blocks; safe to call from several threads."""

    def __init__(
        self,
        index: IndexReader,
        embedder: Embedder,
        reranker: Reranker | None,
        authenticator: Authenticator,
        metrics: Metrics,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._reranker = reranker
        self._authenticator = authenticator
        self._metrics = metrics

    def search(self, request: SearchRequest, asker: Asker) -> SearchResponse:
        """Raises a 403 problem for nobody, EmbeddingError and IndexStoreError."""
        readers = self._authenticator.readers(asker)
        with self._metrics.search_seconds.labels(asker.caller.id, asker.interface).time():
            found = search(
                request,
                readers,
                index=self._index,
                embedder=self._embedder,
                scope=asker.caller.scope,
                reranker=self._reranker,
            )
        filters = request.filters.model_dump(mode="json", exclude_defaults=True)
        audit(asker, [one.document_id for one in found.results], found.took_ms, filters=filters)
        return found

    def document(self, document_id: str, asker: Asker) -> DocumentResponse | None:
        """None if there is none, or none that may be seen. Raises a 403 problem for nobody, and IndexStoreError."""
        readers, started = self._authenticator.readers(asker), time.perf_counter()
        found = document(document_id, readers, index=self._index, scope=asker.caller.scope)
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        self._metrics.documents.labels(asker.caller.id, "yes" if found else "no").inc()
        audit(asker, [found.document_id] if found else [], milliseconds, asked_for=document_id)
        return found
