"""Embedding the texts of a unit: from the cache, or in requests to the provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pipelines.ingestion.report import EmbeddingCounts
from pipelines.services import Services
from pipelines.tracing import span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = dict[str, NDArray[np.float32]]

SHARE_PER_REQUEST = 1 / 50
SMALLEST_REQUEST = 8
LARGEST_REQUEST = 512
MOST_AT_ONCE = 8
"""A request is paid for when it is sent, and its answer kept when it arrives. What a kill can lose is what is
under way: about a fiftieth of a unit's texts, in one request where that is small, in several where it is not."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    inputs_per_request: int
    requests_at_once: int


def request_limits(total: int) -> RequestLimits:
    """How `total` texts are spread over requests."""
    share = int(total * SHARE_PER_REQUEST)
    size = min(max(share, SMALLEST_REQUEST), LARGEST_REQUEST)
    return RequestLimits(size, min(max(share // size, 1), MOST_AT_ONCE))


class CachingEmbedder:
    """Vectors by text, from the cache or the provider; each answer is cached as soon as it arrives."""

    def __init__(self, services: Services, limits: RequestLimits, counts: EmbeddingCounts) -> None:
        self._embedder = services.embedder
        self._cache = services.catalog.embeddings
        self._limits = limits
        self._counts = counts

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vector of each of these distinct texts. Raises EmbeddingError; what arrived before stays cached."""
        with span("embed", texts=len(texts)):
            return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        embedder, counts = self._embedder, self._counts
        vectors = self._cache.get(embedder.model, embedder.dimensions, texts)
        counts.cached += len(vectors)
        for answer, tokens in self._request([text for text in texts if text not in vectors]):
            self._cache.put(embedder.model, embedder.dimensions, answer)
            vectors.update(answer)
            counts.requests += 1
            counts.inputs += len(answer)
            counts.tokens += tokens
            counts.cost_usd = counts.tokens * embedder.price_per_million_tokens / 1e6
        return vectors

    def _request(self, texts: Sequence[str]) -> Iterator[tuple[Vectors, int]]:
        """The vectors and the tokens of each answer, as they arrive."""
        if not texts:
            return
        for batch in self._embedder.embed(
            texts,
            purpose="document",
            inputs_per_request=self._limits.inputs_per_request,
            requests_at_once=self._limits.requests_at_once,
        ):
            pairs = zip(batch.positions, batch.vectors, strict=True)
            yield {texts[position]: vector for position, vector in pairs}, batch.tokens
