"""How hybrid search fuses its dense and its lexical leg, in both stores: reciprocal rank fusion with weights.

A point at place `r` of a leg (from 1) gets `1 / (r / weight + k - 1)` from it, as Qdrant defines it
(https://qdrant.tech/documentation/concepts/hybrid-queries/; weights need a server of 1.17 or newer).

Chosen on two sets with the local model: nDCG@10 on SciFact, and the share of the asked spans of `chunkspans` that
lies in the first five chunks. Dense alone 0.659 and 0.839, lexical alone 0.687 and 0.937; fused, by k and the
lexical weight:

    k   1.0             1.25            1.5             2.0
    2   0.725  0.932    0.724  0.932    0.721  0.934    0.723  0.936
    5   0.728  0.938    0.733  0.936    0.731  0.936    0.729  0.938
    10  0.730  0.932    0.732  0.930    0.729  0.929    0.723  0.926
    60  0.723  0.914    0.720  0.908    0.717  0.900    0.710  0.899

A question that is an identifier has no meaning to speak of: there the lexical order stands, and what is near by
meaning follows, or fills in where the identifier stands nowhere.
"""

from __future__ import annotations

from pipelines.index.identifiers import is_lookup

RRF_K = 5
"""How slowly reciprocal ranks fade; the customary 60 lets the middle of both legs outvote the top of one."""
DENSE_WEIGHT = 1.0
LEXICAL_WEIGHT = 1.25
LOOKUP_DENSE_WEIGHT = 0.02
"""Too small to change the order of the first places of the lexical leg."""


def leg_weights(question: str) -> list[float]:
    """Weights of the dense and the lexical leg."""
    return [LOOKUP_DENSE_WEIGHT if is_lookup(question) else DENSE_WEIGHT, LEXICAL_WEIGHT]


def candidates(limit: int) -> int:
    """How many points each leg hands to the fusion."""
    return max(limit * 4, 50)
