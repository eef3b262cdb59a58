"""Columns of a page that a file draws row by row: each is read to its end before the next one begins.

Most files draw column by column, and so does PDFium give their text. Of those that do not, the places on the page
tell; a table of two columns looks much the same, and is left alone: its rows stand further apart, its cells begin with
capitals or digits, and many of them are short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdfium2 import PdfTextPage

_FEWEST_ROWS = 4
_MOST_RECTANGLES = 5_000
_GUTTER = 1.0
"""Between columns there is at least this much room, in heights of a line; between words there is less."""
_MOST_PITCH = 1.8
"""From line to line, in heights of a line: rows of tables stand further apart."""
_FEWEST_WORDS = 3
_FULL_LINE = 0.6
"""Lines of a column are at least this long for the most part, as a share of the longest."""
_MOST_CAPITALS = 0.75


@dataclass(frozen=True, slots=True)
class _Box:
    """A piece of a line, in points from the left and from below."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom

    def is_beside(self, other: _Box) -> bool:
        """Whether the two stand on one line."""
        shared = min(self.top, other.top) - max(self.bottom, other.bottom)
        return shared > 0.5 * min(self.height, other.height)

    def joined(self, other: _Box) -> _Box:
        return _Box(
            min(self.left, other.left),
            min(self.bottom, other.bottom),
            max(self.right, other.right),
            max(self.top, other.top),
        )


_Row = tuple[_Box, _Box]


def in_columns(text: str, text_page: PdfTextPage) -> str:
    """The text of a page with what stands in two columns in the order of the columns."""
    count = text_page.count_rects()
    if not 2 * _FEWEST_ROWS <= count <= _MOST_RECTANGLES:
        return text
    boxes = [_Box(*text_page.get_rect(at)) for at in range(count)]
    lines = text.split("\n")
    for rows in _pairs_of_columns(boxes):
        columns = [[_plain(_text_of(row[side], text_page)) for row in rows] for side in (0, 1)]
        if all(map(_is_prose, columns)):
            lines = _reordered(lines, columns)
    return "\n".join(lines)


def _pairs_of_columns(boxes: Sequence[_Box]) -> Iterator[list[_Row]]:
    """Runs of lines that fall into two pieces with one gutter between all of them. Pure."""
    run: list[_Row] = []
    for line in _lines(boxes):
        row = (line[0], line[1]) if len(line) == 2 else None
        if row and run and _continues(run, row):
            run.append(row)
            continue
        if _is_run(run):
            yield run
        run = [row] if row else []
    if _is_run(run):
        yield run


def _lines(boxes: Sequence[_Box]) -> Iterator[list[_Box]]:
    """Pieces of each line, in the order in which they were drawn."""
    line: list[_Box] = []
    for box in boxes:
        if not (line and line[-1].is_beside(box) and box.left >= line[-1].left):
            if line:
                yield line
            line = [box]
        elif box.left - line[-1].right < _GUTTER * max(box.height, line[-1].height):
            line[-1] = line[-1].joined(box)
        else:
            line.append(box)
    if line:
        yield line


def _continues(run: Sequence[_Row], row: _Row) -> bool:
    """Whether a line is the next of these, its pieces below theirs."""
    height = max(box.height for box in (*run[-1], *row))
    pitch = run[-1][0].top - row[0].top
    is_aligned = all(abs(run[0][side].left - row[side].left) <= height for side in (0, 1))
    return is_aligned and 0 < pitch <= _MOST_PITCH * height


def _is_run(run: Sequence[_Row]) -> bool:
    if len(run) < _FEWEST_ROWS:
        return False
    has_gutter = max(left.right for left, _ in run) < min(right.left for _, right in run)
    return has_gutter and all(_are_full([row[side] for row in run]) for side in (0, 1))


def _are_full(column: Sequence[_Box]) -> bool:
    widths = [box.right - box.left for box in column]
    return median(widths) >= _FULL_LINE * max(widths)


def _is_prose(lines: Sequence[str]) -> bool:
    """Whether these are lines of running text, and no cells."""
    starts = [line[:1] for line in lines[1:]]
    capitals = sum(not start.isalpha() or start.isupper() for start in starts)
    return median(len(line.split()) for line in lines) >= _FEWEST_WORDS and capitals <= _MOST_CAPITALS * len(starts)


def _reordered(lines: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a page with these rows among them one column after the other, as long as they are found there."""
    rows = [" ".join(pieces) for pieces in zip(*columns, strict=True)]
    plain = [_plain(line) for line in lines]
    for start in range(len(lines) - len(rows) + 1):
        if plain[start : start + len(rows)] == rows:
            ordered = [line for column in columns for line in column]
            return [*lines[:start], *ordered, *lines[start + len(rows) :]]
    return list(lines)


def _text_of(box: _Box, text_page: PdfTextPage) -> str:
    text: str = text_page.get_text_bounded(box.left, box.bottom, box.right, box.top)
    return text


def _plain(text: str) -> str:
    return " ".join(text.split())
