"""What a backfill would take: documents, tokens, money and time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from connectors.contract import Window
from connectors.model import Document
from connectors.registry import connect
from pipelines.catalog.budgets import budget_of
from pipelines.chunking.tokens import estimate_tokens
from pipelines.chunking.windows import embedded_texts
from pipelines.errors import DocumentError
from pipelines.ingestion.embedding import CachingEmbedder
from pipelines.ingestion.options import Target
from pipelines.ingestion.report import EmbeddingCounts
from pipelines.ingestion.source_requests import counting_requests
from pipelines.ingestion.unit_listing import sync_units
from pipelines.services import Services
from pipelines.settings import Settings

_PROBE = 8
"""How many texts are embedded to learn how fast the provider is. Their vectors are kept: nothing is paid for twice."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`inputs` are texts that the cache does not have; `tokens` and `cost_usd` are theirs. `probed` counts those that
    were embedded to learn how fast the provider is. `beyond_budget` says that the connection's budget will be spent
    before the end, and what comes then; empty where it has room."""

    documents: int
    inputs: int
    tokens: int
    cost_usd: float
    seconds: float
    probed: EmbeddingCounts
    beyond_budget: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "probed"}


def estimate(settings: Settings, target: Target, window: Window | None) -> Estimate:
    """Read what a backfill would read, and count what it would embed; nothing is kept but the vectors of a few texts.

    Raises SourceError, EmbeddingError and UsageError.
    """
    started = time.perf_counter()
    documents = inputs = tokens = 0
    probe: list[str] = []
    with Services(settings) as services:
        for texts in _texts(services, target, window):
            documents += 1
            missing = _not_cached(services, texts)
            inputs += len(missing)
            tokens += sum(map(estimate_tokens, missing))
            probe += missing[: _PROBE - len(probe)]
        reading = time.perf_counter() - started
        probed = EmbeddingCounts()
        per_text = _seconds_per_text(services, target.connection, probe, probed) if probe else 0.0
        price = services.embedder.price_per_million_tokens
        beyond = _beyond_budget(services, target.connection, tokens)
    return Estimate(documents, inputs, tokens, tokens * price / 1e6, reading + inputs * per_text, probed, beyond)


def _beyond_budget(services: Services, connection: str, tokens: int) -> str:
    use = budget_of(services.catalog, services.settings, connection)
    if use is None or tokens <= use.tokens_left:
        return ""
    left = max(use.tokens_left, 0)
    return (
        f"about {tokens:,} tokens are more than the {left:,} that the budget of {connection} leaves ({use.line}): "
        "what is beyond it is read now, and embedded when there is room"
    )


def _texts(services: Services, target: Target, window: Window | None) -> Iterator[list[str]]:
    """The texts to embed of each document in the window."""
    connection = services.settings.connection(target.connection)
    with (
        closing(connect(services.with_store(connection))) as connector,
        counting_requests(services.catalog, connection.id, connector),
    ):
        for unit in sync_units(services, connection, connector, target.units).chosen:
            for item in connector.read(unit, None, window):
                if isinstance(item, Document):
                    yield _chunk_texts(services, item)


def _chunk_texts(services: Services, document: Document) -> list[str]:
    try:
        chunks = services.chunkers.chunk(document).chunks
        return [text for chunk in chunks for text in embedded_texts(chunk, services.embedder.window_tokens)]
    except DocumentError:
        return []  # the backfill itself records why


def _not_cached(services: Services, texts: list[str]) -> list[str]:
    embedder = services.embedder
    cached = services.catalog.embeddings.get(embedder.model, embedder.dimensions, texts)
    return [text for text in texts if text not in cached]


def _seconds_per_text(services: Services, connection: str, texts: list[str], probed: EmbeddingCounts) -> float:
    started = time.perf_counter()
    CachingEmbedder(services, connection, lambda: len(texts), probed).embed(list(dict.fromkeys(texts)))
    return (time.perf_counter() - started) / len(texts)
