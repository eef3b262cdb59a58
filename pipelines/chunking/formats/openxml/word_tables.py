"""Word's tables as rows of texts (ECMA-376-1, 17.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import Block
from pipelines.chunking.formats.openxml.word_runs import DELETED
from pipelines.chunking.formats.openxml.xml import child, child_value, local_name, whole_number
from pipelines.chunking.formats.spans import repeated, spread
from pipelines.chunking.formats.tables import table

if TYPE_CHECKING:
    from lxml.etree import _Element

_COLUMNS = 64
"""Word's tables have 63 columns at most."""


def row_cells(row: _Element) -> Iterator[_Element]:
    """The cells of a row, also those that content controls and tracked changes are around."""
    for element in row:
        name = local_name(element)
        if name == "tc":
            if child(element, "tcPr", "cellDel") is None:
                yield element
        elif name not in DELETED and not name.endswith("Pr"):
            yield from row_cells(element)


def is_deleted(row: _Element) -> bool:
    """Whether a tracked change takes the row away."""
    return child(row, "trPr", "del") is not None


class RowsReader:
    """Gathers the rows of a table. A table of one column is a frame around its text, and read as this text."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._framed: list[Block] = []
        self._beside: list[Block] = []
        self._columns = 0

    def add(self, row: _Element, cells: Sequence[tuple[_Element, list[Block]]]) -> None:
        """Take a row's cells with the blocks that are in them."""
        above = self._rows[-1] if self._rows else []
        texts: list[str | None] = [""] * _number(child_value(row, "trPr", "gridBefore"))
        self._columns = max(self._columns, len(cells))
        for cell, blocks in cells:
            texts.append(self._cell_text(cell, blocks, above[len(texts)] if len(texts) < len(above) else ""))
            texts.extend([None] * (_number(child_value(cell, "tcPr", "gridSpan"), 1) - 1))
        self._rows.append(spread(texts))

    def _cell_text(self, cell: _Element, blocks: list[Block], above: str) -> str | None:
        if self._columns <= 1:
            self._framed.extend(blocks)
        if child(cell, "tcPr", "vMerge") is not None and child_value(cell, "tcPr", "vMerge") != "restart":
            return repeated(above)
        if child(cell, "tcPr", "hMerge") is not None and child_value(cell, "tcPr", "hMerge") != "restart":
            return None
        return "\n".join(map(self._inner_text, blocks))

    def _inner_text(self, block: Block) -> str:
        """What stands of a block in a cell: a heading without its marks, of a table the words, unless it is long."""
        match block.kind:
            case "heading":
                return block.text.partition(" ")[2]
            case "table":
                words = " ".join(word for word in block.text.split() if word.strip("|-"))
                if repeated(words):
                    return words
                self._beside.append(block)
                return ""
        return block.text

    def blocks(self) -> list[Block]:
        """The table, and behind it the long tables that are in its cells."""
        return self._framed if self._columns <= 1 else [*table(self._rows), *self._beside]


def _number(value: str | None, default: int = 0) -> int:
    return min(whole_number(value, default), _COLUMNS)
