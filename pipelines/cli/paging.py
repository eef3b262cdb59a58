"""Long listings, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias, TypeVar

import typer

Limit: TypeAlias = Annotated[
    int | None, typer.Option("--limit", min=1, help="So many at most; default: 50, and all with --json")
]
PageNumber: TypeAlias = Annotated[int, typer.Option("--page", min=1, help="Which page of so many")]

_LINES = 50

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """The page with this number, from 1, of `limit` rows each; without one people see 50, and programs all."""

    limit: int | None = None
    number: int = 1

    def of(self, rows: Sequence[Row], json: bool) -> Sequence[Row]:
        """The rows of the page."""
        if json and self.limit is None:
            return rows
        return rows[self._start : self._start + self._size]

    def rest(self, total: int) -> int:
        """How many rows come after it, for people."""
        return max(total - self._start - self._size, 0)

    @property
    def _size(self) -> int:
        return self.limit or _LINES

    @property
    def _start(self) -> int:
        return (self.number - 1) * self._size
