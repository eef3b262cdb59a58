"""Markdown that sources write of what is structured. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are written as Markdown, the first row as its head, all as wide as the widest.

    https://github.github.com/gfm/#tables-extension-
    """
    width = max(map(len, rows), default=0)
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows]
    return "\n".join([*lines[:1], f"|{' --- |' * width}", *lines[1:]]) if lines else ""
