"""The embedding cache: no text is paid for twice, in whichever document or connection it occurs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Engine, delete, func, or_, select

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
                columns = (tables.embeddings.c.key, tables.embeddings.c.vector)
                rows = transaction.execute(select(*columns).where(tables.embeddings.c.key.in_(part)))
                found.update((keys[row.key], np.frombuffer(row.vector, dtype="<f4")) for row in rows)
        return found

    def put(self, model: str, dimensions: int, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the vectors of these texts."""
        rows = [
            {"key": _key(model, dimensions, text), "vector": vector.astype("<f4").tobytes(), "text": _hash(text)}
            for text, vector in vectors.items()
        ]
        with self._engine.begin() as transaction:
            upsert(transaction, tables.embeddings, rows)

    def count(self, texts: Iterable[str], model: str, dimensions: int) -> int:
        """How many vectors `remove` would remove."""
        with self._engine.connect() as transaction:
            counts = (select(func.count()).where(one) for one in _of_texts(texts, model, dimensions))
            return sum(transaction.execute(one).scalar_one() for one in counts)

    def remove(self, texts: Iterable[str], model: str, dimensions: int) -> int:
        """Forget the vectors of these texts, by whichever model; returns how many there were.

        Of a vector that an earlier release has stored only its key is known: it is found if it is by this model.
        """
        with self._engine.begin() as transaction:
            removals = (delete(tables.embeddings).where(one) for one in _of_texts(texts, model, dimensions))
            return sum(transaction.execute(one).rowcount for one in removals)


def _key(model: str, dimensions: int, text: str) -> bytes:
    return _hash(f"{model}\0{dimensions}\0{text}")


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _of_texts(texts: Iterable[str], model: str, dimensions: int) -> Iterator[ColumnElement[bool]]:
    table = tables.embeddings
    for part in in_parts(texts, 200):
        keys = [_key(model, dimensions, text) for text in part]
        yield or_(table.c.text.in_([_hash(text) for text in part]), table.c.key.in_(keys))
