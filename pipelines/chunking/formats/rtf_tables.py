"""Paragraphs and tables of RTF: cells come one after the other, and a row says at its end that it was one."""

from __future__ import annotations

from pipelines.chunking.blocks import Block, heading, paragraphs
from pipelines.chunking.formats.tables import table

_MERGED = frozenset({"clmrg", "clvmrg"})


class RtfTables:
    """Collects blocks. Text waits in the paragraph, paragraphs in the cell, cells in the row, rows in the table."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._paragraph: list[str] = []
        self._around: list[list[str]] = []
        self._notes: list[str] = []
        self._cell: list[str] = []
        self._row: list[str] = []
        self._rows: list[list[str]] = []
        self._merged: dict[int, str] = {}
        self._columns = 0
        self._in_table = False

    def add(self, text: str) -> None:
        self._paragraph.append(text)

    def open_note(self) -> None:
        """What comes now stands beside the open paragraph."""
        self._around.append(self._paragraph)
        self._paragraph = []

    def close_note(self) -> None:
        self._notes.append(_joined(self._paragraph))
        self._paragraph = self._around.pop()
        if not self._paragraph and not self._around:  # a header or footer, before the first words
            self.end_paragraph(0)

    def control(self, word: str, number: int | None) -> None:
        """What control words say of tables. Cells of a table in a cell belong to that one, a space apart."""
        match word:
            case "intbl":
                self._in_table = True
            case "trowd":
                self._merged, self._columns = {}, 0
            case "pard":
                self._in_table = False
            case "cell":
                self._end_cell()
            case "nestcell" | "nestrow":
                self._paragraph.append(" ")
            case "row":
                self._end_row()
            case "cellx":
                self._columns += 1
            case merged if merged in _MERGED:
                self._merged[self._columns] = merged

    def end_paragraph(self, level: int) -> None:
        if self._around:  # of a note
            self._paragraph.append("\n")
            return
        text = _joined(self._paragraph)
        self._paragraph.clear()
        notes, self._notes = self._notes, []
        if self._in_table:
            self._cell.extend(filter(str.strip, [text, *notes]))
            return
        if text.strip():
            self.end_table()
            self.blocks.extend([heading(text, level)] if level else paragraphs(text))
        self.blocks.extend(block for note in notes for block in paragraphs(note))

    def end_table(self) -> None:
        """Make what has come of a table a block; what stands in no whole row is a row of its own."""
        if self._cell or self._row:
            self._end_row()
        self.blocks.extend(table(self._rows))
        self._rows = []

    def _end_cell(self) -> None:
        self._cell.extend(filter(str.strip, [_joined(self._paragraph), *self._notes]))
        self._paragraph.clear()
        self._notes = []
        self._row.append(" ".join(self._cell))
        self._cell = []

    def _end_row(self) -> None:
        if self._cell:
            self._end_cell()
        above = self._rows[-1] if self._rows else []
        row = self._row
        for at, merged in self._merged.items():  # what is merged with the cell to the left or above shows its text
            if at < len(row) and not row[at].strip():
                row[at] = above[at] if merged == "clvmrg" and at < len(above) else row[at]
                if merged == "clmrg" and at and not self._rows:
                    row[at] = row[at - 1]
        self._rows.append(row)
        self._row = []


def _joined(parts: list[str]) -> str:
    """Text in which characters beyond the first 65,536, spelled in two halves, are whole."""
    text = "".join(parts)
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
