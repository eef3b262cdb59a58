"""The cells of a sheet that hold anything, as a table."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from pipelines.chunking.blocks import LINE_GAP, PARAGRAPH_GAP, Block
from pipelines.chunking.formats.openxml.sheet_values import CellValues
from pipelines.chunking.formats.openxml.xml import whole_number
from pipelines.chunking.formats.spans import repeated
from pipelines.chunking.formats.tables import table
from pipelines.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

TEXT_CHARACTERS = 32_000_000
"""That many characters may be in the cells of a workbook; cells that share a string can make more of a small file."""
_SPARSE = 8
"""A sheet of which less than one cell in so many holds anything is written without its empty cells."""
_SMALL = 20_000
"""Cells of a sheet that is written whole in any case."""
_DIGITS = "0123456789"
_RANGE = re.compile(r"\$?([A-Z]+)\$?(\d+)(?::\$?([A-Z]+)\$?(\d+))?$", re.IGNORECASE)


class TextBudget:
    """Counts the characters of a workbook's cells."""

    def __init__(self) -> None:
        self._left = TEXT_CHARACTERS

    def spend(self, text: str) -> None:
        """Raises DocumentError where there are too many."""
        self._left -= len(text)
        if self._left < 0:
            raise DocumentError(f"too expensive: its cells show over {TEXT_CHARACTERS // 1_000_000} million characters")


class SheetRows:
    """Gathers rows by number, of each the cells that hold anything by column."""

    def __init__(self, values: CellValues, budget: TextBudget) -> None:
        self._values = values
        self._budget = budget
        self._rows: dict[int, dict[int, str]] = {}
        self._last_row = 0
        self._cells = 0

    def add(self, row: _Element) -> None:
        """Take a row. Raises DocumentError where a workbook shows more text than can be read."""
        self._last_row = whole_number(row.get("r"), self._last_row + 1)
        texts = self._rows.get(self._last_row, {})
        column = 0
        for cell in row:
            place = cell.get("r")
            column = _column(place.rstrip(_DIGITS)) if place else column + 1
            text = self._values.text(cell)
            if text and not text.isspace():
                self._budget.spend(text)
                texts[column] = text
                self._cells += 1
        if texts:
            self._rows[self._last_row] = texts

    def merge(self, ranges: list[str]) -> None:
        """Let merged cells stand in each row and column that they cover and that hold anything else."""
        rows = sorted(self._rows)
        columns = self._columns()
        room = self._cells + _SMALL
        for found in filter(None, map(_RANGE.match, ranges)):
            if room < 0 or not found[3]:
                continue
            first, last = whole_number(found[2]), whole_number(found[4])
            left, right = _column(found[1]), _column(found[3])
            text = repeated(self._rows.get(first, {}).get(left, ""))
            covered = columns[bisect_left(columns, left) : bisect_right(columns, right)]
            for number in rows[bisect_left(rows, first) : bisect_right(rows, last)] if text else ():
                room -= len(covered) + 1
                if room < 0:
                    break
                self._fill(self._rows[number], text, covered)

    def _fill(self, row: dict[int, str], text: str, columns: list[int]) -> None:
        if len(row) == 1 and text in row.values():  # a title over the whole table
            return
        for column in columns:
            if column not in row:
                self._budget.spend(text)
                row[column] = text

    def _columns(self) -> list[int]:
        return sorted({column for row in self._rows.values() for column in row})

    def blocks(self) -> list[Block]:
        """A table of the rows and columns that hold anything."""
        columns = self._columns()
        rows = [self._rows[number] for number in sorted(self._rows)]
        if len(rows) * len(columns) > max(_SMALL, _SPARSE * self._cells):
            return list(_sparse_blocks(rows))
        return table([row.get(column, "") for column in columns] for row in rows)


def _sparse_blocks(rows: list[dict[int, str]]) -> Iterator[Block]:
    gap = PARAGRAPH_GAP
    for row in rows:
        yield Block("text", " | ".join(" ".join(row[column].split()) for column in sorted(row)), gap=gap)
        gap = LINE_GAP


@lru_cache(maxsize=20_000)
def _column(letters: str) -> int:
    """The number of a column, A is 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("@")
    return number
