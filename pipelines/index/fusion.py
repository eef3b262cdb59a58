"""How hybrid search fuses its dense and its lexical leg, in both stores: by scores that were made comparable. Pure.

Each leg hands over its best points. What meaning gives a point is its place between the lowest and the highest dense
score of these, and what words give it its share of the highest lexical score; a leg that did not find it gives
nothing. Weighted, both add up to a score from 0 to 1. A document has the best that any of its points has by meaning,
and the best that any has by words: the passage that says it and the one that names it need not be the same.

Reciprocal ranks, as engines fuse by themselves, know that a point is first and not by how far: a document whose words
fit like no other's was pulled down by many that were near by meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest

from pipelines.index.contract import Hit, Mode
from pipelines.index.filters import best_first, one_version
from pipelines.index.identifiers import is_lookup

DECIDING_FIELDS = ("document_id", "version", "updated_at")
"""What fusion has to know of a point; the rest is read for those alone that are answered."""


@dataclass(frozen=True, slots=True)
class LegWeights:
    """How much of a score each leg decides; together 1."""

    dense: float
    lexical: float


WEIGHTS = LegWeights(0.45, 0.55)
"""Between the best of two sets, with the local model: nDCG@10 on 916 documents of SciFact, and the share of the asked
spans of four texts of `chunkspans` that lies in the first five chunks. By the dense leg's weight; the same vectors,
fused by reciprocal rank, have 0.771 and 0.963; 0.2 in the first column and 0.6 and 0.7 in the second are worse by more
than chance, and no other differs by as much:

    0.2  0.752  0.961
    0.3  0.764  0.960
    0.4  0.777  0.966
    0.5  0.781  0.960
    0.6  0.778  0.942
    0.7  0.769  0.937
"""
LOOKUP_WEIGHTS = LegWeights(0.01, 0.99)
"""A question that is an identifier has hardly a meaning: there the lexical order stays, and what is near by meaning
follows, or is all there is where the identifier occurs nowhere."""


def leg_weights(question: str) -> LegWeights:
    """Weights of the legs for a question."""
    return LOOKUP_WEIGHTS if is_lookup(question) else WEIGHTS


def candidates(limit: int) -> int:
    """How many points each leg hands to the fusion."""
    return max(limit * 4, 50)


def fuse(dense: Sequence[Hit], lexical: Sequence[Hit], weights: LegWeights, limit: int) -> list[Hit]:
    """At most `limit` of the points that the legs have found, of one version of each document, the best first.

    They include those by which the best documents have their scores (`document_score`).
    """
    found = {hit.id: hit for hit in (*dense, *lexical)}
    kept = {hit.id: hit for hit in one_version(list(found.values()))}
    meaning = dict(_dense_parts([hit for hit in dense if hit.id in kept], weights.dense))
    words = dict(_lexical_parts([hit for hit in lexical if hit.id in kept], weights.lexical))
    fused = [_with_parts(hit, meaning.get(id, 0.0), words.get(id, 0.0)) for id, hit in kept.items()]
    return best_first(_deciding_first(fused, limit))


def one_leg(mode: Mode, hits: Iterable[Hit]) -> list[Hit]:
    """Points that one leg alone was asked for: their scores are its own."""
    if mode == "dense":
        return [replace(hit, dense=hit.score) for hit in hits]
    return [replace(hit, lexical=hit.score) for hit in hits]


def document_score(hits: Iterable[Hit]) -> float:
    """The score of a document with these points, at least one."""
    parts = [(hit.dense, hit.lexical) for hit in hits]
    return max(dense for dense, _ in parts) + max(lexical for _, lexical in parts)


def _dense_parts(hits: Sequence[Hit], weight: float) -> Iterator[tuple[str, float]]:
    """Shares of the way up from a little below the lowest: of two points the lower one is not without any meaning."""
    scores = [hit.score for hit in hits]
    lowest, highest = min(scores, default=0.0), max(scores, default=0.0)
    bottom = lowest - (highest - lowest) / max(len(hits), 1)
    return (
        (hit.id, weight * (hit.score - bottom) / (highest - bottom) if highest > bottom else weight) for hit in hits
    )


def _lexical_parts(hits: Sequence[Hit], weight: float) -> Iterator[tuple[str, float]]:
    highest = max((hit.score for hit in hits), default=0.0)
    return ((hit.id, weight * hit.score / highest) for hit in hits if highest > 0)


def _with_parts(hit: Hit, dense: float, lexical: float) -> Hit:
    return replace(hit, score=dense + lexical, dense=dense, lexical=lexical)


def _deciding_first(hits: Sequence[Hit], limit: int) -> list[Hit]:
    """The points that decide the best documents' scores, and those that are good by themselves."""
    documents: dict[str, list[Hit]] = {}
    for hit in hits:
        documents.setdefault(hit.payload["document_id"], []).append(hit)
    deciding: dict[str, float] = {}
    for points in documents.values():
        score = document_score(points)
        deciding[max(points, key=lambda hit: hit.dense).id] = score
        deciding[max(points, key=lambda hit: hit.lexical).id] = score
    return nlargest(limit, hits, key=lambda hit: (deciding.get(hit.id, hit.score), hit.id))
