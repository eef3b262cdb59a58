"""The one way to the index that all interfaces take: rights, scope, audit and figures are the same for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from pipelines.audit import audit_query
from pipelines.index.conditions import EVERY_POINT, Conditions
from pipelines.index.contract import Filters, Hit
from pipelines.retrieval.attribute_filters import AttributeConditions, Comparison, Compound, FilterError
from pipelines.retrieval.explore.changes_cursor import ListCursor
from pipelines.retrieval.explore.facets import FacetRequest
from pipelines.retrieval.explore.schema import (
    ChangesResponse,
    ChildrenResponse,
    FacetsResponse,
    RelatedResponse,
    SourcesResponse,
)
from pipelines.retrieval.filter_values import UnknownValue
from pipelines.retrieval.retriever import Retriever
from pipelines.retrieval.schema import DocumentMetadata, DocumentResponse, SearchFilters, SearchRequest, SearchResponse
from pipelines.service.asked_questions import AskedQuestions, RememberedQuestion, filters_of
from pipelines.service.authentication import Authenticator, Principal
from pipelines.service.errors import Problem
from pipelines.service.metrics import Metrics
from pipelines.tracing import span

NOT_VISIBLE = "There is no such document, or it is not visible to whoever asks."
"""One answer for both, which tells nobody what exists."""


class SearchService:
    """Answers a principal with what they may see. Blocks; safe to call from several threads.

    Every method raises EmbeddingError and IndexStoreError; a 403 problem where a person is needed and none is named;
    and a 422 problem for a filter's value that does not exist.
    """

    def __init__(
        self,
        retriever: Retriever,
        authenticator: Authenticator,
        metrics: Metrics,
        present_spellings: Callable[[str], Iterable[str]],
        is_known: Callable[[Principal, tuple[str, ...]], bool],
    ) -> None:
        self._retriever = retriever
        self._authenticator = authenticator
        self._metrics = metrics
        self._present_spellings = present_spellings
        self._is_known = is_known
        self.asked = AskedQuestions()

    def search(
        self, request: SearchRequest, principal: Principal, attributes: Comparison | Compound | None = None
    ) -> SearchResponse:
        """`attributes` are filters in OpenAI's form, which hold besides."""
        readers, scope = self._authenticator.readers(principal), principal.assistant.scope
        timer = self._metrics.search_seconds.labels(principal.assistant.id, principal.interface).time()
        with span("search", interface=principal.interface), timer, unknown_values():
            also = self._conditions(attributes, readers, scope)
            found = self._retriever.search(request, readers, scope, also)
        if not self._is_known(principal, readers):
            found = found.to_unknown_person()
        documents = [one.document_id for one in found.results]
        own = None if attributes else filters_of(request.filters, principal)
        self.asked.remember(principal, RememberedQuestion(request.query, own, frozenset(documents)))
        filters = request.filters.model_dump(mode="json", exclude_defaults=True)
        if attributes:
            filters["attributes"] = attributes.model_dump(mode="json")
        audit_query(principal.actor, documents, found.took_ms, filters=filters)
        return found

    def document(self, document_id: str, principal: Principal) -> DocumentResponse | None:
        """None if there is none, or none that may be seen.

        An id in which the unit has another name than its id, such as one that it had before, leads to the document.
        """
        readers, scope = self._authenticator.readers(principal), principal.assistant.scope
        with self._reading(principal, document_id) as seen:
            tried = (self._retriever.document(one, readers, scope) for one in self._spelled(document_id))
            found = next(filter(None, tried), None)
            seen += [found.document_id] if found else []
        self._count_read(principal, is_found=found is not None)
        return found

    def passages(self, document_id: str, principal: Principal) -> list[Hit]:
        """All passages of a document in their order; none if there is none that may be seen. As `document`."""
        readers, scope = self._authenticator.readers(principal), principal.assistant.scope
        with self._reading(principal, document_id) as seen:
            tried = (self._retriever.passages(one, readers, scope) for one in self._spelled(document_id))
            found = next(filter(None, tried), [])
            seen += [found[0].payload["document_id"]] if found else []
        self._count_read(principal, is_found=bool(found))
        return found

    def described(self, hit: Hit) -> DocumentMetadata:
        """What is known of the document that a passage is of, with names."""
        return self._retriever.described(hit)

    def facets(self, asked: FacetRequest, principal: Principal) -> FacetsResponse:
        readers = self._authenticator.readers(principal)
        with self._reading(principal, "facets"):
            return self._retriever.facets(asked, readers, principal.assistant.scope)

    def sources(self, principal: Principal, most_units: int) -> SourcesResponse:
        readers = self._authenticator.readers(principal)
        with self._reading(principal, "sources"):
            return self._retriever.sources(readers, principal.assistant.scope, most_units)

    def children(self, container: str, principal: Principal, *, offset: int, limit: int) -> ChildrenResponse:
        readers, scope = self._authenticator.readers(principal), principal.assistant.scope
        with self._reading(principal, container) as seen, unknown_values():
            found = self._retriever.children(container, readers, scope, offset=offset, limit=limit)
            seen += [one.id for one in found.children if one.document]
        return found

    def changes(
        self, filters: SearchFilters, principal: Principal, cursor: ListCursor | None, limit: int
    ) -> ChangesResponse:
        readers, scope = self._authenticator.readers(principal), principal.assistant.scope
        with self._reading(principal, "changes") as seen, unknown_values():
            found = self._retriever.changes(filters, readers, scope, cursor, limit)
            seen += [one.document_id for one in found.changes]
        return found

    def related(self, document_id: str, principal: Principal) -> RelatedResponse | None:
        """None if the document does not exist, or may not be seen."""
        readers, scope = self._authenticator.readers(principal), principal.assistant.scope
        with self._reading(principal, document_id) as seen:
            tried = (self._retriever.related(one, readers, scope) for one in self._spelled(document_id))
            found = next(filter(None, tried), None)
            if found:
                seen += [found.id, *(one.document_id for one in (*found.mentions, *found.mentioned_by))]
        return found

    def resolved(self, asked: SearchFilters, principal: Principal) -> str:
        """Filters with the index's own values, as JSON: what people call these may change."""
        values = self._retriever.filter_values(self._authenticator.readers(principal), principal.assistant.scope)
        with unknown_values():
            found = values.resolve(asked) if values else asked
        return found.model_dump_json(exclude_defaults=True)

    def _count_read(self, principal: Principal, *, is_found: bool) -> None:
        self._metrics.documents.labels(principal.assistant.id, "yes" if is_found else "no").inc()

    def _spelled(self, document_id: str) -> Iterator[str]:
        yield document_id
        yield from self._present_spellings(document_id)

    def _conditions(
        self, attributes: Comparison | Compound | None, readers: tuple[str, ...], scope: Filters | None
    ) -> Conditions:
        """What filters in OpenAI's form ask for; of somebody who sees nothing they ask for nothing."""
        values = self._retriever.filter_values(readers, scope)
        return AttributeConditions(values).of(attributes) if attributes and values else EVERY_POINT

    @contextmanager
    def _reading(self, principal: Principal, asked_for: str) -> Iterator[list[str]]:
        """Writes the audit line of a question by name, with the ids that are put into the list until then."""
        seen, started = list[str](), time.perf_counter()
        yield seen
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        audit_query(principal.actor, seen, milliseconds, asked_for=asked_for)


@contextmanager
def unknown_values() -> Iterator[None]:
    """A filter's value that does not exist is told to whoever asks."""
    try:
        yield
    except (UnknownValue, FilterError) as unknown:
        raise Problem(422, "Invalid request", str(unknown), field=unknown.where) from None
