"""From a question to documents with their best passages."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pipelines.embedding.base import Embedder
from pipelines.index.conditions import EVERY_POINT, Conditions
from pipelines.index.contract import Filters, Hit, IndexReader, Vector
from pipelines.index.fusion import candidates
from pipelines.retrieval.lexical_question import lexical_question
from pipelines.retrieval.passages import position, select_passages
from pipelines.retrieval.ranking import (
    IndexQuery,
    Ranked,
    best_of,
    by_document,
    by_score,
    by_time,
    newest_version,
    reasons,
    rerank,
    with_recency,
)
from pipelines.retrieval.reranking import Reranker
from pipelines.retrieval.schema import (
    ChunkResult,
    DocumentMetadata,
    DocumentResponse,
    DocumentResult,
    PageStart,
    SearchRequest,
    SearchResponse,
    Why,
)
from pipelines.retrieval.scope import asked_within, visible_to
from pipelines.retrieval.sub_questions import sub_questions
from pipelines.retrieval.time_words import AskedTime, asked_time
from pipelines.retrieval.unit_titles import hides_unit

NOT_RERANKED = "the reranker does not answer; results are in the order of the index"

_GAP = "\n\n"
"""Between the passages of a whole document."""
_CHUNKS_ASKED_PER_DOCUMENT = 4
_CHUNKS_ASKED_BY_AGE = 20
"""Per document where age counts too: a fresh document may overtake many that fit the question better."""
_MOST_CHUNKS = 2_000


def search(
    request: SearchRequest,
    readers: tuple[str, ...] | None,
    *,
    index: IndexReader,
    embedder: Embedder,
    scope: Filters | None = None,
    reranker: Reranker | None = None,
    also: Conditions = EVERY_POINT,
) -> SearchResponse:
    """Answer a question with what the reader tokens `readers` give access to; None asks as an administrator.

    `scope` narrows what an assistant may search at all, and `also` has further conditions. A `reranker` that fails
    leaves the index's order and a warning. Raises EmbeddingError and IndexStoreError.
    """
    started = time.perf_counter()
    filters = asked_within(request.filters, readers, scope, also)
    if filters is None:
        return SearchResponse(results=[], took_ms=_milliseconds(started))
    # A reranker may lift what the index ranks low, so it is shown more than is answered.
    wanted = max(request.top_k, reranker.top_n) if reranker else request.top_k
    now = datetime.now(UTC)
    asked = _asked_time(request, now)
    questions = _questions(request, embedder, asked, now)
    found = [_retrieve(request, wanted, one, filters, index, is_timed=asked is not None) for one in questions]
    ranked, warnings = _rank(request, best_of(map(by_score, found)), wanted, reranker, asked, now)
    explained: Sequence[Why | None] = [None] * len(ranked)
    if request.explain:
        depth = candidates(wanted * _CHUNKS_ASKED_PER_DOCUMENT)
        explained = reasons(ranked, request.mode, questions[0], filters, index, depth, asked)
    results = [
        _result(one, select_passages(one.hits, request.target_document_tokens, filters, index), why)
        for one, why in zip(ranked, explained, strict=True)
    ]
    return SearchResponse(results=results, took_ms=_milliseconds(started), warnings=warnings)


def _rank(
    request: SearchRequest,
    ranked: list[Ranked],
    wanted: int,
    reranker: Reranker | None,
    asked: AskedTime | None,
    now: datetime,
) -> tuple[list[Ranked], list[str]]:
    """The documents to answer with, in their order, and warnings. The first `wanted` are shown to the reranker."""
    warnings = list[str]()
    if reranker:
        judged = rerank(ranked[:wanted], request.query, reranker)
        warnings = [NOT_RERANKED] if judged is None else []
        ranked = ranked if judged is None else judged
    if request.recency_half_life_days is not None:
        ranked = with_recency(ranked, request.recency_half_life_days, now)
    elif asked:
        ranked = by_time(ranked, asked, now)
    return ranked[: request.top_k], warnings


def _asked_time(request: SearchRequest, now: datetime) -> AskedTime | None:
    """What the question's words say of time, where the request itself says nothing of it."""
    filters = request.filters
    if request.recency_half_life_days or filters.updated_after or filters.updated_before:
        return None
    return asked_time(request.query, now)


