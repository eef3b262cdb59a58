"""Rows of cells as tables: nothing is lost, and every part of a long one shows its header."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.chunking.formats import read_blocks
from pipelines.chunking.formats.tables import csv_blocks, table, tsv_blocks
from pipelines.chunking.split import split_blocks
from tests.pipelines.chunking import files

CELLS = st.text(st.characters(categories=["L", "N"]), max_size=8)
ROWS = st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=60)


@given(rows=ROWS)
def test_all_cells_and_nothing_else(rows: list[list[str]]) -> None:
    written = " ".join(block.text for block in table(rows))
    found = [word for word in written.replace("|", " ").split() if word != "---"]
    assert found == [word for row in rows for cell in row for word in cell.split()]


@given(rows=ROWS)
def test_csv_is_the_same_table(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["first", "second"], *rows])
    assert csv_blocks(text.getvalue()) == table([["first", "second"], *rows])


def test_quotation_marks_after_a_space() -> None:
    [block] = csv_blocks('id, name, note\n1, "Meier, Hans", open\n')
    assert block.text.split("\n")[2] == "| 1 | Meier, Hans | open |"


@given(rows=ROWS, limit=st.integers(200, 600))
def test_each_part_of_a_table_has_its_header(rows: list[list[str]], limit: int) -> None:
    parts = split_blocks(table([["first", "second", "third", "fourth"], *rows]), limit=limit)
    assert all(part.text.startswith("| first | second | third | fourth |\n| --- |") for part in parts)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["Costs of 2026"], [], ["Item", "EUR"], ["Desk", "200"]], ["Costs of 2026", "| Item | EUR |"]),
        ([["Costs"], ["", "in EUR"], ["Item", "EUR"]], ["Costs", "in EUR", "| Item | EUR |"]),
        ([["Item"], ["Desk"]], ["| Item |"]),
        ([["", ""], []], []),
    ],
)
def test_what_is_above_a_table_is_not_its_header(rows: list[list[str]], expected: list[str]) -> None:
    assert [block.text.split("\n")[0] for block in table(rows)] == expected


def test_dates_of_a_workbook_have_no_time_of_their_own() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Day", "Hour"])
    book.active.append([date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, tzinfo=UTC).replace(tzinfo=None)])
    buffer = io.BytesIO()
    book.save(buffer)
    assert read_blocks(buffer.getvalue(), files.XLSX)[1].text.endswith("| 2026-01-02 | 2026-01-02 3:04:00 |")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("sep=;\na;b,c\n1;2,5\n", ["| a | b,c |", "| --- | --- |", "| 1 | 2,5 |"]),
        ("Report of mills\na;b\n1;2\n", ["Report of mills", "| a | b |", "| --- | --- |", "| 1 | 2 |"]),
        ('"x, y; z";b\n1;2\n', ["| x, y; z | b |", "| --- | --- |", "| 1 | 2 |"]),
        ('a;b\n"=""00042""";x\n', ["| a | b |", "| --- | --- |", "| 00042 | x |"]),
        ('nr, name\n1, "Meier, Hans"\n', ["| nr | name |", "| --- | --- |", "| 1 | Meier, Hans |"]),
        ('a,b\nstray "quote,1\n', ["| a | b |", "| --- | --- |", '| stray "quote | 1 |']),
        ("a;b\n1\n;;;far\n", ["| a | b |  |  |", "| --- | --- | --- | --- |", "| 1 |  |  |  |", "|  |  |  | far |"]),
        ("name;price\n" + "mill;1,5\n" * 3, ["| name | price |", "| --- | --- |", *["| mill | 1,5 |"] * 3]),
    ],
)
def test_delimiters_quotes_and_ragged_rows(text: str, lines: list[str]) -> None:
    assert "\n".join(block.text for block in csv_blocks(text)).split("\n") == lines


def test_a_quotation_mark_that_nobody_closed_costs_its_own_cell() -> None:
    rows = "".join(f"mill {number};{number}\n" for number in range(400))
    (block,) = csv_blocks(f'name;power\n"open;1\n{rows}')
    assert block.text.split("\n")[-1] == "| mill 399 | 399 |"


def test_one_wide_row_does_not_widen_all() -> None:
    (block,) = csv_blocks("a;" * 5_000 + "\n" + "b;c\n" * 5_000)
    assert len(block.text) < 200_000


def test_tabs() -> None:
    assert [block.text for block in tsv_blocks("a, b; c\td\n1\t2\n")] == ["| a, b; c | d |\n| --- | --- |\n| 1 | 2 |"]
