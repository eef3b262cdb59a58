"""Which blocks share a chunk.

The tree of headings decides first: a section that fits into a chunk with all that is below it stays whole,
and a longer one is opened into its own text and its subsections. What then stands side by side is packed by
unstructured's `chunk_by_title`. So an edit moves borders inside one section at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import MAX_BYTES, PARAGRAPH_GAP, Block
from pipelines.chunking.unstructured_offline import keep_offline

if TYPE_CHECKING:
    from unstructured.documents.elements import Element

_MARKUP = re.compile(r"!?\[(?P<label>[^\]]*)\]\([^)\s]*\)|\*\*|`")
_COMBINED_SHARE = 1 / 2
"""Sections side by side are combined until they have this share of a chunk."""
_LEAD_SHARE = 1 / 8
"""A heading, or little more, before a longer section goes into that section's first chunk."""


@dataclass(frozen=True, slots=True)
class Span:
    """Blocks `start` to before `end`."""

    start: int
    end: int


def chunk_spans(blocks: Sequence[Block], limit: int = MAX_BYTES) -> list[Span]:
    """The blocks of each chunk, in order, all blocks in exactly one. No block has more than `limit` bytes."""
    return [Span(start, end) for start, end in pairwise([*_Packing(blocks, limit).starts(), len(blocks)])]


def heading_paths(blocks: Sequence[Block], spans: Sequence[Span]) -> Iterator[tuple[str, ...]]:
    """For each span, the headings above its first block, outermost first."""
    path: list[Block] = []
    at = 0
    for span in spans:
        for block in blocks[at : span.start]:
            if block.kind == "heading":
                path = [*(above for above in path if above.level < block.level), block]
        at = span.start
        first = blocks[span.start]
        level = first.level if first.kind == "heading" else None
        yield tuple(_plain(above) for above in path if level is None or above.level < level)


def _plain(heading: Block) -> str:
    """A heading's words, without Markdown."""
    return _MARKUP.sub(r"\g<label>", heading.text.partition(" ")[2])


class _Packing:
    def __init__(self, blocks: Sequence[Block], limit: int) -> None:
        self._blocks = blocks
        self._limit = limit
        self._offsets = [0, *accumulate(block.size for block in blocks)]
        self._section_ends = _section_ends(blocks)

    def starts(self) -> Iterator[int]:
        """The first block of every chunk, in order."""
        if self._blocks:
            yield from self._section(0, 0, len(self._blocks))

    def _size(self, start: int, end: int) -> int:
        """Bytes of a chunk made of these blocks."""
        return self._offsets[end] - self._offsets[start] - len(PARAGRAPH_GAP)

    def _fits(self, span: Span) -> bool:
        return self._size(span.start, span.end) <= self._limit

    def _section(self, start: int, body: int, end: int) -> Iterator[int]:
        """Chunks of a section: its heading, with what leads to it, from `start`; what it heads, from `body`."""
        if self._fits(Span(start, end)):
            yield start
            return
        side_by_side = [Span(start, body)] if body > start else []
        for unit in self._units(body, end):
            if self._fits(unit):
                side_by_side.append(unit)
                continue
            lead = side_by_side[0].start if side_by_side else unit.start
            if self._size(lead, unit.start) > self._limit * _LEAD_SHARE:
                yield from self._packed(side_by_side)
                lead = unit.start
            side_by_side = []
            yield from self._section(lead, unit.start + 1, unit.end)
        yield from self._packed(side_by_side)

    def _units(self, start: int, end: int) -> Iterator[Span]:
        """What a section is made of: blocks of its own, then whole subsections."""
        while start < end:
            unit = Span(start, self._section_ends.get(start, start + 1))
            yield unit
            start = unit.end

    def _packed(self, units: Sequence[Span]) -> Iterator[int]:
        """Where chunks begin among units that stand side by side."""
        if len(units) < 2:
            yield from (unit.start for unit in units)
            return
        keep_offline()
        from unstructured.chunking.title import chunk_by_title

        chunks = chunk_by_title(
            self._elements(units),
            max_characters=self._limit,
            combine_text_under_n_chars=int(self._limit * _COMBINED_SHARE),
            isolate_table=False,
        )
        for chunk in chunks:
            yield int((chunk.metadata.orig_elements or [chunk])[0].id)

    def _elements(self, units: Sequence[Span]) -> Iterator[Element]:
        """Units for unstructured; the ids are the positions of the first block.

        A subsection that fits into a chunk is a title and one text, whatever it holds: it is not to be cut.
        The texts are stand-ins of the right length: unstructured counts characters after joining words
        anew, while a chunk keeps its line breaks and is measured in bytes.
        """
        from unstructured.documents import elements

        kinds = {"text": elements.NarrativeText, "item": elements.ListItem, "code": elements.CodeSnippet}
        kinds |= {"heading": elements.Title, "table": elements.Table}
        empty = elements.ElementMetadata()
        for unit in units:
            kind = kinds[self._blocks[unit.start].kind]
            inner = [Span(unit.start, unit.start + 1), Span(unit.start + 1, unit.end)]
            for span in inner:
                if span.end > span.start:
                    stand_in = "x" * self._size(span.start, span.end)
                    yield kind(stand_in, element_id=str(span.start), metadata=empty)
                kind = elements.NarrativeText


def _section_ends(blocks: Sequence[Block]) -> dict[int, int]:
    """For each heading's position, where the next one of its level or above stands."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for at, block in enumerate(blocks):
        if block.kind != "heading":
            continue
        while opened and blocks[opened[-1]].level >= block.level:
            ends[opened.pop()] = at
        opened.append(at)
    return ends | dict.fromkeys(opened, len(blocks))
