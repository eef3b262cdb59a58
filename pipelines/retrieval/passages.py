"""Which passages of a found document an answer holds."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.chunking.tokens import estimate_tokens
from pipelines.index.contract import Filters, Hit, IndexReader

CHUNKS_PER_DOCUMENT = 3
"""How many of a document's best chunks an answer holds."""


def select_passages(hits: Sequence[Hit], budget: int | None, filters: Filters, index: IndexReader) -> list[Hit]:
    """The chunks to show: the best ones, or with a budget of tokens the hits and what is around them."""
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


def position(hit: Hit) -> int:
    """The chunk's place in its document, from 0."""
    return int(hit.payload["position"])


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
    places = [position(hit) for hit in found]
    return sorted(others, key=lambda hit: min(abs(position(hit) - place) for place in places))
