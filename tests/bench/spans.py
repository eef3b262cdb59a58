"""Where chunks lie in the text that they were cut from, and how much of asked spans they hold. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.chunking import Chunk


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """Characters `start` to before `end` of a text."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Placed:
    """A chunk by its point id, and the part of a corpus that it holds."""

    id: str
    corpus: str
    piece: Piece


def placed(chunks: Sequence[Chunk], corpus: str, text: str) -> Iterator[Placed]:
    """Each chunk's part of the text. White space is set aside: chunking may write it in another way.

    Raises ValueError for a chunk that is not in the text.
    """
    places = [place for place, character in enumerate(text) if not character.isspace()]
    dense = "".join(text[place] for place in places)
    at = 0
    for chunk in chunks:
        words = "".join(chunk.text.split())
        at = dense.index(words, at)
        yield Placed(chunk.id, corpus, Piece(places[at], places[at + len(words) - 1] + 1))
        at += len(words)


def covered(asked: Sequence[Piece], found: Sequence[Piece]) -> float:
    """The share of the asked characters that lies in what was found; found pieces may overlap."""
    held = sum(_held(span, found) for span in asked)
    return held / sum(span.length for span in asked)


def _held(span: Piece, found: Sequence[Piece]) -> int:
    held, reached = 0, span.start
    for piece in sorted(found):
        start, end = max(piece.start, reached), min(piece.end, span.end)
        if end > start:
            held, reached = held + end - start, end
    return held
