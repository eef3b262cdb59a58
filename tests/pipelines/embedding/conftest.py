"""A loopback embeddings API, and embedders on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from pipelines.embedding import Embedder, open_embedder
from pipelines.settings import OpenAIEmbeddingSettings
from tests.emulators.embeddings import EmbeddingsServer

KEY = "sk-a-secret-of-the-test"


@pytest.fixture
def server() -> Iterator[EmbeddingsServer]:
    with EmbeddingsServer(dimensions=32, api_key=KEY) as server:
        yield server


@pytest.fixture
def open_remote(server: EmbeddingsServer) -> Iterator[Callable[..., Embedder]]:
    """Opens an embedder on the server, with other settings where told."""
    opened: list[Embedder] = []

    def open_it(**settings: Any) -> Embedder:
        defaults = {"model": "words", "dimensions": 32, "base_url": server.url, "api_key": SecretStr(KEY)}
        opened.append(open_embedder(OpenAIEmbeddingSettings(provider="openai", **{**defaults, **settings})))
        return opened[-1]

    yield open_it
    for embedder in opened:
        embedder.close()
