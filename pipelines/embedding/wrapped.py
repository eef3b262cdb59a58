"""An embedder around another one."""

from __future__ import annotations

from pipelines.embedding.base import Embedder


class WrappedEmbedder:
    """Tells of itself what the embedder inside does, and ends that one; how it embeds, those made of it say."""

    def __init__(self, embedder: Embedder) -> None:
        self.model = embedder.model
        self.dimensions = embedder.dimensions
        self.window_tokens = embedder.window_tokens
        self.price_per_million_tokens = embedder.price_per_million_tokens
        self._embedder = embedder

    def close(self) -> None:
        self._embedder.close()
