"""Embedding the texts of a unit: from the cache, or in requests to the provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from pipelines.catalog.spending import Spent
from pipelines.embedding.metering import ConnectionMeter
from pipelines.errors import BudgetSpent
from pipelines.ingestion.report import EmbeddingCounts
from pipelines.services import Services
from pipelines.tracing import span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipelines.embedding.base import EmbeddedBatch

    Vectors: TypeAlias = dict[str, NDArray[np.float32]]

SHARE, SHARE_OF_FEW, FEW_INPUTS = 1 / 200, 1 / 50, 190
"""A request is paid for when it is sent, and its answer kept when it arrives. What a kill can lose is what is under
way: a two-hundredth of a unit's texts; of few texts a fiftieth, up to so many inputs, since a provider that answers
after 0.1 s has nothing to do else."""
SMALLEST_REQUEST, LARGEST_REQUEST = 64, 256
"""Inputs. 64 passages cost a thousandth of a dollar at the most, and with fewer a small unit waits for its requests."""
MOST_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Embedded:
    """What came of texts: each has its vector, or the reason for which the provider gives none, or is `held`: it was
    not sent, because the budget is spent."""

    vectors: Vectors
    refused: dict[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RequestLimits:
    inputs_per_request: int
    requests_at_once: int


def request_limits(total: int) -> RequestLimits:
    """How `total` texts are spread over requests."""
    under_way = int(max(min(total * SHARE_OF_FEW, FEW_INPUTS), total * SHARE))
    at_once = min(max(ceil(under_way / LARGEST_REQUEST), 1), MOST_AT_ONCE)
    return RequestLimits(min(max(under_way // at_once, SMALLEST_REQUEST), LARGEST_REQUEST), at_once)


class CachingEmbedder:
    """Vectors by text, from the cache or the provider; each answer is cached as soon as it arrives. `total` says how
    many texts there are to be, as far as is known.

    What it costs is the connection's, and bound by its budget, unless that is not `bounded`.
    """

    def __init__(
        self,
        services: Services,
        connection: str,
        total: Callable[[], int],
        counts: EmbeddingCounts,
        *,
        bounded: bool = True,
    ) -> None:
        self._embedder = services.embedder
        self._cache = services.catalog.embeddings
        self._total = total
        self._counts = counts
        self._counting = Lock()
        budget = services.settings.budget(connection) if bounded else None
        price = self._embedder.price_per_million_tokens
        self._meter = ConnectionMeter(services.catalog.spending, connection, budget, price, self._count)

    @property
    def limits(self) -> RequestLimits:
        """Those of now: they grow with what is known of the whole."""
        return request_limits(self.expected)

    @property
    def expected(self) -> int:
        """How many texts there are to be, as far as is known now."""
        return self._total()

    def embed(self, texts: Sequence[str], limits: RequestLimits | None = None) -> Embedded:
        """What comes of these distinct texts, in requests within `limits`. Raises EmbeddingError; what arrived before
        stays cached."""
        with span("embed", texts=len(texts)):
            return self._embed(texts, limits or self.limits)

    def _embed(self, texts: Sequence[str], limits: RequestLimits) -> Embedded:
        embedder = self._embedder
        self._cache.models.mark_used(embedder.model, embedder.dimensions)  # also where all of it is cached
        found = self._cache.get(embedder.model, embedder.dimensions, texts)
        refused: dict[str, str] = {}
        self._counts.cached += len(found)
        missing = [text for text in texts if text not in found]
        try:
            for batch in self._request(missing, limits) if missing else ():
                pairs = zip(batch.positions, batch.vectors, strict=True)
                answer = {missing[position]: vector for position, vector in pairs}
                self._cache.put(embedder.model, embedder.dimensions, answer)
                found.update(answer)
                refused.update({missing[position]: reason for position, reason in batch.refused.items()})
                self._counts.inputs += len(batch.positions)
        except BudgetSpent:
            return Embedded(found, refused, frozenset(missing) - found.keys() - refused.keys())
        return Embedded(found, refused)

    def _request(self, texts: Sequence[str], limits: RequestLimits) -> Iterator[EmbeddedBatch]:
        return self._embedder.embed(
            texts,
            purpose="document",
            inputs_per_request=limits.inputs_per_request,
            requests_at_once=limits.requests_at_once,
            meter=self._meter,
        )

    def _count(self, spent: Spent) -> None:
        with self._counting:
            self._counts.requests += spent.embedding_requests
            self._counts.tokens += spent.tokens
            self._counts.cost_usd += spent.cost_usd
