"""Excel files. Raises what the libraries raise for broken files."""

from __future__ import annotations

import io
from datetime import datetime, time

from pipelines.chunking.blocks import Block, heading
from pipelines.chunking.formats.tables import table


def xlsx_blocks(content: bytes) -> list[Block]:
    """A heading and a table for each sheet that holds anything.

    Read row by row with openpyxl: unstructured's `partition_xlsx` holds whole sheets in memory several times
    and takes the header row away from the tables that it finds.
    """
    from openpyxl import load_workbook

    workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    blocks = []
    for sheet in workbook.worksheets:
        rows = table([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True))
        blocks.extend([heading(sheet.title, 2), *rows] if rows else [])
    workbook.close()
    return blocks


def _cell(value: object) -> str:
    if isinstance(value, datetime) and value.time() == time.min:  # Excel has no dates without a time
        return value.date().isoformat()
    return "" if value is None else str(value)
