"""Parses responses of OpenAI's embeddings API (https://platform.openai.com/docs/api-reference/embeddings). Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.embedding.base import Vectors


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
    """Unit vectors of shape (texts, dimensions) in the order of the texts. `tokens` is None where not given."""

    vectors: Vectors
    tokens: int | None


def parse_response(content: bytes, texts: int, dimensions: int) -> EmbeddingResponse:
    """Parse the body of an answer to a request of so many texts.

    Raises UnreadableResponse, WrongCount and WrongDimensions.
    """
    body = _parse_object(content)
    entries = body.get("data")
    if not isinstance(entries, list):
        raise UnreadableResponse("the answer holds no `data`")
    if len(entries) != texts:
        raise WrongCount(texts, len(entries))
    try:
        vectors = _vectors(entries, dimensions)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableResponse(f"a vector cannot be read ({type(error).__name__})") from error
    usage = body.get("usage")
    tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return EmbeddingResponse(_normalize(vectors), tokens if isinstance(tokens, int) else None)


def _parse_object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError as error:
        raise UnreadableResponse("the answer is not JSON") from error
    if not isinstance(body, dict):
        raise UnreadableResponse("the answer is not a JSON object")
    return body


def _vectors(entries: list[dict[str, Any]], dimensions: int) -> Vectors:
    """In the order of `index`, which need not be that of the answer."""
    import numpy as np

    order = [entry.get("index", position) for position, entry in enumerate(entries)]
    if sorted(order) != list(range(len(entries))):
        raise UnreadableResponse("the answer's indexes are not those of the texts")
    vectors: Vectors = np.empty((len(entries), dimensions), dtype=np.float32)
    for index, entry in zip(order, entries, strict=True):
        vector = _decode(entry["embedding"])
        if vector.ndim != 1:
            raise UnreadableResponse("a vector is not a list of numbers")
        if len(vector) != dimensions:
            raise WrongDimensions(len(vector))
        vectors[index] = vector
    return vectors


def _decode(embedding: str | list[float]) -> Vectors:
    """A vector, which servers that do not know `encoding_format` answer as numbers."""
    import numpy as np

    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    return np.asarray(embedding, dtype=np.float32)


def _normalize(vectors: Vectors) -> Vectors:
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise UnreadableResponse("a vector is zero or not a number")
    vectors /= lengths
    return vectors
