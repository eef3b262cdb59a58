"""Searching without a server: the same search function, on the same published index."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

from pydantic import ValidationError

from connectors.addresses import normalize_address
from pipelines.audit import audit_query, operator
from pipelines.catalog.lookup import resolve_ids
from pipelines.embedding.base import Embedder
from pipelines.errors import UsageError
from pipelines.evaluation.embedding import PreembeddedQueries
from pipelines.retrieval.filter_values import UnknownValue
from pipelines.retrieval.principals import is_known, person_tokens
from pipelines.retrieval.retriever import Retriever
from pipelines.retrieval.schema import SearchRequest, SearchResponse
from pipelines.services import Services
from pipelines.settings import Settings
from pipelines.validation import first_problem


class Searcher:
    """Asks as the request's user, or as an administrator where it names none. A context manager."""

    def __init__(self, settings: Settings) -> None:
        self._services = Services(settings)
        self._embedded: Embedder | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._services.__exit__()

    @property
    def model(self) -> str:
        """Name of the embedding model."""
        return self._services.embedder.model

    def embed_together(self, queries: Sequence[str]) -> None:
        """Embed queries that will be asked, in few requests. Raises EmbeddingError."""
        self._embedded = PreembeddedQueries(self._services.embedder, queries)

    def resolve_ids(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The documents that ids and URLs stand for; what the catalog does not know is left out."""
        return resolve_ids(self._services.catalog, names)

    def ask_as_operator(self, request: Mapping[str, Any]) -> SearchResponse:
        """As `ask`, with a line in the audit log: whoever runs the command sees what was found."""
        found = self.ask(request)
        person = request.get("user")
        actor = operator(person and normalize_address(person))
        documents = [one.document_id for one in found.results]
        audit_query(actor, documents, found.took_ms, filters=request.get("filters", {}))
        return found

    def ask(self, request: Mapping[str, Any]) -> SearchResponse:
        """Raises UsageError naming the field that does not fit, and UnknownValue for a filter's value that no document
        has."""
        try:
            asked = SearchRequest.model_validate(dict(request))
        except ValidationError as error:
            raise UsageError(": ".join(first_problem(error))) from None
        if asked.user == "":
            raise UsageError("user: is empty; leave it out to ask as an administrator")
        services = self._services
        readers = person_tokens(asked.user, services.settings, services.catalog) if asked.user else None
        embedder = self._embedded or services.embedder
        retriever = Retriever(services.reader, embedder, services.reranker, services.catalog)
        found = retriever.search(asked, readers, scope=None)
        if asked.user and readers:
            known = is_known(asked.user, readers, services.settings, services.reader, embedder.dimensions)
            return found if known else found.to_unknown_person()
        return found


def search_once(settings: Settings, request: Mapping[str, Any]) -> SearchResponse:
    """One question of whoever runs the command."""
    with Searcher(settings) as searcher:
        try:
            return searcher.ask_as_operator(request)
        except UnknownValue as unknown:
            raise UsageError(f"{unknown.where}: {unknown}") from None
