"""Tables of HTML as rows of cells, each under its header: merged cells by the table model of HTML.

https://html.spec.whatwg.org/multipage/tables.html#table-processing-model
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, zip_longest
from typing import TYPE_CHECKING

from pipelines.chunking.formats.html_text import element_text, is_hidden, text_after, text_before
from pipelines.chunking.formats.spans import repeated

if TYPE_CHECKING:
    from lxml.etree import _Element

_MOST_COLUMNS = 1_000
_MOST_ROWS = 65_534
"""Cells may span so much (`colspan`, `rowspan` in the specification)."""
_FREE_CELLS = 10_000
"""A table's spans may add so many cells, and twice as many as it has; beyond, its spans are left out of account."""
_MOST_HEADER_ROWS = 4
_PARTS = ("td", "th", "caption")


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    columns: int
    rows: int
    is_header: bool


@dataclass(slots=True)
class _SpanGrid:
    """Fills rows from top to bottom; `_below` has, by column, what cells above put there, and into how many rows."""

    budget: int
    _below: dict[int, tuple[str, int]] = field(default_factory=dict)

    def add(self, cells: Sequence[_Cell], is_header: bool) -> list[str]:
        """The next row. What spans columns is repeated over headers, so that each stands over its values."""
        row: list[str] = []
        for cell in cells:
            self._fill(row)
            columns, rows = self._afford(cell)
            for at in range(columns):
                text = cell.text if at == 0 or (is_header and len(cells) > 1) else ""
                if rows > 1:
                    self._below[len(row)] = (repeated(text), rows - 1)
                row.append(text)
        self._fill(row, to_end=True)
        return row

    def end_group(self) -> None:
        """No cell spans rows beyond its group (`thead`, `tbody`, `tfoot`)."""
        self._below.clear()

    def _afford(self, cell: _Cell) -> tuple[int, int]:
        columns = cell.columns if cell.columns - 1 <= self.budget else 1
        self.budget -= columns - 1
        return columns, cell.rows

    def _fill(self, row: list[str], to_end: bool = False) -> None:
        last = max(self._below, default=-1) if to_end else -1
        while len(row) in self._below or len(row) <= last:
            if self.budget <= 0:
                self._below.clear()
                return
            self.budget -= 1
            text, rows = self._below.pop(len(row), ("", 0))
            if rows > 1:
                self._below[len(row)] = (text, rows - 1)
            row.append(text)


def table_rows(element: _Element) -> list[list[str]]:
    """The rows of a table that holds no other, its header in one row."""
    groups, rows = [], []
    for row in _rows(element):
        if cells := _cells(row):
            groups.append(_group(row[0]))
            rows.append(cells)
    titles = len(rows) - len(list(dropwhile(lambda row: len(row) == 1, rows)))
    headers = _header_rows(rows[titles:])
    grid = _SpanGrid(_FREE_CELLS + 2 * sum(map(len, rows)))
    filled: list[list[str]] = []
    for number, row_cells in enumerate(rows):
        if number and groups[number] is not groups[number - 1]:
            grid.end_group()
        filled.append(grid.add(row_cells, titles <= number < titles + max(headers, 1)))
    if headers > 1:
        filled[titles : titles + headers] = [_joined(filled[titles : titles + headers])]
    return filled


def stray_text(element: _Element) -> str:
    """What stands in a table outside its cells and caption, where browsers show it before the table."""
    from lxml import etree

    parts: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, part in walk:
        if event == "end":
            parts.append(f" {part.tail or ''}" if part is not element else "")
        elif part.tag in _PARTS or is_hidden(part):
            walk.skip_subtree()
        else:
            parts.append(text_before(part) + text_after(part))
    return "".join(parts)


def _rows(element: _Element) -> Iterator[list[_Element]]:
    """The cells of each row; such as stand in none make one together."""
    loose: list[_Element] = []
    for part in element.iter("tr", "td", "th"):
        if part.tag == "tr":
            if loose:
                yield loose
                loose = []
            yield [] if is_hidden(part) else list(part.iterchildren("td", "th"))
        elif (parent := part.getparent()) is None or parent.tag != "tr":
            loose.append(part)
    if loose:
        yield loose


def _cells(row: Sequence[_Element]) -> list[_Cell]:
    return [
        _Cell(
            element_text(cell),
            _span(cell, "colspan", _MOST_COLUMNS),
            _span(cell, "rowspan", _MOST_ROWS),
            cell.tag == "th" or _is_in_head(cell),
        )
        for cell in row
        if not is_hidden(cell)
    ]


def _group(cell: _Element) -> _Element | None:
    """What a cell's row is in: a group of rows, or the table."""
    row = cell.getparent()
    return row.getparent() if row is not None and row.tag == "tr" else row


def _is_in_head(cell: _Element) -> bool:
    group = _group(cell)
    return group is not None and group.tag == "thead"


def _span(cell: _Element, name: str, most: int) -> int:
    said = (cell.get(name) or "").strip()
    if name == "rowspan" and said == "0":  # to the end of its group
        return most
    return min(max(int(said), 1), most) if said.isdecimal() and len(said) < 9 else 1


def _header_rows(rows: Sequence[Sequence[_Cell]]) -> int:
    """How many rows are headers: those of header cells alone; without any, those beside which one of the first row
    stands, if another one of it spans columns."""
    marked = 0
    while marked < len(rows) and all(cell.is_header for cell in rows[marked]):
        marked += 1
    if not marked and rows and any(cell.columns > 1 for cell in rows[0]):
        marked = max(cell.rows for cell in rows[0])
    return marked if marked <= min(_MOST_HEADER_ROWS, len(rows) - 1) else 0


def _joined(headers: Sequence[Sequence[str]]) -> list[str]:
    """One header of several: what stands above a column from top to bottom, each text once."""
    return [
        " ".join(dict.fromkeys(filter(None, map(str.strip, above)))) for above in zip_longest(*headers, fillvalue="")
    ]
