"""The order of the documents that were found, and why they were. Pure but for the legs that `reasons` asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipelines.index.contract import Filters, Hit, IndexReader, Mode, Vector
from pipelines.index.fusion import document_score
from pipelines.retrieval.reranking import Reranker
from pipelines.retrieval.schema import Why
from pipelines.retrieval.time_factor import time_factor
from pipelines.retrieval.time_words import AskedTime

_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class IndexQuery:
    """What the index is asked: the lexical leg's text, and the vector of the question as it was asked."""

    text: str
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document: its hits, all of one version, and the score that decides its place.

    `rerank_score` is the reranker's, `recency` the factor by which age made the score smaller; None where they
    were not asked for.
    """

    hits: Sequence[Hit]
    score: float
    rerank_score: float | None = None
    recency: float | None = None

    @property
    def id(self) -> str:
        return str(self.hits[0].payload["document_id"])


def by_document(hits: Iterable[Hit]) -> list[list[Hit]]:
    """Hits of each document, of its newest version, the document of the best hit first."""
    grouped: dict[str, list[Hit]] = {}
    for hit in hits:
        grouped.setdefault(hit.payload["document_id"], []).append(hit)
    return [newest_version(group) for group in grouped.values()]


def newest_version(hits: Sequence[Hit]) -> list[Hit]:
    """Hits of one version only: a store that writes in place may show two while a document changes.

    The version with the latest time at the source wins; at equal times the one of the best hit.
    """
    latest = max(hits, key=lambda hit: (hit.payload["updated_at"] or "", hit.score))
    return [hit for hit in hits if hit.payload["version"] == latest.payload["version"]]


def by_score(documents: Sequence[Sequence[Hit]]) -> list[Ranked]:
    """Documents by what meaning and words give them; equal ones by id, as an index may give them in any order."""
    ranked = [Ranked(hits, document_score(hits)) for hits in documents]
    return _in_order(sorted(ranked, key=lambda one: one.id))


def best_of(rankings: Iterable[Sequence[Ranked]]) -> list[Ranked]:
    """Documents that several questions have found, as the one found each that it answers best."""
    best: dict[str, Ranked] = {}
    for one in (one for ranking in rankings for one in ranking):
        if one.id not in best or one.score > best[one.id].score:
            best[one.id] = one
    return _in_order(best.values())


def rerank(ranked: Sequence[Ranked], query: str, reranker: Reranker) -> list[Ranked] | None:
    """The first documents in the reranker's order, judged by their best chunk; None if it failed."""
    texts = [_text_to_judge(one) for one in ranked]
    scores = reranker.scores(query, texts)
    if scores is None:
        return None
    judged = zip(ranked, scores, strict=True)
    return _in_order(replace(one, score=score, rerank_score=score) for one, score in judged)


def with_recency(ranked: Sequence[Ranked], half_life_days: float, now: datetime) -> list[Ranked]:
    """Documents by score * 0.5 ** (age / half-life); one without a time keeps its score.

    A reranker may give scores below 0: age takes the same share of their size away.
    """
    factors = ((one, _recency(one.hits[0].payload["updated_at"], half_life_days, now)) for one in ranked)
    return _in_order(_aged(one, factor) for one, factor in factors)


def by_time(ranked: Sequence[Ranked], asked: AskedTime, now: datetime) -> list[Ranked]:
    """Documents of the time that a question asks for first, others by how far from it they are."""
    factors = ((one, time_factor(asked, one.hits[0].payload, now)) for one in ranked)
    return _in_order(_aged(one, factor) for one, factor in factors)


def reasons(
    ranked: Sequence[Ranked],
    mode: Mode,
    question: IndexQuery,
    filters: Filters,
    index: IndexReader,
    depth: int,
    asked: AskedTime | None,
) -> list[Why]:
    """Why each document was found: its place by meaning alone and by words alone, among `depth` chunks of each."""
    dense, lexical = _leg_places(mode, question, filters, index, depth)
    return [
        Why(
            dense_rank=dense.get(one.id),
            lexical_rank=lexical.get(one.id),
            rerank_score=one.rerank_score,
            recency=one.recency,
            time_words=asked.words if asked else None,
        )
        for one in ranked
    ]


def _leg_places(
    mode: Mode, question: IndexQuery, filters: Filters, index: IndexReader, depth: int
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Places of documents from 1, in the dense and in the lexical leg; none in a leg that was not asked."""
    dense: list[Hit] = []
    lexical: list[Hit] = []
    if mode != "lexical":
        dense = index.search(mode="dense", text=question.text, dense=question.vector, filters=filters, limit=depth)
    if mode != "dense":
        lexical = index.search(mode="lexical", text=question.text, dense=None, filters=filters, limit=depth)
    return _places_of(dense), _places_of(lexical)


def _places_of(hits: Iterable[Hit]) -> dict[str, int]:
    ids = dict.fromkeys(hit.payload["document_id"] for hit in hits)
    return {document_id: place for place, document_id in enumerate(ids, start=1)}


def _text_to_judge(one: Ranked) -> str:
    best = max(one.hits, key=lambda hit: hit.score).payload
    above = "\n".join(part for part in (best["title"], " > ".join(best["headings"])) if part)
    return f"{above}\n\n{best['text']}"


def _recency(updated: str | None, half_life_days: float, now: datetime) -> float:
    if updated is None:
        return 1.0
    age_days = max((now - datetime.fromisoformat(updated)).total_seconds() / _SECONDS_PER_DAY, 0)
    return float(0.5 ** (age_days / half_life_days))


def _aged(one: Ranked, factor: float) -> Ranked:
    return replace(one, score=one.score - (1 - factor) * abs(one.score), recency=factor)


def _in_order(ranked: Iterable[Ranked]) -> list[Ranked]:
    """By score; equal ones stay in the order they came in."""
    return sorted(ranked, key=lambda one: -one.score)
