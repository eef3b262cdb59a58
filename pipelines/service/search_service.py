"""The one way to the index that all interfaces take: rights, scope, audit and figures are the same for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import chain

from pipelines.audit import audit_query
from pipelines.embedding.base import Embedder
from pipelines.index.contract import IndexReader
from pipelines.retrieval import document, search
from pipelines.retrieval.reranking import Reranker
from pipelines.retrieval.schema import DocumentResponse, SearchRequest, SearchResponse
from pipelines.service.authentication import Authenticator, Principal
from pipelines.service.metrics import Metrics
from pipelines.tracing import span

NOT_VISIBLE = "There is no such document, or it is not visible to whoever asks."
"""One answer for both, which tells nobody what exists."""


class SearchService:
    """Answers a principal with what they may see. Blocks; safe to call from several threads."""

    def __init__(
        self,
        index: IndexReader,
        embedder: Embedder,
        reranker: Reranker | None,
        authenticator: Authenticator,
        metrics: Metrics,
        present_spellings: Callable[[str], Iterable[str]],
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._reranker = reranker
        self._authenticator = authenticator
        self._metrics = metrics
        self._present_spellings = present_spellings

    def search(self, request: SearchRequest, principal: Principal) -> SearchResponse:
        """Raises EmbeddingError, IndexStoreError, and a 403 problem where a person is needed and none is named."""
        readers = self._authenticator.readers(principal)
        timer = self._metrics.search_seconds.labels(principal.assistant.id, principal.interface).time()
        with span("search", interface=principal.interface), timer:
            found = search(
                request,
                readers,
                index=self._index,
                embedder=self._embedder,
                scope=principal.assistant.scope,
                reranker=self._reranker,
            )
        if not self._authenticator.is_known(principal, readers, self._index, self._embedder.dimensions):
            found = found.to_unknown_person()
        filters = request.filters.model_dump(mode="json", exclude_defaults=True)
        audit_query(principal.actor, [one.document_id for one in found.results], found.took_ms, filters=filters)
        return found

    def document(self, document_id: str, principal: Principal) -> DocumentResponse | None:
        """None if there is none, or none that may be seen. Raises IndexStoreError and a 403 problem.

        An id in which the unit has another name than its id, such as one that it had before, leads to the document.
        """
        readers, started = self._authenticator.readers(principal), time.perf_counter()
        spelled = chain((document_id,), self._present_spellings(document_id))
        tried = (document(one, readers, index=self._index, scope=principal.assistant.scope) for one in spelled)
        found = next(filter(None, tried), None)
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        self._metrics.documents.labels(principal.assistant.id, "yes" if found else "no").inc()
        audit_query(principal.actor, [found.document_id] if found else [], milliseconds, asked_for=document_id)
        return found
