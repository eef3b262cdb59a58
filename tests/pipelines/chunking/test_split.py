"""Cutting blocks that are longer than a chunk."""

from __future__ import annotations

import pytest

from pipelines.chunking.blocks import MAX_BYTES, Block, heading
from pipelines.chunking.formats.markdown import markdown_blocks
from pipelines.chunking.formats.tables import table
from pipelines.chunking.split import split_blocks


def test_what_fits_is_left_alone() -> None:
    blocks = [Block("code", "x" * MAX_BYTES), Block("table", "| a |\n| - |\n| b |", head="| a |\n| - |")]
    assert split_blocks(blocks) == blocks


def test_code_is_cut_at_line_ends_and_fenced_again() -> None:
    lines = [f"call({number})" for number in range(500)]
    (block,) = markdown_blocks("```python\n" + "\n".join(lines) + "\n```")
    parts = split_blocks([block])
    assert len(parts) > 1
    assert all(part.text.startswith("```python\n") and part.text.endswith("\n```") for part in parts)
    assert [line for part in parts for line in part.text.split("\n")[1:-1]] == lines


def test_indentation_at_a_cut_is_kept() -> None:
    lines = [f"    step_{number}()" for number in range(300)]
    parts = split_blocks(markdown_blocks("```\n" + "\n".join(lines) + "\n```"))
    assert [line for part in parts for line in part.text.split("\n")[1:-1]] == lines


def test_code_whose_fence_never_closes() -> None:
    (block,) = markdown_blocks("```\n" + "line\n" * 1000)
    parts = split_blocks([block])
    assert sum(part.text.count("line") for part in parts) == 1000


def test_a_table_is_cut_between_rows_under_its_header() -> None:
    (block,) = table([["name", "value"], *([f"row {number}", str(number)] for number in range(300))])
    parts = split_blocks([block])
    assert len(parts) > 1
    assert all(part.text.startswith("| name | value |\n| --- | --- |\n| row ") for part in parts)
    rows = [line for part in parts for line in part.text.split("\n")[2:]]
    assert rows == [f"| row {number} | {number} |" for number in range(300)]


def test_a_row_longer_than_a_chunk_is_cut() -> None:
    (block,) = table([["name"], ["long " * 1000]])
    parts = split_blocks([block])
    assert all(len(part.text) <= MAX_BYTES for part in parts)
    assert sum(part.text.count("long") for part in parts) == 1000


def test_a_header_longer_than_a_chunk() -> None:
    (block,) = table([["head " * 1000], ["body"]])
    text = "\n".join(part.text for part in split_blocks([block]))
    assert (text.count("head"), text.count("body")) == (1000, 1)


def test_what_is_cut_leaves_room_for_its_heading() -> None:
    above, *parts = split_blocks([heading("Costs", 2), *table([[f"row {number}", "x"] for number in range(300)])])
    assert above.size + parts[0].size <= MAX_BYTES + 2
    above, *parts = split_blocks([heading("Plan", 2), Block("text", "word " * 409)])
    assert above.size + parts[0].size <= MAX_BYTES + 2


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("line of words\n" * 300, "line of words"),
        ("A sentence ends here. " * 200, "here."),
        ("word " * 600, "word"),
        ("文章在这里结束。" * 200, "。"),
    ],
    ids=["lines", "sentences", "words", "Chinese sentences"],
)
def test_prose_is_cut_where_it_reads_best(text: str, end: str) -> None:
    parts = split_blocks([Block("text", text.strip())])
    assert len(parts) > 1
    assert all(part.text.rstrip().endswith(end) for part in parts)
    assert all(MAX_BYTES // 2 <= len(part.text.encode()) <= MAX_BYTES for part in parts[:-1])
