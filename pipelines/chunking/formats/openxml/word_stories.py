"""Word's stories: the body, headers, notes and text boxes, each a sequence of paragraphs and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import LINE_GAP, PARAGRAPH_GAP, Block, heading
from pipelines.chunking.formats.openxml.drawings import DrawingReader
from pipelines.chunking.formats.openxml.equations import equation_text
from pipelines.chunking.formats.openxml.package import Package
from pipelines.chunking.formats.openxml.word_runs import DELETED, read_paragraph
from pipelines.chunking.formats.openxml.word_styles import WordStyles
from pipelines.chunking.formats.openxml.word_tables import RowsReader, is_deleted, row_cells
from pipelines.chunking.formats.openxml.xml import attribute, chosen, local_name

if TYPE_CHECKING:
    from lxml.etree import _Element

_WHOLE = frozenset({"p", "tr", "altChunk", "oMathPara"})
_PASSED = DELETED | {"Fallback"}


class WordNotes:
    """Footnotes, endnotes and comments, each told once, where it is referred to."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], str] = {}

    def add(self, name: str, note: _Element, blocks: Iterable[Block]) -> None:
        """Keep a note; lines that divide notes from the text are none."""
        text = "\n".join(block.text for block in blocks)
        if text and attribute(note, "type", "normal") == "normal":
            author = attribute(note, "author")
            label = f"Comment by {author}" if name == "comment" and author else name.capitalize()
            self._texts[f"{name}Reference", attribute(note, "id")] = f"{label}: {text}"

    def take(self, reference: tuple[str, str]) -> Iterator[Block]:
        """The note that a reference is to, unless it was told before."""
        if text := self._texts.pop(reference, ""):
            yield Block("text", text)

    def left_comments(self) -> Iterator[Block]:
        """Comments on what was deleted. Footnotes that nothing refers to are left over from an edit."""
        for reference in [one for one in self._texts if one[0] == "commentReference"]:
            yield from self.take(reference)


class StoryReader:
    """Reads what stands in one part; `read_chunk` reads the part of a file that is embedded as text."""

    def __init__(
        self,
        package: Package,
        part: str,
        styles: WordStyles,
        notes: WordNotes,
        read_chunk: Callable[[str], Iterator[Block]],
    ) -> None:
        self._package = package
        self._part = part
        self._styles = styles
        self._notes = notes
        self._read_chunk = read_chunk
        self._drawings = DrawingReader(package, part, self.read)
        self._begun = ""
        self._in_list = False

    def stream(self) -> Iterator[Block]:
        """All blocks of the part. Raises BrokenPart where it ends or breaks."""
        rows = RowsReader()
        for element in self._package.stream(self._part, _WHOLE, ends=("tbl",), passed=_PASSED):
            name = local_name(element)
            if name == "tbl":
                yield from rows.blocks()
                rows = RowsReader()
            elif name == "tr":
                self._read_row(element, rows)
            else:
                yield from self._read_element(element, name)

    def read(self, container: _Element) -> Iterator[Block]:
        """All blocks in an element."""
        for element in container:
            name = local_name(element)
            if name == "p":
                self._package.count_element(self._part)
            yield from self._read_element(element, name)

    def _read_element(self, element: _Element, name: str) -> Iterator[Block]:
        match name:
            case "p":
                yield from self._read_paragraph(element)
            case "tbl":
                yield from self._read_rows(element).blocks()
            case "altChunk":
                part = self._package.target(self._part, attribute(element, "id"))
                yield from self._read_chunk(part) if part else ()
            case "oMathPara":
                yield from self._text_blocks(equation_text(element))
            case "AlternateContent":
                if (choice := chosen(element)) is not None:
                    yield from self.read(choice)
            case _ if name not in DELETED:
                yield from self.read(element)

    def _read_rows(self, table: _Element) -> RowsReader:
        rows = RowsReader()
        for row in table.iter("{*}tr"):
            if next(row.iterancestors("{*}tbl"), None) is table:
                self._read_row(row, rows)
        return rows

    def _read_row(self, row: _Element, rows: RowsReader) -> None:
        if not is_deleted(row):
            rows.add(row, [(cell, list(self.read(cell))) for cell in row_cells(row)])

    def _read_paragraph(self, element: _Element) -> Iterator[Block]:
        paragraph = read_paragraph(element)
        text = self._begun + paragraph.text
        self._begun = text if paragraph.goes_on else ""
        if not paragraph.goes_on:
            yield from self._role_blocks(paragraph.properties, text)
        for drawing in paragraph.drawings:
            yield from self._drawings.read_element(drawing)
        for reference in paragraph.notes:
            yield from self._notes.take(reference)

    def _role_blocks(self, properties: _Element | None, text: str) -> Iterator[Block]:
        if not (text := _tidy(text)):
            return
        role = self._styles.role(properties)
        if role.heading:
            yield heading(text, role.heading)
        elif role.item is not None:
            yield Block("item", f"{'  ' * role.item}- {text}", gap=LINE_GAP if self._in_list else PARAGRAPH_GAP)
        else:
            yield Block("text", text)
        self._in_list = role.item is not None

    def _text_blocks(self, text: str) -> Iterator[Block]:
        if text := _tidy(text):
            yield Block("text", text)


def _tidy(text: str) -> str:
    """One space between words, and no empty lines."""
    return "\n".join(line for line in (" ".join(line.split()) for line in text.split("\n")) if line)
