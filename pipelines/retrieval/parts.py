"""A long document in parts: none is longer than what a model can take at once, and none cuts a passage. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from pipelines.chunking.tokens import BYTES_PER_TOKEN, estimate_tokens
from pipelines.index.contract import Hit
from pipelines.retrieval.passages import position

MOST_TOKENS = 20_000
"""Of one part."""
GAP = "\n\n"
"""Between passages."""


@dataclass(frozen=True, slots=True)
class Part:
    """`offset` is where it begins in the whole text, and `next_offset` where the next one does, in tokens. It is part
    `number` of `count` parts of this size."""

    text: str
    offset: int
    tokens: int
    total_tokens: int
    number: int
    count: int
    next_offset: int | None
    page: int | None


def cut_part(hits: Sequence[Hit], *, offset: int, limit: int, around: int | None) -> Part:
    """The passages from `offset` on, as many as fit into `limit` tokens; with `around` those on both sides of the
    passage at that position. A passage that is longer than the limit is cut at its end."""
    texts = [hit.payload["text"] for hit in hits]
    lengths = [estimate_tokens(text) for text in texts]
    starts = [0, *accumulate(lengths)]
    total = starts[-1]
    first = _first_around(hits, lengths, around, limit) if around is not None else _first_at(starts, offset)
    last = first
    while last < len(hits) and starts[last + 1] - starts[first] <= limit:
        last += 1
    last = max(last, min(first + 1, len(hits)))
    text = GAP.join(texts[first:last]).encode(errors="replace")[: limit * BYTES_PER_TOKEN].decode(errors="ignore")
    return Part(
        text=text,
        offset=starts[first],
        tokens=min(starts[last] - starts[first], limit),
        total_tokens=total,
        number=min(starts[first] // limit + 1, max(ceil(total / limit), 1)),
        count=max(ceil(total / limit), 1),
        next_offset=starts[last] if last < len(hits) else None,
        page=hits[first].payload.get("page") if first < len(hits) else None,
    )


def _first_at(starts: Sequence[int], offset: int) -> int:
    """The passage in which a token stands; behind the last one, where there is none any more."""
    return next((place for place, end in enumerate(starts[1:]) if end > offset), len(starts) - 1)


def _first_around(hits: Sequence[Hit], lengths: Sequence[int], around: int, limit: int) -> int:
    """From where on half of the limit stands before the passage."""
    place = next((place for place, hit in enumerate(hits) if position(hit) >= around), max(len(hits) - 1, 0))
    room = (limit - (lengths[place] if lengths else 0)) // 2
    while place and lengths[place - 1] <= room:
        place -= 1
        room -= lengths[place]
    return place
