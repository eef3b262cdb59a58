"""Counts what questions cost, wherever they are asked. Who embeds documents says itself whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.embedding.base import UNMETERED, EmbeddedBatch, Embedder, Meter, Purpose
from pipelines.embedding.metering import QuestionMeter
from pipelines.embedding.wrapped import WrappedEmbedder


class AccountedEmbedder(WrappedEmbedder):
    """An embedder whose questions `questions` hears of, unless they have a meter of their own."""

    def __init__(self, embedder: Embedder, questions: QuestionMeter) -> None:
        super().__init__(embedder)
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
