"""Parses responses of OpenAI's embeddings API (https://platform.openai.com/docs/api-reference/embeddings). Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.embedding.base import Vectors


NO_VECTOR = "answered a vector that is empty, zero or not a number"


class UnreadableResponse(Exception):
    """The body is not what the API promises; a retry can help."""


class WrongCount(Exception):
    """The provider answered another number of vectors than texts were sent."""

    def __init__(self, sent: int, answered: int) -> None:
        super().__init__(f"answered {answered} vectors for {sent} texts")


class WrongDimensions(Exception):
    def __init__(self, answered: int) -> None:
        self.answered = answered
        super().__init__(f"answered {answered} dimensions")


@dataclass(frozen=True, slots=True)
class EmbeddingResponse:
    """Unit vectors of shape (texts, dimensions) in the order of the texts. `tokens` is None where not given.

    `refused` says why there is no vector for a text: its row is zero.
    """

    vectors: Vectors
    tokens: int | None
    refused: Mapping[int, str] = field(default_factory=dict)

    def with_answer(self, position: int, alone: EmbeddingResponse) -> EmbeddingResponse:
        """With what came of the text at `position` when it was sent alone."""
        vectors = self.vectors.copy()
        vectors[position] = alone.vectors[0]
        refused = {key: reason for key, reason in self.refused.items() if key != position or alone.refused}
        return EmbeddingResponse(vectors, _sum([self.tokens, alone.tokens]), refused)


def nothing_but(reason: str, dimensions: int) -> EmbeddingResponse:
    """What is known of one text that is refused."""
    import numpy as np

    return EmbeddingResponse(np.zeros((1, dimensions), dtype=np.float32), 0, {0: reason})


def join(parts: Sequence[EmbeddingResponse]) -> EmbeddingResponse:
    """One response of those to its parts, in their order."""
    import numpy as np

    begins = accumulate((len(part.vectors) for part in parts), initial=0)
    refused = {
        begin + row: reason for begin, part in zip(begins, parts, strict=False) for row, reason in part.refused.items()
    }
    vectors = np.concatenate([part.vectors for part in parts])
    return EmbeddingResponse(vectors, _sum([part.tokens for part in parts]), refused)


def _sum(tokens: Sequence[int | None]) -> int | None:
    known = [number for number in tokens if number is not None]
    return sum(known) if len(known) == len(tokens) else None


def parse_object(content: bytes) -> dict[str, Any]:
    """The body of an answer. Raises UnreadableResponse."""
    try:
        answer = json.loads(content)
    except ValueError as error:
        raise UnreadableResponse("the answer is not JSON") from error
    if not isinstance(answer, dict):
        raise UnreadableResponse("the answer is not a JSON object")
    return answer


def counted_tokens(answer: Mapping[str, Any]) -> int | None:
    """What an answer says that it has counted, whatever its vectors are; None where it says nothing."""
    usage = answer.get("usage")
    tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return tokens if isinstance(tokens, int) else None


def parse_response(answer: Mapping[str, Any], texts: int, dimensions: int) -> EmbeddingResponse:
    """What an answer to a request of so many texts holds. Raises UnreadableResponse, WrongCount and WrongDimensions."""
    entries = answer.get("data")
    if not isinstance(entries, list):
        raise UnreadableResponse("the answer holds no `data`")
    if len(entries) != texts:
        raise WrongCount(texts, len(entries))
    try:
        vectors = _vectors(entries, dimensions)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableResponse(f"a vector cannot be read ({type(error).__name__})") from error
    refused = dict.fromkeys(_normalize(vectors), NO_VECTOR)
    return EmbeddingResponse(vectors, counted_tokens(answer), refused)


def _vectors(entries: list[dict[str, Any]], dimensions: int) -> Vectors:
    """In the order of `index`, which need not be that of the answer."""
    import numpy as np

    order = [entry.get("index", position) for position, entry in enumerate(entries)]
    if sorted(order) != list(range(len(entries))):
        raise UnreadableResponse("the answer's indexes are not those of the texts")
    vectors: Vectors = np.empty((len(entries), dimensions), dtype=np.float32)
    for index, entry in zip(order, entries, strict=True):
        vector = _decode(entry["embedding"])
        if vector is None:
            vectors[index] = 0.0
            continue
        if vector.ndim != 1:
            raise UnreadableResponse("a vector is not a list of numbers")
        if len(vector) != dimensions:
            raise WrongDimensions(len(vector))
        vectors[index] = vector
    return vectors


def _decode(embedding: str | list[float] | None) -> Vectors | None:
    """A vector, which servers that do not know `encoding_format` answer as numbers; None where there is none."""
    import numpy as np

    if not embedding:
        return None
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    return np.asarray(embedding, dtype=np.float32)


def _normalize(vectors: Vectors) -> list[int]:
    """Makes the vectors' lengths 1, and gives the rows of those that have none: they become zero."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    is_usable = np.isfinite(lengths) & (lengths > 0)
    np.divide(vectors, lengths, out=vectors, where=is_usable)
    vectors[~is_usable[:, 0]] = 0.0
    return [int(row) for row in np.flatnonzero(~is_usable)]
