"""Tables for people and for `grep`: whole, however wide the terminal is, since what is cut cannot be copied."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from pipelines.printable import printable

_GAP = "  "


def print_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Each column as wide as what stands in it; one in which nothing stands is left out. Control characters of what
    comes from elsewhere can be seen, and do nothing."""
    shown = [name for name in columns if not rows or any(_text(row[name]) for row in rows)]
    lines = [[name.replace("_", " ") for name in shown], *([_text(row[name]) for name in shown] for row in rows)]
    widths = [max(cell_len(line[place]) for line in lines) for place in range(len(shown))]
    numeric = [bool(rows) and all(_is_number(row[name]) for row in rows) for name in shown]
    for line in lines:
        cells = (_pad(cell, width, right) for cell, width, right in zip(line, widths, numeric, strict=True))
        print(_GAP.join(cells).rstrip())
    sys.stdout.flush()


def _text(value: object) -> str:
    """Of a truth value, only that it holds."""
    if value is None or value is False:
        return ""
    return "yes" if value is True else printable(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pad(cell: str, width: int, right: bool) -> str:
    room = " " * (width - cell_len(cell))
    return room + cell if right else cell + room
