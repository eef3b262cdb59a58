"""Reading of answers."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from pipelines.embedding.openai.responses import (
    NO_VECTOR,
    EmbeddingResponse,
    UnreadableResponse,
    WrongCount,
    WrongDimensions,
    parse_object,
    parse_response,
)


def parsed(content: bytes, texts: int, dimensions: int) -> EmbeddingResponse:
    return parse_response(parse_object(content), texts, dimensions)


def packed_floats(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, dtype="<f4").tobytes()).decode()


def body(*entries: Any, **more: Any) -> bytes:
    return json.dumps({"data": list(entries), **more}).encode()


@pytest.mark.parametrize("embedding", [[3.0, 4.0], packed_floats(3, 4)])
def test_both_encodings_are_read_and_made_unit_length(embedding: Any) -> None:
    answer = parsed(body({"index": 0, "embedding": embedding}, usage={"prompt_tokens": 7}), 1, 2)
    assert answer.vectors.tolist() == [pytest.approx([0.6, 0.8])]
    assert answer.tokens == 7


def test_vectors_stand_in_the_order_of_the_texts() -> None:
    answer = parsed(body({"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1, 0]}), 2, 2)
    assert answer.vectors.tolist() == [[1, 0], [0, 1]]
    assert answer.tokens is None


def test_without_indexes_the_order_is_that_of_the_answer() -> None:
    assert parsed(body({"embedding": [1, 0]}, {"embedding": [0, 1]}), 2, 2).vectors.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>", "not JSON"),
        (body({"index": 0, "embedding": [1, 0]})[:-5], "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no `data`"),
        (body({"index": 1, "embedding": [1, 0]}), "indexes"),
        (body({"index": "0", "embedding": [1, 0]}), "indexes"),
        (body({"index": 0}), "KeyError"),
        (body({"index": 0, "embedding": "*"}), "cannot be read"),
        (body(None), "cannot be read"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableResponse, match=reason):
        parsed(content, 1, 2)


@pytest.mark.parametrize("embedding", [None, [], "", [0, 0], [float("nan"), 1], [float("inf"), 1]])
def test_a_text_without_a_vector_keeps_no_other_from_its_own(embedding: object) -> None:
    answer = parsed(body({"index": 0, "embedding": embedding}, {"index": 1, "embedding": [3, 4]}), 2, 2)
    assert answer.vectors == pytest.approx(np.array([[0, 0], [0.6, 0.8]]))
    assert answer.refused == {0: NO_VECTOR}


def test_another_count_or_size_is_told_apart() -> None:
    with pytest.raises(WrongCount, match="1 vectors for 2 texts"):
        parsed(body({"index": 0, "embedding": [1, 0]}), 2, 2)
    with pytest.raises(WrongDimensions) as caught:
        parsed(body({"index": 0, "embedding": packed_floats(1, 0, 0)}), 1, 2)
    assert caught.value.answered == 3