def document(
    document_id: str, readers: tuple[str, ...] | None, *, index: IndexReader, scope: Filters | None = None
) -> DocumentResponse | None:
    """A whole document; None if there is none, or none for these readers and this scope."""
    filters = visible_to(readers, scope)
    hits = index.document(document_id, filters) if filters else []
    if not hits:
        return None
    hits = newest_version(hits)
    payload = hits[0].payload
    text, pages = _join_pages(sorted(hits, key=position))
    return DocumentResponse(**metadata(payload), tags=payload["tags"], text=text, pages=pages)


def _join_pages(hits: Sequence[Hit]) -> tuple[str, list[PageStart]]:
    """The text of a whole document, and where its pages begin in it."""
    parts: list[str] = []
    pages: list[PageStart] = []
    length = 0
    for hit in hits:
        page = hit.payload.get("page")
        if page is not None and (not pages or pages[-1].page != page):
            pages.append(PageStart(page=page, start=length))
        parts.append(hit.payload["text"])
        length += len(parts[-1]) + len(_GAP)
    return _GAP.join(parts), pages


def _questions(request: SearchRequest, embedder: Embedder, asked: AskedTime | None, now: datetime) -> list[IndexQuery]:
    """What the index is asked: the question, and where it asks for several things, for each of them.

    That takes scores that compare, as those of hybrid search do.
    """
    texts = [request.query, *(sub_questions(request.query) if request.mode == "hybrid" else ())]
    vectors = [None] if request.mode == "lexical" else _embed(texts, embedder)
    return [IndexQuery(lexical_question(text, asked, now), vector) for text, vector in zip(texts, vectors, strict=True)]


def _embed(texts: Sequence[str], embedder: Embedder) -> list[Vector | None]:
    vectors: dict[int, Vector] = {}
    for batch in embedder.embed(
        [unicodedata.normalize("NFC", text) for text in texts], purpose="query"
    ):  # as texts are
        vectors |= zip(batch.positions, batch.vectors, strict=True)
    return [vectors[place] for place in range(len(texts))]


def _retrieve(
    request: SearchRequest, wanted: int, question: IndexQuery, filters: Filters, index: IndexReader, *, is_timed: bool
) -> list[list[Hit]]:
    """Hits by document. Asks again deeper while few documents with many chunks take all the places."""
    per_document = _CHUNKS_ASKED_BY_AGE if is_timed or request.recency_half_life_days else _CHUNKS_ASKED_PER_DOCUMENT
    limit = wanted * per_document
    while True:
        hits = index.search(mode=request.mode, text=question.text, dense=question.vector, filters=filters, limit=limit)
        documents = by_document(hits)
        if len(documents) >= wanted or len(hits) < limit or limit >= _MOST_CHUNKS:
            return documents
        limit = min(limit * 4, _MOST_CHUNKS)  # each step costs a query, so few and large ones


def _result(one: Ranked, hits: Sequence[Hit], why: Why | None) -> DocumentResult:
    chunks = [
        ChunkResult(
            text=hit.payload["text"],
            score=hit.score,
            position=position(hit),
            headings=hit.payload["headings"],
            page=hit.payload.get("page"),
        )
        for hit in sorted(hits, key=position)
    ]
    return DocumentResult(**metadata(hits[0].payload), score=one.score, chunks=chunks, why=why)


def metadata(payload: dict[str, Any]) -> dict[str, Any]:
    """The fields of `DocumentMetadata` that a point tells; containers of which no title is known are left out of the
    `breadcrumb`, which in a point is as long as `parents`. A unit whose name must not be told goes by its id."""
    told = {name: payload[name] for name in DocumentMetadata.model_fields if name in payload}
    if hides_unit(payload):
        told["unit_name"] = payload["unit"]
    return told | {"breadcrumb": [title for title in payload["breadcrumb"] if title]}


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
