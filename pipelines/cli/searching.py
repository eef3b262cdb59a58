"""Searching without a server: the same search function, on the same published index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ValidationError

from pipelines.errors import UsageError
from pipelines.retrieval import search
from pipelines.retrieval.identity import person_tokens
from pipelines.retrieval.model import SearchRequest, SearchResponse
from pipelines.retrieval.reranking import open_reranker
from pipelines.settings import Settings
from pipelines.workspace import Workspace


class Searcher:
    """Asks as the request's user, or as an administrator where it names none. A context manager."""

    def __init__(self, settings: Settings) -> None:
        self._workspace = Workspace(settings)
        self._reranker = open_reranker(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._workspace.__exit__()
        if self._reranker:
            self._reranker.close()

    @property
    def model(self) -> str:
        """Name of the embedding model."""
        return self._workspace.embedder.model

    def ask(self, request: Mapping[str, Any]) -> SearchResponse:
        """Raises UsageError naming the field that does not fit."""
        try:
            asked = SearchRequest.model_validate(dict(request))
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        workspace = self._workspace
        readers = person_tokens(asked.user, workspace.settings, workspace.catalog) if asked.user else None
        return search(asked, readers, index=workspace.reader, embedder=workspace.embedder, reranker=self._reranker)


def search_once(settings: Settings, request: Mapping[str, Any]) -> SearchResponse:
    with Searcher(settings) as searcher:
        return searcher.ask(request)
