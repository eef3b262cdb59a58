"""An embedder without a model: texts that share words get vectors that are near."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from pipelines.embedding.base import EmbeddedBatch, Purpose
from pipelines.errors import EmbeddingUnavailable


class FakeEmbedder:
    """Counts what it is asked for; `fail_after` requests it is out of order."""

    model = "fake-words"
    dimensions = 64
    price_per_million_tokens = 1.0

    def __init__(self, fail_after: int | None = None) -> None:
        self.embedded: Counter[str] = Counter()
        self.requests = 0
        self.fail_after = fail_after

    def embed(
        self, texts: Sequence[str], *, purpose: Purpose, inputs_per_request: int | None = None
    ) -> Iterator[EmbeddedBatch]:
        size = inputs_per_request or 100
        for start in range(0, len(texts), size):
            if self.fail_after is not None and self.requests >= self.fail_after:
                raise EmbeddingUnavailable("the fake provider is out of order")
            part = texts[start : start + size]
            self.requests += 1
            self.embedded.update(part if purpose == "document" else ())
            vectors = np.array([self._vector(text) for text in part], dtype=np.float32)
            yield EmbeddedBatch(range(start, start + len(part)), vectors, sum(len(text.split()) for text in part))

    def close(self) -> None:
        pass

    def _vector(self, text: str) -> list[float]:
        vector = np.full(self.dimensions, 1e-3)
        for word in re.findall(r"\w+", text.lower()):
            vector[zlib.crc32(word.encode()) % self.dimensions] += 1
        return list(vector / np.linalg.norm(vector))
