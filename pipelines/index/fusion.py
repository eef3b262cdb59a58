"""How hybrid search fuses its dense and its lexical leg, in both stores: reciprocal rank fusion with weights.

A point at place `r` of a leg (from 1) gets `1 / (r / weight + k - 1)` from it, as Qdrant defines it
(https://qdrant.tech/documentation/concepts/hybrid-queries/; weights need a server of 1.17 or newer).

Chosen on two sets with the local model: nDCG@10 on SciFact, and the share of the asked spans of `chunkspans` that
lies in the first five chunks. Dense alone 0.659 and 0.839, lexical alone 0.687 and 0.937; fused, by k and the
lexical weight:

    k   1.1             1.3             1.55            2.03
    2   0.723  0.932    0.723  0.932    0.719  0.934    0.726  0.936
    5   0.732  0.936    0.733  0.936    0.732  0.936    0.729  0.938
    10  0.732  0.932    0.732  0.932    0.728  0.931    0.723  0.929
    60  0.721  0.915    0.718  0.908    0.714  0.900    0.710  0.901

Differences below 0.01 are chance. A weight that is no simple fraction lets places of the two legs seldom tie.

A question that is an identifier has hardly a meaning: there the lexical order stays, and what is near by meaning
follows, or is all there is where the identifier occurs nowhere.
"""

from __future__ import annotations

from pipelines.index.identifiers import is_lookup

RRF_K = 5
"""How slowly reciprocal ranks fade; the customary 60 lets the middle of both legs outvote the top of one."""
DENSE_WEIGHT = 1.0
LEXICAL_WEIGHT = 1.3
LOOKUP_DENSE_WEIGHT = 0.02
"""Too small to change the order of the first places of the lexical leg."""


def leg_weights(question: str) -> list[float]:
    """Weights of the dense and the lexical leg."""
    return [LOOKUP_DENSE_WEIGHT if is_lookup(question) else DENSE_WEIGHT, LEXICAL_WEIGHT]


def candidates(limit: int) -> int:
    """How many points each leg hands to the fusion."""
    return max(limit * 4, 50)
