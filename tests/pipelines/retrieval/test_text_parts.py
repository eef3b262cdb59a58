"""A long document in parts: each passage once, none too long."""

from __future__ import annotations

import pytest

from pipelines.index.contract import Hit
from pipelines.retrieval.text_parts import TextPart, cut_part
from tests.pipelines.retrieval.memory_index import chunk


def passages(*tokens: int) -> list[Hit]:
    return [chunk("d", place, text=chr(97 + place) * 4 * length) for place, length in enumerate(tokens)]


def letters(part: TextPart) -> str:
    return "".join(one[:1] for one in part.text.split("\n\n"))


@pytest.mark.parametrize("limit", [200, 250, 300, 1_000])
def test_parts_follow_one_another(limit: int) -> None:
    hits, offset, read, numbers = passages(100, 150, 50, 200, 10), 0, "", []
    while offset is not None:
        part = cut_part(hits, offset=offset, limit=limit, around=None)
        assert part.tokens <= limit
        read += letters(part)
        numbers.append(part.number)
        offset = part.next_offset  # type: ignore[assignment]
    assert read == "abcde"
    assert numbers == list(range(1, part.count + 1))
    assert part.total_tokens == 510


def test_a_passage_that_is_too_long_is_cut() -> None:
    part = cut_part(passages(500, 10), offset=0, limit=200, around=None)
    assert (len(part.text), part.tokens, part.next_offset) == (800, 200, 500)


@pytest.mark.parametrize(("around", "expected"), [(0, "abc"), (2, "bcd"), (4, "cde"), (99, "cde")])
def test_what_stands_around_a_passage(around: int, expected: str) -> None:
    assert letters(cut_part(passages(100, 100, 100, 100, 100), offset=0, limit=300, around=around)) == expected


def test_behind_the_end_there_is_nothing() -> None:
    part = cut_part(passages(100), offset=900, limit=200, around=None)
    assert (part.text, part.next_offset, part.number, part.count) == ("", None, 1, 1)
