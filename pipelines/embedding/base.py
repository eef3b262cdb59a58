"""The contract of embedding providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = NDArray[np.float32]

Purpose: TypeAlias = Literal["document", "query"]

PROBE = "Does the embedding provider answer?"
"""A text that every model takes: what fails for it fails for all."""


@dataclass(frozen=True, slots=True)
class EmbeddedBatch:
    """The answer to one request: `vectors[i]`, of unit length, belongs to `texts[positions[i]]`.

    `refused` says why the provider gives no vector for the texts at other positions, although it answers for others.
    """

    positions: Sequence[int]
    vectors: Vectors
    tokens: int
    refused: Mapping[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class SentRequest:
    """A request to a provider. `requests` counts how often it was sent, `billed` its tokens if it was answered."""

    requests: int = 1
    billed: int = 0


class Meter(Protocol):
    """Hears of each request to a provider, and may refuse it. Safe to call from several threads."""

    @property
    def tokens_per_request(self) -> int | None:
        """What one request may have, where that is less than the provider takes."""

    def request(self, tokens: int) -> AbstractContextManager[SentRequest]:
        """A request of about so many tokens is sent in the context. Raises BudgetSpent instead of letting it be."""


class Unmetered:
    """Hears nothing."""

    tokens_per_request: int | None = None

    def request(self, tokens: int) -> AbstractContextManager[SentRequest]:
        return nullcontext(SentRequest())


UNMETERED = Unmetered()


class Embedder(Protocol):
    """Turns texts into vectors. Implementations are safe to call from several threads."""

    model: str
    """Name under which vectors are cached and the collection is made; changes whenever vectors would."""
    dimensions: int
    window_tokens: int | None
    """Of a longer chunk each window of about so many tokens gets a vector of its own; None: chunks as a whole."""
    price_per_million_tokens: float
    """In US dollars; 0 for local models."""

    def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose,
        inputs_per_request: int | None = None,
        requests_at_once: int | None = None,
        meter: Meter = UNMETERED,
    ) -> Iterator[EmbeddedBatch]:
        """Embed `texts`, yielding each request's answer as soon as it arrives, in any order.

        `inputs_per_request` and `requests_at_once` bound requests further than the provider does, so that a caller
        who stores each answer loses little when killed. `meter` hears of each request, repeated ones and those that
        only look for what is wrong included, before it is sent and once it has ended. Raises
        `pipelines.errors.EmbeddingError`, for a question also where the text alone is refused.
        """

    def close(self) -> None:
        """Release network connections and models."""
