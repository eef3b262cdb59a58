"""A document's place for a question, as an administrator and as a person."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.retrieval import search
from pipelines.retrieval.schema import MOST_DOCUMENTS, SearchRequest
from pipelines.services import Services


@dataclass(frozen=True, slots=True)
class Rank:
    """Places from 1, as `user` sees them, or an administrator without one; None beyond the first `depth`.

    `rank` is the place in the answer; `dense_rank` and `lexical_rank` are those of single legs, `rerank_score` the
    reranker's where one is configured. A person's places count only documents that they see.
    """

    query: str
    user: str | None
    rank: int | None
    dense_rank: int | None = None
    lexical_rank: int | None = None
    rerank_score: float | None = None
    score: float | None = None
    depth: int = MOST_DOCUMENTS


def find_rank(
    services: Services, document_id: str, query: str, *, user: str | None, tokens: tuple[str, ...] | None
) -> Rank:
    """Ask what that person would ask. Raises ValidationError for a query that is none, and what `search` raises."""
    request = SearchRequest(query=query, top_k=MOST_DOCUMENTS, explain=True)
    index, embedder = services.reader, services.embedder
    results = search(request, tokens, index=index, embedder=embedder, reranker=services.reranker).results
    for place, result in enumerate(results, start=1):
        if result.document_id == document_id and result.why:
            why = result.why
            return Rank(query, user, place, why.dense_rank, why.lexical_rank, why.rerank_score, result.score)
    return Rank(query, user, None)
