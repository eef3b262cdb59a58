"""Markdown that sources write of what is structured. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Besides the usual one: those of CommonMark, and those at which Python breaks lines."""


def with_one_line_end(text: str) -> str:
    """What was typed, with `\\n` at the end of each line: what looks for the beginnings of lines finds them all."""
    return _LINE_ENDS.sub("\n", text)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are written as Markdown, the first row as its head, all as wide as the widest.

    https://github.github.com/gfm/#tables-extension-
    """
    width = max(map(len, rows), default=0)
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows]
    return "\n".join([*lines[:1], f"|{' --- |' * width}", *lines[1:]]) if lines else ""
