"""Cutting blocks that are longer than a chunk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipelines.chunking.blocks import LINE_GAP, MAX_BYTES, Block
from pipelines.chunking.tokens import utf8_length

_BREAKS = (re.compile(rb"\n"), re.compile(rb"(?<=[.!?;])\s|\xe3\x80\x82"), re.compile(rb"\s"))
"""Where prose is cut, best first: line ends, sentence ends, between words."""


def split_blocks(blocks: Iterable[Block], limit: int = MAX_BYTES) -> list[Block]:
    """The same blocks, each at most as long as a chunk of `limit` bytes.

    What is cut leaves room for the headings right above it, so that they stay with its first part.
    """
    parts: list[Block] = []
    headings = 0
    for block in blocks:
        parts.extend(_parts(block, limit, limit - min(headings, limit // 4)))
        headings = headings + block.size if block.kind == "heading" else 0
    return parts


def _parts(block: Block, limit: int, room: int) -> Iterable[Block]:
    size = utf8_length(block.text)
    if block.kind in ("code", "table"):
        return _line_parts(block, room) if size > limit else (block,)
    return _prose_parts(block, room) if size > room else (block,)


def _line_parts(block: Block, limit: int) -> Iterator[Block]:
    """Cut at line ends, each part between the block's head and tail."""
    body = block.text.removeprefix(block.head).removesuffix(block.tail).strip("\n")
    around = utf8_length(block.head) + utf8_length(block.tail) + 2 * len(LINE_GAP)
    if around > limit // 2:  # a table with headers as long as this is prose in bars
        yield from _prose_parts(block, limit)
        return
    gap = block.gap
    for lines in _pack_lines(body.split("\n"), limit - around):
        text = "\n".join(part for part in (block.head, lines, block.tail) if part)
        yield replace(block, text=text, gap=gap)
        gap = LINE_GAP


def _pack_lines(lines: Iterable[str], limit: int) -> Iterator[str]:
    """Lines joined into texts of at most `limit` bytes; a line longer than that is cut."""
    open_lines: list[str] = []
    room = limit
    for line in lines:
        for part in _cut(line, limit) if utf8_length(line) > limit else (line,):
            size = utf8_length(part) + len(LINE_GAP)
            if open_lines and size > room + len(LINE_GAP):
                yield "\n".join(open_lines)
                open_lines, room = [], limit
            open_lines.append(part)
            room -= size
    if open_lines:
        yield "\n".join(open_lines)


def _prose_parts(block: Block, limit: int) -> Iterator[Block]:
    gap = block.gap
    for part in _cut(block.text, limit):
        if part.strip():
            yield Block("item" if block.kind == "item" else "text", part.strip("\n"), gap=gap)
            gap = LINE_GAP


def _cut(text: str, limit: int) -> Iterator[str]:
    """`text` in order, in pieces of at most `limit` bytes, cut at the best place of each piece's second half."""
    data = text.encode(errors="replace")
    start = 0
    while len(data) - start > limit:
        end = _best_cut(data, start, limit)
        yield data[start:end].decode()
        start = end
    yield data[start:].decode()


def _best_cut(data: bytes, start: int, limit: int) -> int:
    """Where a piece from `start` ends. Never inside a character."""
    for pattern in _BREAKS:
        cuts = [found.end() for found in pattern.finditer(data, start + limit // 2, start + limit)]
        if cuts:
            return cuts[-1]
    end = start + limit
    while data[end] & 0b1100_0000 == 0b1000_0000:  # a byte in the middle of a character
        end -= 1
    return end
