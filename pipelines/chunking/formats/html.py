"""HTML to blocks, in one walk over the tree.

Written here and not left to unstructured's `partition_html`, which takes several times as long and shows
neither list markers nor where a heading's section ends.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import LINE_GAP, PARAGRAPH_GAP, Block, heading
from pipelines.chunking.formats.html_tables import stray_text, table_rows
from pipelines.chunking.formats.html_text import (
    BREAK,
    LISTS,
    element_text,
    is_block,
    is_hidden,
    ruby_text,
    text_after,
    text_before,
)
from pipelines.chunking.formats.tables import table
from pipelines.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

_TOO_DEEP = "Excessive depth"
_HEADING = re.compile(r"h[1-6]$")
_PAGE_END = re.compile(r"</(?:body|html)\s*>", re.IGNORECASE)
"""What follows is lost to the parser; browsers show it, and mailing lists put their footers there."""
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{2000,}+>")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_MOST_ATTRIBUTES = 200
"""The parser compares each attribute with all before it: 100,000 of one element take it minutes."""
_NO_TABLE = frozenset({"presentation", "none"})
"""Roles of tables that are there for their layout (WAI-ARIA)."""
_FRAMES_INSIDE = 1
"""Pages that a page holds in itself (`srcdoc`) are read so deep."""


def html_blocks(text: str, depth: int = 0) -> list[Block]:
    """The visible text; link targets are left out. Raises DocumentError for absurdly deep nesting."""
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    text = _LONG_TAG.sub(_without_attributes, _PAGE_END.sub(" ", text))
    root = etree.fromstring(text.encode(), parser) if text.strip() else None
    if root is None:
        return []
    if any(_TOO_DEEP in error.message for error in parser.error_log):
        raise DocumentError("broken HTML: elements are nested too deep to be read")
    reader = _HtmlReader(_layout_tables(root), depth)
    reader.read(root)
    return [*_title(root, reader.blocks), *reader.blocks]


def _without_attributes(tag: re.Match[str]) -> str:
    words = _QUOTED.sub("", tag[0]).split(maxsplit=_MOST_ATTRIBUTES + 1)
    return tag[0] if len(words) <= _MOST_ATTRIBUTES else f"{words[0]}>"


def _title(root: _Element, blocks: list[Block]) -> list[Block]:
    """The page's title, where it does not begin with it anyway."""
    title = " ".join((root.findtext("head/title") or "").split())
    is_repeated = blocks and blocks[0].text.lstrip("# ").startswith(title)
    return [] if not title or is_repeated else [Block("text", title)]


def _layout_tables(root: _Element) -> set[_Element]:
    """Tables that hold others, or code: they are there for their layout."""
    found: set[_Element] = set()
    for inner in root.iter("table", "pre"):
        around = next(inner.iterancestors("table"), None)
        if around is not None:
            found.add(around)
    return found


class _HtmlReader:
    """Collects blocks; text that is not yet in one waits in `_inline`."""

    def __init__(self, layout_tables: set[_Element], depth: int) -> None:
        self.blocks: list[Block] = []
        self._layout_tables = layout_tables
        self._frames = depth
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
        if is_hidden(element):
            return False
        if tag == "ruby":
            self._inline.append(ruby_text(element))
            return False
        if tag in ("pre", "table") or _HEADING.match(tag):
            self._flush()
            return not self._read_whole(element, tag)
        if tag == "iframe" and (page := element.get("srcdoc")) and self._frames < _FRAMES_INSIDE:
            self._flush()
            self.blocks.extend(html_blocks(page, self._frames + 1))
        if is_block(element):
            self._begin(tag)
        self._inline.append(text_before(element))
        return True

    def _begin(self, tag: str) -> None:
        self._flush()
        if tag in LISTS:
            self._depth += 1
        elif tag == "li":
            self._marker = f"{'  ' * (self._depth - 1)}- "

    def _close(self, element: _Element) -> None:
        self._inline.append(text_after(element))
        if is_block(element):
            self._flush()
        if element.tag in LISTS:
            self._depth -= 1
        if element.tag == "li":
            self._marker = ""
        self._inline.append(element.tail or "")

    def _read_whole(self, element: _Element, tag: str) -> bool:
        """Read an element that makes one block. False for a table that is there for its layout."""
        if tag == "pre":
            self._code(element)
        elif tag == "table":
            return self._table(element)
        elif text := " ".join(element_text(element).split()):
            self.blocks.append(heading(text, int(tag[1])))
        return True

    def _table(self, element: _Element) -> bool:
        if element in self._layout_tables or element.get("role") in _NO_TABLE:
            return False
        rows = table_rows(element)
        if all(len(row) < 2 for row in rows) and element.find(".//th") is None:
            return False
        above = [stray_text(element), *map(element_text, element.iterchildren("caption"))]
        self.blocks.extend(Block("text", text) for text in map(_tidy, above) if text)
        self.blocks.extend(table(rows))
        return True

    def _code(self, element: _Element) -> None:
        for line_break in element.iter("br"):
            line_break.tail = f"\n{line_break.tail or ''}"
        code = "".join(element.itertext()).strip("\n").rstrip()
        if code.strip():
            fence = "```" if "```" not in code else "~~~~"
            self.blocks.append(Block("code", f"{fence}\n{code}\n{fence}", head=fence, tail=fence))

    def _flush(self) -> None:
        if not self._inline:
            return
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


def _tidy(text: str) -> str:
    """One space between words, and no empty lines."""
    lines = (" ".join(line.split()) for line in text.split(BREAK))
    return "\n".join(line for line in lines if line)
