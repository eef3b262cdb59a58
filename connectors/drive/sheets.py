"""Spreadsheets that are too large for Google to export: read sheet by sheet, through another of its APIs.

The scope of Drive is enough for it: https://developers.google.com/workspace/sheets/api/scopes
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from connectors.decoding import decode_leniently
from connectors.drive.client import DriveClient
from connectors.drive.formats import MAX_BYTES
from connectors.drive.payloads import SheetProperties
from connectors.file_content import FileContent
from connectors.markdown import markdown_table
from connectors.media import CSV
from connectors.model import MARKDOWN

CELLS_AT_ONCE = 200_000
"""Asked for in one request, so that no answer is too large."""
_FIRST_SHEET_ONLY = "Only the first sheet of this spreadsheet is here: it has more than the 10 MB that Google exports."
_CUT = "Only the beginning of this spreadsheet is here: its text has more than 25 MB."


def load_sheets(client: DriveClient, file_id: str) -> FileContent:
    """All sheets of a spreadsheet as Markdown. Raises SourceError."""
    parts: list[str] = []
    left = MAX_BYTES
    for sheet in client.sheets(file_id):
        text = _table(_within(_rows(client, file_id, sheet), left))
        parts.append(f"## {_cell(sheet.title)}\n\n{text}\n")
        left -= len(text.encode(errors="replace"))
        if left <= 0:
            parts.insert(0, f"{_CUT}\n")
            break
    return FileContent("\n".join(parts), MARKDOWN)


def load_first_sheet(client: DriveClient, file_id: str) -> FileContent:
    """The first sheet, which Google exports whatever the size, and which says that it is alone. Raises SourceError."""
    first = decode_leniently(client.export(file_id, CSV))
    return FileContent(f"{_FIRST_SHEET_ONLY}\n\n{_table(csv.reader(io.StringIO(first, newline='')))}\n", MARKDOWN)


def _rows(client: DriveClient, file_id: str, sheet: SheetProperties) -> Iterator[Sequence[str]]:
    """Rows as people see their values. https://developers.google.com/workspace/sheets/api/guides/concepts#cell"""
    name = sheet.title.replace("'", "''")
    grid = sheet.grid_properties
    step = max(CELLS_AT_ONCE // max(grid.column_count, 1), 1)
    for first in range(1, grid.row_count + 1, step):
        yield from client.sheet_rows(file_id, f"'{name}'!{first}:{min(first + step - 1, grid.row_count)}")


def _within(rows: Iterable[Sequence[str]], room: int) -> Iterator[Sequence[str]]:
    """Rows until their text has more than `room` bytes."""
    for row in rows:
        yield row
        room -= sum(len(cell.encode(errors="replace")) for cell in row)
        if room < 0:
            return


def _table(rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table of the rows that hold anything, the first of them as its head."""
    return markdown_table([[_cell(value) for value in row] for row in rows if any(value.strip() for value in row)])


def _cell(value: str) -> str:
    return " ".join(value.split()).replace("|", "\\|").replace("<!--", "<\\!--")
