"""Tables as Markdown: one row a line, so that a long table can be cut between rows under its header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile

from pipelines.chunking.blocks import Block
from pipelines.errors import DocumentError

_DELIMITERS = ",;\t|"
_FIELD_LIMIT = 100_000_000
_SAMPLE_ROWS = 30
_SAMPLE_CHARACTERS = 100_000
_MOST_LINES_IN_A_CELL = 200
"""A cell with more lines is a quotation mark that nobody closed."""
_SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?\s*\n", re.IGNORECASE)
_AS_FORMULA = re.compile(r'="([^"]*)"')
"""How programs keep Excel from taking a text of digits for a number."""
_FEW_CELLS = 10_000
"""So many empty cells may be written to fill rows up; beyond, as many as there are others."""


def table(rows: Iterable[Sequence[str]]) -> list[Block]:
    """One block for rows of cells under the first of them; nothing where all cells are empty.

    Rows of one cell above that are titles and notes, as people put them over their tables, and no header.
    """
    filled = [cells for row in rows if any(cells := _trimmed([_cell(text) for text in row]))]
    above = list(takewhile(_is_single, filled))
    if len(above) == len(filled):  # a table of one column
        above = []
    if not filled:
        return []
    width = max(map(len, filled))
    is_full = width * len(filled) <= 4 * sum(map(len, filled)) + _FEW_CELLS
    header, *body = filled[len(above) :]
    lines = [_line(cells, width if is_full else 0) for cells in body]
    head = f"{_line(header, width)}\n{_line(['---'] * width, width)}"
    return [*(Block("text", "".join(cells)) for cells in above), Block("table", "\n".join([head, *lines]), head=head)]


def csv_blocks(text: str) -> list[Block]:
    """Values separated by what its first line says, or by what divides its rows most evenly.

    Raises DocumentError for what is no such table.
    """
    if said := _SEPARATOR_LINE.match(text):
        return _delimited(text[said.end() :], said[1])
    return _delimited(text, _delimiter(text))


def tsv_blocks(text: str) -> list[Block]:
    """Values separated by tabs, unless there are none. Raises DocumentError for what is no such table."""
    return _delimited(text, "\t") if "\t" in text else csv_blocks(text)


def _delimited(text: str, delimiter: str) -> list[Block]:
    csv.field_size_limit(_FIELD_LIMIT)
    try:
        # A space before a quotation mark is none of the cell's, as people write such files; a tab there is a cell.
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t"))
        if any(cell.count("\n") > _MOST_LINES_IN_A_CELL for row in rows for cell in row):
            unquoted = io.StringIO(text, newline="")
            rows = list(csv.reader(unquoted, delimiter=delimiter, quoting=csv.QUOTE_NONE))
    except csv.Error as error:
        raise DocumentError(f"broken CSV: {error}") from None
    return table(rows)


def _delimiter(text: str) -> str:
    """What divides most of the first rows into the same number of cells; the earlier in `_DELIMITERS` of equals."""

    def evenness(delimiter: str) -> tuple[int, int]:
        sample = io.StringIO(text[:_SAMPLE_CHARACTERS].lstrip(), newline="")
        try:
            rows = csv.reader(sample, delimiter=delimiter, skipinitialspace=True)
            widths = Counter(len(row) for row in islice(rows, _SAMPLE_ROWS) if row)
        except csv.Error:
            return (0, 0)
        divided = [(count, width) for width, count in widths.items() if width > 1]
        return max(divided, default=(0, 0))

    csv.field_size_limit(_FIELD_LIMIT)
    return max(_DELIMITERS, key=evenness)


def _is_single(cells: Sequence[str]) -> bool:
    return sum(map(bool, cells)) == 1


def _cell(text: str) -> str:
    words = " ".join(text.split())
    if formula := _AS_FORMULA.fullmatch(words):
        words = formula[1]
    return words.replace("|", "\\|")


def _trimmed(cells: list[str]) -> list[str]:
    """Cells without the empty ones after the last."""
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _line(cells: Sequence[str], width: int) -> str:
    return f"| {' | '.join([*cells, *[''] * (width - len(cells))])} |"
