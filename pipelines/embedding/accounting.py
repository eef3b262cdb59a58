"""Counts what questions cost, wherever they are asked. Who embeds documents says itself whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.embedding.base import UNMETERED, EmbeddedBatch, Embedder, Meter, Purpose
from pipelines.embedding.metering import QuestionMeter


class AccountedEmbedder:
    """An embedder whose questions `questions` hears of, unless they have a meter of their own."""

    def __init__(self, embedder: Embedder, questions: QuestionMeter) -> None:
        self.model = embedder.model
        self.dimensions = embedder.dimensions
        self.window_tokens = embedder.window_tokens
        self.price_per_million_tokens = embedder.price_per_million_tokens
        self._embedder = embedder
        self._questions = questions

    def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose,
        inputs_per_request: int | None = None,
        requests_at_once: int | None = None,
        meter: Meter = UNMETERED,
    ) -> Iterator[EmbeddedBatch]:
        """See `Embedder.embed`."""
        return self._embedder.embed(
            texts,
            purpose=purpose,
            inputs_per_request=inputs_per_request,
            requests_at_once=requests_at_once,
            meter=self._questions if purpose == "query" and meter is UNMETERED else meter,
        )

    def close(self) -> None:
        self._embedder.close()
