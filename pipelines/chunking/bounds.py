"""How much of a document is chunked at most: what a file claims to hold costs embeddings, and keeps others waiting.

What is beyond is left out, and the ledger says so; the rest is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipelines.chunking.blocks import Block, unread

MOST_CHARACTERS = 5_000_000
"""Of one document: about 2,000 printed pages, or 1.3 million tokens to embed."""
CHARACTERS_PER_BYTE = 20
"""Of a file. Packing makes a text no smaller than a tenth, unless it repeats itself: a PDF of 56 kB can show one text
so often that 11 million characters come out."""
CHARACTERS_OF_ANY_FILE = 200_000
"""However small the file is."""
MOST_ROWS = 100_000
"""Of all tables of a document. A row is found by its own words; who searches so many wants a database."""
MOST_CHUNKS = 5_000


def most_characters(size: int) -> int:
    """How many characters of a file of `size` bytes are read."""
    return min(MOST_CHARACTERS, max(CHARACTERS_OF_ANY_FILE, CHARACTERS_PER_BYTE * size))


def bounded_blocks(blocks: Iterable[Block], size: int) -> Iterator[Block]:
    """The blocks of a document of `size` bytes, up to as many characters and rows as are read."""
    characters, rows = most_characters(size), MOST_ROWS
    for block in blocks:
        if block.kind == "table":
            kept = _first_rows(block, rows)
            rows -= kept.text.count("\n") + 1
            if kept is not block:
                yield kept
                yield unread(f"only the first {MOST_ROWS:,} rows are read")
                rows = 0
                continue
        if len(block.text) > characters:
            if start := block.text[:characters]:
                yield replace(block, text=start)
            yield unread(characters_left_out(size))
            return
        characters -= len(block.text)
        yield block


def characters_left_out(size: int) -> str:
    """What the ledger says of a document that holds more."""
    return f"only the first {most_characters(size):,} characters are read"


def _first_rows(block: Block, rows: int) -> Block:
    """The block itself, or as many of its lines as there is room for."""
    if block.text.count("\n") < rows:
        return block
    return replace(block, text="\n".join(block.text.split("\n", rows)[:rows]))
