"""Word files, in one walk that keeps a paragraph or a row of a table at a time.

unstructured's `partition_docx` finds 18 of 50 places that can hold words, and 48 once a file has been rewritten for it;
docs/decisions.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias
from zipfile import BadZipFile

from pipelines.chunking.blocks import Block
from pipelines.chunking.formats.openxml.package import BrokenPart, Package
from pipelines.chunking.formats.openxml.pages import parts_left_out
from pipelines.chunking.formats.openxml.word_stories import StoryReader, WordNotes
from pipelines.chunking.formats.openxml.word_styles import WordStyles
from pipelines.errors import DocumentError

_DOCX = ("wordprocessingml", "ms-word")
_NESTED = 2
"""How deep Word files in Word files are read: a zip can hold itself."""
_PARAGRAPHS = 300_000
"""Paragraphs and rows that are read of a file: about 5,000 pages."""


ReadEmbedded: TypeAlias = Callable[[bytes, str], list[Block]]
"""The blocks of a file inside another one: its bytes and its media type. Raises DocumentError."""


def docx_blocks(content: bytes, read_embedded: ReadEmbedded) -> list[Block]:
    """The body with its notes, comments and drawings where they belong, then headers and footers.

    Raises BrokenPart for a file without a readable body, DocumentError for one that is too large.
    """
    return _read(content, read_embedded, depth=0)


def _read(content: bytes, read_embedded: ReadEmbedded, depth: int) -> list[Block]:
    package = Package(content, _PARAGRAPHS)
    part = package.main_part("document", "word/document.xml")
    return [*_WordReader(package, part, read_embedded, depth).read(), *parts_left_out(package)]


class _WordReader:
    def __init__(self, package: Package, part: str, read_embedded: ReadEmbedded, depth: int) -> None:
        self._package = package
        self._part = part
        self._read_embedded = read_embedded
        self._depth = depth
        self._styles = WordStyles(package.find(next(package.related(part, "styles"), "")))
        self._notes = WordNotes()
        self._chunks: set[str] = set()

    def read(self) -> Iterator[Block]:
        """All blocks of the file."""
        for kind, name in (("comments", "comment"), ("footnotes", "footnote"), ("endnotes", "endnote")):
            for part in self._package.related(self._part, kind):
                self._read_notes(part, name)
        yield from self._story(self._part).stream()
        yield from self._notes.left_comments()
        seen: set[str] = set()
        for kind in ("header", "footer"):
            for part in self._package.related(self._part, kind):
                blocks = self._margin(part)
                text = "\n".join(block.text for block in blocks)
                if text and text not in seen:
                    yield from _label(kind.capitalize(), blocks)
                    seen.add(text)

    def _story(self, part: str) -> StoryReader:
        return StoryReader(self._package, part, self._styles, self._notes, self._chunk)

    def _read_notes(self, part: str, name: str) -> None:
        try:
            for note in self._package.stream(part, (name,)):
                self._notes.add(name, note, self._story(part).read(note))
        except BrokenPart:
            return

    def _margin(self, part: str) -> list[Block]:
        """The blocks of a header or footer."""
        try:
            return list(self._story(part).stream())
        except BrokenPart:
            return []

    def _chunk(self, part: str) -> Iterator[Block]:
        """A file of another format, or of Word, that is shown in the place of `w:altChunk`; each once."""
        if part in self._chunks:
            return
        self._chunks.add(part)
        media_type = self._package.media_type(part)
        try:
            content = self._package.read(part)
            if not any(name in media_type for name in _DOCX):
                yield from self._read_embedded(content, media_type)
            elif self._depth < _NESTED:
                yield from _read(content, self._read_embedded, self._depth + 1)
            else:
                self._package.leave_out(part)
        except (BrokenPart, BadZipFile, DocumentError):
            self._package.leave_out(part)


def _label(name: str, blocks: list[Block]) -> Iterator[Block]:
    first, *others = blocks
    yield replace(first, text=f"{name}: {first.text}") if first.kind == "text" else first
    yield from others
