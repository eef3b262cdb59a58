"""The embedding cache: no text is paid for twice, in whichever document or connection it occurs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from sqlalchemy import Engine, select

from pipelines.catalog import tables
from pipelines.catalog.statements import in_parts, upsert

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class EmbeddingCache:
    """Vectors by (model, dimensions, exact text)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, model: str, dimensions: int, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The cached ones among `texts`, each a vector of shape (dimensions,)."""
        import numpy as np

        keys = {_key(model, dimensions, text): text for text in texts}
        found: dict[str, NDArray[np.float32]] = {}
        with self._engine.connect() as transaction:
            for part in in_parts(keys):
                rows = transaction.execute(select(tables.embeddings).where(tables.embeddings.c.key.in_(part)))
                found.update((keys[row.key], np.frombuffer(row.vector, dtype="<f4")) for row in rows)
        return found

    def put(self, model: str, dimensions: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the vectors of these texts."""
        rows = [
            {"key": _key(model, dimensions, text), "vector": vector.astype("<f4").tobytes()}
            for text, vector in vectors.items()
        ]
        with self._engine.begin() as transaction:
            upsert(transaction, tables.embeddings, rows)


def _key(model: str, dimensions: int, text: str) -> bytes:
    return blake2b(f"{model}\0{dimensions}\0{text}".encode(), digest_size=16).digest()
