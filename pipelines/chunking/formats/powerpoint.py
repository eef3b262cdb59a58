"""PowerPoint files, slide by slide.

unstructured's `partition_pptx` finds 12 of 24 places that can hold words; docs/decisions.md has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import LINE_GAP, PARAGRAPH_GAP, Block, heading
from pipelines.chunking.formats.openxml.drawings import (
    DrawingReader,
    alternative_text,
    bullet_level,
    paragraph_text,
    paragraph_texts,
)
from pipelines.chunking.formats.openxml.package import BrokenPart, Package
from pipelines.chunking.formats.openxml.pages import read_pages
from pipelines.chunking.formats.openxml.xml import attribute, child, chosen, local_name

if TYPE_CHECKING:
    from lxml.etree import _Element

_TITLES = ("title", "ctrTitle")
_LISTS = ("body", "obj", "")
"""Placeholders that layouts make lists of; one without a type is of any content."""
_MARGINS = ("ftr", "hdr", "dt")
_ELEMENTS = 250_000
"""Comments and points of diagrams that are read of a file."""


def pptx_blocks(content: bytes) -> list[Block]:
    """Slides in order, hidden ones too, each its title first and its notes and comments last.

    Raises BrokenPart for a file without readable slides, DocumentError for one that is too large.
    """
    package = Package(content, _ELEMENTS)
    main = package.main_part("presentation", "ppt/presentation.xml")
    reader = _PresentationReader(package, _authors(package, main))
    return read_pages(package, _slides(package, main), reader.slide)


def _slides(package: Package, main: str) -> list[str]:
    """The parts of the slides in the order in which they are shown. One that is missing keeps its number."""
    listed = package.parse(main).iterfind("{*}sldIdLst/{*}sldId")
    numbered = enumerate(listed, start=1)
    return [package.target(main, _relation_id(slide)) or f"slide {number}" for number, slide in numbered]


def _authors(package: Package, main: str) -> dict[str, str]:
    """Who writes comments, by id."""
    lists = (package.find(part) for part in package.related(main, "commentAuthors", "authors"))
    return {attribute(one, "id"): attribute(one, "name") for root in lists if root is not None for one in root}


def _relation_id(slide: _Element) -> str:
    """The relation's id, which stands beside the slide's own."""
    return next((str(value) for name, value in slide.items() if str(name).endswith("}id")), "")


class _PresentationReader:
    """Reads slides. What is on the margin of each is told once."""

    def __init__(self, package: Package, authors: Mapping[str, str]) -> None:
        self._package = package
        self._authors = authors
        self._margins: set[str] = set()

    def slide(self, part: str) -> Iterator[Block]:
        """The blocks of a slide. Raises BrokenPart."""
        tree = child(self._package.parse(part), "cSld", "spTree")
        blocks = [] if tree is None else list(self._shapes(tree, DrawingReader(self._package, part)))
        yield from sorted(blocks, key=lambda block: block.kind != "heading")
        for notes in self._package.related(part, "notesSlide"):
            yield from self._notes(notes)
        for comments in self._package.related(part, "comments", "comment"):
            yield from self._comments(comments)

    def _shapes(self, tree: _Element, drawings: DrawingReader) -> Iterator[Block]:
        for shape in tree:
            match local_name(shape):
                case "sp":
                    yield from self._shape(shape, drawings)
                case "grpSp":
                    yield from self._shapes(shape, drawings)
                case "AlternateContent":
                    if (choice := chosen(shape)) is not None:
                        yield from self._shapes(choice, drawings)
                case _:
                    yield from drawings.read_element(shape)

    def _shape(self, shape: _Element, drawings: DrawingReader) -> Iterator[Block]:
        kind = _placeholder(shape)
        body = child(shape, "txBody")
        if kind == "sldNum" or body is None:
            yield from drawings.read(shape) if kind != "sldNum" else ()
            return
        text = "\n".join(paragraph_texts(body))
        if kind in _TITLES:
            yield from [heading(text, 1)] if text.strip() else []
        elif kind in _MARGINS:
            yield from self._margin(text)
        else:
            yield from _paragraphs(body, is_list=kind in _LISTS)
        names = child(shape, "nvSpPr", "cNvPr")
        if names is not None and (described := " ".join(alternative_text(names).split())):
            yield Block("text", described)

    def _margin(self, text: str) -> Iterator[Block]:
        if text.strip() and text not in self._margins:
            self._margins.add(text)
            yield Block("text", text)

    def _notes(self, part: str) -> Iterator[Block]:
        """The speaker's notes, without the slide's picture and number."""
        root = self._package.find(part)
        for shape in () if root is None else root.iter("{*}sp"):
            kind = _placeholder(shape)
            text = "\n".join(paragraph_texts(shape)).strip()
            if kind in _MARGINS:
                yield from self._margin(text)
            elif text and kind not in ("sldNum", "sldImg"):
                yield Block("text", f"Notes: {text}")

    def _comments(self, part: str) -> Iterator[Block]:
        try:
            for comment in self._package.stream(part, ("cm",)):
                for one in comment.iter("{*}cm", "{*}reply"):
                    yield from self._comment(one)
        except BrokenPart:
            return

    def _comment(self, element: _Element) -> Iterator[Block]:
        """A comment, or the answer to one; classic ones have a text, newer ones paragraphs."""
        texts = [
            element.findtext("{*}text") or "",
            *(text for body in element.iterfind("{*}txBody") for text in paragraph_texts(body)),
        ]
        author = self._authors.get(attribute(element, "authorId"), "")
        if text := "\n".join(texts).strip():
            yield Block("text", f"Comment by {author}: {text}" if author else f"Comment: {text}")


def _placeholder(shape: _Element) -> str | None:
    """What a shape is the place for; None for one that is drawn freely."""
    for properties in shape:
        place = child(properties, "nvPr", "ph")
        if place is not None:
            return attribute(place, "type")
    return None


def _paragraphs(body: _Element, is_list: bool) -> Iterator[Block]:
    """Items of a list, or else a text whose lines are paragraphs."""
    gap = PARAGRAPH_GAP
    for paragraph in body.iterfind("{*}p"):
        lines = (" ".join(line.split()) for line in paragraph_text(paragraph).split("\n"))
        if text := "\n".join(filter(None, lines)):
            level = bullet_level(paragraph, is_list)
            yield Block("text", text, gap=gap) if level is None else Block("item", f"{'  ' * level}- {text}", gap=gap)
            gap = LINE_GAP
