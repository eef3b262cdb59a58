"""Excel files, row by row, with the values that people see.

openpyxl reads values without their number formats, each row as wide as the widest, and fails for styles that Excel
opens; docs/decisions.md has the figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import Block, heading
from pipelines.chunking.formats.openxml.drawings import DrawingReader
from pipelines.chunking.formats.openxml.package import BrokenPart, Package
from pipelines.chunking.formats.openxml.pages import read_pages
from pipelines.chunking.formats.openxml.sheet_rows import SheetRows, TextBudget
from pipelines.chunking.formats.openxml.sheet_values import CellValues, read_codes, read_strings, rich_text
from pipelines.chunking.formats.openxml.xml import attribute, child, local_name, whole_number

if TYPE_CHECKING:
    from lxml.etree import _Element

_MARGIN_CODES = re.compile(r'&(?:"[^"]*"|K[0-9A-F]{6}|K\d\d[+-]\d{3}|\d+|[A-Z])', re.IGNORECASE)
"""Fonts, sizes, colours, and the places of numbers and pictures in a header or footer (ECMA-376-1, 18.3.1.46)."""
_THREADED = "[Threaded comment]"
"""How the comment begins that old programs show in the place of a thread."""
_RANGES = 100_000
_PROMPTS = ("promptTitle", "prompt", "errorTitle", "error")
_ROWS = 1_100_000
"""Rows and strings that are read of a file; a sheet has 1,048,576 rows at most."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    part: str


def xlsx_blocks(content: bytes) -> list[Block]:
    """For each sheet that holds anything, hidden ones too, its name, its cells, and what is noted and drawn on it.

    Raises BrokenPart for a file without readable sheets, DocumentError for one that is too large.
    """
    package = Package(content, _ROWS)
    main = package.main_part("workbook", "xl/workbook.xml")
    workbook = package.parse(main)
    reader = _WorkbookReader(package, main, workbook)
    return read_pages(package, _sheets(package, main, workbook), reader.sheet)


def _sheets(package: Package, main: str, workbook: _Element) -> Iterator[_Sheet]:
    for sheet in workbook.iterfind("{*}sheets/{*}sheet"):
        name = attribute(sheet, "name")
        yield _Sheet(name, package.target(main, attribute(sheet, "id")) or f"the part of sheet {name!r}")


class _WorkbookReader:
    def __init__(self, package: Package, main: str, workbook: _Element) -> None:
        self._package = package
        properties = child(workbook, "workbookPr")
        since_1904 = properties is not None and attribute(properties, "date1904") in ("1", "true")
        strings = read_strings(package, next(package.related(main, "sharedStrings"), ""))
        codes = read_codes(package, next(package.related(main, "styles"), ""))
        self._values = CellValues(strings, codes, since_1904=since_1904)
        self._budget = TextBudget()
        people = (package.find(part) for part in package.related(main, "person"))
        self._people = {
            attribute(one, "id"): attribute(one, "displayName") for root in people if root is not None for one in root
        }

    def sheet(self, sheet: _Sheet) -> list[Block]:
        """All blocks of a sheet under its name. Raises BrokenPart where its cells cannot be read."""
        blocks = list(self._content(sheet.part))
        if self._values.lacks_strings:
            self._package.leave_out("xl/sharedStrings.xml")
        return [heading(sheet.name, 2), *blocks] if blocks else []

    def _content(self, part: str) -> Iterator[Block]:
        rows = SheetRows(self._values, self._budget)
        merged: list[str] = []
        texts: list[str] = []
        for element in self._package.stream(part, ("row", "mergeCell", "dataValidation", "headerFooter")):
            match local_name(element):
                case "row":
                    rows.add(element)
                case "mergeCell" if len(merged) < _RANGES:
                    merged.append(attribute(element, "ref"))
                case "dataValidation":
                    texts.append(": ".join(filter(None, (attribute(element, name) for name in _PROMPTS))))
                case "headerFooter":
                    texts.extend(_margins(element))
        rows.merge(merged)
        yield from rows.blocks()
        yield from self._drawn(part)
        texts.extend(self._comments(part))
        yield from (Block("text", text) for text in dict.fromkeys(texts) if text.strip())

    def _drawn(self, part: str) -> Iterator[Block]:
        seen: set[str] = set()
        for drawing in self._package.related(part, "drawing"):
            root = self._package.find(drawing)
            for block in () if root is None else DrawingReader(self._package, drawing).read(root):
                seen.add(block.text)
                yield block
        for drawing in self._package.related(part, "vmlDrawing"):  # controls, which new files keep in both ways
            root = self._package.find(drawing)
            for box in () if root is None else root.iter("{*}textbox"):
                text = " ".join("".join(box.itertext()).split())
                if text and text not in seen:
                    yield Block("text", text)

    def _comments(self, part: str) -> Iterator[str]:
        threads = [
            one
            for thread in self._package.related(part, "threadedComment")
            for one in self._each(thread, "threadedComment")
        ]
        yield from threads
        for comments in self._package.related(part, "comments"):
            for text in self._each(comments, "comment"):
                if not threads or _THREADED not in text:
                    yield text

    def _each(self, part: str, name: str) -> list[str]:
        """The comments of a part, as far as they can be read."""
        texts = []
        authors: list[str] = []
        try:
            for element in self._package.stream(part, ("author", name)):
                if local_name(element) == "author":
                    authors.append(element.text or "")
                    continue
                number = whole_number(attribute(element, "authorId"), len(authors))
                author = authors[number] if number < len(authors) else ""
                author = author or self._people.get(attribute(element, "personId"), "")
                inner = child(element, "text")
                text = "" if inner is None else (inner.text or "").strip() or rich_text(inner).strip()
                by = f" by {author}" if author else ""
                texts.append(f"Comment on {attribute(element, 'ref')}{by}: {text}" if text else "")
        except BrokenPart:
            pass
        return texts


def _margins(element: _Element) -> Iterator[str]:
    """Headers and footers, of odd, even and first pages."""
    for margin in element:
        label = "Header" if local_name(margin).endswith("Header") else "Footer"
        shown = " ".join(_MARGIN_CODES.sub(" ", (margin.text or "").replace("&&", "\0")).replace("\0", "&").split())
        if shown.strip("-/ "):
            yield f"{label}: {shown}"
