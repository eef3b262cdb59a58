"""Questions embedded together: a provider is asked in batches, not once for each question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.embedding.base import UNMETERED, EmbeddedBatch, Embedder, Meter, Purpose

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PreembeddedQueries:
    """An embedder that knows the vectors of some queries beforehand, and asks another one for the rest.

    Holds one vector for each query. Making one raises EmbeddingError. Closing it leaves the other one open.
    """

    def __init__(self, embedder: Embedder, queries: Sequence[str]) -> None:
        self._embedder = embedder
        self.model = embedder.model
        self.dimensions = embedder.dimensions
        self.window_tokens = embedder.window_tokens
        self.price_per_million_tokens = embedder.price_per_million_tokens
        texts = list(dict.fromkeys(queries))
        self._known: dict[str, NDArray[np.float32]] = {
            texts[position]: vector
            for batch in embedder.embed(texts, purpose="query")
            for position, vector in zip(batch.positions, batch.vectors, strict=True)
        }

    def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose,
        inputs_per_request: int | None = None,
        requests_at_once: int | None = None,
        meter: Meter = UNMETERED,
    ) -> Iterator[EmbeddedBatch]:
        import numpy

        if purpose == "query" and texts and all(text in self._known for text in texts):
            yield EmbeddedBatch(range(len(texts)), numpy.stack([self._known[text] for text in texts]), 0)
            return
        yield from self._embedder.embed(
            texts,
            purpose=purpose,
            inputs_per_request=inputs_per_request,
            requests_at_once=requests_at_once,
            meter=meter,
        )

    def close(self) -> None:
        """Nothing of its own is open."""
