"""All that can be asked of the index, by whoever asks: what interfaces and the command line share."""

from __future__ import annotations

from pipelines.catalog import Catalog
from pipelines.embedding.base import Embedder
from pipelines.index.conditions import EVERY_POINT, Conditions
from pipelines.index.contract import Filters, Hit, IndexReader
from pipelines.retrieval.explore.browsing import Browsing
from pipelines.retrieval.explore.changes_cursor import ListCursor
from pipelines.retrieval.explore.facets import FacetRequest, Facets
from pipelines.retrieval.explore.relations import MOST_RELATED, Relations
from pipelines.retrieval.explore.schema import (
    ChangesResponse,
    ChildrenResponse,
    FacetsResponse,
    RelatedResponse,
    SourcesResponse,
)
from pipelines.retrieval.filter_values import FilterValues
from pipelines.retrieval.naming import Naming
from pipelines.retrieval.passages import position
from pipelines.retrieval.ranking import newest_version
from pipelines.retrieval.reranking import Reranker
from pipelines.retrieval.schema import DocumentMetadata, DocumentResponse, SearchFilters, SearchRequest, SearchResponse
from pipelines.retrieval.scope import asked_within, visible_to
from pipelines.retrieval.search import document, metadata, search

Readers = tuple[str, ...] | None
"""Reader tokens; None asks as an administrator."""


class Retriever:
    """Each question comes with the reader tokens of whoever asks, and with the scope of the assistant that does. Raises
    EmbeddingError and IndexStoreError, and UnknownValue for a filter's value that does not exist."""

    def __init__(self, index: IndexReader, embedder: Embedder, reranker: Reranker | None, catalog: Catalog) -> None:
        self._index = index
        self._embedder = embedder
        self._reranker = reranker
        self._catalog = catalog
        self._naming = Naming(catalog)

    def search(
        self, request: SearchRequest, readers: Readers, scope: Filters | None, also: Conditions = EVERY_POINT
    ) -> SearchResponse:
        request = request.model_copy(update={"filters": self._resolve(request.filters, readers, scope)})
        found = search(
            request,
            readers,
            index=self._index,
            embedder=self._embedder,
            scope=scope,
            reranker=self._reranker,
            also=also,
        )
        return found.model_copy(update={"results": self._naming.named(found.results)})

    def document(self, document_id: str, readers: Readers, scope: Filters | None) -> DocumentResponse | None:
        """None if there is none, or none for these readers and this scope."""
        found = document(document_id, readers, index=self._index, scope=scope)
        return self._naming.named([found])[0] if found else None

    def passages(self, document_id: str, readers: Readers, scope: Filters | None) -> list[Hit]:
        """All passages of a document in their order; none where it is not visible."""
        seen = visible_to(readers, scope)
        hits = self._index.document(document_id, seen) if seen else []
        return sorted(newest_version(hits), key=position) if hits else []

    def described(self, hit: Hit) -> DocumentMetadata:
        """What is known of the document that a passage is of, with names."""
        return self._naming.named([DocumentMetadata(**metadata(hit.payload))])[0]

    def filter_values(self, readers: Readers, scope: Filters | None) -> FilterValues | None:
        """What filters can ask for; None where nothing may be seen at all."""
        seen = visible_to(readers, scope)
        return FilterValues(self._index, self._catalog, seen) if seen else None

    def facets(self, asked: FacetRequest, readers: Readers, scope: Filters | None) -> FacetsResponse:
        seen = visible_to(readers, scope)
        return Facets(self._index, self._catalog, seen).values(asked) if seen else FacetsResponse()

    def sources(self, readers: Readers, scope: Filters | None, most_units: int) -> SourcesResponse:
        seen = visible_to(readers, scope)
        found = Facets(self._index, self._catalog, seen).connections(most_units) if seen else []
        return SourcesResponse(connections=found)

    def children(
        self, container: str, readers: Readers, scope: Filters | None, *, offset: int, limit: int
    ) -> ChildrenResponse:
        seen = visible_to(readers, scope) or Filters()
        found = Browsing(self._index, self._catalog, seen).children(container, offset, limit)
        named = iter(self._naming.named([one.document for one in found.children if one.document]))
        children = [one.model_copy(update={"document": next(named)}) if one.document else one for one in found.children]
        return found.model_copy(update={"children": children})

    def changes(
        self,
        filters: SearchFilters,
        readers: Readers,
        scope: Filters | None,
        cursor: ListCursor | None,
        limit: int,
    ) -> ChangesResponse:
        resolved = self._resolve(filters, readers, scope)
        seen, asked = visible_to(readers, scope), asked_within(resolved, readers, scope)
        if seen is None or asked is None:
            return ChangesResponse(changes=[])
        found = Browsing(self._index, self._catalog, seen).changes(asked, cursor, limit)
        return ChangesResponse(changes=self._naming.named(found.changes), next_cursor=found.next_cursor)

    def related(self, document_id: str, readers: Readers, scope: Filters | None) -> RelatedResponse | None:
        """None where the document is not visible."""
        seen, points = visible_to(readers, scope), self.passages(document_id, readers, scope)
        if seen is None or not points:
            return None
        relations = Relations(self._index, self._catalog, seen)
        mentions, mentioned_by = relations.mentioned_in(points), relations.mentioning(points)
        return RelatedResponse(
            id=document_id,
            title=points[0].payload["title"],
            mentions=self._naming.named(mentions[:MOST_RELATED]),
            mentioned_by=self._naming.named(mentioned_by[:MOST_RELATED]),
            more_mentions=max(len(mentions) - MOST_RELATED, 0),
            more_mentioned_by=max(len(mentioned_by) - MOST_RELATED, 0),
        )

    def _resolve(self, filters: SearchFilters, readers: Readers, scope: Filters | None) -> SearchFilters:
        if filters == SearchFilters():
            return filters
        values = FilterValues(self._index, self._catalog, visible_to(readers, scope) or Filters())
        return values.resolve(filters)
