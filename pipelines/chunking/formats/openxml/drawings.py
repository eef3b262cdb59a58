"""What is drawn in Office files (DrawingML, ECMA-376-1, 20 and 21; VML): text boxes, pictures, charts, SmartArt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from pipelines.chunking.blocks import LINE_GAP, PARAGRAPH_GAP, Block
from pipelines.chunking.formats.openxml.charts import chart_blocks
from pipelines.chunking.formats.openxml.equations import equation_text
from pipelines.chunking.formats.openxml.package import BrokenPart, Package
from pipelines.chunking.formats.openxml.xml import attribute, child, chosen, local_name, whole_number
from pipelines.chunking.formats.spans import repeated, spread
from pipelines.chunking.formats.tables import table

if TYPE_CHECKING:
    from lxml.etree import _Element

TextBoxReader: TypeAlias = Callable[["_Element"], Iterator[Block]]
"""Reads a text box that holds Word's paragraphs."""


class DrawingReader:
    """Reads drawings that stand in one part of a package."""

    def __init__(self, package: Package, part: str, text_box: TextBoxReader = lambda box: iter(())) -> None:
        self._package = package
        self._part = part
        self._text_box = text_box

    def read(self, element: _Element) -> Iterator[Block]:
        """All that can be read inside `element`, in order."""
        for part in element:
            yield from self.read_element(part)

    def read_element(self, element: _Element) -> Iterator[Block]:
        """All that can be read of an element."""
        match local_name(element):
            case "cNvPr" | "docPr":
                yield from _text_blocks(alternative_text(element))
            case "txBody" | "rich":
                yield from _text_blocks("\n".join(paragraph_texts(element)))
            case "txbxContent":
                yield from self._text_box(element)
            case "tbl":
                yield from table(table_rows(element))
            case "chart":
                yield from self._chart(attribute(element, "id"))
            case "relIds":
                yield from self._diagram(attribute(element, "dm"))
            case "AlternateContent":
                if (choice := chosen(element)) is not None:
                    yield from self.read(choice)
            case "shape" | "rect" | "textpath" | "imagedata":  # of VML
                yield from _text_blocks(" ".join(attribute(element, name) for name in ("alt", "title", "string")))
                yield from self.read(element)
            case _:
                yield from self.read(element)

    def _chart(self, relation_id: str) -> Iterator[Block]:
        part = self._package.target(self._part, relation_id)
        root = self._package.find(part) if part else None
        if part is None or root is None:
            return
        yield from chart_blocks(root)
        for drawn in self._package.related(part, "chartUserShapes"):
            if (shapes := self._package.find(drawn)) is not None:
                yield from DrawingReader(self._package, drawn).read(shapes)

    def _diagram(self, relation_id: str) -> Iterator[Block]:
        """SmartArt: the texts of its points."""
        part = self._package.target(self._part, relation_id)
        gap = PARAGRAPH_GAP
        try:
            for point in self._package.stream(part, ("pt",)) if part else ():
                if text := " ".join(" ".join(paragraph_texts(point)).split()):
                    yield Block("item", f"- {text}", gap=gap)
                    gap = LINE_GAP
        except BrokenPart:
            return


def paragraph_texts(element: _Element) -> list[str]:
    """The texts of DrawingML's paragraphs below an element, without those that are empty."""
    return [text for paragraph in element.iterfind(".//{*}p") if (text := paragraph_text(paragraph)).strip()]


def paragraph_text(paragraph: _Element) -> str:
    """A paragraph of DrawingML. Its line breaks are line ends."""
    parts = []
    for element in paragraph:
        match local_name(element):
            case "r" | "fld":
                parts.append(element.findtext("{*}t") or "")
            case "br":
                parts.append("\n")
            case "m":
                parts.append(equation_text(element))
            case "AlternateContent" if (choice := chosen(element)) is not None:
                parts.append(paragraph_text(choice))
    return "".join(parts)


def alternative_text(element: _Element) -> str:
    """What is said of a picture to those who cannot see it."""
    title, description = attribute(element, "title").strip(), attribute(element, "descr").strip()
    return description if title in description else f"{title}\n{description}".strip()


def table_rows(element: _Element) -> Iterator[list[str]]:
    """The rows of DrawingML's table, a merged cell's text in each place that it covers (ECMA-376-1, 21.1.3.18)."""
    above: list[str] = []
    for row in element.iterfind("{*}tr"):
        texts: list[str | None] = []
        for column, cell in enumerate(row.iterfind("{*}tc")):
            if attribute(cell, "vMerge") in _TRUE:
                texts.append(repeated(above[column]) if column < len(above) else "")
            elif attribute(cell, "hMerge") in _TRUE:
                texts.append(None)
            else:
                texts.append("\n".join(paragraph_texts(cell)))
        above = spread(texts)
        yield above


_TRUE = ("1", "true")


def bullet_level(paragraph: _Element, is_list: bool) -> int | None:
    """How deep an item of a list is, from 0 to 8; None for other text. Where `is_list`, bullets are the rule."""
    properties = child(paragraph, "pPr")
    if properties is None:
        return 0 if is_list else None
    marked = child(properties, "buChar") is not None or child(properties, "buAutoNum") is not None
    if not marked and (not is_list or child(properties, "buNone") is not None):
        return None
    return min(whole_number(attribute(properties, "lvl")), 8)


def _text_blocks(text: str) -> Iterator[Block]:
    text = "\n".join(line for line in (" ".join(line.split()) for line in text.split("\n")) if line)
    if text:
        yield Block("text", text)
