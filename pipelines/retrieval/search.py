"""From a question to documents with their best passages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pipelines.chunking.tokens import estimate_tokens
from pipelines.embedding.base import Embedder
from pipelines.index.base import Filters, Hit, IndexReader, Vector
from pipelines.retrieval.model import (
    ChunkResult,
    DocumentMetadata,
    DocumentResponse,
    DocumentResult,
    SearchRequest,
    SearchResponse,
)

CHUNKS_PER_DOCUMENT = 3
"""How many of a document's best chunks an answer holds."""
_CHUNKS_ASKED_PER_DOCUMENT = 4
_CHUNKS_ASKED_BY_AGE = 20
"""Per document where age counts too: a fresh document may overtake many that fit the question better."""
_MOST_CHUNKS = 2_000
_SECONDS_PER_DAY = 86_400


def search(
    request: SearchRequest,
    readers: tuple[str, ...] | None,
    *,
    index: IndexReader,
    embedder: Embedder,
    scope: Filters | None = None,
) -> SearchResponse:
    """Answer a question for whoever holds the reader tokens `readers`; None asks as an administrator.

    `scope` narrows what an assistant may search at all. Raises EmbeddingError and IndexStoreError.
    """
    started = time.perf_counter()
    filters = _filters(request, readers, scope)
    if filters is None:
        return SearchResponse(results=[], took_ms=_milliseconds(started))
    vector = None if request.mode == "lexical" else _embedded(request.query, embedder)
    documents = _found(request, vector, filters, index)
    now = datetime.now(UTC)
    scored = [(_score(hits, request.recency_half_life_days, now), hits) for hits in documents]
    scored.sort(key=lambda one: -one[0])
    results = [
        _result(score, _shown(hits, request.target_document_tokens, filters, index))
        for score, hits in scored[: request.top_k]
    ]
    return SearchResponse(results=results, took_ms=_milliseconds(started))


def document(
    document_id: str, readers: tuple[str, ...] | None, *, index: IndexReader, scope: Filters | None = None
) -> DocumentResponse | None:
    """A whole document; None if there is none, or none for these readers and this scope."""
    filters = _combined(Filters(readers=readers), scope)
    hits = index.document(document_id, filters) if filters else []
    if not hits:
        return None
    hits = _newest(hits)
    payload = hits[0].payload
    text = "\n\n".join(hit.payload["text"] for hit in sorted(hits, key=_position))
    return DocumentResponse(**_metadata(payload), tags=payload["tags"], text=text)


def _filters(request: SearchRequest, readers: tuple[str, ...] | None, scope: Filters | None) -> Filters | None:
    asked = request.filters
    return _combined(
        Filters(
            sources=tuple(asked.sources),
            connections=tuple(asked.connections),
            units=tuple(asked.units),
            kinds=tuple(asked.kinds),
            authors=tuple(asked.authors),
            parents_in=tuple(asked.parents_in),
            parents_not=tuple(asked.parents_not),
            tags_in=tuple(asked.tags_in),
            tags_not=tuple(asked.tags_not),
            updated_after=asked.updated_after,
            updated_before=asked.updated_before,
            readers=readers,
        ),
        scope,
    )


def _combined(filters: Filters, scope: Filters | None) -> Filters | None:
    """`filters` within a scope; None if nothing can lie in both."""
    if scope is None:
        return filters
    sources = _within(filters.sources, scope.sources)
    return None if sources is None else replace(filters, sources=sources, below=scope.parents_in)


def _within(asked: tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, ...] | None:
    """The values asked for that are allowed; None if there are none. An empty side is no condition."""
    if not asked or not allowed:
        return asked or allowed
    return tuple(value for value in asked if value in allowed) or None


def _embedded(query: str, embedder: Embedder) -> Vector:
    (batch,) = embedder.embed([query], purpose="query")
    vector: Vector = batch.vectors[0]
    return vector


def _found(request: SearchRequest, vector: Vector | None, filters: Filters, index: IndexReader) -> list[list[Hit]]:
    """Hits by document. Asks again deeper while few documents with many chunks take all the places."""
    per_document = _CHUNKS_ASKED_BY_AGE if request.recency_half_life_days else _CHUNKS_ASKED_PER_DOCUMENT
    limit = request.top_k * per_document
    while True:
        hits = index.search(mode=request.mode, text=request.query, dense=vector, filters=filters, limit=limit)
        documents = _by_document(hits)
        if len(documents) >= request.top_k or len(hits) < limit or limit >= _MOST_CHUNKS:
            return documents
        limit = min(limit * 4, _MOST_CHUNKS)


def _by_document(hits: Iterable[Hit]) -> list[list[Hit]]:
    grouped: dict[str, list[Hit]] = {}
    for hit in hits:
        grouped.setdefault(hit.payload["document_id"], []).append(hit)
    return [_newest(group) for group in grouped.values()]


def _newest(hits: Sequence[Hit]) -> list[Hit]:
    """Hits of one version only: a store that writes in place may show two while a document changes.

    The version with the latest time at the source wins; at equal times the one of the best hit.
    """
    latest = max(hits, key=lambda hit: (hit.payload["updated_at"] or "", hit.score))
    return [hit for hit in hits if hit.payload["version"] == latest.payload["version"]]


def _score(hits: Sequence[Hit], half_life_days: float | None, now: datetime) -> float:
    """The best chunk's score, times 0.5 ** (age / half-life) where a half-life is asked for.

    A document without a time keeps its score.
    """
    best = max(hit.score for hit in hits)
    updated = hits[0].payload["updated_at"]
    if half_life_days is None or updated is None:
        return best
    age_days = max((now - datetime.fromisoformat(updated)).total_seconds() / _SECONDS_PER_DAY, 0)
    return float(best * 0.5 ** (age_days / half_life_days))


def _shown(hits: Sequence[Hit], budget: int | None, filters: Filters, index: IndexReader) -> list[Hit]:
    """The chunks to show: the best ones, or with a budget of tokens the hits and what stands around them."""
    best = sorted(hits, key=lambda hit: -hit.score)
    if budget is None:
        return best[:CHUNKS_PER_DOCUMENT]
    chosen: list[Hit] = []
    for hit in (*best, *_around(best, filters, index)):
        budget -= estimate_tokens(hit.payload["text"])
        if chosen and budget < 0:
            break
        chosen.append(hit)
    return chosen


def _around(found: Sequence[Hit], filters: Filters, index: IndexReader) -> list[Hit]:
    """A document's other chunks, those nearest to a hit first.

    Another version may have been published since the hits were found; only chunks of theirs belong to them.
    """
    known, payload = {hit.id for hit in found}, found[0].payload
    others = [
        Hit(hit.id, 0.0, hit.payload)
        for hit in index.document(payload["document_id"], filters)
        if hit.id not in known and hit.payload["version"] == payload["version"]
    ]
    places = [_position(hit) for hit in found]
    return sorted(others, key=lambda hit: min(abs(_position(hit) - place) for place in places))


def _result(score: float, hits: Sequence[Hit]) -> DocumentResult:
    chunks = [
        ChunkResult(
            text=hit.payload["text"],
            score=hit.score,
            position=_position(hit),
            headings=hit.payload["headings"],
        )
        for hit in sorted(hits, key=_position)
    ]
    return DocumentResult(**_metadata(hits[0].payload), score=score, chunks=chunks)


def _metadata(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: payload[name] for name in DocumentMetadata.model_fields}


def _position(hit: Hit) -> int:
    return int(hit.payload["position"])


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
