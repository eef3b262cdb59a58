"""A long document in parts: none is longer than what a model can take at once, and none cuts a passage. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from pipelines.chunking.tokens import BYTES_PER_TOKEN, estimate_tokens
from pipelines.index.contract import Hit
from pipelines.retrieval.passages import position

MOST_TOKENS = 20_000
"""Of one part."""
GAP = "\n\n"
"""Between passages."""


@dataclass(frozen=True, slots=True)
class TextPart:
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


def cut_part(hits: Sequence[Hit], *, offset: int, limit: int, around: int | None) -> TextPart:
    """The passages from `offset` on, as many as fit into `limit` tokens; with `around` those on both sides of the
    passage at that position. A passage that is longer than the limit is cut at its end."""
    texts = [hit.payload["text"] for hit in hits]
    lengths = [estimate_tokens(text) for text in texts]
    starts = [0, *accumulate(lengths)]
    first = _first_at(starts, offset) if around is None else _first_around(hits, lengths, around, limit)
    last = _end(starts, first, limit)
    text = GAP.join(texts[first:last]).encode(errors="replace")[: limit * BYTES_PER_TOKEN].decode(errors="ignore")
    begun = _beginnings(starts, limit)
    return TextPart(
        text=text,
        offset=starts[first],
        tokens=min(starts[last] - starts[first], limit),
        total_tokens=starts[-1],
        number=max(bisect_right(begun, first), 1),
        count=max(len(begun), 1),
        next_offset=starts[last] if last < len(hits) else None,
        page=hits[first].payload.get("page") if first < len(hits) else None,
    )


def _beginnings(starts: Sequence[int], limit: int) -> list[int]:
    """The passages with which parts of this size begin, read from the first one on."""
    found, place = list[int](), 0
    while place < len(starts) - 1:
        found.append(place)
        place = _end(starts, place, limit)
    return found


def _end(starts: Sequence[int], first: int, limit: int) -> int:
    """The first passage after `first` that does not fit into the same part; each part has at least one."""
    return min(max(bisect_right(starts, starts[first] + limit) - 1, first + 1), len(starts) - 1)


def _first_at(starts: Sequence[int], offset: int) -> int:
    """The passage in which a token stands; behind the last one, where there is none any more."""
    return next((place for place, end in enumerate(starts[1:]) if end > offset), len(starts) - 1)


def _first_around(hits: Sequence[Hit], lengths: Sequence[int], around: int, limit: int) -> int:
    """From where on about half of the limit stands before the passage, or more where little stands behind it."""
    last = len(hits) - 1
    place = next((place for place, hit in enumerate(hits) if position(hit) >= around), last)
    left = limit - lengths[place]
    room = left - min(left // 2, sum(lengths[place + 1 :]))
    while place and lengths[place - 1] <= room:
        place -= 1
        room -= lengths[place]
    return place
