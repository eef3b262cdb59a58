"""Counts what questions cost. Texts of documents are counted where they are indexed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.embedding.base import UNMETERED, EmbeddedBatch, Embedder, Meter, Purpose
from pipelines.embedding.wrapped import WrappedEmbedder
from pipelines.service.metrics import Metrics


class MeteredEmbedder(WrappedEmbedder):
    """An embedder that adds the tokens of each answer, and their price, to a server's figures."""

    def __init__(self, embedder: Embedder, metrics: Metrics) -> None:
        super().__init__(embedder)
        self._metrics = metrics

    def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose,
        inputs_per_request: int | None = None,
        requests_at_once: int | None = None,
        meter: Meter = UNMETERED,
    ) -> Iterator[EmbeddedBatch]:
        for batch in self._embedder.embed(
            texts,
            purpose=purpose,
            inputs_per_request=inputs_per_request,
            requests_at_once=requests_at_once,
            meter=meter,
        ):
            self._metrics.query_tokens.inc(batch.tokens)
            self._metrics.query_cost.inc(batch.tokens * self.price_per_million_tokens / 1e6)
            yield batch
