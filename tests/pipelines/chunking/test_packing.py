"""Which blocks share a chunk, and under which headings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.chunking.blocks import MAX_BYTES, Block, Kind, heading, join_blocks
from pipelines.chunking.packing import Span, chunk_spans, heading_paths


def _text(size: int, kind: Kind = "text") -> Block:
    return Block(kind, "a" * size)


@pytest.mark.parametrize(
    ("blocks", "starts"),
    [
        ([], []),
        ([_text(10)], [0]),
        ([_text(10), _text(20)], [0]),
        # A document that fits is one chunk, whatever its headings.
        ([heading("A", 1), _text(900), heading("B", 2), _text(900)], [0]),
        # Without headings, paragraphs are packed.
        ([_text(900)] * 5, [0, 2, 4]),
        ([_text(1900), _text(1900, "table"), _text(100)], [0, 1]),
        ([_text(1000, "code"), _text(1000, "table"), _text(2000, "item")], [0, 2]),
        # Sections that fit stay whole.
        ([heading("A", 1), _text(1500), heading("B", 1), _text(1500)], [0, 2]),
        # Small ones side by side are combined.
        ([heading("A", 1), _text(300), heading("B", 1), _text(300), heading("C", 1), _text(1900)], [0, 4]),
        # … but not across the border of a larger section.
        ([heading("A", 1), _text(1900), heading("A1", 2), _text(300), heading("B", 1), _text(300)], [0, 2, 4]),
        # A heading that leads to a longer section goes with it.
        ([heading("A", 1), heading("B", 2), _text(1500), _text(1500)], [0, 3]),
        # A chunk that is half full takes in no further section, and one just below that does.
        ([heading("A", 1), _text(1019), heading("B", 1), _text(300), heading("C", 1), _text(1900)], [0, 2, 4]),
        ([heading("A", 1), _text(1018), heading("B", 1), _text(300), heading("C", 1), _text(1900)], [0, 4]),
        # What leads to a section, and a heading that leaves no room for it.
        (
            [_text(100), _text(100), Block("heading", "# " + "a" * 1900, level=1), _text(1900), _text(1900)],
            [0, 1, 3, 4],
        ),
        # A table or code stays with its heading.
        ([heading("A", 1), _text(1900), heading("B", 1), _text(1900, "table")], [0, 2]),
        # Levels that skip, and a deeper section before a higher one.
        ([heading("A", 3), _text(1900), heading("B", 1), _text(1900), heading("C", 2), _text(1900)], [0, 2, 4]),
    ],
)
def test_borders(blocks: list[Block], starts: list[int]) -> None:
    spans = chunk_spans(blocks)
    assert [span.start for span in spans] == starts
    assert [block for span in spans for block in blocks[span.start : span.end]] == list(blocks)


_sizes = st.one_of(st.integers(1, 200), st.integers(1, 2048))
_blocks = st.lists(
    st.one_of(
        st.builds(_text, _sizes, st.sampled_from(["text", "item", "code", "table"])),
        st.builds(lambda size, level: Block("heading", "a" * size, level=level), _sizes, st.integers(1, 5)),
    ),
    max_size=40,
)


@given(blocks=_blocks)
def test_chunks_hold_every_block_once_and_keep_the_limit(blocks: list[Block]) -> None:
    spans = chunk_spans(blocks)
    assert [at for span in spans for at in range(span.start, span.end)] == list(range(len(blocks)))
    assert all(span.start < span.end for span in spans)
    assert all(len(join_blocks(blocks[span.start : span.end])) <= MAX_BYTES for span in spans)


def test_non_ascii_text_is_measured_in_bytes() -> None:
    blocks = [Block("text", "字" * 300) for _ in range(4)]
    spans = chunk_spans(blocks)
    assert [span.start for span in spans] == [0, 2]
    assert all(len(join_blocks(blocks[span.start : span.end]).encode()) <= MAX_BYTES for span in spans)


def test_indented_text_is_measured_as_written() -> None:
    deep = "\n".join(" " * 40 + "x" for _ in range(30))
    blocks = [block for title in "ABC" for block in (heading(title, 1), _text(300), Block("code", deep))]
    for span in chunk_spans(blocks):
        assert len(join_blocks(blocks[span.start : span.end])) <= MAX_BYTES


@pytest.mark.parametrize(
    ("text", "plain"),
    [("#1 thing in C#", "#1 thing in C#"), ("The [API](https://e.org/x) of `call`", "The API of call"), ("**B**", "B")],
)
def test_heading_paths_are_plain_text(text: str, plain: str) -> None:
    blocks = [heading(text, 1), _text(5)]
    assert list(heading_paths(blocks, [Span(0, 1), Span(1, 2)])) == [(), (plain,)]


def test_heading_paths() -> None:
    blocks = [
        _text(1),
        heading("Guide", 1),
        heading("Install", 2),
        _text(2),
        _text(3, "code"),
        _text(4),
        heading("Deep", 4),
        _text(5),
        heading("Use", 2),
        heading("Other", 1),
        _text(6),
    ]
    starts = [0, 1, 4, 6, 8, 10]
    spans = [Span(start, end) for start, end in zip(starts, [*starts[1:], len(blocks)], strict=True)]
    assert list(heading_paths(blocks, spans)) == [
        (),
        (),
        ("Guide", "Install"),
        ("Guide", "Install"),
        ("Guide",),
        ("Other",),
    ]
