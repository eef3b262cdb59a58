"""What every format is read into: a sequence of blocks, written as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipelines.chunking.tokens import BYTES_PER_TOKEN, utf8_length

CHUNK_TOKENS = 512
"""About how long a chunk may be.

Chosen with `make bench-quality`, by the share of the asked spans of `chunkspans` that hybrid search finds, in its first
five chunks and in the first 8,000 characters: 0.873 and 0.936 with 256 tokens, 0.933 and 0.920 with 512, 0.950 and
0.800 with 1,024, which are twice as much to read.
"""
MAX_BYTES = CHUNK_TOKENS * BYTES_PER_TOKEN
"""A chunk has at most this many bytes."""

Kind: TypeAlias = Literal["heading", "text", "item", "code", "table", "picture", "unread"]
"""Of the last two no chunk is made: a picture stands for a page on which there is no text, and what is unread has the
reason for its text."""

PARAGRAPH_GAP = "\n\n"
LINE_GAP = "\n"


@dataclass(frozen=True, slots=True)
class Block:
    """A passage that is best kept whole.

    `level` is a heading's, from 1. `gap` stands between this block and the one before it in the same chunk.
    `head` and `tail` are the lines of `text` that every part carries if it has to be cut: the header of a
    table, the fences of code. `page` is the page, slide or sheet on which the block begins, from 1; None where the
    format has none.
    """

    kind: Kind
    text: str
    level: int = 0
    gap: str = PARAGRAPH_GAP
    head: str = ""
    tail: str = ""
    page: int | None = None

    @property
    def size(self) -> int:
        """Bytes that the block takes in a chunk, the gap before it included."""
        return utf8_length(self.text) + len(PARAGRAPH_GAP)


def heading(text: str, level: int) -> Block:
    """A heading of any format, in Markdown."""
    return Block("heading", f"{'#' * min(max(level, 1), 6)} {' '.join(text.split())}", level=max(level, 1))


def picture(page: int) -> Block:
    """A page of which nothing is known but that it holds a picture: a scan, mostly."""
    return Block("picture", "", page=page)


def unread(reason: str) -> Block:
    """In place of what is left out of a document. `reason` is for people: `only the first 100 rows are read`."""
    return Block("unread", reason)


def paragraphs(text: str) -> list[Block]:
    """Plain text: what blank lines separate."""
    return [Block("text", lines) for lines in _between_blank_lines(text.split("\n"))]


def _between_blank_lines(lines: Iterable[str]) -> Iterable[str]:
    open_lines: list[str] = []
    for line in lines:
        if line.strip():
            open_lines.append(line.rstrip())
        elif open_lines:
            yield "\n".join(open_lines)
            open_lines = []
    if open_lines:
        yield "\n".join(open_lines)


def join_blocks(blocks: Iterable[Block]) -> str:
    """The text of a chunk made of these blocks."""
    text = ""
    for block in blocks:
        text += block.gap + block.text if text else block.text
    return text
