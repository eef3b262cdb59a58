"""HTML to blocks, in one walk over the tree.

Written here and not left to unstructured's `partition_html`, which takes several times as long and shows
neither list markers nor where a heading's section ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import LINE_GAP, PARAGRAPH_GAP, Block, heading
from pipelines.chunking.formats.tables import table
from pipelines.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

_HIDDEN = frozenset({"head", "script", "style", "template", "svg"})
_BREAK = "\u2028"
"""Stands for `<br>` until a block is complete, for line ends in the source mean nothing."""
_TOO_DEEP = "Excessive depth"
_HEADING = re.compile(r"h[1-6]$")
_LISTS = frozenset({"ul", "ol", "menu"})
# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "html", "li", "main", "nav",
    "p", "section", "summary", "tbody", "td", "tfoot", "th", "thead", "tr",
})
# fmt: on


def html_blocks(text: str) -> list[Block]:
    """The visible text; link targets are left out. Raises DocumentError for absurdly deep nesting."""
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    root = etree.fromstring(text.encode(), parser) if text.strip() else None
    if root is None:
        return []
    if any(_TOO_DEEP in error.message for error in parser.error_log):
        raise DocumentError("broken HTML: elements are nested too deep to be read")
    reader = _HtmlReader()
    reader.read(root)
    return reader.blocks


class _HtmlReader:
    """Collects blocks; text that is not yet in one waits in `_inline`."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._inline: list[str] = []
        self._marker = ""
        self._depth = 0

    def read(self, root: _Element) -> None:
        """Walk over `root` without recursion: trees may be deeper than Python's stack."""
        pending: list[tuple[_Element, bool]] = [(root, True)]
        while pending:
            element, opening = pending.pop()
            if not opening:
                self._close(element)
            elif self._open(element):
                pending.append((element, False))
                pending.extend((child, True) for child in reversed(element))
            else:
                self._inline.append(element.tail or "")
        self._flush()

    def _open(self, element: _Element) -> bool:
        """Begin an element. False if it is done with, so that its children are not walked over."""
        tag = element.tag
        if tag in _HIDDEN:
            return False
        if tag == "br":
            self._inline.append(_BREAK)
            return False
        if tag == "img":
            self._inline.append(f" {element.get('alt', '')} ")
            return False
        if tag in ("pre", "table") or _HEADING.match(tag):
            self._flush()
            return not self._read_whole(element, tag)
        if tag in _BLOCKS or tag in _LISTS:
            self._begin(tag)
        self._inline.append(element.text or "")
        return True

    def _begin(self, tag: str) -> None:
        self._flush()
        if tag in _LISTS:
            self._depth += 1
        elif tag == "li":
            self._marker = f"{'  ' * (self._depth - 1)}- "

    def _close(self, element: _Element) -> None:
        if element.tag in _BLOCKS or element.tag in _LISTS:
            self._flush()
        if element.tag in _LISTS:
            self._depth -= 1
        if element.tag == "li":
            self._marker = ""
        self._inline.append(element.tail or "")

    def _read_whole(self, element: _Element, tag: str) -> bool:
        """Read an element that makes one block. False for a table that is there for its layout."""
        if tag == "pre":
            self._code(element)
        elif tag == "table":
            if element.find(".//table") is not None or element.find(".//pre") is not None:
                return False
            for caption in element.iterchildren("caption"):
                self.blocks.extend(Block("text", text) for text in [_tidy(_text(caption))] if text)
            self.blocks.extend(table(_rows(element)))
        elif text := " ".join(_text(element).split()):
            self.blocks.append(heading(text, int(tag[1])))
        return True

    def _code(self, element: _Element) -> None:
        code = "".join(element.itertext()).strip("\n").rstrip()
        if code.strip():
            fence = "```" if "```" not in code else "~~~~"
            self.blocks.append(Block("code", f"{fence}\n{code}\n{fence}", head=fence, tail=fence))

    def _flush(self) -> None:
        text = _tidy("".join(self._inline))
        self._inline.clear()
        if not text:
            return
        marker, self._marker = self._marker, ""
        if not marker:
            self.blocks.append(Block("text", text))
            return
        follows_item = bool(self.blocks) and self.blocks[-1].kind == "item"
        self.blocks.append(Block("item", marker + text, gap=LINE_GAP if follows_item else PARAGRAPH_GAP))


def _rows(element: _Element) -> Iterator[list[str]]:
    for row in element.iter("tr"):
        yield [_text(cell) for cell in row.iterchildren("td", "th")]


def _text(element: _Element) -> str:
    """All text inside, with a space around blocks."""
    if not len(element):
        return element.text or ""
    from lxml import etree

    parts: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, part in walk:
        tag = part.tag
        if event == "end":
            parts.append(" " if tag in _BLOCKS or tag in _LISTS or tag == "br" else "")
            parts.append(part.tail or "" if part is not element else "")
        elif tag in _HIDDEN:
            walk.skip_subtree()
        else:
            parts.append(" " if tag in _BLOCKS or tag in _LISTS else "")
            parts.append(f" {part.get('alt', '')} " if tag == "img" else part.text or "")
    return "".join(parts)


def _tidy(text: str) -> str:
    """One space between words, and no empty lines."""
    lines = (" ".join(line.split()) for line in text.split(_BREAK))
    return "\n".join(line for line in lines if line)
