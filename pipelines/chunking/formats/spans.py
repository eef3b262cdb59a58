"""Merged cells: their text stands in each place that they cover, so that each value keeps its header and its label."""

from __future__ import annotations

from collections.abc import Sequence

_REPEATED = 200
"""Characters of a text that is repeated; what is longer is no label, and a large file when repeated often."""


def repeated(text: str) -> str:
    """What stands in the further places of a merged cell."""
    return text if len(text) <= _REPEATED else ""


def spread(texts: Sequence[str | None]) -> list[str]:
    """A row of texts, None where the cell before goes on.

    A cell that is alone in its row is a title and stays one: its text is not repeated.
    """
    alone = sum(map(bool, texts)) <= 1
    row: list[str] = []
    for text in texts:
        row.append(text if text is not None else "" if alone or not row else repeated(row[-1]))
    return row
