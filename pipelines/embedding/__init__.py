"""Embedding: texts to vectors, through a provider that the settings choose."""

from __future__ import annotations

from pipelines.embedding.base import Embedder
from pipelines.settings import LocalEmbeddingSettings, OpenAIEmbeddingSettings

__all__ = ["Embedder", "open_embedder"]


def open_embedder(settings: LocalEmbeddingSettings | OpenAIEmbeddingSettings) -> Embedder:
    """The embedder that the settings describe. Nothing is sent and no model is loaded before its first use.

    Raises UsageError where a package is missing that a model comes with.
    """
    if isinstance(settings, OpenAIEmbeddingSettings):
        from pipelines.embedding.openai.client import OpenAICompatibleEmbedder

        return OpenAICompatibleEmbedder(settings)
    if settings.model == "multilingual":
        from pipelines.embedding.multilingual import MultilingualEmbedder

        return MultilingualEmbedder()
    from pipelines.embedding.local import LocalEmbedder

    return LocalEmbedder()
