from __future__ import annotations

import pytest

from pipelines.chunking.tokens import estimate_tokens, utf8_length


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("字字字字", 3), ("\ud800", 1)]
)
def test_estimate(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@pytest.mark.parametrize("text", ["plain", "grün", "字", "👍"])
def test_length_is_that_of_utf8(text: str) -> None:
    assert utf8_length(text) == len(text.encode())
