"""The provider `local`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.embedding.local import MOST_TOKENS, WINDOW, LocalEmbedder, windows


@pytest.fixture(scope="module")
def embedder() -> Iterator[LocalEmbedder]:
    embedder = LocalEmbedder()
    yield embedder
    embedder.close()


def vector(embedder: LocalEmbedder, text: str) -> NDArray[np.float32]:
    (batch,) = embedder.embed([text], purpose="document")
    found: NDArray[np.float32] = batch.vectors[0]
    return found


@given(st.lists(st.integers(103, 30_000), max_size=3 * MOST_TOKENS))
def test_windows_hold_the_text_in_parts_of_like_length(tokens: list[int]) -> None:
    parts = windows(tokens)
    assert [token for part in parts for token in part[1:-1]] == tokens[:MOST_TOKENS]
    assert max(map(len, parts)) <= WINDOW
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert {(part[0], part[-1]) for part in parts} == {(101, 102)}


@pytest.mark.parametrize(
    ("query", "right", "wrong"),
    [
        ("How do I get my money back?", "Refunds are paid within ten days.", "The office opens at nine."),
        ("database is slow", "Queries on Postgres take seconds since the index is gone.", "The new logo is blue."),
        ("when is the next release", "Version 2.4 ships on Friday.", "Coffee is in the kitchen."),
    ],
)
def test_a_question_is_nearer_to_its_answer(embedder: LocalEmbedder, query: str, right: str, wrong: str) -> None:
    asked, near, far = (vector(embedder, text) for text in (query, right, wrong))
    assert asked @ near > asked @ far + 0.1


def test_similarity_is_that_of_the_published_model(embedder: LocalEmbedder) -> None:
    """The sentences of the model's card, and the cosines printed there."""
    happy, very_happy, sunny = (
        vector(embedder, text)
        for text in ("That is a happy person", "That is a very happy person", "Today is a sunny day")
    )
    assert happy @ very_happy == pytest.approx(0.943, abs=0.02)
    assert happy @ sunny == pytest.approx(0.257, abs=0.05)


def test_the_end_of_a_long_text_counts(embedder: LocalEmbedder) -> None:
    beginning = "The meeting went on without results. " * 60
    with_end = vector(embedder, beginning + "Refunds are paid within ten days.")
    assert with_end @ vector(embedder, beginning) < 0.9999


def test_short_texts_come_first(embedder: LocalEmbedder) -> None:
    texts = ["a long text of several words", "a", "of three words"]
    batches = embedder.embed(texts, purpose="query", inputs_per_request=1)
    assert [list(batch.positions) for batch in batches] == [[1], [2], [0]]
