"""Tables as Markdown: one row a line, so that a long table can be cut between rows under its header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import takewhile

from pipelines.chunking.blocks import Block
from pipelines.errors import DocumentError

_DELIMITERS = ",;\t|"
_FIELD_LIMIT = 100_000_000


def table(rows: Iterable[Sequence[str]]) -> list[Block]:
    """One block for rows of cells under the first of them; nothing where all cells are empty.

    Rows of one cell above that are titles and notes, as people put them over their tables, and no header.
    """
    filled = [cells for row in rows if any(cells := [_cell(text) for text in row])]
    above = list(takewhile(_is_single, filled))
    if len(above) == len(filled):  # a table of one column
        above = []
    if not filled:
        return []
    width = max(map(len, filled))
    header, *body = [_line(cells, width) for cells in filled[len(above) :]]
    head = f"{header}\n{_line(['---'] * width, width)}"
    return [*(Block("text", "".join(cells)) for cells in above), Block("table", "\n".join([head, *body]), head=head)]


def csv_blocks(text: str) -> list[Block]:
    """Values separated by what the first line has most of. Raises DocumentError for what is no such table."""
    csv.field_size_limit(_FIELD_LIMIT)
    first_line = text.lstrip().partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    try:
        return table(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise DocumentError(f"broken CSV: {error}") from None


def _is_single(cells: Sequence[str]) -> bool:
    return sum(map(bool, cells)) == 1


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _line(cells: Sequence[str], width: int) -> str:
    return f"| {' | '.join([*cells, *[''] * (width - len(cells))])} |"
