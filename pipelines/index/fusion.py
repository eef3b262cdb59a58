"""How hybrid search fuses its dense and its lexical leg, in both stores: by scores that were made comparable. Pure.

Each leg hands over its best points. What meaning gives a point is its place between the lowest and the highest dense
score of these, and what words give it its share of the highest lexical score; a leg that did not find it gives
nothing. Weighted, both add up to a score from 0 to 1. A document has the best that any of its points has by meaning,
and the best that any has by words: the passage that says it and the one that names it need not be the same.

Reciprocal ranks, as engines fuse by themselves, know that a point is first and not by how far: a document whose words
fit like no other's was pulled down by many that were near by meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from pipelines.index.contract import Hit, Mode
from pipelines.index.identifiers import is_lookup
from pipelines.settings import MULTILINGUAL_MODEL

Id = TypeVar("Id", int, str)
"""A point's id, as a store compares it fastest."""
Leg: TypeAlias = Sequence[tuple[Id, float]]
"""What a leg has found: ids and scores. Payloads, the dearest part of a query, are read of what is answered alone."""


class Fused(NamedTuple, Generic[Id]):
    """A point that the legs have found: its score, and the parts of it that meaning and words give."""

    id: Id
    score: float
    dense: float
    lexical: float


@dataclass(frozen=True, slots=True)
class LegWeights:
    """How much of a score each leg decides; together 1."""

    dense: float
    lexical: float


WEIGHTS = LegWeights(0.4, 0.6)
"""By the dense leg's weight, with the local model: nDCG@10 on 916 documents of SciFact, and the share of the asked
spans of four texts of `chunkspans` that lies in the first five chunks. The same vectors, fused by reciprocal rank, have
0.771 and 0.963; 0.2 in the first column and 0.6 and 0.7 in the second are worse by more than chance, and no other
differs by as much. Of 0.4 to 0.5, which are alike there, 0.4 answered one more of some forty questions to a made
company.

    0.2  0.752  0.961
    0.3  0.764  0.960
    0.4  0.777  0.966
    0.5  0.781  0.960
    0.6  0.778  0.942
    0.7  0.769  0.937
"""
WEIGHTS_BY_MODEL = {MULTILINGUAL_MODEL: LegWeights(0.6, 0.4)}
"""Where words of two languages do not meet, meaning has to do more."""
LOOKUP_WEIGHTS = LegWeights(0.01, 0.99)
"""A question that is an identifier has hardly a meaning: there the lexical order stays, and what is near by meaning
follows, or is all there is where the identifier occurs nowhere."""


def leg_weights(question: str, model: str) -> LegWeights:
    """Weights of the legs for a question, asked of an index with vectors of this model."""
    return LOOKUP_WEIGHTS if is_lookup(question) else WEIGHTS_BY_MODEL.get(model, WEIGHTS)


_DECIDING = 100
"""Points of a leg that count by their scores, whether more are asked for or not. Where the first ten places hung on how
many more are wanted, an evaluation would measure other answers than people get."""
_FAINT = 0.5
"""Divided by its place, the share of a point that comes after these: less than that of the last of them."""


def candidates(limit: int) -> int:
    """How many points each leg hands to the fusion."""
    return max(limit * 5 // 2, _DECIDING)


def fuse(dense: Leg[Id], lexical: Leg[Id], weights: LegWeights, limit: int) -> list[Fused[Id]]:
    """At most `limit` of the points that the legs have found, the best first, equal ones by id."""
    dense, lexical = (sorted(leg, key=lambda one: one[1], reverse=True) for leg in (dense, lexical))
    meaning, words = _dense_parts(dense, weights.dense), _lexical_parts(lexical, weights.lexical)
    scores = {id: meaning.get(id, 0.0) + words.get(id, 0.0) for id in {**meaning, **words}}
    chosen = sorted(scores, key=lambda id: (-scores[id], id))[:limit]
    return [Fused(id, scores[id], meaning.get(id, 0.0), words.get(id, 0.0)) for id in chosen]


def one_leg(mode: Mode, hits: Iterable[Hit]) -> list[Hit]:
    """Points that one leg alone was asked for: their scores are its own."""
    if mode == "dense":
        return [replace(hit, dense=hit.score) for hit in hits]
    return [replace(hit, lexical=hit.score) for hit in hits]


def document_score(hits: Iterable[Hit]) -> float:
    """The score of a document with these points, at least one."""
    parts = [(hit.dense, hit.lexical) for hit in hits]
    return max(dense for dense, _ in parts) + max(lexical for _, lexical in parts)


def _dense_parts(leg: Leg[Id], weight: float) -> dict[Id, float]:
    """Of a leg with its best points first, shares of the way up from a little below the lowest: of two points the lower
    one is not without any meaning."""
    if not leg:
        return {}
    deciding = leg[:_DECIDING]
    (_, highest), (_, lowest) = deciding[0], deciding[-1]
    bottom = lowest - (highest - lowest) / len(deciding)
    spread = highest - bottom
    return _weighted(leg, weight, lambda score: (score - bottom) / spread if spread else 1.0)


def _lexical_parts(leg: Leg[Id], weight: float) -> dict[Id, float]:
    highest = leg[0][1] if leg else 0.0
    return _weighted(leg, weight, lambda score: score / highest) if highest > 0 else {}


def _weighted(leg: Leg[Id], weight: float, share: Callable[[float], float]) -> dict[Id, float]:
    return {
        id: weight * (share(score) if place <= _DECIDING else _FAINT / place)
        for place, (id, score) in enumerate(leg, start=1)
    }
