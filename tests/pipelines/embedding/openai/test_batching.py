"""Packing of texts into requests, and cutting of texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.embedding.openai.batching import cut, pack


@pytest.mark.parametrize(
    ("lengths", "requests"),
    [
        ([], []),
        ([3, 3, 3], [[0, 1, 2]]),
        ([3, 3, 5], [[0, 1], [2]]),
        ([1, 1, 1, 1], [[0, 1, 2], [3]]),
        ([99, 1, 99], [[0], [1], [2]]),
    ],
)
def test_requests_are_filled_in_order(lengths: list[int], requests: list[list[int]]) -> None:
    assert list(pack(lengths, most_tokens=10, most_inputs=3)) == requests


@given(st.lists(st.integers(0, 30)), st.integers(1, 20), st.integers(1, 5))
def test_every_text_is_sent_once_within_the_limits(lengths: list[int], most_tokens: int, most_inputs: int) -> None:
    requests = list(pack(lengths, most_tokens=most_tokens, most_inputs=most_inputs))
    assert [position for request in requests for position in request] == list(range(len(lengths)))
    for request in requests:
        assert 1 <= len(request) <= most_inputs
        assert len(request) == 1 or sum(lengths[position] for position in request) <= most_tokens


@given(st.text(), st.integers(0, 40))
def test_a_cut_text_is_a_beginning_as_long_as_fits(text: str, most_bytes: int) -> None:
    beginning = cut(text, most_bytes)
    assert text.startswith(beginning)
    assert len(beginning.encode()) <= most_bytes
    assert beginning == text or len(text[: len(beginning) + 1].encode()) > most_bytes


def test_half_a_character_becomes_a_question_mark() -> None:
    assert cut("\ud83d half", 100) == "? half"
