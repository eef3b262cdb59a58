"""A long document in parts: none is longer than what a model can take at once, and none cuts a passage that could be
whole. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
    passage at that position. A passage that is longer than the limit is in several parts."""
    pieces = list(_pieces(hits, limit))
    starts = [*(piece.start for piece in pieces), sum(estimate_tokens(hit.payload["text"]) for hit in hits)]
    first = _first_at(starts, offset) if around is None else _first_around(pieces, starts, around, limit)
    last = _end(starts, first, limit)
    begun = _beginnings(starts, limit)
    return TextPart(
        text=_joined(pieces[first:last]),
        offset=starts[first],
        tokens=min(starts[last] - starts[first], limit),
        total_tokens=starts[-1],
        number=max(bisect_right(begun, first), 1) if last < len(pieces) else max(len(begun), 1),
        count=max(len(begun), 1),
        next_offset=starts[last] if last < len(pieces) else None,
        page=pieces[first].hit.payload.get("page") if first < len(pieces) else None,
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A passage, or as much of it as fits into a part; `start` is where it begins in the whole text, in tokens."""

    text: str
    hit: Hit
    start: int
    begins: bool


def _pieces(hits: Sequence[Hit], limit: int) -> Iterator[_Piece]:
    start = 0
    for hit in hits:
        before = 0
        for text in _cut(hit.payload["text"], limit * BYTES_PER_TOKEN):
            yield _Piece(text, hit, start + before // BYTES_PER_TOKEN, begins=not before)
            before += len(text.encode())
        start += estimate_tokens(hit.payload["text"])


def _joined(pieces: Sequence[_Piece]) -> str:
    return "".join(f"{GAP if place and piece.begins else ''}{piece.text}" for place, piece in enumerate(pieces))


def _cut(text: str, most: int) -> Iterator[str]:
    """Of at most so many bytes each, between words where there are any."""
    left = text.encode(errors="replace")
    while len(left) > most:
        end = most
        while left[end] & 0b1100_0000 == 0b1000_0000:  # inside a character
            end -= 1
        end = left.rfind(b" ", most // 2, end) + 1 or end
        yield left[:end].decode()
        left = left[end:]
    yield left.decode()


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


def _first_around(pieces: Sequence[_Piece], starts: Sequence[int], around: int, limit: int) -> int:
    """From where on about half of the limit stands before the passage, or more where little stands behind it."""
    last = len(pieces) - 1
    place = next((place for place, piece in enumerate(pieces) if position(piece.hit) >= around), last)
    left = limit - (starts[place + 1] - starts[place])
    room = left - min(left // 2, starts[-1] - starts[place + 1])
    return next((one for one in range(place) if starts[place] - starts[one] <= room), place)
