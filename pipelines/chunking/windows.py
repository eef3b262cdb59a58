"""What of a chunk is embedded at once, by models that were trained on short texts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from pipelines.chunking.model import Chunk
from pipelines.chunking.tokens import estimate_tokens

WINDOW_TOKENS = 240
"""With what stands above, a window fills the 256 tokens that all-MiniLM-L6-v2 was trained on."""

_BREAKS = (re.compile(r"\n\s*"), re.compile(r"(?<=[.!?;])\s+|(?<=。)"), re.compile(r"\s+"))
"""Where a text is cut, best first: line ends, sentence ends, between words."""
_SLACK = 1 / 8
"""How far from an even cut a better place is looked for, as a share of a window."""


def embedded_texts(chunk: Chunk, window: int | None) -> list[str]:
    """The texts whose vectors a chunk's point carries: windows of at most about `window` tokens, what stands above the
    chunk (title, headings) before each; one text, the whole, where that is shorter or there is no limit.

    No two overlap: beyond the chunk's own tokens, each further window costs those of what stands above alone.
    """
    if window is None or estimate_tokens(chunk.text) <= window:
        return [chunk.embedded_text]
    count = -(-estimate_tokens(chunk.text) // window)
    return [chunk.under_headings(part) for part in _even_parts(chunk.text, count)]


def _even_parts(text: str, count: int) -> Iterator[str]:
    """`text` in order, in `count` parts of about the same length; fewer where one would be blank."""
    size = len(text) // count
    cuts = [_cut_near(text, size * part, int(size * _SLACK)) for part in range(1, count)]
    for start, end in pairwise([0, *cuts, len(text)]):
        if part := text[start:end].strip():
            yield part


def _cut_near(text: str, place: int, slack: int) -> int:
    """The end of the best break around `place`, the nearest of those that are alike; `place` where there is none."""
    for pattern in _BREAKS:
        ends = [found.end() for found in pattern.finditer(text, place - slack, place + slack)]
        if ends:
            return min(ends, key=lambda end: abs(end - place))
    return place
