"""A long document in parts: each passage once, none too long."""

from __future__ import annotations

import pytest

from pipelines.chunking.tokens import estimate_tokens
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


@pytest.mark.parametrize("limit", [200, 201, 333, 5_000])
@pytest.mark.parametrize("word", ["word ", "Wörter ", "言葉", "x" * 2_000, "😀"])
def test_a_passage_that_is_too_long_is_in_several_parts_and_none_of_it_is_lost(limit: int, word: str) -> None:
    texts = [word * (9_000 // len(word)), "short", f"{word * 20}end"]
    hits = [chunk("d", place, text=text) for place, text in enumerate(texts)]
    offset, read = 0, list[str]()
    while offset is not None:
        part = cut_part(hits, offset=offset, limit=limit, around=None)
        assert estimate_tokens(part.text) <= limit + len(texts)  # and the gaps
        assert "\ufffd" not in part.text
        read.append(part.text)
        offset = part.next_offset  # type: ignore[assignment]
    assert "".join(read).replace("\n\n", "") == "".join(texts)


def test_what_was_read_with_one_limit_goes_on_with_another() -> None:
    hits = passages(500, 3, 500)
    begun = cut_part(hits, offset=0, limit=600, around=None)
    assert (letters(begun), begun.next_offset) == ("ab", 503)
    assert cut_part(hits, offset=503, limit=200, around=None).text == "c" * 800


@pytest.mark.parametrize(("around", "expected"), [(0, "abc"), (2, "bcd"), (4, "cde"), (99, "cde")])
def test_what_stands_around_a_passage(around: int, expected: str) -> None:
    assert letters(cut_part(passages(100, 100, 100, 100, 100), offset=0, limit=300, around=around)) == expected


def test_behind_the_end_there_is_nothing() -> None:
    part = cut_part(passages(100), offset=900, limit=200, around=None)
    assert (part.text, part.next_offset, part.number, part.count) == ("", None, 1, 1)
